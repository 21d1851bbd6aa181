using ZeroStor.S3.Errors;
using ZeroStor.S3.Protocol;

namespace ZeroStor.Tests.S3.Protocol;

public sealed class WriteHeadersTests
{
    [Theory]
    [InlineData("x-amz-server-side-encryption", "aws:kms")]
    [InlineData("x-amz-server-side-encryption-customer-algorithm", "AES256")]
    [InlineData("x-amz-copy-source-server-side-encryption-customer-key", "k")]
    [InlineData("X-Amz-Object-Lock-Mode", "COMPLIANCE")]
    [InlineData("x-amz-grant-read", "id=1")]
    public void What_is_not_done_is_not_taken_silently(string header, string value) => Wire.Refuses(
        S3Error.NotImplemented, () => UnsupportedHeaders.Refuse(
            Wire.Request("PUT", "/b/k", (header, value))));

    [Fact]
    public void Encryption_by_the_services_own_keys_is_what_every_object_has()
    {
        UnsupportedHeaders.Refuse(Wire.Request("PUT", "/b/k", ("x-amz-server-side-encryption", "AES256")));
        UnsupportedHeaders.Refuse(Wire.Request("PUT", "/b/k", ("x-amz-meta-x", "1")));
        Wire.Refuses(S3Error.InvalidArgument, () => UnsupportedHeaders.Refuse(
            Wire.Request("PUT", "/b/k", ("x-amz-server-side-encryption", "ROT13"))));
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("private", CannedAcl.Private)]
    [InlineData("bucket-owner-full-control", CannedAcl.Private)]
    [InlineData("public-read", CannedAcl.PublicRead)]
    public void Canned_lists_are_private_or_readable(string? header, CannedAcl? acl) =>
        Assert.Equal(acl, CannedAcls.Parse(header));

    [Fact]
    public void Other_canned_lists_are_not_implemented_and_what_is_none_is_wrong()
    {
        Wire.Refuses(S3Error.NotImplemented, () => CannedAcls.Parse("public-read-write"));
        Wire.Refuses(S3Error.InvalidArgument, () => CannedAcls.Parse("Private"));
    }

    [Fact]
    public void Answers_are_overridden_for_who_signed()
    {
        var query = Wire.Query(
            "response-content-type=text/plain&response-expires=&response-content-disposition=Zo%C3%AB");
        Assert.Equal(
            ["content-type=text/plain", "content-disposition==?UTF-8?B?Wm/Dqw==?="],
            ResponseOverrides.Read(query, isAnonymous: false).Select(h => $"{h.Key}={h.Value}"));
        Wire.Refuses(S3Error.InvalidRequest, () => ResponseOverrides.Read(query, isAnonymous: true));
        Assert.Empty(ResponseOverrides.Read(Wire.Query("prefix=a"), isAnonymous: true));
        Wire.Refuses(S3Error.InvalidArgument, () => ResponseOverrides.Read(
            Wire.Query("response-content-type=a%0D%0ASet-Cookie:b"), isAnonymous: false));
    }

    [Fact]
    public void Attributes_are_asked_for_by_name()
    {
        RequestedAttributes Of(string names) =>
            AttributesHeader.Read(Wire.Request("GET", "/", (AttributesHeader.Name, names)));
        Assert.Equal(RequestedAttributes.ETag | RequestedAttributes.ObjectSize, Of("ETag, ObjectSize"));
        Assert.Equal(31, (int)Of("ETag,Checksum,ObjectParts,StorageClass,ObjectSize"));
        Wire.Refuses(S3Error.InvalidArgument, () => Of("etag"));
        Wire.Refuses(S3Error.InvalidArgument, () => AttributesHeader.Read(Wire.Request("GET", "/")));
    }

    [Theory]
    [InlineData("abc", true)]
    [InlineData("a.b-c.1", true)]
    [InlineData("1.2.3", true)]
    [InlineData("192.168.5.4", false)]
    [InlineData("ab", false)]
    [InlineData("-abc", false)]
    [InlineData("a..b", false)]
    [InlineData("Abc", false)]
    [InlineData("a_b", false)]
    public void A_bucket_is_called_as_a_vault_and_not_as_an_address(string name, bool isOne)
    {
        if (isOne)
        {
            Assert.Equal(name, BucketName.Check(name));
        }
        else
        {
            Wire.Refuses(S3Error.InvalidBucketName, () => BucketName.Check(name));
        }
    }
}
