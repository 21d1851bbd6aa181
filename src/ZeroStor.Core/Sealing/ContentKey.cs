using System.Security.Cryptography;

namespace ZeroStor.Sealing;

/// <summary>The key of one content: 256 random bits, from which each stripe's key is derived. Zeroed when
/// disposed; ciphers made from it live on. Thread-safe.</summary>
public sealed class ContentKey : IDisposable
{
    private readonly Secret _secret;

    internal ContentKey(VaultId vault, ContentId content, Secret secret)
    {
        Vault = vault;
        Content = content;
        _secret = secret;
    }

    public VaultId Vault { get; }

    public ContentId Content { get; }

    /// <summary>The cipher of one stripe; its key is
    /// <c>HKDF-Expand-SHA256(content key, "ZeroStor 1 stripe" ‖ 0x00 ‖ SealId)</c>. <paramref name="seal"/> must be
    /// fresh for whatever is sealed: two sealings under one SealId would repeat nonces. Opening, and placing
    /// the same sealed bytes again, keeps it. The caller disposes the cipher.</summary>
    /// <param name="seal">Names the sealing.</param>
    /// <param name="ordinal">Which stripe of the content, from 0.</param>
    public StripeCipher ForStripe(SealId seal, int ordinal)
    {
        Span<byte> key = stackalloc byte[Secret.KeyBytes];
        try
        {
            DeriveFor(seal, ordinal, KeyPurpose.Stripe, key);
            return new StripeCipher(key, Vault, Content, ordinal);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>The cipher of one compressed stripe, under a key of its own: one SealId may seal either, and no nonce
    /// ever repeats.</summary>
    internal CompressedStripeCipher ForCompressedStripe(SealId seal, int ordinal, int contentBytes)
    {
        Span<byte> key = stackalloc byte[Secret.KeyBytes];
        try
        {
            DeriveFor(seal, ordinal, KeyPurpose.CompressedStripe, key);
            return new CompressedStripeCipher(key, Vault, Content, ordinal, contentBytes);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    public void Dispose() => _secret.Dispose();

    public override string ToString() => $"key of content {Content}";

    private void DeriveFor(SealId seal, int ordinal, ReadOnlySpan<byte> purpose, Span<byte> key)
    {
        if (ordinal < 0)
        {
            throw ZeroStorException.Invalid($"Content {Content} has no stripe {ordinal}: they count from 0.");
        }

        Span<byte> context = stackalloc byte[Id128.Bytes];
        Id128.Write(context, seal.Value);
        _secret.Derive(purpose, context, key);
    }
}
