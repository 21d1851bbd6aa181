using System.Buffers.Binary;
using System.Security.Cryptography;

namespace ZeroStor.Sealing;

/// <summary>A run of whole segments of a stripe: what must be opened for a range of its content.</summary>
/// <param name="FirstSegment">The first one.</param>
/// <param name="Segments">How many.</param>
/// <param name="SealedStart">Where they begin in the stripe's sealed bytes.</param>
/// <param name="SealedLength">Sealed bytes that they take.</param>
/// <param name="ContentStart">Where they begin in the stripe's content.</param>
/// <param name="ContentLength">Content that they hold.</param>
public readonly record struct SegmentRun(
    int FirstSegment, int Segments, int SealedStart, int SealedLength, int ContentStart, int ContentLength);

/// <summary>Seals and opens the segments of one stripe. One HKDF and one cipher object per stripe, nothing
/// per segment on the heap. For one thread at a time. A stripe of no bytes does not exist.
/// <para>Sealed bytes of a stripe: its segments one after the other, segment i at i × 65,552:</para>
/// <code>
/// n   ciphertext of the segment: 65,536 bytes, the last one's 1 to 65,536
/// 16  tag
/// </code>
/// <para>AES-256-GCM (NIST SP 800-38D) under the stripe's key (<see cref="ContentKey.ForStripe"/>), numbers
/// big-endian:</para>
/// <code>
/// nonce, 12 bytes:  0   7   zeros
///                   7   4   segment, from 0
///                   11  1   1 for the stripe's last segment, else 0
/// AAD, 42 bytes:    0   1   format 1
///                   1   1   suite 1
///                   2   16  VaultId
///                   18  16  ContentId
///                   34  4   ordinal of the stripe in its content
///                   38  4   segment
/// </code>
/// <para>A key seals one stripe once, so counting makes its nonces unique. The last-flag keeps a stripe from
/// being cut short or lengthened by whole segments (as in STREAM, Hoang, Reyhanitabar, Rogaway and Vizár
/// 2015); the AAD keeps every segment in its place.</para></summary>
public sealed class StripeCipher : IDisposable
{
    /// <summary>A whole segment and its tag.</summary>
    public const int SealedSegmentBytes = Geometry.SegmentBytes + Geometry.SealTagBytes;

    private const byte Format = 1;
    private const int NonceSegmentAt = 7;
    private const int NonceLastFlagAt = 11;
    private const int AssociatedBytes = 42;
    private const int AssociatedSegmentAt = 38;

    private readonly AesGcm _cipher;
    private readonly VaultId _vault;
    private readonly ContentId _content;
    private readonly int _ordinal;

    internal StripeCipher(ReadOnlySpan<byte> key, VaultId vault, ContentId content, int ordinal)
    {
        _cipher = new AesGcm(key, Geometry.SealTagBytes);
        _vault = vault;
        _content = content;
        _ordinal = ordinal;
    }

    /// <summary>The segments that a range of a stripe's content touches.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: the range is empty or not within the stripe.
    /// </exception>
    public static SegmentRun RunOf(int contentBytes, int offset, int length)
    {
        RequireStripe(contentBytes);
        if (offset < 0 || length < 1 || length > contentBytes - offset)
        {
            throw ZeroStorException.Invalid(
                $"A range of {length} bytes at {offset} is not within a stripe of {contentBytes} bytes.");
        }

        int first = offset / Geometry.SegmentBytes;
        int end = Geometry.SegmentCount(offset + length);
        int contentStart = first * Geometry.SegmentBytes;
        int contentLength = Math.Min(contentBytes, end * Geometry.SegmentBytes) - contentStart;
        int sealedLength = contentLength + ((end - first) * Geometry.SealTagBytes);
        return new SegmentRun(
            first, end - first, first * SealedSegmentBytes, sealedLength, contentStart, contentLength);
    }

    /// <summary>Seals a whole stripe.</summary>
    /// <param name="content">1 to <see cref="Geometry.MaxStripeBytes"/>.</param>
    /// <param name="sealedBytes">Exactly <see cref="Geometry.PlainSealedBytes"/>; does not overlap the
    /// content.</param>
    /// <exception cref="ZeroStorException">InvalidArgument: lengths.</exception>
    public void Seal(ReadOnlySpan<byte> content, Span<byte> sealedBytes) =>
        Seal(content.Length, 0, content, sealedBytes);

    /// <summary>Seals a run of whole segments, so that a stripe that came in pieces need not be joined first.
    /// Each segment of a stripe is to be sealed once.</summary>
    /// <param name="contentBytes">Content of the whole stripe.</param>
    /// <param name="firstSegment">The first one of the run.</param>
    /// <param name="content">Content of the run.</param>
    /// <param name="sealedSegments">Exactly its sealed bytes; does not overlap the content.</param>
    /// <exception cref="ZeroStorException">InvalidArgument: lengths; Corrupt: the segments are not whole.
    /// </exception>
    public void Seal(
        int contentBytes, int firstSegment, ReadOnlySpan<byte> content, Span<byte> sealedSegments)
    {
        RequireRun(contentBytes, firstSegment, sealedSegments.Length, content.Length);
        Span<byte> nonce = stackalloc byte[Secret.NonceBytes];
        Span<byte> associated = stackalloc byte[AssociatedBytes];
        Begin(nonce, associated);
        for (int segment = firstSegment; !content.IsEmpty; segment++)
        {
            int bytes = Math.Min(Geometry.SegmentBytes, content.Length);
            Aim(nonce, associated, segment, (segment * Geometry.SegmentBytes) + bytes == contentBytes);
            _cipher.Encrypt(
                nonce, content[..bytes], sealedSegments[..bytes],
                sealedSegments.Slice(bytes, Geometry.SealTagBytes), associated);
            content = content[bytes..];
            sealedSegments = sealedSegments[(bytes + Geometry.SealTagBytes)..];
        }
    }

