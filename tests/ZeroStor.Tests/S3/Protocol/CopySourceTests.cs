using ZeroStor.S3.Errors;
using ZeroStor.S3.Protocol;

namespace ZeroStor.Tests.S3.Protocol;

public sealed class CopySourceTests
{
    [Theory]
    [InlineData("photos/a", "photos", "a", null)]
    [InlineData("/photos/a/b", "photos", "a/b", null)]
    [InlineData("photos%2Fa", "photos", "a", null)]
    [InlineData("%2Fphotos%2Fa%20b", "photos", "a b", null)]
    [InlineData("photos//a", "photos", "/a", null)]
    [InlineData("photos/a+b", "photos", "a+b", null)]
    [InlineData("photos/a%3Fb", "photos", "a?b", null)]
    [InlineData("photos/%C3%A4?versionId=v1", "photos", "ä", "v1")]
    [InlineData("photos/a?versionId=null", "photos", "a", "null")]
    public void Bucket_key_and_version_are_read(string header, string bucket, string key, string? version) =>
        Assert.Equal(new CopySource(bucket, key, version), CopySource.Parse(header));

    [Fact]
    public void A_copy_keeps_what_its_source_has_unless_it_says_otherwise()
    {
        CopyDirective Of(string? value) => CopyDirectives.Read(
            value is null ? Wire.Request("PUT", "/") : Wire.Request(
                "PUT", "/", (CopyDirectives.OfHeaders, value)),
            CopyDirectives.OfHeaders);
        Assert.Equal(CopyDirective.Copy, Of(null));
        Assert.Equal(CopyDirective.Copy, Of("COPY"));
        Assert.Equal(CopyDirective.Replace, Of("REPLACE"));
        Wire.Refuses(S3Error.InvalidArgument, () => Of("replace"));
    }

    [Theory]
    [InlineData("", "InvalidArgument")]
    [InlineData("photos", "InvalidArgument")]
    [InlineData("photos/", "InvalidArgument")]
    [InlineData("/photos", "InvalidArgument")]
    [InlineData("//a", "InvalidArgument")]
    [InlineData("photos/a%", "InvalidArgument")]
    [InlineData("photos/a?versionId=", "InvalidArgument")]
    [InlineData("PHOTOS/a", "InvalidBucketName")]
    [InlineData("photos/%00", "InvalidURI")]
    [InlineData("arn:aws:s3:us-east-1:1:accesspoint/p/object/a", "NotImplemented")]
    public void What_is_none_is_refused(string header, string code) => Assert.Equal(
        code, Assert.Throws<S3Exception>(() => CopySource.Parse(header)).Error.Code);
}
