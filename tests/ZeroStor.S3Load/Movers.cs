using System.Buffers;
using System.Security.Cryptography;
using ZeroStor.Client;

namespace ZeroStor.S3Load;

/// <summary>Moves one content over plain HTTP, with as little of a client as there can be: what is measured
/// is the front end. Thread-safe.</summary>
/// <param name="target">Where S3 is.</param>
/// <param name="bucket">Where the objects go.</param>
/// <param name="content">Of each.</param>
/// <param name="checksum">What is said of the content as AWS's SDKs do, <c>x-amz-checksum-crc32</c>; null: nothing,
/// so that its MD5 is made.</param>
internal sealed class S3Mover(Target target, string bucket, byte[] content, string? checksum) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false });
    private readonly Signer _signer = new(target, TimeProvider.System);

    public async Task MakeBucketAsync(CancellationToken cancel)
    {
        using HttpResponseMessage made = await SendAsync(HttpMethod.Put, $"/{bucket}", null, cancel);
        made.EnsureSuccessStatusCode();
    }

    public async Task PutAsync(int number, CancellationToken cancel)
    {
        using HttpResponseMessage put = await SendAsync(
            HttpMethod.Put, $"/{bucket}/s3-{number}", new ReadOnlyMemoryContent(content), cancel);
        put.EnsureSuccessStatusCode();
    }

    public async Task GetAsync(int number, CancellationToken cancel)
    {
        using HttpResponseMessage got = await SendAsync(
            HttpMethod.Get, $"/{bucket}/s3-{number}", null, cancel);
        got.EnsureSuccessStatusCode();
        await Drain.AllAsync(await got.Content.ReadAsStreamAsync(cancel), content.Length, cancel);
    }

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, HttpContent? body, CancellationToken cancel)
    {
        const string Sum = "x-amz-checksum-crc32";
        Message bare = Message.Of(method.Method, path);
        bool isSummed = body is not null && checksum is not null;
        Message signed = _signer.Sign(
            isSummed ? bare with { Headers = [(Sum, checksum!)] } : bare, Signer.Unsigned);
        using var request = new HttpRequestMessage(method, new Uri(target.Url, path)) { Content = body };
        string[] sent = ["x-amz-date", "x-amz-content-sha256", "Authorization"];
        foreach (string name in isSummed ? [.. sent, Sum] : sent)
        {
            request.Headers.TryAddWithoutValidation(name, signed[name]);
        }

        return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
    }
}

/// <summary>Moves the same through the SDK. Thread-safe.</summary>
internal sealed class SdkMover(Vault vault, byte[] content)
{
    private readonly byte[] _md5 = CryptographicOperations.HashData(HashAlgorithmName.MD5, content);

    public Task PutAsync(int number, CancellationToken cancel) =>
        vault.PutAsync($"sdk-{number}", new MemoryStream(content), cancel: cancel);

    /// <summary>As <see cref="PutAsync"/>, for who wants to know the MD5 of what he puts, as a put through S3 tells it.
    /// </summary>
    public async Task PutWithMd5Async(int number, CancellationToken cancel)
    {
        using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        await using var hashed = new HashedStream(content, md5);
        await vault.PutAsync($"sdk-md5-{number}", hashed, cancel: cancel);
        WrongAnswerException.Unless(md5.GetHashAndReset().AsSpan().SequenceEqual(_md5), "an MD5 is not that of the content");
    }

    public async Task GetAsync(int number, CancellationToken cancel)
    {
        await using ObjectStream got = await vault.OpenReadAsync($"sdk-{number}", cancel: cancel);
        await Drain.AllAsync(got, content.Length, cancel);
    }
}

/// <summary>Bytes at hand, hashed as they are read.</summary>
internal sealed class HashedStream(byte[] content, IncrementalHash hash) : MemoryStream(content, writable: false)
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int bytes = await base.ReadAsync(buffer, cancellationToken);
        hash.AppendData(buffer.Span[..bytes]);
        return bytes;
    }
}

/// <summary>Reads a stream to its end, and looks at nothing but its length.</summary>
internal static class Drain
{
    private const int PieceBytes = 256 * 1024;

    public static async Task AllAsync(Stream stream, long bytes, CancellationToken cancel)
    {
        byte[] piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            long sum = 0;
            for (int read; (read = await stream.ReadAsync(piece, cancel)) > 0;)
            {
                sum += read;
            }

            WrongAnswerException.Unless(sum == bytes, $"{sum} of {bytes} bytes came");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }
}
