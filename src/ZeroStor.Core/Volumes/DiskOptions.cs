namespace ZeroStor.Volumes;

/// <summary>How one disk behaves. The defaults are for real disks; tests shrink them.</summary>
public sealed record DiskOptions
{
    /// <summary>A record that starts below this may end above it, but none starts above: large enough that a
    /// disk of terabytes has thousands of files, not millions; small enough that compaction copies little at
    /// a time. </summary>
    public long VolumeBytes { get; init; } = 256L * 1024 * 1024;

    /// <summary>Volumes grow ahead by this much in zeros that are written, not only allocated: a sync over
    /// written blocks costs a tenth of one over fresh blocks. An empty disk costs at most this.</summary>
    public int GrowBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>A batch of so much grows its volume by itself alone: zeros for the ones behind it would be written
    /// twice, which costs more than what the file system notes of fresh blocks.</summary>
    public int LargeBatchBytes { get; init; } = 128 * 1024;

    /// <summary>Of the file system, so much is left to deletes and compaction, which give room back: without it a
    /// full disk would stay full. At least two steps of growth, so that compaction can begin a volume and go on in
    /// it.</summary>
    public int ReservePercent { get; init; } = 1;

    /// <summary>Records laid together under one sync, at most.</summary>
    public int BatchBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>A payload of so much may be written from where it lies: copying a smaller one costs less than two more
    /// pieces of a write.</summary>
    public int InPlaceBytes { get; init; } = 32 * 1024;

    /// <summary>While a batch is written and synced, the next is laid as soon as so much waits to be copied: waking a
    /// thread for less costs more than laying it later.</summary>
    public int LayAheadBytes { get; init; } = 64 * 1024;

    /// <summary>So many appends that were made durable wait with their answers until the next batch is on its way to the
    /// device: it would stand idle for as long as entering and answering them takes, which for fewer is less than waking
    /// a thread to do it beside.</summary>
    public int AnswerAsideCount { get; init; } = 32;

    /// <summary>Bytes of appends that may wait for the writer; beyond it a disk answers Busy.</summary>
    public long QueueBytes { get; init; } = 32L * 1024 * 1024;

    /// <summary>Appends that may wait for the writer; beyond it a disk answers Busy.</summary>
    public int QueueCount { get; init; } = 4096;

    /// <summary>Reads that touch the disk at once: what an NVMe disk still serves faster with.</summary>
    public int ReadsAtOnce { get; init; } = 16;

    /// <summary>Reads that wait or run; beyond it a disk answers Busy.</summary>
    public int ReadsQueued { get; init; } = 1024;

    /// <summary>How often the superblock repeats the durable length while appends go on.</summary>
    public TimeSpan MarkPeriod { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A sealed volume with less live data than this is copied together.</summary>
    public int CompactBelowPercent { get; init; } = 50;

    /// <summary>The active volume is sealed before it is full when this much of it, and half of it, is dead.
    /// </summary>
    public long SealEarlyDeadBytes { get; init; } = 16L * 1024 * 1024;

    /// <summary>Live records are copied in chunks of this, so that appends get their turn between
    /// them.</summary>
    public int CopyBytes { get; init; } = 2 * 1024 * 1024;

    /// <summary>Shards that a scrub looks up at once: each time it passes over the footers of the volumes in
    /// which they lie, and keeps some ninety bytes for each of these.</summary>
    public int ScrubPageShards { get; init; } = 16 * 1024;

    /// <summary>What a scrub reads at once, in whole blocks: so much that trips to the disk do not count, so
    /// little that readers do not wait for it. A longer record is read at once all the same.</summary>
    public int ScrubWindowBytes { get; init; } = 1024 * 1024;

    /// <summary>Who is told how long syncs take; null: nobody.</summary>
    public IDiskObserver? Observer { get; init; }

    internal PlantedDefects Planted { get; init; }

    /// <summary>What the index finds shards by; tests make it collide.</summary>
    internal Func<ShardName, ulong> Hash { get; init; } = ShardFinder.HashOf;
}
