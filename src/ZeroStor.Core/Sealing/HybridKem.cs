using System.Security.Cryptography;
using Org.BouncyCastle.Math.EC.Rfc7748;

namespace ZeroStor.Sealing;

/// <summary>A key encapsulation that holds as long as one of two does: X25519 (RFC 7748), which today's computers do
/// not break, and ML-KEM (FIPS 203), which a quantum computer is thought not to either. Thread-safe.
/// <para><c>xwing</c> is X-Wing as draft-connolly-cfrg-xwing-kem-10 has it, byte for byte: a private key is a seed of 32
/// bytes, a public key <c>pk_M ‖ pk_X</c>, a ciphertext <c>ct_M ‖ ct_X</c>, and</para>
/// <code>
/// d ‖ z ‖ sk_X = SHAKE256(seed, 96)
/// secret       = SHA3-256(ss_M ‖ ss_X ‖ ct_X ‖ pk_X ‖ label)    label = 5c 2e 2f 2f 5e 5c
/// </code>
/// <para><c>xwing1024</c> is the same over ML-KEM-1024 with the label <c>ZeroStor xwing1024</c>, a construction of our
/// own. The proof of X-Wing (Barbosa et al., 2024) leaves ct_M out of the hash for a property that ML-KEM-768 has:
/// whoever changes a ciphertext cannot keep its secret. ML-KEM-1024 has it by the same argument.</para>
/// <para>Unlike the draft, an X25519 result of zeros is refused: it comes of a public key or ciphertext that somebody
/// chose to be weak.</para></summary>
internal sealed class HybridKem
{
    public const int SeedBytes = 32;
    public const int SecretBytes = 32;

    private const int PointBytes = X25519.PointSize;

    public static readonly HybridKem XWing = new(
        Suites.XWing, "xwing", MlKemSet.MlKem768, [0x5c, 0x2e, 0x2f, 0x2f, 0x5e, 0x5c]);

    public static readonly HybridKem XWing1024 = new(
        Suites.XWing1024, "xwing1024", MlKemSet.MlKem1024, "ZeroStor xwing1024"u8.ToArray());

    private readonly MlKemSet _set;
    private readonly byte[] _label;

    private HybridKem(byte suite, string name, MlKemSet set, byte[] label) =>
        (Suite, Name, _set, _label) = (suite, name, set, label);

    /// <summary>All that this version knows.</summary>
    public static IReadOnlyList<HybridKem> All { get; } = [XWing, XWing1024];

    /// <summary>The number that blobs carry.</summary>
    public byte Suite { get; }

    /// <summary>The name for people.</summary>
    public string Name { get; }

    public int PublicKeyBytes => _set.PublicKeyBytes + PointBytes;

    public int CiphertextBytes => _set.CiphertextBytes + PointBytes;

    /// <summary>Another than the best there is, to compare them.</summary>
    internal MlKem MlKem { get; init; } = MlKem.Best;

    /// <summary>The same with another library.</summary>
    internal HybridKem With(MlKem library) => new(Suite, Name, _set, _label) { MlKem = library };

    /// <summary>Null: a suite that this version does not know.</summary>
    public static HybridKem? Find(byte suite) => All.FirstOrDefault(k => k.Suite == suite);

    /// <summary>Null: a name that this version does not know.</summary>
    public static HybridKem? Find(string name) => All.FirstOrDefault(k => k.Name == name);

    /// <summary>The public key of a private one.</summary>
    public void PublicKeyOf(ReadOnlySpan<byte> seed, Span<byte> publicKey)
    {
        Require(seed.Length == SeedBytes && publicKey.Length == PublicKeyBytes);
        Span<byte> expanded = stackalloc byte[MlKemSet.SeedBytes + PointBytes];
        try
        {
            Shake256.HashData(seed, expanded);
            MlKem.PublicKeyOf(_set, expanded[..MlKemSet.SeedBytes], publicKey[.._set.PublicKeyBytes]);
            X25519.ScalarMultBase(expanded[MlKemSet.SeedBytes..], publicKey[_set.PublicKeyBytes..]);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(expanded);
        }
    }

