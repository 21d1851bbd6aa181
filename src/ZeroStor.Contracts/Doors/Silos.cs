using System.Collections.Immutable;

namespace ZeroStor.Contracts.Doors;

// What operators say to silos, and hear of them.

[GenerateSerializer, Immutable, Alias("zs.silo-status")]
public sealed record SiloStatus
{
    [Id(0)] public required string Name { get; init; }

    /// <summary><c>active</c>; <c>away</c>: not there, and the fabric still has disks of it; <c>gone</c>: not
    /// there, and nothing is waited for; or how membership calls what it is on its way to.</summary>
    [Id(1)] public required string State { get; init; }

    [Id(2)] public required Labels Labels { get; init; }
}

/// <summary>All that is known of a silo.</summary>
[GenerateSerializer, Immutable, Alias("zs.silo-details")]
public sealed record SiloDetails
{
    [Id(0)] public required SiloStatus Status { get; init; }

    /// <summary>Where other silos reach it; empty where membership has forgotten it.</summary>
    [Id(1)] public required string Address { get; init; }

    /// <summary>When one that is not active last told that it lives; null where membership has forgotten it.
    /// </summary>
    [Id(2)] public DateTimeOffset? LastSeen { get; init; }

    /// <summary>Disks of it that the fabric has.</summary>
    [Id(3)] public required int Disks { get; init; }

    /// <summary>Of them, those that take shards.</summary>
    [Id(4)] public required int DisksUp { get; init; }

    /// <summary>Of them, those that are being emptied.</summary>
    [Id(5)] public required int DisksDraining { get; init; }

    /// <summary>Of them, those that were emptied: nothing needs them any more.</summary>
    [Id(6)] public required int DisksDrained { get; init; }

    /// <summary>On the disks that answer.</summary>
    [Id(7)] public required long UsedBytes { get; init; }

    /// <summary>On the disks that answer.</summary>
    [Id(8)] public required long FreeBytes { get; init; }

    /// <summary>Memory of its process; null when it does not answer.</summary>
    [Id(9)] public long? ResidentBytes { get; init; }

    /// <summary>What its process used of processors; null when it does not answer.</summary>
    [Id(10)] public ProcessorUse? Processor { get; init; }
}

/// <summary>What a process used of processors since it started.</summary>
/// <param name="Process">Names this life of it: silos that tell the same are of one process.</param>
/// <param name="Time">Of all its threads, the system's work for them included.</param>
[GenerateSerializer, Immutable, Alias("zs.processor-use")]
public sealed record ProcessorUse([property: Id(0)] UInt128 Process, [property: Id(1)] TimeSpan Time);

[GenerateSerializer, Immutable, Alias("zs.silo-removed")]
public sealed record SiloRemoved
{
    [Id(0)] public required string Silo { get; init; }

    /// <summary>Its disks, which were removed; their folders are left as they are.</summary>
    [Id(1)] public required ImmutableArray<DiskId> Disks { get; init; }

    [Id(2)] public required int PlacesMoved { get; init; }

    /// <summary>Places that wait for a disk to be added.</summary>
    [Id(3)] public required int PlacesShort { get; init; }
}
