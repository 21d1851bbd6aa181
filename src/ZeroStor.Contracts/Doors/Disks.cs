namespace ZeroStor.Contracts.Doors;

// What operators say to disks, and hear of them.

[GenerateSerializer, Immutable, Alias("zs.disk-status")]
public sealed record DiskStatus
{
    [Id(0)] public required DiskId Id { get; init; }

    [Id(1)] public required string Silo { get; init; }

    [Id(2)] public required string Path { get; init; }

    /// <summary><c>up</c>, <c>missing</c>, <c>readOnly</c>, <c>draining</c>, <c>drained</c>,
    /// <c>removed</c>.</summary>
    [Id(3)] public required string State { get; init; }

    [Id(4)] public required long UsedBytes { get; init; }

    [Id(5)] public required long FreeBytes { get; init; }

    /// <summary>How often reads and repair found what it holds to be something else than was put there, since
    /// the silos started, summed over them: rot, or a disk that lies.</summary>
    [Id(6)] public long WrongShards { get; init; }
}

/// <summary>All that is known of a disk.</summary>
[GenerateSerializer, Immutable, Alias("zs.disk-details")]
public sealed record DiskDetails
{
    [Id(0)] public required DiskStatus Status { get; init; }

    [Id(1)] public required Labels Labels { get; init; }

    /// <summary>How often it was opened.</summary>
    [Id(2)] public required uint Claim { get; init; }

    /// <summary>Whether its silo made the folder, and makes it anew when it vanishes.</summary>
    [Id(3)] public required bool IsManaged { get; init; }

    /// <summary>Groups in which it is the home of a place.</summary>
    [Id(4)] public required int HomeOf { get; init; }

    /// <summary>Groups in which it is a former home of a place that is not whole yet.</summary>
    [Id(5)] public required int FormerHomeOf { get; init; }

    /// <summary>Bytes of live records.</summary>
    [Id(6)] public long LiveBytes { get; init; }

    [Id(7)] public long Shards { get; init; }

    /// <summary>The highest tick it has seen.</summary>
    [Id(8)] public Tick HighestTick { get; init; }

    /// <summary>What its silo tells of it; null when that does not answer.</summary>
    [Id(9)] public DiskNotes? Notes { get; init; }
}

/// <summary>What only its silo knows of a disk.</summary>
[GenerateSerializer, Immutable, Alias("zs.disk-notes")]
public sealed record DiskNotes
{
    /// <summary>Why it takes no shards or is missing; empty where it is up, or nothing is known.</summary>
    [Id(0)] public required string Why { get; init; }

    [Id(1)] public required bool IsScrubbing { get; init; }

    /// <summary>Shards read by the asked-for scrub that runs or ran last, or by the background's pass since
    /// it began or the disk was opened.</summary>
    [Id(2)] public required long ShardsScrubbed { get; init; }

    [Id(3)] public required long BytesScrubbed { get; init; }

    /// <summary>Shards found damaged since it was opened, by scrub, reads or repair.</summary>
    [Id(4)] public required long Bad { get; init; }

    /// <summary>When a scrub of all of it last ended since its silo started.</summary>
    [Id(5)] public DateTimeOffset? LastScrubbed { get; init; }

    /// <summary>The volume in which the background's pass stands; 0 while none is under way.</summary>
    [Id(6)] public uint ScrubVolume { get; init; }

    /// <summary>Where in it.</summary>
    [Id(7)] public long ScrubOffset { get; init; }

    /// <summary>How much of the disk the pass under way has behind it, of 1.</summary>
    [Id(8)] public double ScrubShare { get; init; }

    /// <summary>When it began; 0 while none is under way.</summary>
    [Id(9)] public Tick ScrubBegan { get; init; }

    /// <summary>When the last scrub of all of it ended, by the disk's own word; 0 for never.</summary>
    [Id(10)] public Tick ScrubEnded { get; init; }
}

[GenerateSerializer, Immutable, Alias("zs.add-disk")]
public sealed record AddDisk
{
    /// <summary>A folder on the silo's machine, from the root. It must be there.</summary>
    [Id(0)] public required string Path { get; init; }

    /// <summary>Null: the only silo there is.</summary>
    [Id(1)] public string? Silo { get; init; }

    /// <summary>The disk whose places it gets; null: those of lost disks that wait, and new groups.</summary>
    [Id(2)] public DiskId? Replaced { get; init; }
}

[GenerateSerializer, Immutable, Alias("zs.disk-added")]
public sealed record DiskAdded
{
    [Id(0)] public required DiskId Disk { get; init; }

    [Id(1)] public required string Silo { get; init; }

    [Id(2)] public required string Path { get; init; }

    /// <summary>Whether the folder was a disk of this fabric before, with what it holds.</summary>
    [Id(3)] public required bool IsAdopted { get; init; }

    /// <summary>Places that it has now: those of groups that were, and of new ones.</summary>
    [Id(4)] public required int Places { get; init; }

    /// <summary>Places that the replaced disk keeps: too few others of their groups are whole yet, or the new
    /// disk is in them already, or their spread does not allow it.</summary>
    [Id(5)] public required int PlacesKept { get; init; }
}

[GenerateSerializer, Immutable, Alias("zs.disk-removed")]
public sealed record DiskRemoved
{
    [Id(0)] public required DiskId Disk { get; init; }

    /// <summary>Where its folder was, left as it is.</summary>
    [Id(1)] public required string Path { get; init; }

    [Id(2)] public required int PlacesMoved { get; init; }

    /// <summary>Places that wait for a disk to be added.</summary>
    [Id(3)] public required int PlacesShort { get; init; }
}

[GenerateSerializer, Immutable, Alias("zs.disk-reset")]
public sealed record DiskReset
{
    [Id(0)] public required DiskId Disk { get; init; }

    [Id(1)] public required string Path { get; init; }

    /// <summary>Whether it was up, so that nothing was done.</summary>
    [Id(2)] public required bool WasUp { get; init; }

    /// <summary>Places that it has now.</summary>
    [Id(3)] public required int Places { get; init; }
}
