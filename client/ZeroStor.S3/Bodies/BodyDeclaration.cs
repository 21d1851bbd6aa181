using System.Globalization;
using System.Security.Cryptography;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Signing;

namespace ZeroStor.S3.Bodies;

/// <summary>What the headers of a request say that its body will be.</summary>
/// <param name="Bytes">Its length, without framing.</param>
/// <param name="Payload">Its hash or form.</param>
/// <param name="Md5">Of <c>Content-MD5</c>; null where it is not said.</param>
/// <param name="Algorithm">The checksum to make; null: none was asked for.</param>
/// <param name="Checksum">Its value in base64; null: it comes in the trailer, or only the making was asked
/// for.</param>
/// <param name="IsInTrailer">The value comes behind the body.</param>
internal sealed record BodyDeclaration(
    long Bytes,
    PayloadHash Payload,
    byte[]? Md5,
    ChecksumAlgorithm? Algorithm,
    string? Checksum,
    bool IsInTrailer)
{
    private const string DecodedLength = "x-amz-decoded-content-length";

    /// <exception cref="S3Exception">MissingContentLength, EntityTooLarge, InvalidDigest,
    /// InvalidRequest.</exception>
    public static BodyDeclaration Read(WireRequest request, PayloadHash payload, long maxBytes)
    {
        long bytes = LengthOf(request, payload);
        if (bytes > maxBytes)
        {
            throw new S3Exception(S3Error.EntityTooLarge)
                .With("ProposedSize", bytes.ToString(CultureInfo.InvariantCulture))
                .With("MaxSizeAllowed", maxBytes.ToString(CultureInfo.InvariantCulture));
        }

        (ChecksumAlgorithm? algorithm, string? value) = InHeaders(request);
        bool isInTrailer = false;
        if (payload.HasTrailer && InTrailer(request) is { } named)
        {
            isInTrailer = algorithm is null ? true : throw TooMany();
            algorithm = named;
        }

        if (request.Header("x-amz-sdk-checksum-algorithm") is { } asked)
        {
            ChecksumAlgorithm wanted = ChecksumAlgorithms.Parse(asked);
            algorithm = algorithm is null || algorithm == wanted
                ? wanted
                : throw new S3Exception(
                    S3Error.InvalidRequest,
                    "Value for x-amz-sdk-checksum-algorithm header is invalid: another checksum comes.");
        }

        return new BodyDeclaration(bytes, payload, Md5Of(request), algorithm, value, isInTrailer);
    }

    private static long LengthOf(WireRequest request, PayloadHash payload)
    {
        if (!payload.IsChunked)
        {
            return request.Headers.ContentLength ?? throw new S3Exception(S3Error.MissingContentLength);
        }

        return long.TryParse(
            request.Header(DecodedLength), NumberStyles.None, CultureInfo.InvariantCulture, out long decoded)
                ? decoded
                : throw new S3Exception(
                    S3Error.MissingContentLength,
                    $"You must provide the {DecodedLength} HTTP header with a body in chunks.");
    }

    private static byte[]? Md5Of(WireRequest request)
    {
        if (request.Header("Content-MD5") is not { } text)
        {
            return null;
        }

        byte[] md5 = new byte[MD5.HashSizeInBytes];
        return Convert.TryFromBase64String(text, md5, out int bytes) && bytes == md5.Length
            ? md5
            : throw new S3Exception(S3Error.InvalidDigest);
    }

    private static (ChecksumAlgorithm? Algorithm, string? Value) InHeaders(WireRequest request)
    {
        (ChecksumAlgorithm? Algorithm, string? Value) found = default;
        foreach (ChecksumAlgorithm algorithm in ChecksumAlgorithms.All)
        {
            if (request.Header(algorithm.Header) is { } value)
            {
                found = found.Algorithm is null ? (algorithm, Checked(algorithm, value)) : throw TooMany();
            }
        }

        return found;
    }

    // A trailer may name other headers as well; what none of the algorithms makes is not a checksum.
    private static ChecksumAlgorithm? InTrailer(WireRequest request)
    {
        ChecksumAlgorithm? found = null;
        string names = request.Header("x-amz-trailer") ?? "";
        foreach (string name in names.Split(',', StringSplitOptions.TrimEntries))
        {
            if (!name.StartsWith(ChecksumAlgorithms.HeaderPrefix, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            ChecksumAlgorithm named = ChecksumAlgorithms.Find(name[ChecksumAlgorithms.HeaderPrefix.Length..])
                ?? throw new S3Exception(
                    S3Error.InvalidRequest,
                    "The value specified in the x-amz-trailer header is not supported.");
            found = found is null ? named : throw TooMany();
        }

        return found;
    }

    /// <exception cref="S3Exception">InvalidRequest: not the base64 of such a checksum.</exception>
    public static string Checked(ChecksumAlgorithm algorithm, string value) => algorithm.IsValue(value)
        ? value
        : throw new S3Exception(S3Error.InvalidRequest, $"Value for {algorithm.Header} header is invalid.");

    private static S3Exception TooMany() => new(
        S3Error.InvalidRequest,
        "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
}
