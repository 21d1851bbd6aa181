using System.Collections.Immutable;
using CsCheck;
using ZeroStor.S3;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Protocol;

namespace ZeroStor.Tests.S3.Protocol;

public sealed class S3AddressTests
{
    private static readonly ImmutableArray<string> Domains = ["s3.example.com", "localhost"];

    [Theory]
    [InlineData("127.0.0.1:9000", "/", null, null)]
    [InlineData("127.0.0.1:9000", "/photos", "photos", null)]
    [InlineData("127.0.0.1:9000", "/photos/", "photos", null)]
    [InlineData("127.0.0.1:9000", "/photos/a", "photos", "a")]
    [InlineData("127.0.0.1:9000", "/photos//a", "photos", "/a")]
    [InlineData("127.0.0.1:9000", "/photos/a//b/", "photos", "a//b/")]
    [InlineData("127.0.0.1:9000", "/photos/../x/./y", "photos", "../x/./y")]
    [InlineData("127.0.0.1:9000", "/photos/a%2Fb%20c+d%25", "photos", "a/b c+d%")]
    [InlineData("127.0.0.1:9000", "/photos/%C3%A4%F0%9F%99%82", "photos", "ä🙂")]
    [InlineData("s3.example.com", "/photos/a", "photos", "a")]
    [InlineData("s3.example.com:9000", "/", null, null)]
    [InlineData("photos.s3.example.com", "/", "photos", null)]
    [InlineData("photos.s3.example.com:9000", "/a/b", "photos", "a/b")]
    [InlineData("photos.s3.example.com", "//a", "photos", "/a")]
    [InlineData("PHOTOS.S3.Example.Com", "/a", "photos", "a")]
    [InlineData("my.dotted.bucket.localhost:80", "/a", "my.dotted.bucket", "a")]
    [InlineData("nots3.example.com", "/photos", "photos", null)]
    [InlineData("[::1]:9000", "/photos", "photos", null)]
    [InlineData("", "/photos", "photos", null)]
    public void Bucket_and_key_are_read(string host, string path, string? bucket, string? key)
    {
        var address = S3Address.Parse(Wire.Request("GET", path, ("Host", host)), Domains);
        Assert.Equal((bucket, key), (address.Bucket, address.Key));
    }

    [Theory]
    [InlineData("//a", "InvalidBucketName")]
    [InlineData("/ab", "InvalidBucketName")]
    [InlineData("/Photos/a", "InvalidBucketName")]
    [InlineData("/pho%2Ftos/a", "InvalidBucketName")]
    [InlineData("/10.0.0.1/a", "InvalidBucketName")]
    [InlineData("/photos/a%", "InvalidURI")]
    [InlineData("/photos/%FF", "InvalidURI")]
    [InlineData("/photos/a%00", "InvalidURI")]
    [InlineData("/%zz/a", "InvalidURI")]
    public void What_is_no_address_is_refused(string path, string code)
    {
        S3Exception refusal = Assert.Throws<S3Exception>(() => Parse(path));
        Assert.Equal(code, refusal.Error.Code);
    }

    [Fact]
    public void A_key_has_1024_bytes_and_not_one_more()
    {
        string longest = new('ä', 512);
        Assert.Equal(longest, Parse("/photos/" + Percent.Encode(longest, keepSlash: true)).Key);
        Wire.Refuses(
            S3Error.KeyTooLongError, () => Parse(
                "/photos/" + Percent.Encode(longest + "a", keepSlash: true)));
    }

    [Fact]
    public void Any_key_comes_back_exactly() => Gen.String[1, 60].Sample(text =>
    {
        string key = string.Concat(text.EnumerateRunes()).Replace("\0", "0");
        Assert.Equal(key, Parse("/photos/" + Percent.Encode(key, keepSlash: true)).Key);
        Assert.Equal(key, Parse("/photos/" + Percent.Encode(key, keepSlash: false)).Key);
    });

    private static S3Address Parse(string path) =>
        S3Address.Parse(Wire.Request("GET", path, ("Host", "h")), Domains);
}
