using Microsoft.Extensions.Logging;
using ZeroStor.Paths;
using ZeroStor.Placement;
using ZeroStor.Volumes;

namespace ZeroStor.Grains;

/// <summary>Owns the disks of a silo: opens and claims them when it starts, watches them while it runs,
/// closes them when it ends. Grains own nothing of a disk.</summary>
internal sealed class DiskHost(
    ZeroStorOptions options,
    SiloMap map,
    LocalHomes homes,
    HomeHealth health,
    DiskOpener opener,
    MapRecovery recovery,
    CatalogWatch watch,
    Scrubber scrubber,
    ICatalog catalog,
    TimeProvider time,
    ILocalSiloDetails self,
    FabricKey key,
    ILogger<DiskHost> log) : ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    /// <summary>A vanished folder is noticed within this.</summary>
    private static readonly TimeSpan WatchPause = TimeSpan.FromSeconds(1);

    /// <summary>What another silo changed in the map is known here within this.</summary>
    private static readonly TimeSpan FollowPause = TimeSpan.FromSeconds(1);

    /// <summary>A folder that was put back is taken in within this.</summary>
    private static readonly TimeSpan AdoptPause = TimeSpan.FromSeconds(3);

    /// <summary>Space of the dead is looked for this often; finding none costs nothing.</summary>
    private static readonly TimeSpan CompactPause = TimeSpan.FromSeconds(10);

    /// <summary>How often within a tick it is looked whether it is over: a tick may be late by this part of
    /// it.</summary>
    private const int LooksPerTick = 20;

    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _loops = [];
    private Tick _tick;
    private long _tickSince;

    public void Participate(ISiloLifecycle observer) =>
        observer.Subscribe(nameof(DiskHost), ServiceLifecycleStage.ApplicationServices, StartAsync, StopAsync);

    public void Dispose() => _stop.Dispose();

    private async Task StartAsync(CancellationToken cancel)
    {
        FabricState fabric = await catalog.ReadFabricAsync(cancel);
        map.Saw(fabric.Tick);
        FabricMap current = await map.ReadAsync(cancel);
        DiskEntry[] known = [.. Own(current)];
        IReadOnlyList<DiskFolder> folders = DiskFolders.Of(options, known);
        if (current.Classes.IsEmpty && !options.IsShared)
        {
            DiskFolders.DemandRoom(folders, options.DefaultCode);
        }

        await key.OpenAsync(fabric, current, cancel);
        await recovery.FaceAsync(folders.Select(f => f.Path), cancel);
        foreach (DiskFolder folder in folders)
        {
            await opener.OpenAsync(folder, cancel);
        }

        // A crash while a disk was made anew leaves the lost one up in the map, and nobody would replace it.
        foreach (DiskEntry entry in Unopened())
        {
            await opener.LoseAsync(entry, $"no folder of this silo is disk {entry.Id}", cancel);
        }

        // Before anything is reclaimed by it.
        await watch.LookAsync(cancel);
        _loops.Add(RepeatAsync(FollowPause, watch.FollowAsync));
        _loops.Add(RepeatAsync(WatchPause, WatchAsync));
        _loops.Add(RepeatAsync(AdoptPause, AdoptAsync));
        _loops.Add(RepeatAsync(CompactPause, CompactAsync));
        if (options.ScrubMaxMiBPerSecond > 0)
        {
            _loops.Add(RepeatAsync(TimeSpan.FromSeconds(options.ScrubPauseSeconds), scrubber.RoundAsync));
        }

        (_tick, _tickSince) = (map.Tick, time.GetTimestamp());
        _loops.Add(RepeatAsync(TimeSpan.FromSeconds(options.TickSeconds / LooksPerTick), FollowTickAsync));
    }

    private async Task StopAsync(CancellationToken cancel)
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_loops);
        await scrubber.DisposeAsync();
        await homes.DisposeAsync();
    }

    private IEnumerable<DiskEntry> Own(FabricMap current) =>
        current.Disks.Where(d => d.Silo == self.Name && d.State != DiskState.Removed);

    // Up in the map, and not open here.
    private DiskEntry[] Unopened()
    {
        var open = homes.All.Select(d => d.Id).ToHashSet();
        return
        [
            .. Own(map.Current)
                .Where(d => d.State is DiskState.Up or DiskState.ReadOnly && !open.Contains(d.Id)),
        ];
    }

    private async Task AdoptAsync(CancellationToken cancel)
    {
        using IDisposable turn = await opener.TurnAsync(cancel);
        await opener.AdoptAsync(cancel);
    }

    private async Task WatchAsync(CancellationToken cancel)
    {
        foreach (Disk disk in homes.All)
        {
            // One that was removed is closed by who removed it, unless that did not get through.
            if (!disk.CheckFolder() || map.Current.Disk(disk.Id) is { State: DiskState.Removed })
            {
                await CloseAsync(disk);
                continue;
            }

            DiskReport report = disk.Report();
            health.Reported(disk.Id, report.FreeBytes);
            if (report.State == DiskState.ReadOnly && map.Current.Disk(disk.Id) is { State: DiskState.Up })
            {
                log.DiskReadOnly(disk.Id, "a write or sync failed");
                await map.ChangeAsync(
                    from => from.Disk(disk.Id) is { State: DiskState.Up } known && known.Claim == disk.Claim
                        ? MapChanges.Put(from, known with { State = DiskState.ReadOnly })
                        : null,
                    cancel);
            }
        }

        await TellVanishedAsync(cancel);
    }

    // Not while others open disks here: they may be about to open this one again, and find it neither here nor
    // closed. The next round will do.
    private async Task CloseAsync(Disk disk)
    {
        using IDisposable? turn = opener.TryTurn();
        if (turn is not null && homes.Remove(disk))
        {
            await disk.DisposeAsync();
        }
    }

    // By the map, so that what the catalog did not take is told again. While a disk is being opened it is in
    // the map before it is here: the next round will do.
    private async Task TellVanishedAsync(CancellationToken cancel)
    {
        using IDisposable? turn = opener.TryTurn();
        if (turn is null)
        {
            return;
        }

        foreach (DiskEntry entry in Unopened())
        {
            await OnVanishedAsync(entry, cancel);
        }
    }

    // The folder that the silo made itself it makes anew; one on a mount may come back with its mount.
    private async Task OnVanishedAsync(DiskEntry entry, CancellationToken cancel)
    {
        await opener.LoseAsync(entry, $"its folder {entry.Path} is not there any more", cancel);
        bool isGone = !Directory.Exists(entry.Path) || !Directory.EnumerateFileSystemEntries(entry.Path).Any();
        if (entry.IsManaged && isGone && !watch.IsBehind && Directory.Exists(options.Data))
        {
            await opener.MakeAnewAsync(new DiskFolder(entry.Path, IsManaged: true), entry, cancel);
        }
    }

    private async Task CompactAsync(CancellationToken cancel)
    {
        foreach (Disk disk in homes.All)
        {
            try
            {
                await disk.CompactAsync(cancel);
            }
            catch (ZeroStorException e)
            {
                log.CompactionFailed(disk.Id, e.Message);
            }
        }
    }

    // Whichever silo sees first that the tick stood for its whole length raises it; the others see that it rose
    // and count from there, so that many silos raise it no faster than one does.
    private async Task FollowTickAsync(CancellationToken cancel)
    {
        Tick now = map.Tick;
        if (now == _tick && time.GetElapsedTime(_tickSince).TotalSeconds < options.TickSeconds)
        {
            return;
        }

        try
        {
            if (now == _tick)
            {
                map.Saw(await catalog.RaiseTickAsync(now, cancel));
            }

            (_tick, _tickSince) = (map.Tick, time.GetTimestamp());

            // In this order: no disk ever knows a tick that the catalog did not reach.
            await Task.WhenAll(homes.All.Select(d => d.NoteTickAsync(map.Tick, cancel).AsTask()));
        }
        catch (ZeroStorException e)
        {
            log.TickFailed(e.Message);
        }
    }

    private async Task RepeatAsync(TimeSpan pause, Func<CancellationToken, Task> work)
    {
        using var timer = new PeriodicTimer(pause, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                try
                {
                    await work(_stop.Token);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    // Whatever it was, the next round may do better, and a silo that no longer watches is
                    // worse.
                    log.WatchFailed(e.Message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The silo stops.
        }
    }
}