    /// <summary>Opens a run of whole segments (<see cref="RunOf"/>). Every byte it leaves in
    /// <paramref name="content"/> was verified: whatever is thrown, the target is zeroed.</summary>
    /// <param name="contentBytes">Content of the whole stripe.</param>
    /// <param name="firstSegment">The first one of the run.</param>
    /// <param name="sealedSegments">The sealed bytes of the run; does not overlap the target.</param>
    /// <param name="content">The target, exactly as long as the content of the run.</param>
    /// <exception cref="ZeroStorException">Corrupt: a segment does not verify, or they are not whole;
    /// InvalidArgument: no such segment, or a target of another length.</exception>
    public void Open(
        int contentBytes, int firstSegment, ReadOnlySpan<byte> sealedSegments, Span<byte> content) =>
        Open(contentBytes, firstSegment, new SealedParts(sealedSegments), content);

    /// <summary>As the other, of sealed bytes that lie in parts, one behind the other.</summary>
    public void Open(
        int contentBytes,
        int firstSegment,
        ReadOnlySpan<ReadOnlyMemory<byte>> sealedParts,
        Span<byte> content) =>
        Open(contentBytes, firstSegment, new SealedParts(sealedParts), content);

    public void Dispose() => _cipher.Dispose();

    public override string ToString() => $"cipher of stripe {_ordinal} of content {_content}";

    private void Open(int contentBytes, int firstSegment, SealedParts sealedParts, Span<byte> content)
    {
        int segment = firstSegment;
        Span<byte> target = content;
        bool isOpen = false;
        try
        {
            RequireRun(contentBytes, firstSegment, sealedParts.Length, content.Length);
            Span<byte> nonce = stackalloc byte[Secret.NonceBytes];
            Span<byte> associated = stackalloc byte[AssociatedBytes];
            Begin(nonce, associated);
            for (; !target.IsEmpty; segment++)
            {
                int bytes = Math.Min(Geometry.SegmentBytes, target.Length);
                bool isLast = (segment * Geometry.SegmentBytes) + bytes == contentBytes;
                Aim(nonce, associated, segment, isLast);
                ReadOnlySpan<byte> next = sealedParts.Next(bytes + Geometry.SealTagBytes);
                _cipher.Decrypt(nonce, next[..bytes], next[bytes..], target[..bytes], associated);
                target = target[bytes..];
            }

            isOpen = true;
        }
        catch (AuthenticationTagMismatchException mismatch)
        {
            throw ZeroStorException.Corrupt(
                $"Stripe {_ordinal} of content {_content} does not open at segment {segment}: these are not "
                + "the bytes that were sealed, so read it from other shards.", mismatch);
        }
        finally
        {
            sealedParts.Dispose();
            if (!isOpen)
            {
                content.Clear();
            }
        }
    }

    private static void RequireStripe(int contentBytes)
    {
        if (contentBytes is < 1 or > Geometry.MaxStripeBytes)
        {
            throw ZeroStorException.Invalid(
                $"A stripe has 1 to {Geometry.MaxStripeBytes} bytes of content, never {contentBytes}.");
        }
    }

    private static void RequireRun(int contentBytes, int firstSegment, int sealedLength, int contentLength)
    {
        RequireStripe(contentBytes);
        if (firstSegment < 0 || firstSegment >= Geometry.SegmentCount(contentBytes))
        {
            throw ZeroStorException.Invalid(
                $"A stripe of {contentBytes} bytes has no segment {firstSegment}.");
        }

        int segments = (sealedLength + SealedSegmentBytes - 1) / SealedSegmentBytes;
        if (contentLength != Math.Max(0, sealedLength - (segments * Geometry.SealTagBytes)))
        {
            throw ZeroStorException.Invalid(
                $"{sealedLength} sealed bytes and {contentLength} of content are not of the same segments.");
        }

        int rest = Geometry.PlainSealedBytes(contentBytes) - (firstSegment * SealedSegmentBytes);
        bool isWhole = sealedLength == rest
            || (sealedLength > 0 && sealedLength < rest && sealedLength % SealedSegmentBytes == 0);
        if (!isWhole)
        {
            throw ZeroStorException.Corrupt(
                $"{sealedLength} sealed bytes are no run of whole segments from {firstSegment} on, of a "
                + $"stripe of {contentBytes} bytes: some are missing or too many.");
        }
    }

    private void Begin(Span<byte> nonce, Span<byte> associated)
    {
        nonce.Clear();
        associated[0] = Format;
        associated[1] = Suites.AesGcm;
        Id128.Write(associated[2..], _vault.Value);
        Id128.Write(associated[18..], _content.Value);
        BinaryPrimitives.WriteInt32BigEndian(associated[34..], _ordinal);
    }

    private static void Aim(Span<byte> nonce, Span<byte> associated, int segment, bool isLast)
    {
        BinaryPrimitives.WriteInt32BigEndian(nonce[NonceSegmentAt..], segment);
        nonce[NonceLastFlagAt] = isLast ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32BigEndian(associated[AssociatedSegmentAt..], segment);
    }
}
