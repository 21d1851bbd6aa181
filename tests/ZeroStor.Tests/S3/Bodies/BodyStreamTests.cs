using System.IO.Pipelines;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using ZeroStor.S3;
using ZeroStor.S3.Bodies;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Signing;

namespace ZeroStor.Tests.S3.Bodies;

public sealed class BodyStreamTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private static readonly byte[] Content = "Welcome to ZeroStor"u8.ToArray();

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(4096)]
    public async Task A_plain_body_comes_whole_with_its_sums(int readBytes)
    {
        await using BodyStream body = Open(
            Content,
            Convert.ToHexStringLower(SHA256.HashData(Content)),
            ("Content-MD5", Convert.ToBase64String(Wire.Md5(Content))),
            ("x-amz-checksum-sha1", Convert.ToBase64String(Wire.Sha1(Content))));
        Assert.Throws<InvalidOperationException>(() => body.ETag);
        Assert.Equal(Content, await Wire.ReadAllAsync(body, readBytes, Cancel));
        Assert.Equal(Convert.ToHexStringLower(Wire.Md5(Content)), body.ETag);
        Assert.Equal(ChecksumAlgorithm.Sha1, body.Algorithm);
        Assert.Equal(Convert.ToBase64String(Wire.Sha1(Content)), body.ChecksumValue);
        Assert.Equal((Content.Length, Content.Length), (body.Length, body.Position));
        Assert.Equal(0, await body.ReadAsync(new byte[1], Cancel));
    }

    [Fact]
    public async Task An_empty_body_has_sums_as_well()
    {
        await using BodyStream body = Open(
            [], PayloadHash.OfEmpty, ("x-amz-sdk-checksum-algorithm", "CRC64NVME"));
        Assert.Empty(await body.ReadAllAsync(Cancel));
        Assert.Equal("d41d8cd98f00b204e9800998ecf8427e", body.ETag);
        Assert.Equal("AAAAAAAAAAA=", body.ChecksumValue);
    }

    [Fact]
    public async Task What_is_not_as_it_was_said_never_ends()
    {
        string right = Convert.ToHexStringLower(SHA256.HashData(Content));
        await RefusedAsync(S3Error.XAmzContentSHA256Mismatch, Open(Content, PayloadHash.OfEmpty));
        await RefusedAsync(
            S3Error.BadDigest, Open(Content, right, ("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg==")));
        await RefusedAsync(
            S3Error.BadDigest, Open(Content, "UNSIGNED-PAYLOAD", ("x-amz-checksum-crc32", "AAAAAA==")));
        await RefusedAsync(S3Error.IncompleteBody, Open(Content, right, ("Content-Length", "20")));
        await RefusedAsync(S3Error.IncompleteBody, Open(Content, right, ("Content-Length", "18")));
    }

    [Fact]
    public async Task A_refusal_is_remembered()
    {
        await using BodyStream body = Open(Content, PayloadHash.OfEmpty);
        S3Exception first = await Assert.ThrowsAsync<S3Exception>(() => Wire.ReadAllAsync(body, 100, Cancel));
        for (int i = 0; i < 3; i++)
        {
            Assert.Same(
                first, await Assert.ThrowsAsync<S3Exception>(() => Wire.ReadAllAsync(body, 100, Cancel)));
        }
    }

    [Theory]
    [InlineData(400, "IncompleteBody")]
    [InlineData(408, "RequestTimeout")]
    [InlineData(413, "EntityTooLarge")]
    public async Task What_the_server_says_of_a_broken_body_is_told_as_S3_does(int status, string code)
    {
        var pipe = new Pipe();
        await pipe.Writer.CompleteAsync(new BadHttpRequestException("broken", status));
        WireRequest request = Wire.Request("PUT", "/b/k", ("Content-Length", "5"));
        await using var body = BodyStream.Open(
            request, new Caller(null, PayloadHash.Unsigned, null), pipe.Reader, 100);
        S3Exception refusal = await Assert.ThrowsAsync<S3Exception>(
            () => Wire.ReadAllAsync(body, 10, Cancel));
        Assert.Equal(code, refusal.Error.Code);
    }

    [Fact]
    public async Task A_checksum_in_the_trailer_is_compared()
    {
        string sum = Convert.ToBase64String(SHA256.HashData(Content));
        string framed = $"13\r\n{System.Text.Encoding.ASCII.GetString(Content)}\r\n0\r\n";
        string[] trailers =
        [
            $"x-amz-checksum-sha256:{sum}\r\n\r\n",
            $"X-Amz-Checksum-Sha256: {sum}\r\nother:1\r\n\r\n",
            $"x-amz-checksum-sha256:{sum}\n\r\n\r\n",
        ];
        foreach (string trailer in trailers)
        {
            await using BodyStream body = Trailing(framed + trailer);
            Assert.Equal(Content, await Wire.ReadAllAsync(body, 5, Cancel));
            Assert.Equal(sum, body.ChecksumValue);
        }

        await RefusedAsync(S3Error.MalformedTrailerError, Trailing(framed + "\r\n"));
        await RefusedAsync(S3Error.MalformedTrailerError, Trailing(framed + "other:1\r\n\r\n"));
        await RefusedAsync(S3Error.InvalidRequest, Trailing(framed + "x-amz-checksum-sha256:AAAA\r\n\r\n"));
        string wrong = Convert.ToBase64String(new byte[32]);
        await RefusedAsync(S3Error.BadDigest, Trailing(framed + $"x-amz-checksum-sha256:{wrong}\r\n\r\n"));
    }

    [Fact]
    public async Task It_is_a_stream_to_be_read_and_nothing_else()
    {
        await using BodyStream body = Open(Content, "UNSIGNED-PAYLOAD");
        Assert.Equal((true, false, false), (body.CanRead, body.CanSeek, body.CanWrite));
        Assert.Throws<NotSupportedException>(() => body.ReadByte());
        Assert.Throws<NotSupportedException>(() => body.Seek(0, SeekOrigin.Begin));
        Assert.Throws<NotSupportedException>(() => body.SetLength(0));
        Assert.Throws<NotSupportedException>(() => body.Position = 1);
        Assert.Throws<NotSupportedException>(body.Flush);
        Assert.Equal(0, await body.ReadAsync(Memory<byte>.Empty, Cancel));
        using var copy = new MemoryStream();
        await body.CopyToAsync(copy, Cancel);
        Assert.Equal(Content, copy.ToArray());
    }

    [Theory]
    [InlineData(0, true, false, true)]
    [InlineData(1, true, false, false)]
    [InlineData(1, false, false, true)]
    [InlineData(1, true, true, true)]
    public async Task A_large_body_with_a_checksum_of_its_own_is_named_without_an_MD5(
        int bytesBeyond, bool hasChecksum, bool needsMd5, bool isMd5)
    {
        byte[] content = new byte[BodyStream.MaxMd5Bytes + bytesBeyond];
        new Random(1).NextBytes(content);
        string crc = Convert.ToBase64String([.. System.IO.Hashing.Crc32.Hash(content).Reverse()]);
        (string, string)[] headers = hasChecksum ? [("x-amz-checksum-crc32", crc)] : [];
        await using var body = BodyStream.Open(
            Wire.Request("PUT", "/b/k", [.. headers, ("Content-Length", $"{content.Length}")]),
            new Caller(null, PayloadHash.Unsigned, null),
            Wire.Pipe(content, content.Length / 2),
            long.MaxValue,
            needsMd5);
        await body.CopyToAsync(Stream.Null, Cancel);
        using var name = isMd5 ? Checksum.Md5() : Checksum.Xxh128();
        name.Append(content);
        Assert.Equal(Convert.ToHexStringLower(name.Finish()) + (isMd5 ? "" : "-1"), body.ETag);
        Assert.Equal(hasChecksum ? crc : null, body.ChecksumValue);
    }

    private static BodyStream Open(
        byte[] content, string payload, params (string Name, string Value)[] headers)
    {
        (string, string)[] all = headers.Any(h => h.Name == "Content-Length")
            ? headers
            : [.. headers, ("Content-Length", $"{content.Length}")];
        return BodyStream.Open(
            Wire.Request("PUT", "/b/k", all),
            new Caller(null, PayloadHash.Parse(payload), null),
            Wire.Pipe(content, content.Length / 2),
            1000);
    }

    private static BodyStream Trailing(string framed) => BodyStream.Open(
        Wire.Request(
            "PUT",
            "/b/k",
            ("x-amz-decoded-content-length", $"{Content.Length}"),
            ("x-amz-trailer", "x-amz-checksum-sha256")),
        new Caller(null, PayloadHash.Parse("STREAMING-UNSIGNED-PAYLOAD-TRAILER"), null),
        Wire.Pipe(framed),
        1000);

    private static async Task RefusedAsync(S3Error error, BodyStream body)
    {
        await using (body)
        {
            await Wire.RefusesAsync(error, () => Wire.ReadAllAsync(body, 8, Cancel));
        }
    }
}
