using System.Security.Cryptography;

namespace ZeroStor.Sealing;

/// <summary>What each derived key is for, as the label it is derived with. A label serves one purpose and is
/// never reused, so no key can be made to do another's work.</summary>
internal static class KeyPurpose
{
    public static ReadOnlySpan<byte> MasterKeyId => "ZeroStor 1 master key id"u8;

    public static ReadOnlySpan<byte> MasterKeyWrap => "ZeroStor 1 master key wrap"u8;

    public static ReadOnlySpan<byte> PrivateKeyWrap => "ZeroStor 1 private key wrap"u8;

    public static ReadOnlySpan<byte> EpochWitness => "ZeroStor 1 epoch witness"u8;

    public static ReadOnlySpan<byte> EpochKeyWrap => "ZeroStor 1 epoch key wrap"u8;

    public static ReadOnlySpan<byte> ContentKeyWrap => "ZeroStor 1 content key wrap"u8;

    public static ReadOnlySpan<byte> ContentKeyCommitment => "ZeroStor 1 content key commitment"u8;

    public static ReadOnlySpan<byte> Manifest => "ZeroStor 1 manifest"u8;

    public static ReadOnlySpan<byte> Stripe => "ZeroStor 1 stripe"u8;

    public static ReadOnlySpan<byte> CompressedStripe => "ZeroStor 1 compressed stripe"u8;
}

/// <summary>How a blob is sealed, by the number it carries. Numbers are never reused.</summary>
internal static class Suites
{
    /// <summary>AES-256-GCM (NIST SP 800-38D) under a key that HKDF-Expand-SHA256 (RFC 5869) derives from a
    /// symmetric one.</summary>
    public const byte AesGcm = 1;

    /// <summary>X25519 and ML-KEM-768 (<see cref="HybridKem.XWing"/>).</summary>
    public const byte XWing = 2;

    /// <summary>X25519 and ML-KEM-1024 (<see cref="HybridKem.XWing1024"/>).</summary>
    public const byte XWing1024 = 3;

    /// <summary>Reads the number of a suite that must be <paramref name="known"/>.</summary>
    public static void Require(ref ByteReader reader, byte known)
    {
        byte suite = reader.Byte();
        if (suite != known)
        {
            throw reader.Bad($"is of suite {suite}, and this version knows {known}: run a newer ZeroStor");
        }
    }
}

/// <summary>A 256-bit symmetric key that never leaves this object but by <see cref="CopyTo"/>: it derives
/// other keys and seals small things. Zeroed when disposed. Thread-safe: what was disposed throws, and never
/// works with zeros.
/// <para>Derivation: HKDF-Expand-SHA256 (RFC 5869, 2.3) with the key as PRK, and <c>info = label ‖ 0x00 ‖ context</c>.
/// Extracting first is for input that is not uniform (3.3); these keys are drawn at random, or derived or agreed on so
/// that they are as good. Labels hold no zero byte, so no two pairs share an info.</para>
/// <para>A <b>box</b>, the small thing sealed, is <c>nonce (12) ‖ ciphertext ‖ tag (16)</c>: AES-256-GCM with
/// a random 96-bit nonce under a derived key. SP 800-38D (8.3) allows 2^32 such nonces per key; the contexts
/// of callers name one content or one epoch, which is sealed a handful of times, or their keys are bounded in use (<see
/// cref="VaultKeys.MaxUses"/>).</para></summary>
internal sealed class Secret : IDisposable
{
    public const int KeyBytes = 32;
    public const int NonceBytes = 12;
    public const int TagBytes = Geometry.SealTagBytes;

    /// <summary>What a box adds to the bytes in it.</summary>
    public const int BoxOverheadBytes = NonceBytes + TagBytes;

    // The longest label and context of all callers, with room.
    private const int MaxInfoBytes = 128;

    private readonly Lock _gate = new();
    private readonly byte[] _key;
    private readonly Forgotten? _forgotten;
    private IncrementalHash? _hmac;
    private bool _isDisposed;

