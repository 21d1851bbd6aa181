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

    /// <summary>The sample: so many runs of so many bytes, spread over the segment. 128 random bytes have 32
    /// equal pairs, give or take 6, and twice as many once in a million times; more bytes, and above all more
    /// runs, would only take longer.</summary>
    private const int SampleRuns = 8;
    private const int SampleRunBytes = 16;

    /// <summary>Whether a sample of a segment looks as if compressing it might pay: whether two of its bytes
    /// are equal at least twice as often as two random ones. In what is encrypted or compressed already they
    /// are not; in programs, text and tables they are, ten times as often and more.</summary>
    public static bool MayPay(ReadOnlySpan<byte> content)
    {
        if (content.Length < MinBytes)
        {
            return false;
        }

        // Runs come from beyond the cache: copied before any is counted they are waited for all at once.
        Span<byte> sample = stackalloc byte[SampleRuns * SampleRunBytes];
        int stride = content.Length / SampleRuns;
        int runBytes = Math.Min(SampleRunBytes, stride);
        sample = sample[..(SampleRuns * runBytes)];
        for (int run = 0; run < SampleRuns; run++)
        {
            content.Slice(run * stride, runBytes).CopyTo(sample[(run * runBytes)..]);
        }

        Span<byte> counts = stackalloc byte[256];
        counts.Clear();
        int pairs = 0;
        foreach (byte value in sample)
        {
            pairs += counts[value]++;
        }

        // Of n random bytes n·(n-1)/2 pairs are equal once in 256.
        return pairs >= sample.Length * (sample.Length - 1) / 256;
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
