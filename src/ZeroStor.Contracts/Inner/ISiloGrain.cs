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
}
