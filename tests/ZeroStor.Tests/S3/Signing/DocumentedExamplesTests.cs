using Microsoft.Extensions.Time.Testing;
using ZeroStor.S3;
using ZeroStor.S3.Bodies;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Signing;

namespace ZeroStor.Tests.S3.Signing;

/// <summary>The examples in S3's documentation, with the signatures that stand there.</summary>
public sealed class DocumentedExamplesTests
{
    private const string Scope = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";

    private const string Streaming = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private readonly SignatureVerifier _verifier = new(
        new KeyBook(new AccessKey(
            "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", AccessRights.All, null)),
        new FakeTimeProvider(new DateTimeOffset(2013, 5, 24, 0, 0, 0, TimeSpan.Zero)));

    [Theory]
    [InlineData("/test.txt", "host;range;x-amz-content-sha256;x-amz-date",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41", "bytes=0-9")]
    [InlineData("/?lifecycle", "host;x-amz-content-sha256;x-amz-date",
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543", null)]
    [InlineData("/?max-keys=2&prefix=J", "host;x-amz-content-sha256;x-amz-date",
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7", null)]
    public async Task Gets(string target, string signed, string signature, string? range)
    {
        (string, string)[] headers =
        [
            ("Host", "examplebucket.s3.amazonaws.com"),
            ("x-amz-content-sha256", PayloadHash.OfEmpty),
            ("x-amz-date", "20130524T000000Z"),
            ("Authorization", Authorization(signed, signature)),
        ];
        WireRequest request = Wire.Request(
            "GET", target, range is null ? headers : [.. headers, ("Range", range)]);
        Assert.False((await _verifier.VerifyAsync(request, Cancel)).IsAnonymous);
    }

    [Fact]
    public async Task A_put_with_a_date_beside_that_of_the_signature()
    {
        WireRequest request = Wire.Request(
            "PUT",
            "/test$file.text",
            ("Host", "examplebucket.s3.amazonaws.com"),
            ("Date", "Fri, 24 May 2013 00:00:00 GMT"),
            ("x-amz-date", "20130524T000000Z"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ("x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"),
            ("Authorization", Authorization(
                "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
                "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")));
        Assert.NotNull((await _verifier.VerifyAsync(request, Cancel)).Payload.Sha256);
    }

    [Fact]
    public async Task A_presigned_address()
    {
        WireRequest request = Wire.Request(
            "GET",
            "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" + Scope.Replace("/", "%2F")
            + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
            + "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
            ("Host", "examplebucket.s3.amazonaws.com"));
        Assert.Equal(PayloadHash.Unsigned, (await _verifier.VerifyAsync(request, Cancel)).Payload);
    }

    [Fact]
    public async Task A_body_in_signed_chunks()
    {
        WireRequest request = ChunkedPut(
            Streaming,
            "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
            + "x-amz-decoded-content-length;x-amz-storage-class",
            "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
            ("Content-Length", "66824"));
        Caller caller = await _verifier.VerifyAsync(request, Cancel);
        string framed = Chunk(65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648")
            + Chunk(1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497")
            + Chunk(0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
        Assert.Equal(66824, framed.Length);
        await using var body = BodyStream.Open(request, caller, Wire.Pipe(framed), long.MaxValue);
        Assert.Equal(66560, (await Wire.ReadAllAsync(body, 10_000, Cancel)).Length);
    }

    [Fact]
    public async Task A_body_in_signed_chunks_with_a_signed_trailer()
    {
        string framed = Chunk(65536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2")
            + Chunk(1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7")
            + "0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n"
            + "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:"
            + "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n";
        WireRequest request = ChunkedPut(
            Streaming + "-TRAILER",
            "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;"
            + "x-amz-storage-class;x-amz-trailer",
            "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
            ("x-amz-trailer", "x-amz-checksum-crc32c"));
        Caller caller = await _verifier.VerifyAsync(request, Cancel);
        await using var body = BodyStream.Open(request, caller, Wire.Pipe(framed), long.MaxValue);
        Assert.Equal(66560, (await Wire.ReadAllAsync(body, 10_000, Cancel)).Length);
        Assert.Equal("sOO8/Q==", body.ChecksumValue);

        caller = await _verifier.VerifyAsync(request, Cancel);
        string forged = framed.Replace("d81f82fc", "e81f82fc");
        await using var other = BodyStream.Open(request, caller, Wire.Pipe(forged), long.MaxValue);
        await Wire.RefusesAsync(
            S3Error.SignatureDoesNotMatch, () => Wire.ReadAllAsync(other, 10_000, Cancel));
    }

    private static string Authorization(string signed, string signature) =>
        $"AWS4-HMAC-SHA256 Credential={Scope},SignedHeaders={signed},Signature={signature}";

    private static WireRequest ChunkedPut(
        string payload, string signed, string signature, (string Name, string Value) more) => Wire.Request(
        "PUT",
        "/examplebucket/chunkObject.txt",
        ("Host", "s3.amazonaws.com"),
        ("x-amz-date", "20130524T000000Z"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("x-amz-content-sha256", payload),
        ("Content-Encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "66560"),
        more,
        ("Authorization", Authorization(signed, signature)));

    private static string Chunk(int length, string signature) =>
        $"{length:x};chunk-signature={signature}\r\n{new string('a', length)}\r\n";
}
