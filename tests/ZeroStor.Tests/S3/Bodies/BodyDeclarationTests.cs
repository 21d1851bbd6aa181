using ZeroStor.S3.Bodies;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Signing;

namespace ZeroStor.Tests.S3.Bodies;

public sealed class BodyDeclarationTests
{
    private static readonly PayloadHash Trailing = PayloadHash.Parse("STREAMING-UNSIGNED-PAYLOAD-TRAILER");

    [Fact]
    public void A_plain_body_has_its_length_and_what_else_is_said()
    {
        BodyDeclaration body = Read(
            PayloadHash.Unsigned,
            ("Content-Length", "5"),
            ("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="),
            ("x-amz-checksum-crc32", "AAAAAA=="),
            ("x-amz-sdk-checksum-algorithm", "CRC32"));
        Assert.Equal(5, body.Bytes);
        Assert.Equal("d41d8cd98f00b204e9800998ecf8427e", Convert.ToHexStringLower(body.Md5!));
        Assert.Equal((ChecksumAlgorithm.Crc32, "AAAAAA=="), (body.Algorithm, body.Checksum));
        Assert.False(body.IsInTrailer);
    }

    [Fact]
    public void A_body_in_chunks_has_the_length_that_is_left_without_them()
    {
        BodyDeclaration body = Read(
            Trailing,
            ("Content-Length", "50"),
            ("x-amz-decoded-content-length", "5"),
            ("x-amz-trailer", "x-amz-checksum-sha256"));
        Assert.Equal((5, ChecksumAlgorithm.Sha256, null), (body.Bytes, body.Algorithm, body.Checksum));
        Assert.True(body.IsInTrailer);
        Wire.Refuses(S3Error.MissingContentLength, () => Read(Trailing, ("Content-Length", "50")));
        Wire.Refuses(
            S3Error.MissingContentLength, () => Read(Trailing, ("x-amz-decoded-content-length", "-5")));
        Wire.Refuses(S3Error.MissingContentLength, () => Read(PayloadHash.Unsigned));
    }

    [Fact]
    public void Too_much_is_refused_before_it_is_read() => Wire.Refuses(
        S3Error.EntityTooLarge, () => Read(PayloadHash.Unsigned, ("Content-Length", "1001")));

    [Theory]
    [InlineData("")]
    [InlineData("AAAA")]
    [InlineData("not base64")]
    public void A_Content_MD5_that_is_none_is_refused(string md5) => Wire.Refuses(
        S3Error.InvalidDigest,
        () => Read(PayloadHash.Unsigned, ("Content-Length", "1"), ("Content-MD5", md5)));

    [Fact]
    public void One_checksum_at_most_and_a_right_one()
    {
        (string, string) length = ("Content-Length", "1");
        (string, string) crc = ("x-amz-checksum-crc32", "AAAAAA==");
        Refused(length, crc, ("x-amz-checksum-crc32c", "AAAAAA=="));
        Refused(length, ("x-amz-checksum-crc32", "AAAA"));
        Refused(length, crc, ("x-amz-sdk-checksum-algorithm", "SHA1"));
        Refused(length, ("x-amz-sdk-checksum-algorithm", "MD4"));
        (string, string) decoded = ("x-amz-decoded-content-length", "1");
        RefusedTrailer(decoded, crc, ("x-amz-trailer", "x-amz-checksum-crc32"));
        RefusedTrailer(decoded, ("x-amz-trailer", "x-amz-checksum-crc32, x-amz-checksum-sha1"));
        RefusedTrailer(decoded, ("x-amz-trailer", "x-amz-checksum-md4"));

        static void Refused(params (string, string)[] headers) =>
            Wire.Refuses(S3Error.InvalidRequest, () => Read(PayloadHash.Unsigned, headers));

        static void RefusedTrailer(params (string, string)[] headers) =>
            Wire.Refuses(S3Error.InvalidRequest, () => Read(Trailing, headers));
    }

    [Fact]
    public void An_algorithm_may_be_asked_for_without_a_value()
    {
        BodyDeclaration body = Read(
            PayloadHash.Unsigned, ("Content-Length", "1"), ("x-amz-sdk-checksum-algorithm", "crc64nvme"));
        Assert.Equal(
            (ChecksumAlgorithm.Crc64Nvme, null, false), (body.Algorithm, body.Checksum, body.IsInTrailer));
    }

    private static BodyDeclaration Read(PayloadHash payload, params (string, string)[] headers) =>
        BodyDeclaration.Read(Wire.Request("PUT", "/b/k", headers), payload, 1000);
}
