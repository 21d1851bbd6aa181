using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
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
    SiloSurvey survey,
    IGrainFactory grains,
    ILogger<DiskOrders> log)
{
    /// <summary>How long whoever removes a disk waits for its silo to close it: what is under way there ends first.
    /// </summary>
    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(10);

    /// <param name="reports">What silos tell, while the disks are asked.</param>
    /// <param name="cancel">Gives up asking.</param>
    public async Task<ImmutableArray<DiskStatus>> ListAsync(
        Task<SiloReports> reports, CancellationToken cancel)
    {
        FabricMap current = map.Current;
        DiskEntry[] disks = [.. current.Disks.Where(d => !current.IsGone(d)).OrderBy(d => d.Id)];
        DiskReport?[] told = await Task.WhenAll(disks.Select(d => ReportAsync(d, cancel)));
        SiloReports known = await reports;
        return [.. disks.Zip(told, (disk, report) => Status(disk, report, known))];
    }

    public async Task<DiskDetails> ShowAsync(DiskId disk, CancellationToken cancel)
    {
        FabricMap current = map.Current;
        DiskEntry entry = Demand(current, disk);
        Task<SiloReports> reports = survey.AskAsync(cancel);
        Task<DiskNotes?> notes = NotesAsync(entry, cancel);
        DiskReport? report = await ReportAsync(entry, cancel);
        return new DiskDetails
        {
            Status = Status(entry, report, await reports),
            Labels = entry.Labels,
            Claim = entry.Claim,
            IsManaged = entry.IsManaged,
            HomeOf = current.Groups.Count(g => g.Places.Any(p => p.Home == disk)),
            FormerHomeOf = current.Groups.Count(g => g.Places.Any(p => p.FormerHomes.Contains(disk))),
            LiveBytes = report?.LiveBytes ?? 0,
            Shards = report?.Shards ?? 0,
            HighestTick = report?.HighestTick ?? default,
            Notes = await notes,
        };
    }

    public Task<DiskAdded> AddAsync(AddDisk add, CancellationToken cancel)
    {
        ImmutableSortedSet<string> there = silos.There;
        string silo = add.Silo ?? (there.Count == 1
            ? there[0]
            : throw ZeroStorException.Invalid(
                $"there are several silos, {string.Join(", ", there)}: name one with --silo"));
        return there.Contains(silo)
            ? grains.GetGrain<ISiloGrain>(silo).AddDiskAsync(add, cancel)
            : throw ZeroStorException.NotFound($"there is no silo {silo} up: zs status shows those that are");
    }

    /// <summary>As <see cref="IFabricDoor.RemoveDiskAsync"/>.</summary>
    public async Task<DiskRemoved> RemoveAsync(DiskId disk, bool leaveShort, CancellationToken cancel)
    {
        Removal removal = await RemoveAsync(
            from => Removal.Plan(from, disk, leaveShort, silos.Absence), cancel);
        return new DiskRemoved
        {
            Disk = disk,
            Path = map.Current.Disk(disk)!.Path,
            PlacesMoved = removal.PlacesMoved,
            PlacesShort = removal.PlacesShort,
        };
    }

    /// <summary>Takes disks out of the map, and closes them where they are open.</summary>
    public async Task<Removal> RemoveAsync(Func<FabricMap, Removal> plan, CancellationToken cancel)
    {
        Removal removal = null!;
        await map.ChangeAsync(from => (removal = plan(from)).Change, cancel);
        ImmutableSortedSet<string> there = silos.There;
        await Task.WhenAll(removal.Disks
            .Select(d => map.Current.Disk(d)!)
            .Where(d => there.Contains(d.Silo))
            .Select(d => CloseAsync(d, cancel)));
        return removal;
    }

    // The map has decided. A silo that does not hear of it closes the disk as soon as it reads the map.
    private async Task CloseAsync(DiskEntry disk, CancellationToken cancel)
    {
        try
        {
            await grains.GetGrain<ISiloGrain>(disk.Silo).CloseDiskAsync(disk.Id, cancel)
                .WaitAsync(ClosePatience, cancel);
        }
        catch (Exception e) when (e is ZeroStorException or TimeoutException or OrleansException)
        {
            log.DiskNotClosed(disk.Id, disk.Silo, e.Message);
        }
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

    private static DiskEntry Demand(FabricMap current, DiskId disk) =>
        current.Disk(disk)
        ?? throw ZeroStorException.NotFound($"the fabric has no disk {disk}: zs disk ls shows those it has");

    private static bool IsReadable(DiskEntry disk) =>
        disk.State is not (DiskState.Missing or DiskState.Removed);

    private Task<DiskReport?> ReportAsync(DiskEntry disk, CancellationToken cancel) =>
        SiloSurvey.WithinPatienceAsync(
            () => homes.ReportAsync(new DiskAddress(disk.Id, disk.Claim), cancel).AsTask(), cancel);

    private Task<DiskNotes?> NotesAsync(DiskEntry disk, CancellationToken cancel) =>
        SiloSurvey.WithinPatienceAsync(
            () => grains.GetGrain<ISiloGrain>(disk.Silo).DiskNotesAsync(disk.Id, cancel), cancel);

    // Up by the map, and not to be heard of: missing for all that is known. One that was emptied is not missed.
    private DiskStatus Status(DiskEntry disk, DiskReport? report, SiloReports reports)
    {
        bool isDrained = disk.State == DiskState.Draining && !map.Current.IsNeeded(disk.Id);
        DiskState state = disk.State == DiskState.Draining && report is { State: DiskState.Up } ? DiskState.Draining
            : report?.State ?? (disk.State is DiskState.Up or DiskState.Draining ? DiskState.Missing : disk.State);
        return new DiskStatus
        {
            Id = disk.Id,
            Silo = disk.Silo,
            Path = disk.Path,
            State = isDrained
                ? "drained"
                : char.ToLowerInvariant(state.ToString()[0]) + state.ToString()[1..],
            UsedBytes = report?.UsedBytes ?? 0,
            FreeBytes = report?.FreeBytes ?? 0,
            WrongShards = reports.WrongShards(disk.Id),
        };
    }
}
