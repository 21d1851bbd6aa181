using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Signing;

namespace ZeroStor.S3.Bodies;

/// <summary>The body of a request, without framing, as a stream that ends only when all that was said of it
/// came true: its length, the signatures of its chunks, its hash and checksums. Whoever puts it gets an
/// exception instead of an end where something did not, and so commits nothing. Bytes go from the socket's
/// buffers straight into those of the reader. Not thread-safe.</summary>
public sealed class BodyStream : Stream
{
    /// <summary>What comes with a checksum of its own gets an MD5 for its ETag up to here. The tools of S3 send what is
    /// larger in parts, whose ETag is no MD5 either, and an MD5 takes more of a processor than all else that is done
    /// to it.</summary>
    public const long MaxMd5Bytes = 8 * 1024 * 1024;

    private readonly PipeReader _source;
    private readonly BodyDeclaration _declared;
    private readonly AwsChunkedReader? _chunks;
    private readonly bool _hasMd5;
    private readonly Checksum _name;
    private readonly Checksum? _sha256;
    private readonly Checksum? _checksum;
    private long _read;
    private bool _isEnded;
    private S3Exception? _failure;
    private string? _etag;

    private BodyStream(PipeReader source, BodyDeclaration declared, ChunkSigner? signer, bool needsMd5)
    {
        _source = source;
        _declared = declared;
        _hasMd5 = needsMd5 || declared.Md5 is not null || declared.Algorithm is null || declared.Bytes <= MaxMd5Bytes;
        _name = _hasMd5 ? Checksum.Md5() : Checksum.Xxh128();
        _chunks = declared.Payload.IsChunked
            ? new AwsChunkedReader(source, declared.Bytes, declared.Payload, signer)
            : null;
        _sha256 = declared.Payload.Sha256 is null ? null : Checksum.Sha256();
        _checksum = declared.Algorithm is { } algorithm ? Checksum.Of(algorithm) : null;
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    /// <summary>As it was declared; at the end as it was.</summary>
    public override long Length => _declared.Bytes;

    public override long Position
    {
        get => _read;
        set => throw new NotSupportedException();
    }

    /// <summary>The MD5 of all bytes in hexadecimals, which S3's clients expect as ETag; or where they do not (<see
    /// cref="MaxMd5Bytes"/>) another name for them, in the form of an ETag of parts, which nobody takes for an MD5. Only
    /// at the end.</summary>
    public string ETag => _etag ?? throw new InvalidOperationException("The body was not read to its end.");

    /// <summary>The checksum that was declared or asked for; null: none.</summary>
    public ChecksumAlgorithm? Algorithm => _declared.Algorithm;

    /// <summary>Its value in base64; only at the end.</summary>
    public string? ChecksumValue { get; private set; }

    /// <param name="request">Whose headers declare the body.</param>
    /// <param name="caller">What the verified signature says of it.</param>
    /// <param name="source">The bytes as they come.</param>
    /// <param name="maxBytes">More is refused before any is read.</param>
    /// <param name="needsMd5">Whether its MD5 is wanted in any case.</param>
    /// <exception cref="S3Exception">MissingContentLength, EntityTooLarge, InvalidDigest,
    /// InvalidRequest.</exception>
    public static BodyStream Open(
        WireRequest request, Caller caller, PipeReader source, long maxBytes, bool needsMd5 = false)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(caller);
        var declared = BodyDeclaration.Read(request, caller.Payload, maxBytes);
        return new BodyStream(source, declared, caller.Chunks, needsMd5);
    }

    /// <summary>All of a small body.</summary>
    /// <exception cref="S3Exception">As <see cref="ReadAsync(Memory{byte}, CancellationToken)"/>.</exception>
    public async ValueTask<byte[]> ReadAllAsync(CancellationToken cancel)
    {
        byte[] all = new byte[_declared.Bytes];
        int read = 0;
        for (int bytes = -1; bytes != 0; read += bytes)
        {
            // Past the last byte there is an end to be confirmed, for which a byte is offered.
            bytes = await ReadAsync(read < all.Length ? all.AsMemory(read) : new byte[1], cancel);
        }

        return all;
    }