    /// <summary>A fresh secret of 32 bytes, and the ciphertext that carries it to who has the private key.</summary>
    /// <exception cref="ZeroStorException">Corrupt: not a public key, or one that was made weak.</exception>
    public void Encapsulate(
        ReadOnlySpan<byte> publicKey, IEntropy entropy, Span<byte> ciphertext, Span<byte> secret)
    {
        Require(publicKey.Length == PublicKeyBytes && ciphertext.Length == CiphertextBytes
            && secret.Length == SecretBytes);
        Span<byte> shared = stackalloc byte[MlKemSet.SecretBytes + PointBytes];
        Span<byte> ephemeral = stackalloc byte[PointBytes];
        ReadOnlySpan<byte> point = publicKey[_set.PublicKeyBytes..];
        Span<byte> sentPoint = ciphertext[_set.CiphertextBytes..];
        try
        {
            MlKem.Encapsulate(
                _set, publicKey[.._set.PublicKeyBytes], entropy, ciphertext[.._set.CiphertextBytes],
                shared[..MlKemSet.SecretBytes]);
            entropy.Fill(ephemeral);
            X25519.ScalarMultBase(ephemeral, sentPoint);
            Agree(ephemeral, point, shared[MlKemSet.SecretBytes..]);
            Combine(shared, sentPoint, point, secret);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(shared);
            CryptographicOperations.ZeroMemory(ephemeral);
        }
    }

    /// <summary>The secret that a ciphertext carries. One that was made for another key, or changed, gives another
    /// secret: what was sealed under the right one then does not open.</summary>
    /// <exception cref="ZeroStorException">Corrupt: a ciphertext that was made weak.</exception>
    public void Decapsulate(ReadOnlySpan<byte> seed, ReadOnlySpan<byte> ciphertext, Span<byte> secret)
    {
        Require(seed.Length == SeedBytes && ciphertext.Length == CiphertextBytes && secret.Length == SecretBytes);
        Span<byte> expanded = stackalloc byte[MlKemSet.SeedBytes + PointBytes];
        Span<byte> shared = stackalloc byte[MlKemSet.SecretBytes + PointBytes];
        Span<byte> point = stackalloc byte[PointBytes];
        ReadOnlySpan<byte> sentPoint = ciphertext[_set.CiphertextBytes..];
        try
        {
            Shake256.HashData(seed, expanded);
            ReadOnlySpan<byte> scalar = expanded[MlKemSet.SeedBytes..];
            MlKem.Decapsulate(
                _set, expanded[..MlKemSet.SeedBytes], ciphertext[.._set.CiphertextBytes],
                shared[..MlKemSet.SecretBytes]);
            X25519.ScalarMultBase(scalar, point);
            Agree(scalar, sentPoint, shared[MlKemSet.SecretBytes..]);
            Combine(shared, sentPoint, point, secret);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(expanded);
            CryptographicOperations.ZeroMemory(shared);
        }
    }

    public override string ToString() => Name;

    private void Combine(
        ReadOnlySpan<byte> shared, ReadOnlySpan<byte> sentPoint, ReadOnlySpan<byte> point, Span<byte> secret)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA3_256);
        hash.AppendData(shared);
        hash.AppendData(sentPoint);
        hash.AppendData(point);
        hash.AppendData(_label);
        hash.GetHashAndReset(secret);
    }

    private void Agree(ReadOnlySpan<byte> scalar, ReadOnlySpan<byte> point, Span<byte> shared)
    {
        X25519.ScalarMult(scalar, point, shared);
        if (shared.IndexOfAnyExcept((byte)0) < 0)
        {
            throw ZeroStorException.Corrupt(
                $"A key or ciphertext of suite {Name} holds a weak point, which no honest one does: somebody changed "
                + "the key ring; take it from a disk or a backup.");
        }
    }

    private static void Require(bool hasLengths)
    {
        if (!hasLengths)
        {
            throw new ArgumentException("Keys, ciphertexts and secrets of a suite have the suite's lengths.");
        }
    }
}
