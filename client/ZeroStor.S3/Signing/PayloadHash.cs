using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Signing;

/// <summary>What <c>x-amz-content-sha256</c> says of a body: its hash, or in which form it comes instead. It
/// is signed as it stands.</summary>
/// <param name="Text">As it stands in the canonical request.</param>
/// <param name="IsChunked">The body comes as <c>aws-chunked</c>.</param>
/// <param name="HasSignedChunks">Each chunk, and the trailer, carry a signature.</param>
/// <param name="HasTrailer">Headers follow the last chunk.</param>
public readonly record struct PayloadHash(
    string Text, bool IsChunked = false, bool HasSignedChunks = false, bool HasTrailer = false)
{
    public const string Header = "x-amz-content-sha256";

    public const string OfEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    public static readonly PayloadHash Unsigned = new("UNSIGNED-PAYLOAD");

    private static readonly PayloadHash[] Forms =
    [
        Unsigned,
        new("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", IsChunked: true, HasSignedChunks: true),
        new("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", true, HasSignedChunks: true, HasTrailer: true),
        new("STREAMING-UNSIGNED-PAYLOAD-TRAILER", IsChunked: true, HasTrailer: true),
    ];

    /// <summary>The hash that the body must have; null where its form is said instead.</summary>
    public string? Sha256 => Text.Length == OfEmpty.Length && !IsChunked ? Text : null;

    /// <exception cref="S3Exception">InvalidArgument; NotImplemented: signed with elliptic
    /// curves.</exception>
    public static PayloadHash Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        foreach (PayloadHash form in Forms)
        {
            if (form.Text == text)
            {
                return form;
            }
        }

        if (text.StartsWith("STREAMING-AWS4-ECDSA-", StringComparison.Ordinal))
        {
            throw S3Exception.NotImplemented($"{Header} '{text}'");
        }

        return text.Length == OfEmpty.Length && text.All(char.IsAsciiHexDigit)
            ? new PayloadHash(text)
            : throw S3Exception.Argument(
                Header,
                text,
                $"{Header} must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
                + "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER "
                + "or a valid sha256 value.");
    }
}
