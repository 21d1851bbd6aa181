using System.Buffers.Binary;

namespace ZeroStor.Sealing;

/// <summary>How long the segments of a compressed stripe are as they are stored, and so where each lies. Its
/// written form stands before the segments, sealed as one of them is (<see cref="CompressedStripeCipher"/>);
/// a stripe of one segment has none, for its length follows from the stripe's.</summary>
internal sealed class SegmentIndex
{
    /// <summary>A stored length less one, big-endian: 1 to 65,536.</summary>
    private const int EntryBytes = 2;

    private readonly int _contentBytes;
    private readonly int[] _stored;

    public SegmentIndex(int contentBytes)
    {
        _contentBytes = contentBytes;
        _stored = new int[Geometry.SegmentCount(contentBytes)];
    }

    /// <summary>Bytes of the written form, not sealed yet.</summary>
    public static int BytesOf(int contentBytes)
    {
        int segments = Geometry.SegmentCount(contentBytes);
        return segments == 1 ? 0 : segments * EntryBytes;
    }

    /// <summary>Bytes that it takes before the segments.</summary>
    public static int SealedBytesOf(int contentBytes)
    {
        int bytes = BytesOf(contentBytes);
        return bytes == 0 ? 0 : bytes + Geometry.SealTagBytes;
    }

    public int Segments => _stored.Length;

    /// <summary>Bytes of the whole stripe, sealed.</summary>
    public int SealedBytes => StartOf(Segments);

    /// <summary>Stored bytes of a segment: as many as its content has, if it is stored as it is.</summary>
    public int this[int segment]
    {
        get => _stored[segment];
        set => _stored[segment] = value;
    }

    public int ContentOf(int segment) =>
        Math.Min(Geometry.SegmentBytes, _contentBytes - (segment * Geometry.SegmentBytes));

    public bool IsCompressed(int segment) => _stored[segment] < ContentOf(segment);

    /// <summary>Where a segment begins in the stripe's sealed bytes; of the one behind the last, where they
    /// end. </summary>
    public int StartOf(int segment)
    {
        int start = SealedBytesOf(_contentBytes) + (segment * Geometry.SealTagBytes);
        for (int before = 0; before < segment; before++)
        {
            start += _stored[before];
        }

        return start;
    }

    public void Write(Span<byte> target)
    {
        for (int segment = 0; segment < Segments; segment++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(
                target[(segment * EntryBytes)..], (ushort)(_stored[segment] - 1));
        }
    }

    /// <summary>Reads what <see cref="Write"/> wrote; false, if that is not the index of a stripe of so many
    /// sealed bytes.</summary>
    public bool TryRead(ReadOnlySpan<byte> source, int sealedBytes)
    {
        for (int segment = 0; segment < Segments; segment++)
        {
            _stored[segment] = BinaryPrimitives.ReadUInt16BigEndian(source[(segment * EntryBytes)..]) + 1;
            if (_stored[segment] > ContentOf(segment))
            {
                return false;
            }
        }

        return SealedBytes == sealedBytes;
    }
}