    /// <summary>Copies <paramref name="key"/>, 32 bytes; the caller zeroes its own.</summary>
    /// <param name="key">The key.</param>
    /// <param name="isLongLived">Whether it outlives a call or two: then it is pinned, so that the collector
    /// leaves no copies behind, and zeroed when nobody holds it any more, as the keys of a ring that another took the
    /// place of while they were in use. Pinned arrays are freed by full collections alone, too seldom for a key that
    /// is made for every read; and such a one is gone before it is moved, and always disposed.</param>
    public Secret(ReadOnlySpan<byte> key, bool isLongLived)
    {
        _key = GC.AllocateArray<byte>(KeyBytes, isLongLived);
        _forgotten = isLongLived ? new Forgotten(_key) : null;
        key.CopyTo(_key);
    }

    public void CopyTo(Span<byte> target)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(Secret));
            _key.CopyTo(target);
        }

        GC.KeepAlive(this);
    }

    /// <summary>Fills <paramref name="target"/>, at most 32 bytes, with what is derived for a label and context.
    /// </summary>
    public void Derive(ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, Span<byte> target)
    {
        Span<byte> info = stackalloc byte[MaxInfoBytes];
        Span<byte> block = stackalloc byte[HMACSHA256.HashSizeInBytes];
        label.CopyTo(info);
        info[label.Length] = 0;
        context.CopyTo(info[(label.Length + 1)..]);

        // One block of HKDF-Expand is one HMAC over the info and the block's number: HKDF itself takes twice as long
        // for it, and taking up the key longer than the rest, so that is done once.
        info[label.Length + 1 + context.Length] = 1;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(Secret));
            _hmac ??= IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
            _hmac.AppendData(info[..(label.Length + context.Length + 2)]);
            _hmac.GetHashAndReset(block);
        }

        GC.KeepAlive(this);
        block[..target.Length].CopyTo(target);
        CryptographicOperations.ZeroMemory(block);
    }

    /// <summary>HMAC-SHA256 (RFC 2104) over <paramref name="data"/> under a derived key: who has this secret made it.
    /// </summary>
    public void Witness(ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, ReadOnlySpan<byte> data, Span<byte> witness)
    {
        Span<byte> key = stackalloc byte[KeyBytes];
        try
        {
            Derive(label, context, key);
            HMACSHA256.HashData(key, data, witness);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Seals <paramref name="content"/> into <paramref name="box"/>, which is longer by
    /// <see cref="BoxOverheadBytes"/>.</summary>
    public void Seal(
        ReadOnlySpan<byte> label,
        ReadOnlySpan<byte> context,
        ReadOnlySpan<byte> associated,
        IEntropy entropy,
        ReadOnlySpan<byte> content,
        Span<byte> box)
    {
        Span<byte> nonce = box[..NonceBytes];
        entropy.Fill(nonce);
        using AesGcm cipher = Cipher(label, context);
        cipher.Encrypt(nonce, content, box[NonceBytes..^TagBytes], box[^TagBytes..], associated);
    }

    /// <summary>Opens a box; false when it does not verify: then <see cref="AesGcm"/> has zeroed
    /// <paramref name="content"/>.</summary>
    public bool TryOpen(
        ReadOnlySpan<byte> label,
        ReadOnlySpan<byte> context,
        ReadOnlySpan<byte> associated,
        ReadOnlySpan<byte> box,
        Span<byte> content)
    {
        using AesGcm cipher = Cipher(label, context);
        return TryOpen(cipher, associated, box, content);
    }

    /// <summary>Opens a box with a cipher that is there.</summary>
    internal static bool TryOpen(
        AesGcm cipher, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> box, Span<byte> content)
    {
        try
        {
            cipher.Decrypt(
                box[..NonceBytes], box[NonceBytes..^TagBytes], box[^TagBytes..], content, associated);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    /// <summary>A cipher of a derived key, which the caller disposes.</summary>
    internal AesGcm Cipher(ReadOnlySpan<byte> label, ReadOnlySpan<byte> context)
    {
        Span<byte> key = stackalloc byte[KeyBytes];
        try
        {
            Derive(label, context, key);
            return new AesGcm(key, TagBytes);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _hmac?.Dispose();
            CryptographicOperations.ZeroMemory(_key);
        }

        _forgotten?.Dispose();
    }

    public override string ToString() => "a secret";

    // Not the secret itself has a finalizer, as most are too short-lived to pay for one.
    private sealed class Forgotten(byte[] key) : IDisposable
    {
        ~Forgotten() => CryptographicOperations.ZeroMemory(key);

        public void Dispose() => GC.SuppressFinalize(this);
    }
}
