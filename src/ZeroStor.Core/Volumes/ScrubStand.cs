namespace ZeroStor.Volumes;

/// <summary>Where the background's pass over a disk stands. It is kept in the superblock, so that a restart
/// goes on there. A position of 0 is none.</summary>
internal readonly record struct ScrubStand
{
    /// <summary>All records of shards up to this one were read.</summary>
    internal RecordPosition After { get; init; }

    /// <summary>Where the disk ended when the pass began; 0 while none is under way.</summary>
    internal RecordPosition End { get; init; }

    /// <summary>When the pass under way began.</summary>
    internal Tick Began { get; init; }

    /// <summary>When the last one that read everything began; 0 for never.</summary>
    internal Tick LastBegan { get; init; }

    /// <summary>When it ended.</summary>
    internal Tick LastEnded { get; init; }

    internal bool IsUnderWay => End != default;
}

/// <summary>What an operator may know of the background's pass over a disk.</summary>
public sealed record ScrubPass
{
    /// <summary>The volume in which it stands; 0 while none is under way.</summary>
    public uint Volume { get; init; }

    /// <summary>Where in that volume.</summary>
    public long Offset { get; init; }

    /// <summary>How much of the disk's live bytes lies before that, of 1.</summary>
    public double Share { get; init; }

    /// <summary>When it began; 0 while none is under way.</summary>
    public Tick Began { get; init; }

    /// <summary>When the last pass that read everything ended; 0 for never.</summary>
    public Tick LastEnded { get; init; }
}
