using System.IO.Pipelines;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using ZeroStor.S3;
using ZeroStor.S3.Bodies;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Signing;

namespace ZeroStor.Tests.S3.Bodies;

public sealed class AwsChunkedReaderTests
{
    private const string Signed = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";

    private static readonly DateTimeOffset Now = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private static readonly PayloadHash Unsigned = PayloadHash.Parse("STREAMING-UNSIGNED-PAYLOAD-TRAILER");

    private readonly TestSigner _signer = new(Now);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(100)]
    public async Task Chunks_are_joined_however_they_arrive_and_are_read(int readBytes)
    {
        byte[] framed = "5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n"u8.ToArray();
        foreach (int cut in Enumerable.Range(0, framed.Length))
        {
            using var reader = new AwsChunkedReader(Wire.Pipe(framed, cut), 11, Unsigned, null);
            Assert.Equal("hello world", await ReadAsync(reader, readBytes));
        }

        int[] everywhere = [.. Enumerable.Range(1, framed.Length)];
        using var dripping = new AwsChunkedReader(Wire.Pipe(framed, everywhere), 11, Unsigned, null);
        Assert.Equal("hello world", await ReadAsync(dripping, readBytes));
    }

    [Theory]
    [InlineData("0\r\n\r\n", 0)]
    [InlineData("0\r\na:b\r\n\r\n", 0)]
    [InlineData("0\r\na:b\n\r\n\r\n", 0)]
    [InlineData("000003\r\nabc\r\n0\r\n\r\n", 3)]
    [InlineData("A\r\n0123456789\r\n0\r\n\r\n", 10)]
    [InlineData("a\n0123456789\n0\n\n", 10)]
    public async Task Forms_that_clients_send_are_taken(string framed, int bytes)
    {
        using var reader = new AwsChunkedReader(Wire.Pipe(framed), bytes, Unsigned, null);
        Assert.Equal(bytes, (await ReadAsync(reader, 100)).Length);
    }

    [Theory]
    [InlineData("", "IncompleteBody")]
    [InlineData("3", "IncompleteBody")]
    [InlineData("3\r\nab", "IncompleteBody")]
    [InlineData("3\r\nabc", "IncompleteBody")]
    [InlineData("3\r\nabc\r\n", "IncompleteBody")]
    [InlineData("3\r\nabc\r\n0\r\n", "IncompleteBody")]
    [InlineData("2\r\nab\r\n0\r\n\r\n", "IncompleteBody")]
    [InlineData("4\r\nabcd\r\n0\r\n\r\n", "IncompleteBody")]
    [InlineData("3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n", "IncompleteBody")]
    [InlineData("FFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n", "IncompleteBody")]
    [InlineData("FFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n", "InvalidRequest")]
    [InlineData("3\r\nabcd\r\n0\r\n\r\n", "InvalidRequest")]
    [InlineData("\r\nabc", "InvalidRequest")]
    [InlineData("-3\r\nabc\r\n", "InvalidRequest")]
    [InlineData(" 3\r\nabc\r\n", "InvalidRequest")]
    [InlineData("0x3\r\nabc\r\n", "InvalidRequest")]
    [InlineData("3;chunk-signature=a\r\nabc\r\n0\r\n\r\n", "InvalidRequest")]
    [InlineData("3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\n", "InvalidRequest")]
    [InlineData("3\r\nabc\r\n0\r\nnocolon\r\n\r\n", "MalformedTrailerError")]
    [InlineData("3\r\nabc\r\n0\r\n:value\r\n\r\n", "MalformedTrailerError")]
    [InlineData("3\r\nabc\r\n0\r\na:1\r\na:2\r\n\r\n", "MalformedTrailerError")]
    public async Task What_is_no_framing_of_three_bytes_is_refused(string framed, string code)
    {
        using var reader = new AwsChunkedReader(Wire.Pipe(framed), 3, Unsigned, null);
        S3Exception refusal = await Assert.ThrowsAsync<S3Exception>(() => ReadAsync(reader, 2));
        Assert.Equal(code, refusal.Error.Code);
        Assert.Empty(reader.Trailer);
    }

    [Fact]
    public async Task Lines_and_their_number_are_bounded()
    {
        string[] endless =
        [
            new('1', 100_000),
            "3\r\nabc" + new string('x', 100_000),
            "3\r\nabc\r\n0\r\n" + new string('x', 100_000),
            "3\r\nabc\r\n0\r\n" + string.Concat(Enumerable.Range(0, 1000)
                .Select(i => $"h{i}:v\r\n")) + "\r\n",
        ];
        foreach (string framed in endless)
        {
            using var reader = new AwsChunkedReader(Wire.Pipe(framed), 3, Unsigned, null);
            await Assert.ThrowsAsync<S3Exception>(() => ReadAsync(reader, 100));
        }
    }

    [Fact]
    public async Task Signed_chunks_are_taken_in_their_order_alone()
    {
        byte[] content = new byte[20_000];
        new Random(5).NextBytes(content);
        (WireRequest request, Caller caller) = await SignedAsync(Signed);
        byte[] framed = _signer.Chunks(request, content, [8192, 8192, 3616]);
        Assert.Equal(content, await ReadBytesAsync(framed, content.Length, caller));

        (_, caller) = await SignedAsync(Signed);
        int second = Find(framed, "2000;", 1);
        int third = Find(framed, "e20;", 0);
        byte[] swapped = [.. framed[second..third], .. framed[..second], .. framed[third..]];
        await RefusedAsync(S3Error.SignatureDoesNotMatch, swapped, content.Length, caller);

        (_, caller) = await SignedAsync(Signed);
        byte[] without = [.. framed[..second], .. framed[third..]];
        await RefusedAsync(S3Error.SignatureDoesNotMatch, without, content.Length - 8192, caller);
    }

    [Fact]
    public async Task Every_byte_of_a_signed_body_is_covered()
    {
        byte[] content = "0123456789"u8.ToArray();
        (WireRequest request, _) = await SignedAsync(Signed + "-TRAILER");
        byte[] framed = _signer.Chunks(request, content, [10], "x-amz-checksum-crc32:AAAAAA==");
        for (int i = 0; i < framed.Length; i++)
        {
            byte[] changed = [.. framed];
            changed[i] ^= 1;
            (_, Caller caller) = await SignedAsync(Signed + "-TRAILER");
            try
            {
                Assert.Equal(content, await ReadBytesAsync(changed, content.Length, caller));
                Assert.True(framed[i] is (byte)'\r' or (byte)'\n', $"Byte {i} may be changed.");
            }
            catch (S3Exception)
            {
                // As it should be.
            }
        }
    }

    [Fact]
    public async Task Small_signed_chunks_come_last_or_not_at_all()
    {
        (WireRequest request, Caller caller) = await SignedAsync(Signed);
        byte[] framed = _signer.Chunks(request, new byte[20], [10, 10]);
        await RefusedAsync(S3Error.InvalidChunkSizeError, framed, 20, caller);
    }

    [Fact]
    public async Task A_signed_trailer_needs_its_signature()
    {
        (WireRequest request, Caller caller) = await SignedAsync(Signed + "-TRAILER");
        byte[] framed = _signer.Chunks(request, new byte[5], [5], "x-amz-checksum-crc32:AAAAAA==");
        Assert.Equal(new byte[5], await ReadBytesAsync(framed, 5, caller));
        string text = Encoding.Latin1.GetString(framed);
        string cut = text[..text.IndexOf("x-amz-trailer-signature", StringComparison.Ordinal)] + "\r\n\r\n";
        (_, caller) = await SignedAsync(Signed + "-TRAILER");
        await RefusedAsync(S3Error.IncompleteBody, Encoding.Latin1.GetBytes(cut), 5, caller);
        (_, caller) = await SignedAsync(Signed + "-TRAILER");
        string late = text.Replace("\r\n\r\n", "\r\nx-amz-checksum-sha1:AAAA\r\n\r\n");
        await RefusedAsync(S3Error.MalformedTrailerError, Encoding.Latin1.GetBytes(late), 5, caller);
    }

    [Fact]
    public async Task A_line_before_the_trailers_signature_is_borne()
    {
        (WireRequest request, Caller caller) = await SignedAsync(Signed + "-TRAILER");
        byte[] framed = _signer.Chunks(request, new byte[5], [5], "x-amz-checksum-crc32:AAAAAA==");
        string spaced = Encoding.Latin1.GetString(framed).Replace("==\r\nx-amz", "==\n\r\nx-amz");
        Assert.Equal(new byte[5], await ReadBytesAsync(Encoding.Latin1.GetBytes(spaced), 5, caller));
    }

    private async Task<(WireRequest Request, Caller Caller)> SignedAsync(string payload)
    {
        WireRequest request = _signer.Sign(Wire.Request("PUT", "/b/k", ("Host", "h")), payload);
        SignatureVerifier verifier = new(new KeyBook(KeyBook.Test), new FakeTimeProvider(Now));
        return (request, await verifier.VerifyAsync(request, Cancel));
    }

    private static async Task<byte[]> ReadBytesAsync(byte[] framed, int bytes, Caller caller)
    {
        PipeReader pipe = Wire.Pipe(framed, framed.Length / 3, framed.Length / 2);
        using var reader = new AwsChunkedReader(pipe, bytes, caller.Payload, caller.Chunks);
        return Encoding.Latin1.GetBytes(await ReadAsync(reader, 5000));
    }

    private static Task<S3Exception> RefusedAsync(S3Error error, byte[] framed, int bytes, Caller caller) =>
        Wire.RefusesAsync(error, () => ReadBytesAsync(framed, bytes, caller));

    private static async Task<string> ReadAsync(AwsChunkedReader reader, int readBytes)
    {
        var text = new StringBuilder();
        byte[] piece = new byte[readBytes];
        for (int bytes = -1; bytes != 0;)
        {
            bytes = await reader.ReadAsync(piece, Cancel);
            text.Append(Encoding.Latin1.GetString(piece, 0, bytes));
        }

        return text.ToString();
    }

    private static int Find(byte[] framed, string text, int skip)
    {
        string all = Encoding.Latin1.GetString(framed);
        int at = all.IndexOf(text, StringComparison.Ordinal);
        for (; skip > 0; skip--)
        {
            at = all.IndexOf(text, at + 1, StringComparison.Ordinal);
        }

        return at;
    }
}
