using System.Security.Cryptography;
using System.Text;

namespace ZeroStor.S3.Signing;

/// <summary>The chain of signatures over the chunks of a body: each covers the one before it, and the first
/// covers the request's own, so that no chunk can be left out, moved or put in. For one body; not
/// thread-safe.</summary>
public sealed class ChunkSigner
{
    private readonly byte[] _key;
    private readonly string _date;
    private readonly CredentialScope _scope;
    private string _before;

    internal ChunkSigner(byte[] key, SignatureClaim claim) =>
        (_key, _date, _scope, _before) = (key, claim.Date, claim.Scope, claim.Signature);

    /// <summary>Whether a chunk whose bytes have this hash bears the right signature, and comes
    /// next.</summary>
    public bool Accepts(string signature, ReadOnlySpan<byte> sha256) => Matches(
        signature,
        $"AWS4-HMAC-SHA256-PAYLOAD\n{_date}\n{_scope}\n{_before}\n{PayloadHash.OfEmpty}\n"
        + Convert.ToHexStringLower(sha256));

    /// <summary>As <see cref="Accepts"/>, for the headers behind the last chunk.</summary>
    public bool AcceptsTrailer(string signature, ReadOnlySpan<byte> sha256) => Matches(
        signature,
        $"AWS4-HMAC-SHA256-TRAILER\n{_date}\n{_scope}\n{_before}\n" + Convert.ToHexStringLower(sha256));

    private bool Matches(string signature, string toSign)
    {
        string right = Signatures.Sign(_key, toSign);
        _before = right;
        return Signatures.AreEqual(right, signature);
    }
}

/// <summary>Making and comparing signatures.</summary>
internal static class Signatures
{
    public static string Sign(byte[] key, string toSign) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(toSign)));

    /// <summary>In a time that tells nothing of where they differ.</summary>
    public static bool AreEqual(string right, string given) => CryptographicOperations.FixedTimeEquals(
        Encoding.UTF8.GetBytes(right), Encoding.UTF8.GetBytes(given));
}
