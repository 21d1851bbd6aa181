using System.Security.Cryptography;

namespace ZeroStor.Sealing;

/// <summary>An epoch with its key, or without: then the private key is missing that it was encapsulated to.</summary>
internal sealed record OpenEpoch(uint Number, uint Generation, Tick Begun, Secret? Key, bool HasWitness) : IDisposable
{
    /// <summary>Wraps content keys; null without the key.</summary>
    public BoxCipher? Wrap { get; } =
        Key is null ? null : new BoxCipher(Key, KeyPurpose.ContentKeyWrap.ToArray());

    public void Dispose()
    {
        Wrap?.Dispose();
        Key?.Dispose();
    }

    public override string ToString() => $"epoch {Number}";
}

/// <summary>An epoch key on its way to a private key and back. It is random, and lies in a box of AES-256-GCM (see <see
/// cref="Secret"/>) under the secret that the ciphertext carries: so another key pair can take it over, and no content
/// key changes. Numbers big-endian.
/// <code>
/// bound   = format ‖ suite ‖ VaultId ‖ number ‖ generation ‖ tick begun ‖ SHA-256(public key)
/// key     = HKDF-Expand-SHA256(secret, "ZeroStor 1 epoch key wrap" ‖ 0x00 ‖ VaultId ‖ number)      AAD = bound
/// witness = HMAC-SHA256(HKDF-Expand-SHA256(seed, "ZeroStor 1 epoch witness" ‖ 0x00 ‖ VaultId), bound ‖ ciphertext ‖ box)
/// </code></summary>
internal static class EpochBox
{
    public const int BoxBytes = Secret.KeyBytes + Secret.BoxOverheadBytes;
    public const int WitnessBytes = HMACSHA256.HashSizeInBytes;

    private const byte Format = 1;

    public static KeyEpoch Seal(
        VaultId vault, PrivateKey to, uint number, Tick begun, ReadOnlySpan<byte> key, IEntropy entropy)
    {
        byte[] bound = BoundOf(vault, to, number, begun);
        byte[] ciphertext = new byte[to.Kem.CiphertextBytes];
        byte[] box = new byte[BoxBytes];
        Span<byte> secret = stackalloc byte[HybridKem.SecretBytes];
        try
        {
            to.Kem.Encapsulate(to.PublicKey.AsSpan(), entropy, ciphertext, secret);
            using var wrapping = new Secret(secret, isLongLived: false);
            wrapping.Seal(KeyPurpose.EpochKeyWrap, ContextOf(bound), bound, entropy, key, box);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }

        return new KeyEpoch(
            number, to.Generation, begun, [.. ciphertext], [.. box], [.. WitnessOf(vault, to, bound, ciphertext, box)]);
    }

    /// <summary>Null: it does not open.</summary>
    public static OpenEpoch? TryOpen(VaultId vault, KeyEpoch epoch, PrivateKey own)
    {
        byte[] bound = BoundOf(vault, own, epoch.Number, epoch.Begun);
        Span<byte> seed = stackalloc byte[HybridKem.SeedBytes];
        Span<byte> secret = stackalloc byte[HybridKem.SecretBytes];
        Span<byte> key = stackalloc byte[Secret.KeyBytes];
        try
        {
            own.Seed.CopyTo(seed);
            own.Kem.Decapsulate(seed, epoch.Ciphertext.AsSpan(), secret);
            using var wrapping = new Secret(secret, isLongLived: false);
            if (!wrapping.TryOpen(KeyPurpose.EpochKeyWrap, ContextOf(bound), bound, epoch.Wrapped.AsSpan(), key))
            {
                return null;
            }

            byte[] witness = WitnessOf(vault, own, bound, epoch.Ciphertext.AsSpan(), epoch.Wrapped.AsSpan());
            return new OpenEpoch(
                epoch.Number,
                epoch.Generation,
                epoch.Begun,
                new Secret(key, isLongLived: true),
                CryptographicOperations.FixedTimeEquals(witness, epoch.Witness.AsSpan()));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(seed);
            CryptographicOperations.ZeroMemory(secret);
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private static byte[] WitnessOf(
        VaultId vault, PrivateKey key, byte[] bound, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> box)
    {
        byte[] witness = new byte[WitnessBytes];
        Span<byte> context = stackalloc byte[Id128.Bytes];
        Id128.Write(context, vault.Value);
        key.Seed.Witness(KeyPurpose.EpochWitness, context, (byte[])[.. bound, .. ciphertext, .. box], witness);
        return witness;
    }

    private static byte[] BoundOf(VaultId vault, PrivateKey key, uint number, Tick begun)
    {
        var writer = new ByteWriter();
        writer.Byte(Format);
        writer.Byte(key.Kem.Suite);
        writer.UInt128(vault.Value);
        writer.UInt32(number);
        writer.UInt32(key.Generation);
        writer.UInt32(begun.Value);
        writer.Raw(SHA256.HashData(key.PublicKey.AsSpan()));
        return writer.ToArray();
    }

    // VaultId and number, which stand behind format and suite.
    private static ReadOnlySpan<byte> ContextOf(ReadOnlySpan<byte> bound) => bound.Slice(2, Id128.Bytes + 4);
}
