using System.Security.Cryptography;

namespace ZeroStor.Sealing;

/// <summary>The fabric's master key: 256 random bits, kept in one file and nowhere else, under which vaults
/// of custody <c>fabric</c> hold their keys. Who has it and the disks has everything; who lost it has
/// nothing. Zeroed when disposed; never shown by <see cref="ToString"/> or an exception. Thread-safe.
/// <para>Its id is HKDF-Expand-SHA256 (RFC 5869) of the key with a label of its own, 16 bytes: it tells keys apart without
/// showing them. For its file see <see cref="MasterKeyText"/>.</para>
/// <para>A private key is wrapped in a box (<c>nonce ‖ ciphertext ‖ tag</c>, 60 bytes) of AES-256-GCM under
/// HKDF-Expand-SHA256(key, "ZeroStor 1 private key wrap" ‖ 0x00), with the binding as AAD. Nonces are random: a fabric wraps a
/// key for each vault and rotation, far fewer than the 2^32 that one key may.</para></summary>
public sealed class MasterKey : IMasterKey
{
    public const int Bytes = Secret.KeyBytes;

    private const int IdBytes = 16;

    private MasterKey(Secret secret)
    {
        Secret = secret;
        Span<byte> id = stackalloc byte[IdBytes];
        secret.Derive(KeyPurpose.MasterKeyId, [], id);
        Id = Convert.ToHexStringLower(id);
    }

    /// <summary>Tells this key from others without showing it: 32 hexadecimal digits.</summary>
    public string Id { get; }

    internal Secret Secret { get; }

    public static MasterKey Generate(IEntropy entropy)
    {
        Span<byte> key = stackalloc byte[Bytes];
        entropy.Fill(key);
        try
        {
            return FromBytes(key);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Copies <paramref name="key"/>; the caller zeroes its own bytes.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: not 32 bytes.</exception>
    public static MasterKey FromBytes(ReadOnlySpan<byte> key) =>
        key.Length == Bytes
            ? new MasterKey(new Secret(key, isLongLived: true))
            : throw ZeroStorException.Invalid($"A master key has {Bytes} bytes, not {key.Length}.");

    /// <inheritdoc/>
    public ValueTask<byte[]> WrapAsync(
        ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> binding, IEntropy entropy, CancellationToken cancel)
    {
        byte[] box = new byte[key.Length + Secret.BoxOverheadBytes];
        Secret.Seal(KeyPurpose.PrivateKeyWrap, [], binding.Span, entropy, key.Span, box);
        return ValueTask.FromResult(box);
    }

    /// <inheritdoc/>
    public ValueTask<bool> TryUnwrapAsync(
        ReadOnlyMemory<byte> wrapped, ReadOnlyMemory<byte> binding, Memory<byte> key, CancellationToken cancel) =>
        ValueTask.FromResult(
            wrapped.Length == key.Length + Secret.BoxOverheadBytes
            && Secret.TryOpen(KeyPurpose.PrivateKeyWrap, [], binding.Span, wrapped.Span, key.Span));

    public void Dispose() => Secret.Dispose();

    public override string ToString() => $"master key {Id}";
}
