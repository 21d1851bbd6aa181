using System.Collections.Immutable;

namespace ZeroStor.Contracts.Doors;

/// <summary>Read all shards of these disks again. Repeating an order of the same name begins
/// nothing.</summary>
[GenerateSerializer, Immutable, Alias("zs.scrub-order")]
public sealed record ScrubOrder
{
    /// <summary>Random: who asks makes it.</summary>
    [Id(0)] public required UInt128 Name { get; init; }

    [Id(1)] public required ImmutableArray<DiskId> Disks { get; init; }
}

/// <summary>How a scrub stands, disk by disk.</summary>
[GenerateSerializer, Immutable, Alias("zs.scrub-progress")]
public sealed record ScrubProgress
{
    /// <summary>What was asked, with the disks it is for.</summary>
    [Id(0)] public required ScrubOrder Order { get; init; }

    [Id(1)] public required ImmutableArray<DiskScrub> Disks { get; init; }

    public bool IsEnded => Disks.All(d => d.IsEnded);

    public long Shards => Disks.Sum(d => d.Shards);

    public long Bytes => Disks.Sum(d => d.Bytes);

    public long TotalBytes => Disks.Sum(d => d.TotalBytes);

    public long Bad => Disks.Sum(d => d.Bad);
}

/// <summary>How the scrub of one disk stands.</summary>
[GenerateSerializer, Immutable, Alias("zs.disk-scrub")]
public sealed record DiskScrub
{
    [Id(0)] public required DiskId Disk { get; init; }

    [Id(1)] public bool IsEnded { get; init; }

    /// <summary>Why it ended before all was read; empty when it did not.</summary>
    [Id(2)] public string Failure { get; init; } = "";

    /// <summary>Shards read.</summary>
    [Id(3)] public long Shards { get; init; }

    [Id(4)] public long Bytes { get; init; }

    /// <summary>What the disk held when the scrub was asked for.</summary>
    [Id(5)] public long TotalBytes { get; init; }

    /// <summary>Shards found damaged since the scrub was asked for: by it, and by reads and repair that met
    /// one before it did.</summary>
    [Id(6)] public long Bad { get; init; }
}
