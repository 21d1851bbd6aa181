using System.Collections.Immutable;

namespace ZeroStor.Contracts.Doors;

/// <summary>The fabric as clients may see it. The key is 0.</summary>
[Alias("zs.fabric-door")]
public interface IFabricDoor : IGrainWithIntegerKey
{
    /// <summary>What a client needs to find its way: coordinators and defaults.</summary>
    [Alias("route")]
    Task<FabricRoute> RouteAsync(CancellationToken cancel);

    [Alias("status")]
    Task<FabricStatus> StatusAsync(CancellationToken cancel);

    /// <summary>How repair stands; <paramref name="hurry"/> begins a round at once.</summary>
    [Alias("repair")]
    Task<RepairProgress> RepairAsync(bool hurry, CancellationToken cancel);

    [Alias("list-vaults")]
    Task<ImmutableArray<VaultInfo>> ListVaultsAsync(CancellationToken cancel);
}

[GenerateSerializer, Immutable, Alias("zs.fabric-route")]
public sealed record FabricRoute
{
    [Id(0)] public required FabricId Fabric { get; init; }

    [Id(1)] public required Tick Tick { get; init; }

    [Id(2)] public required long MapVersion { get; init; }

    [Id(3)] public required ImmutableArray<CoordinatorInfo> Coordinators { get; init; }
}

/// <summary>A disk grain that takes stripes.</summary>
[GenerateSerializer, Immutable, Alias("zs.coordinator")]
public sealed record CoordinatorInfo
{
    /// <summary>Key of its <see cref="IStripeDoor"/>.</summary>
    [Id(0)] public required string Key { get; init; }

    [Id(1)] public required string Silo { get; init; }

    [Id(2)] public required Labels Labels { get; init; }

    /// <summary>The claim under which its disk was opened. Another one tells a client that the silo was
    /// restarted: what it asked of the former life will never be answered.</summary>
    [Id(3)] public uint Claim { get; init; }
}

[GenerateSerializer, Immutable, Alias("zs.fabric-status")]
public sealed record FabricStatus
{
    [Id(0)] public required FabricId Fabric { get; init; }

    [Id(1)] public required Tick Tick { get; init; }

    [Id(2)] public required ImmutableArray<SiloStatus> Silos { get; init; }

    [Id(3)] public required ImmutableArray<DiskStatus> Disks { get; init; }

    [Id(4)] public required Ledger Ledger { get; init; }

    /// <summary>Since the silos started, summed over them: stripesWritten, stripesRead, stripesDecoded,
    /// shardsRepaired, and what else they count.</summary>
    [Id(5)] public required ImmutableSortedDictionary<string, long> Counters { get; init; }

    /// <summary>What an operator should know, a sentence each.</summary>
    [Id(6)] public required ImmutableArray<string> Notices { get; init; }
}

[GenerateSerializer, Immutable, Alias("zs.silo-status")]
public sealed record SiloStatus
{
    [Id(0)] public required string Name { get; init; }

    /// <summary><c>active</c>, or how membership calls what it is.</summary>
    [Id(1)] public required string State { get; init; }

    [Id(2)] public required Labels Labels { get; init; }
}

[GenerateSerializer, Immutable, Alias("zs.disk-status")]
public sealed record DiskStatus
{
    [Id(0)] public required DiskId Id { get; init; }

    [Id(1)] public required string Silo { get; init; }

    [Id(2)] public required string Path { get; init; }

    /// <summary><c>up</c>, <c>missing</c>, <c>readOnly</c>, <c>draining</c>, <c>removed</c>.</summary>
    [Id(3)] public required string State { get; init; }

    [Id(4)] public required long UsedBytes { get; init; }

    [Id(5)] public required long FreeBytes { get; init; }
}

/// <summary>What repair does, and has done since its scheduler woke.</summary>
[GenerateSerializer, Immutable, Alias("zs.repair-progress")]
public sealed record RepairProgress
{
    /// <summary>Groups that the last sweep found unequal or with places that are not whole.</summary>
    [Id(0)] public required int GroupsToRepair { get; init; }

    /// <summary>Rounds of sweep and repair that ended.</summary>
    [Id(1)] public required long Rounds { get; init; }

    /// <summary>Shards decoded from others and stored at their homes.</summary>
    [Id(2)] public required long ShardsRebuilt { get; init; }

    /// <summary>Shards copied from former homes.</summary>
    [Id(3)] public required long ShardsCopied { get; init; }

    /// <summary>Shards that the last round could not restore.</summary>
    [Id(4)] public required long ShardsLeft { get; init; }

    [Id(5)] public required long BytesRead { get; init; }

    [Id(6)] public required long BytesWritten { get; init; }

    /// <summary>Time spent repairing, for a rate.</summary>
    [Id(7)] public required TimeSpan Busy { get; init; }

    /// <summary>What the 99th of a hundred gets of a stripe takes meanwhile; zero until enough were seen.
    /// </summary>
    [Id(8)] public required TimeSpan GetP99 { get; init; }
}

/// <summary>How many stripes have how many of their shards.</summary>
[GenerateSerializer, Immutable, Alias("zs.ledger")]
public sealed record Ledger
{
    [Id(0)] public required long Stripes { get; init; }

    [Id(1)] public required long Whole { get; init; }

    /// <summary>Stripes by the number of their missing shards.</summary>
    [Id(2)] public required ImmutableSortedDictionary<int, long> ByMissing { get; init; }
}
