using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using ZeroStor.S3;
using ZeroStor.S3.Errors;

namespace ZeroStor.Tests.S3;

/// <summary>Requests and their bodies as they come over the wire.</summary>
internal static class Wire
{
    public static WireRequest Request(
        string method, string target, params (string Name, string Value)[] headers)
    {
        var dictionary = new HeaderDictionary();
        foreach ((string name, string value) in headers)
        {
            dictionary[name] = StringValues.Concat(dictionary[name], value);
        }

        return WireRequest.Of(method, target, dictionary);
    }

    public static QueryParameters Query(string raw) => QueryParameters.Parse(raw);

    /// <summary>A pipe with these bytes in pieces, as a socket gives them.</summary>
    public static PipeReader Pipe(byte[] bytes, params int[] cuts) =>
        PipeReader.Create(new PieceStream(bytes, cuts));

    public static PipeReader Pipe(string text) => Pipe(Encoding.Latin1.GetBytes(text));

    /// <summary>What a writer of XML wrote.</summary>
    public static string Written(Action<IBufferWriter<byte>> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        write(buffer);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    [SuppressMessage("Security", "CA5351", Justification = "What S3's clients send.")]
    public static byte[] Md5(byte[] content) => MD5.HashData(content);

    [SuppressMessage("Security", "CA5350", Justification = "What S3's clients send.")]
    public static byte[] Sha1(byte[] content) => SHA1.HashData(content);

    public static S3Exception Refuses(S3Error error, Action act)
    {
        S3Exception refusal = Assert.Throws<S3Exception>(act);
        Assert.Equal(error, refusal.Error);
        return refusal;
    }

    public static S3Exception Refuses(S3Error error, Func<object?> act) =>
        Refuses(error, () => { _ = act(); });

    public static async Task<S3Exception> RefusesAsync(S3Error error, Func<Task> act)
    {
        S3Exception refusal = await Assert.ThrowsAsync<S3Exception>(act);
        Assert.Equal(error, refusal.Error);
        return refusal;
    }

    /// <summary>All of a stream, in reads of a length.</summary>
    public static async Task<byte[]> ReadAllAsync(Stream stream, int readBytes, CancellationToken cancel)
    {
        var all = new ArrayBufferWriter<byte>();
        byte[] piece = new byte[readBytes];
        for (int bytes = -1; bytes != 0;)
        {
            bytes = await stream.ReadAsync(piece, cancel);
            all.Write(piece.AsSpan(0, bytes));
        }

        return all.WrittenSpan.ToArray();
    }

    // A read gives what lies before the next cut.
    private sealed class PieceStream(byte[] bytes, int[] cuts) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(
            Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int cut = cuts.FirstOrDefault(c => c > Position, (int)Length);
            int most = (int)Math.Min(buffer.Length, Math.Max(0, cut - Position));
            return base.ReadAsync(buffer[..most], cancellationToken);
        }
    }
}