    /// <exception cref="S3Exception">IncompleteBody, BadDigest, XAmzContentSHA256Mismatch,
    /// SignatureDoesNotMatch, InvalidRequest, InvalidChunkSizeError, MalformedTrailerError, RequestTimeout,
    /// EntityTooLarge.</exception>
    public override async ValueTask<int> ReadAsync(
        Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_failure is not null)
        {
            throw _failure;
        }

        if (_isEnded || buffer.IsEmpty)
        {
            return 0;
        }

        try
        {
            int bytes = _chunks is null
                ? await ReadPlainAsync(buffer, cancellationToken)
                : await _chunks.ReadAsync(buffer, cancellationToken);
            _read += bytes;
            Append(buffer.Span[..bytes]);
            if (bytes == 0)
            {
                Check();
                _isEnded = true;
            }

            return bytes;
        }
        catch (S3Exception failure)
        {
            _failure = failure;
            throw;
        }
        catch (BadHttpRequestException failure)
        {
            _failure = new S3Exception(ErrorOf(failure.StatusCode), null, failure);
            throw _failure;
        }
    }

    public override Task<int> ReadAsync(
        byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("A request is read asynchronously.");

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _name.Dispose();
            _sha256?.Dispose();
            _checksum?.Dispose();
            _chunks?.Dispose();
        }

        base.Dispose(disposing);
    }

    private async ValueTask<int> ReadPlainAsync(Memory<byte> target, CancellationToken cancel)
    {
        int bytes = await _source.TakeAsync(target, cancel);
        bool isAsDeclared = bytes > 0 ? _read + bytes <= _declared.Bytes : _read == _declared.Bytes;
        return isAsDeclared ? bytes : throw new S3Exception(S3Error.IncompleteBody);
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        _name.Append(bytes);
        _sha256?.Append(bytes);
        _checksum?.Append(bytes);
    }

    private void Check()
    {
        byte[] name = _name.Finish();
        if (_declared.Md5 is { } declared && !declared.AsSpan().SequenceEqual(name))
        {
            throw new S3Exception(
                S3Error.BadDigest, "The Content-MD5 you specified did not match what we received.")
                .With("ExpectedDigest", Convert.ToHexStringLower(declared))
                .With("CalculatedDigest", Convert.ToBase64String(name));
        }

        CheckSha256();
        CheckChecksum();
        _etag = Convert.ToHexStringLower(name) + (_hasMd5 ? "" : "-1");
    }

    private void CheckSha256()
    {
        string? made = _sha256 is null ? null : Convert.ToHexStringLower(_sha256.Finish());
        if (!string.Equals(made, _declared.Payload.Sha256, StringComparison.OrdinalIgnoreCase))
        {
            throw new S3Exception(S3Error.XAmzContentSHA256Mismatch)
                .With("ClientComputedContentSHA256", _declared.Payload.Sha256!)
                .With("S3ComputedContentSHA256", made!);
        }
    }

    private void CheckChecksum()
    {
        if (_declared.Algorithm is not { } algorithm)
        {
            return;
        }

        string? expected = _declared.Checksum;
        if (_declared.IsInTrailer)
        {
            expected = _chunks!.Trailer.TryGetValue(algorithm.Header, out string? value)
                ? BodyDeclaration.Checked(algorithm, value)
                : throw new S3Exception(
                    S3Error.MalformedTrailerError,
                    $"The trailer lacks {algorithm.Header}, which was announced.");
        }

        string made = Convert.ToBase64String(_checksum!.Finish());
        ChecksumValue = expected is null || expected == made
            ? made
            : throw new S3Exception(
                S3Error.BadDigest,
                $"The {algorithm.Name} you specified did not match the calculated checksum.");
    }

    private static S3Error ErrorOf(int status) => status switch
    {
        StatusCodes.Status408RequestTimeout => S3Error.RequestTimeout,
        StatusCodes.Status413PayloadTooLarge => S3Error.EntityTooLarge,
        _ => S3Error.IncompleteBody,
    };
}
