using System.Buffers.Binary;
using System.Security.Cryptography;

namespace ZeroStor.Sealing;

/// <summary>Seals and opens what a compressed stripe is made of: an index of lengths and segments. One cipher
/// object a stripe, nothing on the heap for a segment. For one thread at a time.
/// <para>Sealed bytes of a compressed stripe (format 2). They are fewer than those of the same content in
/// format 1 (<see cref="StripeCipher"/>), and a stripe of which they would not be is of format 1: so a
/// stripe's lengths say which it is.</para>
/// <code>
/// index, where the stripe has s > 1 segments:
/// 2·s ciphertext of, for each segment, its stored length less one
/// 16  tag
/// then, one behind the other, s times:
/// n   ciphertext of the segment as it is stored: 1 to 65,536 bytes
/// 16  tag
/// </code>
/// <para>A segment whose stored length is that of its content is stored as it is; a shorter one is one block
/// of LZ4 that expands to exactly its content (<see cref="SegmentCompressor"/>).</para>
/// <para>AES-256-GCM under a key of its own, numbers big-endian:</para>
/// <code>
/// key = HKDF-Expand-SHA256(content key, "ZeroStor 1 compressed stripe" ‖ 0x00 ‖ SealId)
/// nonce, 12 bytes:  0   7   zeros
///                   7   4   segment, from 0; of the index 0
///                   11  1   2 for the index, 1 for the stripe's last segment, else 0
/// AAD, 46 bytes:    0   1   format 2
///                   1   1   suite 1
///                   2   16  VaultId
///                   18  16  ContentId
///                   34  4   ordinal of the stripe in its content
///                   38  4   segment; of the index 0
///                   42  4   content of the whole stripe, bytes
/// </code>
/// <para>Who lies about where a segment lies forges the index, and that does not open; who moves, cuts or
/// swaps segments is found by their AAD, as in format 1. The content's length is in the AAD because whether a
/// segment is compressed follows from it: nobody may choose how bytes that verify are read. The index is
/// sealed, and not only vouched for, because how well each 64 KiB compress says more of a content than its
/// length does.</para> </summary>
internal sealed class CompressedStripeCipher : IDisposable
{
    private const byte Format = 2;
    private const int NonceSegmentAt = 7;
    private const int NonceKindAt = 11;
    private const byte KindSegment = 0;
    private const byte KindLastSegment = 1;
    private const byte KindIndex = 2;
    private const int AssociatedBytes = 46;
    private const int AssociatedSegmentAt = 38;
    private const int AssociatedContentAt = 42;

    private readonly AesGcm _cipher;
    private readonly byte[] _nonce = new byte[Secret.NonceBytes];
    private readonly byte[] _associated = new byte[AssociatedBytes];
    private readonly int _lastSegment;

    public CompressedStripeCipher(
        ReadOnlySpan<byte> key, VaultId vault, ContentId content, int ordinal, int contentBytes)
    {
        _cipher = new AesGcm(key, Geometry.SealTagBytes);
        _lastSegment = Geometry.SegmentCount(contentBytes) - 1;
        _associated[0] = Format;
        _associated[1] = Suites.AesGcm;
        Id128.Write(_associated.AsSpan(2), vault.Value);
        Id128.Write(_associated.AsSpan(18), content.Value);
        BinaryPrimitives.WriteInt32BigEndian(_associated.AsSpan(34), ordinal);
        BinaryPrimitives.WriteInt32BigEndian(_associated.AsSpan(AssociatedContentAt), contentBytes);
    }

    public void SealIndex(ReadOnlySpan<byte> index, Span<byte> target)
    {
        Aim(0, KindIndex);
        _cipher.Encrypt(_nonce, index, target[..index.Length], target[index.Length..], _associated);
    }

    /// <exception cref="AuthenticationTagMismatchException">It is not what was sealed.</exception>
    public void OpenIndex(ReadOnlySpan<byte> sealedIndex, Span<byte> index)
    {
        Aim(0, KindIndex);
        Decrypt(sealedIndex, index);
    }

    /// <summary>Seals a segment as it is stored, which may stand in the target already.</summary>
    public void Seal(int segment, ReadOnlySpan<byte> stored, Span<byte> target)
    {
        Aim(segment, KindOf(segment));
        _cipher.Encrypt(_nonce, stored, target[..stored.Length], target[stored.Length..], _associated);
    }

    /// <exception cref="AuthenticationTagMismatchException">It is not what was sealed.</exception>
    public void Open(int segment, ReadOnlySpan<byte> sealedSegment, Span<byte> stored)
    {
        Aim(segment, KindOf(segment));
        Decrypt(sealedSegment, stored);
    }

    public void Dispose() => _cipher.Dispose();

    private byte KindOf(int segment) => segment == _lastSegment ? KindLastSegment : KindSegment;

    private void Aim(int segment, byte kind)
    {
        BinaryPrimitives.WriteInt32BigEndian(_nonce.AsSpan(NonceSegmentAt), segment);
        _nonce[NonceKindAt] = kind;
        BinaryPrimitives.WriteInt32BigEndian(_associated.AsSpan(AssociatedSegmentAt), segment);
    }

    private void Decrypt(ReadOnlySpan<byte> sealedBytes, Span<byte> target) => _cipher.Decrypt(
        _nonce, sealedBytes[..^Geometry.SealTagBytes], sealedBytes[^Geometry.SealTagBytes..], target, _associated);
}
