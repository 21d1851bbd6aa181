using System.Collections.Immutable;
using ZeroStor.Contracts.Doors;
using ZeroStor.Contracts.Inner;
using ZeroStor.Placement;

namespace ZeroStor.Grains;

/// <summary>What operators say to the disks of the fabric, and hear of them: finds the silo that a disk is on
/// by the map, changes the map by compare-and-set, and passes the rest on. Thread-safe.</summary>
internal sealed class DiskOrders(
    SiloMap map,
    SiloWatch silos,
    IShardHome homes,
    Counters counters,
    IClusterMembershipService membership,
    IGrainFactory grains)
{
    /// <summary>A disk or silo that has not told of itself by then is shown as it was last known.</summary>
    private static readonly TimeSpan ReportPatience = TimeSpan.FromSeconds(1);

    public async Task<ImmutableArray<DiskStatus>> ListAsync(CancellationToken cancel)
    {
        IEnumerable<DiskEntry> disks =
            map.Current.Disks.Where(d => !map.Current.IsGone(d)).OrderBy(d => d.Id);
        return [.. await Task.WhenAll(disks.Select(async d => Status(d, await ReportAsync(d, cancel))))];
    }

    public async Task<DiskDetails> ShowAsync(DiskId disk, CancellationToken cancel)
    {
        FabricMap current = map.Current;
        DiskEntry entry = Demand(current, disk);
        DiskReport? report = await ReportAsync(entry, cancel);
        return new DiskDetails
        {
            Status = Status(entry, report),
            Labels = entry.Labels,
            Claim = entry.Claim,
            IsManaged = entry.IsManaged,
            HomeOf = current.Groups.Count(g => g.Places.Any(p => p.Home == disk)),
            FormerHomeOf = current.Groups.Count(g => g.Places.Any(p => p.FormerHomes.Contains(disk))),
            LiveBytes = report?.LiveBytes ?? 0,
            Shards = report?.Shards ?? 0,
            HighestTick = report?.HighestTick ?? default,
            Notes = await NotesAsync(entry, cancel),
        };
    }

    public Task<DiskAdded> AddAsync(AddDisk add, CancellationToken cancel)
    {
        string[] silos = [.. ActiveSilos()];
        string silo = add.Silo ?? (silos.Length == 1
            ? silos[0]
            : throw ZeroStorException.Invalid(
                $"there are several silos, {string.Join(", ", silos)}: name one with --silo"));
        return silos.Contains(silo)
            ? grains.GetGrain<ISiloGrain>(silo).AddDiskAsync(add, cancel)
            : throw ZeroStorException.NotFound($"there is no silo {silo} up: zs status shows those that are");
    }

    /// <summary>As <see cref="IFabricDoor.RemoveDiskAsync"/>. The map decides; a silo that is not up, or does
    /// not hear, closes the disk as soon as it reads the map.</summary>
    public async Task<DiskRemoved> RemoveAsync(DiskId disk, bool leaveShort, CancellationToken cancel)
    {
        Removal? removal = null;
        await map.ChangeAsync(
            from =>
            {
                removal = Removal.Plan(from, disk, leaveShort);
                return removal.Change;
            },
            cancel);
        DiskEntry entry = map.Current.Disk(disk)!;
        if (ActiveSilos().Contains(entry.Silo))
        {
            await grains.GetGrain<ISiloGrain>(entry.Silo).CloseDiskAsync(disk, cancel);
        }

        return new DiskRemoved
        {
            Disk = disk,
            Path = entry.Path,
            PlacesMoved = removal!.PlacesMoved,
            PlacesShort = removal.PlacesShort,
        };
    }

    /// <summary>As <see cref="IFabricDoor.DrainDiskAsync"/>.</summary>
    public async Task<int> DrainAsync(DiskId disk, CancellationToken cancel)
    {
        FabricMap drained = await map.ChangeAsync(from => Replacement.Drain(from, disk, silos.Absence), cancel);
        return drained.Groups.Count(g => g.Places.Any(p => p.Home == disk));
    }

    public Task<DiskReset> ResetAsync(DiskId disk, CancellationToken cancel) =>
        grains.GetGrain<ISiloGrain>(Demand(map.Current, disk).Silo).ResetDiskAsync(disk, cancel);

    public Task<ScrubProgress> BeginScrubAsync(ScrubOrder order, CancellationToken cancel)
    {
        FabricMap current = map.Current;
        DiskId[] disks = order.Disks.IsDefaultOrEmpty
            ? [.. current.Disks.Where(IsReadable).Select(d => d.Id)]
            : [.. order.Disks.Distinct()];
        foreach (DiskEntry entry in disks.Select(d => Demand(current, d)).Where(d => !IsReadable(d)))
        {
            throw entry.State == DiskState.Removed
                ? ZeroStorException.NotFound($"disk {entry.Id} was removed: zs disk ls shows those there are")
                : new ZeroStorException(
                    ErrorKind.DiskFailed,
                    $"disk {entry.Id} is missing and cannot be read: zs disk reset {entry.Id}");
        }

        return AskAsync(
            order with { Disks = [.. disks.Order()] }, (silo, part) => silo.BeginScrubAsync(part, cancel));
    }

    public Task<ScrubProgress> ScrubProgressAsync(ScrubOrder order, CancellationToken cancel) =>
        AskAsync(order, (silo, part) => silo.ScrubProgressAsync(part, cancel));

    // Each silo is asked for its own disks.
    private async Task<ScrubProgress> AskAsync(
        ScrubOrder order, Func<ISiloGrain, ScrubOrder, Task<ImmutableArray<DiskScrub>>> ask)
    {
        FabricMap current = map.Current;
        ImmutableArray<DiskScrub>[] parts = await Task.WhenAll(order.Disks
            .GroupBy(d => Demand(current, d).Silo)
            .Select(own => ask(grains.GetGrain<ISiloGrain>(own.Key), order with { Disks = [.. own] })));
        return new ScrubProgress { Order = order, Disks = [.. parts.SelectMany(p => p).OrderBy(d => d.Disk)] };
    }

    private IEnumerable<string> ActiveSilos() =>
        membership.CurrentSnapshot.Members.Values
            .Where(m => m.Status == Orleans.Runtime.SiloStatus.Active)
            .Select(m => m.Name)
            .Order(StringComparer.Ordinal);

    private static DiskEntry Demand(FabricMap current, DiskId disk) =>
        current.Disk(disk)
        ?? throw ZeroStorException.NotFound($"the fabric has no disk {disk}: zs disk ls shows those it has");

    private static bool IsReadable(DiskEntry disk) =>
        disk.State is not (DiskState.Missing or DiskState.Removed);

    private async Task<DiskReport?> ReportAsync(DiskEntry disk, CancellationToken cancel)
    {
        try
        {
            return await homes
                .ReportAsync(new DiskAddress(disk.Id, disk.Claim), cancel)
                .AsTask().WaitAsync(ReportPatience, cancel);
        }
        catch (Exception e) when (e is ZeroStorException or TimeoutException)
        {
            return null;
        }
    }

    private async Task<DiskNotes?> NotesAsync(DiskEntry disk, CancellationToken cancel)
    {
        try
        {
            return await grains.GetGrain<ISiloGrain>(disk.Silo).DiskNotesAsync(disk.Id, cancel)
                .WaitAsync(ReportPatience, cancel);
        }
        catch (Exception e) when (e is ZeroStorException or TimeoutException)
        {
            return null;
        }
    }

    // Up by the map, and not to be heard of: missing for all that is known.
    private DiskStatus Status(DiskEntry disk, DiskReport? report)
    {
        bool drains = disk.State == DiskState.Draining && report is { State: DiskState.Up };
        DiskState state = drains ? DiskState.Draining
            : report?.State ?? (disk.State is DiskState.Up or DiskState.Draining ? DiskState.Missing : disk.State);
        return new DiskStatus
        {
            Id = disk.Id,
            Silo = disk.Silo,
            Path = disk.Path,
            State = drains && !map.Current.IsNeeded(disk.Id)
                ? "drained"
                : char.ToLowerInvariant(state.ToString()[0]) + state.ToString()[1..],
            UsedBytes = report?.UsedBytes ?? 0,
            FreeBytes = report?.FreeBytes ?? 0,
            WrongShards = counters.WrongShards(disk.Id),
        };
    }
}
