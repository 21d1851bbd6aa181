using System.Collections.Immutable;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Contracts.Inner;

/// <summary>The door to a silo's disks as a whole, for the fabric grain: what operators say to them, where
/// the disks are. The key is the silo's name, which decides where the grain is. Refused to clients.</summary>
[Alias("zs.silo")]
public interface ISiloGrain : IGrainWithStringKey
{
    /// <summary>As <see cref="IFabricDoor.AddDiskAsync"/>.</summary>
    [Alias("add-disk")]
    [ResponseTimeout(FabricDoor.OrderTimeout)]
    Task<DiskAdded> AddDiskAsync(AddDisk add, CancellationToken cancel);

    /// <summary>Closes a disk that the map calls removed; done where it is not open.</summary>
    [Alias("close-disk")]
    [ResponseTimeout(FabricDoor.OrderTimeout)]
    Task CloseDiskAsync(DiskId disk, CancellationToken cancel);

    /// <summary>As <see cref="IFabricDoor.ResetDiskAsync"/>.</summary>
    [Alias("reset-disk")]
    [ResponseTimeout(FabricDoor.OrderTimeout)]
    Task<DiskReset> ResetDiskAsync(DiskId disk, CancellationToken cancel);

    [Alias("disk-notes")]
    Task<DiskNotes> DiskNotesAsync(DiskId disk, CancellationToken cancel);

    /// <summary>Begins the order's scrub of these disks unless it was begun here before.</summary>
    /// <exception cref="ZeroStorException">Busy.</exception>
    [Alias("begin-scrub")]
    Task<ImmutableArray<DiskScrub>> BeginScrubAsync(ScrubOrder order, CancellationToken cancel);

    [Alias("scrub-progress")]
    Task<ImmutableArray<DiskScrub>> ScrubProgressAsync(ScrubOrder order, CancellationToken cancel);

    /// <summary>Lets go of a vault's keys: the next who needs them opens it anew.</summary>
    [Alias("forget-vault")]
    Task ForgetVaultAsync(string name, CancellationToken cancel);

    /// <summary>What the silo counted since it started, and how it is. Costs it nothing.</summary>
    [Alias("report")]
    Task<SiloReport> ReportAsync(CancellationToken cancel);
}

/// <summary>What a silo tells of itself.</summary>
[GenerateSerializer, Immutable, Alias("zs.silo-report")]
public sealed record SiloReport
{
    /// <summary>What it did since it started.</summary>
    [Id(0)] public required ImmutableSortedDictionary<string, long> Counters { get; init; }

    /// <summary>How often it found what a disk of the fabric holds to be something else than was put there; without
    /// disks of which it never did.</summary>
    [Id(1)] public required ImmutableDictionary<DiskId, long> WrongShards { get; init; }

    /// <summary>Memory of its process.</summary>
    [Id(2)] public required long ResidentBytes { get; init; }

    /// <summary>What the 99th of a hundred gets of a stripe takes there; zero until enough were seen.</summary>
    [Id(3)] public required TimeSpan GetP99 { get; init; }

    /// <summary>What its process used of processors.</summary>
    [Id(4)] public required ProcessorUse Processor { get; init; }

    /// <summary>The id of its master key.</summary>
    [Id(5)] public required string MasterKey { get; init; }

    /// <summary>The id of the one that it was given to take that one's place; null: none.</summary>
    [Id(6)] public required string? NextMasterKey { get; init; }
}
