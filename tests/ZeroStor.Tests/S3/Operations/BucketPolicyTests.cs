using System.Text;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Operations;

namespace ZeroStor.Tests.S3.Operations;

public sealed class BucketPolicyTests
{
    private const string Objects = "\"arn:aws:s3:::b/*\"";

    [Theory]
    [InlineData("\"*\"", "\"s3:GetObject\"", Objects, 1)]
    [InlineData("{\"AWS\":\"*\"}", "[\"s3:GetObject\"]", "[\"arn:aws:s3:::b/*\"]", 1)]
    [InlineData("{\"AWS\":[\"*\"]}", "\"s3:ListBucket\"", "\"arn:aws:s3:::b\"", 2)]
    [InlineData(
        "\"*\"", "[\"s3:GetObject\",\"s3:ListBucket\"]", "[\"arn:aws:s3:::b\",\"arn:aws:s3:::b/*\"]", 3)]
    public void What_everybody_may_read_is_understood(string principal, string action, string resource, int access) =>
        Assert.Equal((PublicAccess)access, Read(Statement("Allow", principal, action, resource)));

    [Theory]
    [InlineData("Deny", "\"*\"", "\"s3:GetObject\"", Objects)]
    [InlineData("Allow", "{\"AWS\":\"arn:aws:iam::1:root\"}", "\"s3:GetObject\"", Objects)]
    [InlineData("Allow", "\"*\"", "\"s3:PutObject\"", Objects)]
    [InlineData("Allow", "\"*\"", "\"s3:*\"", Objects)]
    [InlineData("Allow", "\"*\"", "\"s3:GetObject\"", "\"arn:aws:s3:::b/secret/*\"")]
    [InlineData("Allow", "\"*\"", "\"s3:GetObject\"", "\"arn:aws:s3:::other/*\"")]
    [InlineData("Allow", "\"*\"", "\"s3:GetObject\"", Objects + ",\"Condition\":{}")]
    public void What_is_not_kept_is_not_taken(string effect, string principal, string action, string resource) =>
        Wire.Refuses(S3Error.NotImplemented, () => Read(Statement(effect, principal, action, resource)));

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"Statement\":[]}")]
    [InlineData("{\"Statement\":[1]}")]
    [InlineData("{\"Statement\":{\"Effect\":\"Allow\"}}")]
    [InlineData("{\"Statement\":{\"Effect\":1,\"Principal\":\"*\",\"Action\":\"s3:GetObject\",\"Resource\":[]}}")]
    public void What_is_no_policy_is_malformed(string policy) =>
        Wire.Refuses(S3Error.MalformedPolicy, () => Read(policy));

    // As the bytes of Latin-1 none beyond ASCII is UTF-8.
    [Theory]
    [InlineData("{\"Version\":\"2012-10-17\",\"Stat\u00d1ement\":[]}")]
    [InlineData("{\"Statement\":[{\"Effect\":\"All\u00d1ow\"}]}")]
    [InlineData("{\"Statement\":[{\"Effect\":\"\\ud800\"}]}")]
    [InlineData("{\"\\udc00\":1}")]
    public void Strings_that_are_no_text_are_malformed(string policy) => Wire.Refuses(
        S3Error.MalformedPolicy, () => BucketPolicy.Read(Encoding.Latin1.GetBytes(policy), "b"));

    [Fact]
    public void Whatever_single_byte_is_changed_it_is_read_or_refused()
    {
        byte[] policy = Encoding.ASCII.GetBytes(Statement("Allow", "{\"AWS\":[\"*\"]}", "\"s3:GetObject\"", Objects));
        for (int at = 0; at < policy.Length; at++)
        {
            byte[] changed = [.. policy];
            for (int value = 0; value <= byte.MaxValue; value++)
            {
                changed[at] = (byte)value;
                try
                {
                    BucketPolicy.Read(changed, "b");
                }
                catch (S3Exception)
                {
                    // Which is the answer.
                }
            }
        }
    }

    private static string Statement(string effect, string principal, string action, string resource) =>
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"s\",\"Effect\":\"" + effect + "\",\"Principal\":"
        + principal + ",\"Action\":" + action + ",\"Resource\":" + resource + "}]}";

    private static object Read(string policy) => BucketPolicy.Read(Encoding.UTF8.GetBytes(policy), "b");
}
