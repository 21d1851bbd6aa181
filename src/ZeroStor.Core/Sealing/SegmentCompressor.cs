using K4os.Compression.LZ4;

namespace ZeroStor.Sealing;

/// <summary>Compresses segments, each on its own and only where that pays, and expands them: one LZ4 block
/// each (lz4_Block_format.md of the reference implementation), without a frame, for the index tells its
/// length and the seal that it is right. Nothing on the heap; thread-safe.</summary>
internal static class SegmentCompressor
{
    /// <summary>Shorter ones are not worth it.</summary>
    private const int MinBytes = 128;

    /// <summary>A segment is stored compressed if an eighth of it is saved: else each read would pay for
    /// little. </summary>
    private const int SavedPart = 8;

    /// <summary>The sample: so many runs of so many bytes, spread over the segment; half a cache line
    /// each.</summary>
    private const int SampleRuns = 16;
    private const int SampleRunBytes = 32;

    /// <summary>Whether a sample of a segment looks as if compressing it might pay: whether two of its bytes
    /// are equal at least twice as often as two random ones. In what is encrypted or compressed already they
    /// are not; in programs, text and tables they are, ten times as often and more.</summary>
    public static bool MayPay(ReadOnlySpan<byte> content)
    {
        if (content.Length < MinBytes)
        {
            return false;
        }

        Span<ushort> counts = stackalloc ushort[256];
        counts.Clear();
        int stride = content.Length / SampleRuns;
        int runBytes = Math.Min(SampleRunBytes, stride);
        int pairs = 0;
        for (int run = 0; run < SampleRuns; run++)
        {
            foreach (byte value in content.Slice(run * stride, runBytes))
            {
                pairs += counts[value]++;
            }
        }

        // Of n random bytes n·(n-1)/2 pairs are equal once in 256.
        int sampled = SampleRuns * runBytes;
        return pairs >= sampled * (sampled - 1) / 256;
    }

    /// <summary>Compresses a segment into the target; returns how long it is there, or the segment's own
    /// length if it does not pay: then the target's bytes mean nothing.</summary>
    public static int Compress(ReadOnlySpan<byte> content, Span<byte> target)
    {
        int most = content.Length - (content.Length / SavedPart);
        int stored = LZ4Codec.Encode(content, target[..Math.Min(most, target.Length)]);
        return stored > 0 ? stored : content.Length;
    }

    /// <summary>Expands what <see cref="Compress"/> made; false, if it does not come to exactly the content's
    /// length. </summary>
    public static bool TryExpand(ReadOnlySpan<byte> stored, Span<byte> content) =>
        LZ4Codec.Decode(stored, content) == content.Length;
}
