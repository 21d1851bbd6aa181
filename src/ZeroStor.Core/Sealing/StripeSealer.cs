using System.Collections.Immutable;

namespace ZeroStor.Sealing;

/// <summary>Seals one stripe, whose content came in parts: compresses the segments where that pays, then
/// seals them one by one, so that who codes the stripe can use each while it is in the cache. What is
/// compressed is compressed to where it will stand, and sealed there; the rest is sealed straight from the
/// content. The same in a silo and in the SDK. Used once, by one thread at a time.</summary>
public sealed class StripeSealer : IDisposable
{
    private readonly ImmutableArray<ReadOnlyMemory<byte>> _parts;
    private readonly Memory<byte> _target;
    private readonly StripeCipher? _plain;
    private readonly CompressedStripeCipher? _cipher;
    private readonly SegmentIndex? _index;
    private int _segment;
    private int _sealedSoFar;
    private int _part;
    private int _partAt;

    /// <param name="key">The content's key.</param>
    /// <param name="seal">Names the sealing: fresh for whatever is sealed
    /// (<see cref="ContentKey.ForStripe"/>). </param>
    /// <param name="ordinal">Which stripe of the content.</param>
    /// <param name="parts">The content, in order; every part but the last is a whole number of segments long.
    /// Held by the caller until all is sealed.</param>
    /// <param name="compression">Whether to compress.</param>
    /// <param name="target">Where to, at least <see cref="Geometry.PlainSealedBytes"/>; overlaps no
    /// part.</param>
    /// <exception cref="ZeroStorException">InvalidArgument: a stripe of no or too many bytes, or no room.
    /// </exception>
    public StripeSealer(
        ContentKey key,
        SealId seal,
        int ordinal,
        ImmutableArray<ReadOnlyMemory<byte>> parts,
        Compression compression,
        Memory<byte> target)
    {
        ArgumentNullException.ThrowIfNull(key);
        _parts = parts;
        _target = target;
        bool isWhole = true;
        foreach (ReadOnlyMemory<byte> part in parts)
        {
            isWhole &= ContentBytes % Geometry.SegmentBytes == 0;
            ContentBytes += part.Length;
        }

        int plainBytes = Geometry.PlainSealedBytes(ContentBytes);
        if (!isWhole || ContentBytes is < 1 or > Geometry.MaxStripeBytes || target.Length < plainBytes)
        {
            throw ZeroStorException.Invalid(
                $"{parts.Length} parts of {ContentBytes} bytes cannot be sealed as a stripe into {target.Length}: it "
                + $"has 1 to {Geometry.MaxStripeBytes} bytes, in parts of whole segments, and takes {plainBytes}.");
        }

        _index = compression == Compression.Off ? null : Compress(plainBytes);
        SealedBytes = _index?.SealedBytes ?? plainBytes;
        _plain = _index is null ? key.ForStripe(seal, ordinal) : null;
        _cipher = _index is null ? null : key.ForCompressedStripe(seal, ordinal, ContentBytes);
        _sealedSoFar = _index is null ? 0 : SegmentIndex.SealedBytesOf(ContentBytes);
        SealIndex();
    }

    /// <summary>Content of the stripe.</summary>
    public int ContentBytes { get; }

    /// <summary>Sealed bytes that it comes to.</summary>
    public int SealedBytes { get; }

    /// <summary>Seals the next segment; false when all are sealed.</summary>
    /// <param name="sealedSoFar">So many of the sealed bytes stand.</param>
    public bool Next(out int sealedSoFar)
    {
        if (_sealedSoFar < SealedBytes)
        {
            ReadOnlySpan<byte> content = NextContent();
            int stored = _index?[_segment] ?? content.Length;
            Span<byte> target = _target.Span.Slice(_sealedSoFar, stored + Geometry.SealTagBytes);
            if (_plain is not null)
            {
                _plain.Seal(ContentBytes, _segment, content, target);
            }
            else
            {
                _cipher!.Seal(_segment, stored < content.Length ? target[..stored] : content, target);
            }

            _segment++;
            _sealedSoFar += target.Length;
            sealedSoFar = _sealedSoFar;
            return true;
        }

        sealedSoFar = _sealedSoFar;
        return false;
    }

    public void Dispose()
    {
        _plain?.Dispose();
        _cipher?.Dispose();
    }

    // Compresses what pays to where it will stand; null, where the stripe would not be shorter for it.
    private SegmentIndex? Compress(int plainBytes)
    {
        SegmentIndex? index = null;
        int at = SegmentIndex.SealedBytesOf(ContentBytes);
        for (int segment = 0; segment < Geometry.SegmentCount(ContentBytes); segment++)
        {
            ReadOnlySpan<byte> content = NextContent();
            int stored = content.Length;
            if (SegmentCompressor.MayPay(content))
            {
                // The index may push the last ones beyond the end, where the stripe will not be compressed.
                int room = Math.Max(0, plainBytes - at - Geometry.SealTagBytes);
                Span<byte> target = _target.Span.Slice(Math.Min(at, plainBytes), room);
                stored = SegmentCompressor.Compress(content, target);
                index ??= AllAsTheyAre();
                index[segment] = stored;
            }

            at += stored + Geometry.SealTagBytes;
        }

        (_part, _partAt) = (0, 0);
        return index?.SealedBytes < plainBytes ? index : null;
    }

    private SegmentIndex AllAsTheyAre()
    {
        var index = new SegmentIndex(ContentBytes);
        for (int segment = 0; segment < index.Segments; segment++)
        {
            index[segment] = index.ContentOf(segment);
        }

        return index;
    }

    private void SealIndex()
    {
        if (_index is null || _sealedSoFar == 0)
        {
            return;
        }

        Span<byte> index = stackalloc byte[SegmentIndex.BytesOf(Geometry.MaxStripeBytes)];
        index = index[..SegmentIndex.BytesOf(ContentBytes)];
        _index.Write(index);
        _cipher!.SealIndex(index, _target.Span[.._sealedSoFar]);
    }

    private ReadOnlySpan<byte> NextContent()
    {
        while (_partAt == _parts[_part].Length)
        {
            (_part, _partAt) = (_part + 1, 0);
        }

        ReadOnlySpan<byte> rest = _parts[_part].Span[_partAt..];
        ReadOnlySpan<byte> content = rest[..Math.Min(Geometry.SegmentBytes, rest.Length)];
        _partAt += content.Length;
        return content;
    }
}
