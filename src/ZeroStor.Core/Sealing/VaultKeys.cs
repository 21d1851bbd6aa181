using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;

namespace ZeroStor.Sealing;

/// <summary>A vault's keys, unlocked: makes and opens content keys, seals and opens the manifests that stand
/// beside shards. They open this vault and nothing else. Zeroed when disposed (who then uses them gets
/// <see cref="ObjectDisposedException"/>); content keys live on. Thread-safe.
/// <para>A wrapped content key, 98 bytes, numbers big-endian:</para>
/// <code>
/// 0   1   format 1
/// 1   1   suite 1; it also says how the content's stripes are sealed: in format 1 or 2, as their lengths say
/// 2   4   epoch number
/// 6   12  nonce, random
/// 18  32  ciphertext of the content key
/// 50  16  tag
/// 66  32  commitment = HKDF-Expand-SHA256(content key, "ZeroStor 1 content key commitment" ‖ 0x00)
/// key = HKDF-Expand-SHA256(epoch key, "ZeroStor 1 content key wrap" ‖ 0x00)
/// AAD = bytes 0 to 5 ‖ VaultId ‖ ContentId
/// </code>
/// <para>Why random nonces under one key of the epoch, and none that are counted: writers do not know of each other, and a
/// put that is begun again after a lost answer may draw a second content key for the same ContentId. A writer uses an epoch
/// at most <see cref="MaxUses"/> times, so that sixteen of the busiest stay within the 2^32 that SP 800-38D allows such
/// nonces; a key derived for each content would allow more, and take longer than all the rest.</para>
/// <para>Why a commitment: AES-GCM does not bind a ciphertext to its key; who knows two keys can make one
/// blob that verifies under both. Here the second key would open it to a second content key, which does not
/// have this commitment. It is not in the AAD: it is checked against the key itself, in constant time.</para>
/// <para>A sealed manifest (34 bytes more than the manifest):</para>
/// <code>
/// 0   1   format 1
/// 1   1   suite 1
/// 2   4   epoch number
/// 6   12  nonce, random
/// 18  …   ciphertext of the manifest
/// -16 16  tag
/// key = HKDF-Expand-SHA256(epoch key, "ZeroStor 1 manifest" ‖ 0x00 ‖ ContentId)
/// AAD = bytes 0 to 5 ‖ VaultId ‖ ContentId
/// </code>
/// <para>It carries no commitment: the content keys that it names carry theirs.</para></summary>
public sealed class VaultKeys : IDisposable
{
    /// <summary>Bytes of a wrapped content key of suite 1.</summary>
    public const int WrappedKeyBytes = HeaderBytes + KeyBoxBytes + CommitmentBytes;

    /// <summary>What sealing adds to a manifest.</summary>
    public const int ManifestOverheadBytes = HeaderBytes + Secret.BoxOverheadBytes;

    private const byte Format = 1;
    private const int HeaderBytes = 6;
    private const int KeyBoxBytes = Secret.KeyBytes + Secret.BoxOverheadBytes;
    private const int CommitmentBytes = 32;
    private const int AssociatedBytes = HeaderBytes + (2 * Id128.Bytes);

    /// <summary>Thirty days of ticks: what one epoch key opens is bounded in time.</summary>
    public const uint EpochTicks = 30 * 24 * 60;

    /// <summary>Content keys that one process wraps under one epoch: see above. A hundred a second for thirty days.
    /// </summary>
    public const int MaxUses = 1 << 28;

    private readonly OpenEpoch? _current;
    private int _uses;

    internal VaultKeys(VaultId vault, ImmutableArray<OpenEpoch> epochs)
    {
        Vault = vault;
        Epochs = epochs;
        _current = epochs.LastOrDefault(e => e.HasWitness);
    }

    public VaultId Vault { get; }

    /// <summary>The epoch that new content keys are wrapped under: the last one that who has the private key made; 0 where
    /// there is none, and then nothing can be sealed.</summary>
    public uint CurrentEpoch => _current?.Number ?? 0;

    internal ImmutableArray<OpenEpoch> Epochs { get; }

    /// <summary>Whether the current epoch is too old or was used too often: then a next one should be made. It can be
    /// used until there is one.</summary>
    public bool IsEpochWornOut(Tick now) =>
        _current is null || now.Since(_current.Begun) >= EpochTicks || Volatile.Read(ref _uses) >= MaxUses;

    /// <summary>Whether what a blob (a wrapped content key, a sealed manifest) is sealed under is among these: else
    /// a newer key ring may have it.</summary>
    public bool Has(ReadOnlySpan<byte> blob) =>
        blob.Length < HeaderBytes
        || Find(BinaryPrimitives.ReadUInt32BigEndian(blob[2..])) is not null;

