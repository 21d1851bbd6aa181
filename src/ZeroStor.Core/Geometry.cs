namespace ZeroStor;

/// <summary>How content is cut: segments within stripes within contents. A setting of the format, not of a
/// fabric: these numbers stand in every sealed byte.</summary>
public static class Geometry
{
    /// <summary>Content sealed on its own, so that a range opens without the rest. Below 64 KiB AES-GCM loses
    /// speed to its cost per call.</summary>
    public const int SegmentBytes = 64 * 1024;

    /// <summary>What sealing adds to a segment: the tag of AES-GCM.</summary>
    public const int SealTagBytes = 16;

    /// <summary>A whole stripe in memory, coded, is about 2.2 times this: the unit of every memory
    /// bound.</summary>
    public const int MaxStripeBytes = 4 * 1024 * 1024;

    /// <summary>Content per data shard at most, so that shards stay small enough to sit in a cache and to
    /// travel in one message.</summary>
    public const int MaxContentBytesPerShard = 256 * 1024;

    /// <summary>Content travels to its coordinator in pieces of at most this, so that no message holds a
    /// connection for long.</summary>
    public const int MaxPieceBytes = 256 * 1024;

    /// <summary>StripeRefs that a manifest names itself; more of them stand in pages.</summary>
    public const int MaxInlineStripes = 64;

    /// <summary>StripeRefs of one page.</summary>
    public const int StripesPerPage = 1024;

    /// <summary>The longest key, in UTF-8 bytes: what S3 allows.</summary>
    public const int MaxKeyBytes = 1024;

    /// <summary>Content of every stripe of a content but its last: min(4 MiB, k × 256 KiB).</summary>
    public static int StripeBytes(Code code) => Math.Min(MaxStripeBytes, code.K * MaxContentBytesPerShard);

    /// <summary>Bytes of each shard of <paramref name="sealedBytes"/>: data shard i is the i-th slice, the
    /// last ones padded with zeros.</summary>
    public static int ShardBytes(Code code, int sealedBytes) => (sealedBytes + code.K - 1) / code.K;

    /// <summary>Sealed bytes of <paramref name="contentBytes"/> whose segments were not compressed: each
    /// segment and its tag.</summary>
    public static int PlainSealedBytes(int contentBytes) =>
        contentBytes + (SegmentCount(contentBytes) * SealTagBytes);

    public static int SegmentCount(int contentBytes) => (contentBytes + SegmentBytes - 1) / SegmentBytes;

    public static int StripeCount(Code code, long contentBytes)
    {
        int stripeBytes = StripeBytes(code);
        return checked((int)((contentBytes + stripeBytes - 1) / stripeBytes));
    }
}
