using System.Collections.Frozen;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Signing;

namespace ZeroStor.S3.Bodies;

/// <summary>Takes the framing of <c>aws-chunked</c> off a body: chunks of <c>SIZE[;chunk-signature=HEX]</c>,
/// a chunk of none, and headers behind it. What has passed was of its declared length in all and, where
/// chunks are signed, signed chunk by chunk; a chunk's bytes are given before its signature is known to be
/// right, so whoever takes them must not believe any before the end. Holds no more than a line. Not
/// thread-safe.</summary>
internal sealed class AwsChunkedReader(
    PipeReader source, long decodedBytes, PayloadHash form, ChunkSigner? signer)
    : IDisposable
{
    /// <summary>A size, and a signature of 64 digits with its name, are less than a hundred.</summary>
    public const int MaxChunkLineBytes = 256;

    /// <summary>The longest checksum in base64, its name, and room.</summary>
    public const int MaxTrailerLineBytes = 1024;

    public const int MaxTrailerLines = 16;

    /// <summary>S3's rule for signed chunks but the last: each costs the server a signature.</summary>
    public const int MinSignedChunkBytes = 8 * 1024;

    private const string SignatureField = "chunk-signature=";

    private const string TrailerSignature = "x-amz-trailer-signature";

    // More of a size than a long has.
    private const int MaxSizeDigits = 15;

    private readonly Dictionary<string, string> _trailer = new(StringComparer.Ordinal);
    private readonly Checksum? _chunkHash = signer is null ? null : Checksum.Sha256();
    private string _signature = "";
    private long _read;
    private long _chunkBytes = long.MaxValue;
    private long _left;
    private bool _isBegun;
    private bool _isEnded;

    /// <summary>The headers behind the last chunk, by their names in small letters; complete at the
    /// end.</summary>
    public IReadOnlyDictionary<string, string> Trailer =>
        _isEnded ? _trailer : FrozenDictionary<string, string>.Empty;

    /// <summary>The next bytes; 0 only when all of the body was there and right.</summary>
    /// <exception cref="S3Exception">IncompleteBody, InvalidRequest, InvalidChunkSizeError,
    /// SignatureDoesNotMatch, MalformedTrailerError.</exception>
    public async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancel)
    {
        if (_left == 0 && !_isEnded)
        {
            await NextChunkAsync(cancel);
        }

        if (_isEnded || target.IsEmpty)
        {
            return 0;
        }

        int bytes = await source.TakeAsync(target[..(int)Math.Min(target.Length, _left)], cancel);
        if (bytes == 0)
        {
            throw new S3Exception(S3Error.IncompleteBody);
        }

        _chunkHash?.Append(target.Span[..bytes]);
        _left -= bytes;
        _read += bytes;
        return bytes;
    }

    public void Dispose() => _chunkHash?.Dispose();

    private async ValueTask NextChunkAsync(CancellationToken cancel)
    {
        if (_isBegun)
        {
            await EndChunkAsync(cancel);
        }

        _isBegun = true;
        long before = _chunkBytes;
        string line = await source.ReadLineAsync(MaxChunkLineBytes, cancel);
        int semicolon = line.IndexOf(';', StringComparison.Ordinal);
        _left = _chunkBytes = SizeOf(semicolon < 0 ? line : line[..semicolon]);
        _signature = SignatureOf(semicolon < 0 ? "" : line[(semicolon + 1)..]);
        if (_left > decodedBytes - _read)
        {
            throw new S3Exception(
                S3Error.IncompleteBody,
                $"The chunks of the body are longer than its x-amz-decoded-content-length, {decodedBytes}.");
        }

        if (signer is not null && _left > 0 && before < MinSignedChunkBytes)
        {
            throw new S3Exception(S3Error.InvalidChunkSizeError);
        }

        if (_left == 0)
        {
            CheckSignature();
            await EndAsync(cancel);
        }
    }

    private async ValueTask EndChunkAsync(CancellationToken cancel)
    {
        if ((await source.ReadLineAsync(MaxChunkLineBytes, cancel)).Length > 0)
        {
            throw Malformed("a chunk is longer than it says");
        }

        CheckSignature();
    }

    private void CheckSignature()
    {
        if (signer is not null && !signer.Accepts(_signature, _chunkHash!.Finish()))
        {
            throw new S3Exception(S3Error.SignatureDoesNotMatch, "The signature of a chunk does not match.");
        }
    }

    private async ValueTask EndAsync(CancellationToken cancel)
    {
        if (form.HasTrailer)
        {
            await ReadTrailerAsync(cancel);
        }
        else if ((await source.ReadLineAsync(MaxChunkLineBytes, cancel)).Length > 0)
        {
            throw Malformed("something stands behind its last chunk");
        }

        if (_read != decodedBytes)
        {
            throw new S3Exception(
                S3Error.IncompleteBody,
                $"The chunks of the body have {_read} bytes, and are said to have {decodedBytes}.");
        }

        if (!await source.EndsAsync(cancel))
        {
            throw Malformed("something stands behind its end");
        }

        _isEnded = true;
    }

    // An empty line ends it; where it is signed the signature comes last, and some clients send an empty line
    // before it.
    private async ValueTask ReadTrailerAsync(CancellationToken cancel)
    {
        var signed = new StringBuilder();
        bool isSigned = signer is null;
        for (int lines = 0; lines < MaxTrailerLines; lines++)
        {
            string line = await source.ReadLineAsync(MaxTrailerLineBytes, cancel);
            if (line.Length == 0)
            {
                if (isSigned)
                {
                    return;
                }

                continue;
            }

            int colon = line.IndexOf(':', StringComparison.Ordinal);
            string name = colon < 0 ? "" : line[..colon].Trim().ToLowerInvariant();
            string value = line[(colon + 1)..].Trim();
            if (name.Length == 0)
            {
                throw new S3Exception(S3Error.MalformedTrailerError);
            }

            if (signer is not null && name == TrailerSignature)
            {
                isSigned = !isSigned && AcceptsTrailer(value, signed.ToString())
                    ? true
                    : throw new S3Exception(
                        S3Error.SignatureDoesNotMatch, "The signature of the trailer does not match.");
                continue;
            }

            if ((signer is not null && isSigned) || !_trailer.TryAdd(name, value))
            {
                throw new S3Exception(S3Error.MalformedTrailerError);
            }

            signed.Append(name).Append(':').Append(value).Append('\n');
        }

        throw new S3Exception(S3Error.MalformedTrailerError);
    }

    private bool AcceptsTrailer(string signature, string signed)
    {
        _chunkHash!.Append(Encoding.UTF8.GetBytes(signed));
        return signer!.AcceptsTrailer(signature, _chunkHash.Finish());
    }

    private static long SizeOf(string digits) =>
        digits.Length is > 0 and <= MaxSizeDigits
        && long.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long size)
            ? size
            : throw Malformed("a chunk does not begin with its size");

    private string SignatureOf(string extension)
    {
        if (signer is null)
        {
            return extension.Length == 0 ? "" : throw Malformed("a chunk has an extension");
        }

        return extension.StartsWith(SignatureField, StringComparison.Ordinal)
            ? extension[SignatureField.Length..]
            : throw Malformed("a chunk has no signature");
    }

    private static S3Exception Malformed(string why) =>
        new(S3Error.InvalidRequest, $"The body is no aws-chunked one: {why}.");
}