    /// <summary>A fresh random key for a content, and what its manifest carries of it. The caller disposes
    /// it.</summary>
    public ContentKey NewContentKey(ContentId content, IEntropy entropy, out byte[] wrapped)
    {
        byte[] blob = new byte[WrappedKeyBytes];
        Span<byte> associated = stackalloc byte[AssociatedBytes];
        Begin(content, blob, associated);
        // Key and nonce are drawn together: a draw takes as long as sealing so little.
        Span<byte> drawn = stackalloc byte[Secret.KeyBytes + Secret.NonceBytes];
        Span<byte> key = drawn[..Secret.KeyBytes];
        try
        {
            entropy.Fill(drawn);
            Interlocked.Increment(ref _uses);
            Current().Wrap!.Seal(associated, drawn[Secret.KeyBytes..], key, blob.AsSpan(HeaderBytes, KeyBoxBytes));
            var made = new Secret(key, isLongLived: false);
            made.Derive(KeyPurpose.ContentKeyCommitment, [], blob.AsSpan(HeaderBytes + KeyBoxBytes));
            wrapped = blob;
            return new ContentKey(Vault, content, made);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Opens what <see cref="NewContentKey"/> wrapped. The caller disposes it.</summary>
    /// <exception cref="ZeroStorException">Corrupt: damaged, another vault's or content's, or of a format,
    /// suite or epoch that is not known here.</exception>
    public ContentKey OpenContentKey(ContentId content, ReadOnlySpan<byte> wrapped)
    {
        const string What = "wrapped content key";
        Span<byte> associated = stackalloc byte[AssociatedBytes];
        OpenEpoch epoch = EpochOf(content, wrapped, What, associated);
        if (wrapped.Length != WrappedKeyBytes)
        {
            throw DoesNotOpen(What, content);
        }

        Span<byte> key = stackalloc byte[Secret.KeyBytes];
        Span<byte> commitment = stackalloc byte[CommitmentBytes];
        try
        {
            ReadOnlySpan<byte> box = wrapped.Slice(HeaderBytes, KeyBoxBytes);
            if (!epoch.Wrap!.TryOpen(associated, box, key))
            {
                throw DoesNotOpen(What, content);
            }

            var opened = new Secret(key, isLongLived: false);
            opened.Derive(KeyPurpose.ContentKeyCommitment, [], commitment);
            if (!CryptographicOperations.FixedTimeEquals(commitment, wrapped[(HeaderBytes + KeyBoxBytes)..]))
            {
                opened.Dispose();
                throw DoesNotOpen(What, content);
            }

            return new ContentKey(Vault, content, opened);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Seals a commit's manifest for the records of the content that it makes.</summary>
    public byte[] SealManifest(ContentId content, ReadOnlySpan<byte> manifest, IEntropy entropy)
    {
        byte[] blob = new byte[manifest.Length + ManifestOverheadBytes];
        Span<byte> associated = stackalloc byte[AssociatedBytes];
        Begin(content, blob, associated);
        Span<byte> box = blob.AsSpan(HeaderBytes);
        Current().Key!.Seal(KeyPurpose.Manifest, ContextOf(associated), associated, entropy, manifest, box);
        return blob;
    }

    /// <exception cref="ZeroStorException">As <see cref="OpenContentKey"/>.</exception>
    public byte[] OpenManifest(ContentId content, ReadOnlySpan<byte> sealedManifest)
    {
        const string What = "sealed manifest";
        Span<byte> associated = stackalloc byte[AssociatedBytes];
        OpenEpoch epoch = EpochOf(content, sealedManifest, What, associated);
        if (sealedManifest.Length < ManifestOverheadBytes)
        {
            throw DoesNotOpen(What, content);
        }

        byte[] manifest = new byte[sealedManifest.Length - ManifestOverheadBytes];
        ReadOnlySpan<byte> box = sealedManifest[HeaderBytes..];
        return epoch.Key!.TryOpen(KeyPurpose.Manifest, ContextOf(associated), associated, box, manifest)
            ? manifest
            : throw DoesNotOpen(What, content);
    }

    public void Dispose()
    {
        foreach (OpenEpoch epoch in Epochs)
        {
            epoch.Dispose();
        }
    }

    public override string ToString() => $"keys of vault {Vault}, epochs up to {CurrentEpoch}";

    // Keys are derived for one content: its id, which ends the AAD, is the context.
    private static ReadOnlySpan<byte> ContextOf(ReadOnlySpan<byte> associated) => associated[^Id128.Bytes..];

    private void Begin(ContentId content, Span<byte> blob, Span<byte> associated)
    {
        blob[0] = Format;
        blob[1] = Suites.AesGcm;
        BinaryPrimitives.WriteUInt32BigEndian(blob[2..], CurrentEpoch);
        Bind(content, blob, associated);
    }

    private OpenEpoch EpochOf(ContentId content, ReadOnlySpan<byte> blob, string what, Span<byte> associated)
    {
        var reader = new ByteReader(blob, what);
        reader.Format(Format);
        Suites.Require(ref reader, Suites.AesGcm);
        uint number = reader.UInt32();
        Bind(content, blob, associated);
        OpenEpoch epoch = Find(number) ?? throw ZeroStorException.Corrupt(
            $"A {what} of content {content} is under epoch {number}, which the key ring of vault {Vault} (up "
            + $"to {CurrentEpoch}) does not have: it is damaged, or the ring is an old copy.");
        return epoch.Key is not null ? epoch : throw ZeroStorException.Invalid(
            $"A {what} of content {content} is under epoch {number} of vault {Vault}, which takes key "
            + $"{epoch.Generation}, and that is not among the keys given: name the key file that has it.");
    }

    private OpenEpoch? Find(uint number)
    {
        foreach (OpenEpoch epoch in Epochs)
        {
            if (epoch.Number == number)
            {
                return epoch;
            }
        }

        return null;
    }

    private OpenEpoch Current() => _current ?? throw ZeroStorException.Invalid(
        $"Vault {Vault} has no epoch that its private keys made and can open: nothing can be sealed; rotate its key.");

    private void Bind(ContentId content, ReadOnlySpan<byte> blob, Span<byte> associated)
    {
        blob[..HeaderBytes].CopyTo(associated);
        Id128.Write(associated[HeaderBytes..], Vault.Value);
        Id128.Write(associated[(HeaderBytes + Id128.Bytes)..], content.Value);
    }

    private ZeroStorException DoesNotOpen(string what, ContentId content) => ZeroStorException.Corrupt(
        $"The {what} of content {content} does not open with the keys of vault {Vault}: it is damaged, or of "
        + "another content or vault.");
}
