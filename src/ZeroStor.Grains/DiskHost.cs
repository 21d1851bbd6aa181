using Microsoft.Extensions.Logging;
using ZeroStor.Paths;
using ZeroStor.Placement;
using ZeroStor.Sealing;
using ZeroStor.Volumes;

namespace ZeroStor.Grains;

/// <summary>Owns the disks of a silo: opens and claims them when it starts, watches them while it runs, closes them
/// when it ends. Grains own nothing of a disk.</summary>
internal sealed class DiskHost(
    ZeroStorOptions options,
    SiloMap map,
    LocalHomes homes,
    HomeHealth health,
    ICatalog catalog,
    IEntropy entropy,
    TimeProvider time,
    ILocalSiloDetails self,
    Func<MasterKey> master,
    ILogger<DiskHost> log) : ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    /// <summary>A vanished folder is noticed within this.</summary>
    private static readonly TimeSpan WatchPause = TimeSpan.FromSeconds(1);

    /// <summary>Space of the dead is looked for this often; finding none costs nothing.</summary>
    private static readonly TimeSpan CompactPause = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _loops = [];
    private readonly HashSet<DiskId> _readOnly = [];

    public void Participate(ISiloLifecycle observer) =>
        observer.Subscribe(nameof(DiskHost), ServiceLifecycleStage.ApplicationServices, StartAsync, StopAsync);

    public void Dispose() => _stop.Dispose();

    private async Task StartAsync(CancellationToken cancel)
    {
        map.Saw((await catalog.ReadFabricAsync(cancel)).Tick);
        FabricMap current = await map.ReadAsync(cancel);
        DiskEntry[] known = [.. Own(current)];
        IReadOnlyList<DiskFolder> folders = DiskFolders.Of(options, known);
        if (current.Classes.IsEmpty)
        {
            DiskFolders.DemandRoom(folders, options.DefaultCode);
        }

        master();
        foreach (DiskFolder folder in folders)
        {
            await OpenAsync(folder, cancel);
        }

        _loops.Add(RepeatAsync(WatchPause, WatchAsync));
        _loops.Add(RepeatAsync(CompactPause, CompactAsync));
        _loops.Add(RepeatAsync(TimeSpan.FromSeconds(options.TickSeconds), RaiseTickAsync));
    }

    private async Task StopAsync(CancellationToken cancel)
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_loops);
        await homes.DisposeAsync();
    }

    private IEnumerable<DiskEntry> Own(FabricMap current) =>
        current.Disks.Where(d => d.Silo == self.Name && d.State != DiskState.Removed);

    private async Task OpenAsync(DiskFolder folder, CancellationToken cancel)
    {
        DiskEntry? here = Own(map.Current).FirstOrDefault(d => d.Path == folder.Path);
        Superblock? superblock;
        try
        {
            superblock = Disk.Peek(folder.Path);
        }
        catch (ZeroStorException e) when (e.Kind == ErrorKind.Corrupt && here is { Claim: > 0 })
        {
            await LoseAsync(here, e.Message, cancel);
            return;
        }

        if (superblock is { } found)
        {
            await ClaimAsync(folder, found, cancel);
        }
        else if (here is null or { Claim: 0 })
        {
            await MakeAsync(folder, here, cancel);
        }
        else if (folder.IsManaged)
        {
            await MakeAnewAsync(folder, here, cancel);
        }
        else
        {
            await LoseAsync(here, $"{folder.Path} is empty or gone: is it mounted?", cancel);
        }
    }

    private async Task MakeAsync(DiskFolder folder, DiskEntry? entered, CancellationToken cancel)
    {
        if (!folder.IsManaged && !Directory.Exists(folder.Path))
        {
            throw ZeroStorException.NotFound($"there is no folder {folder.Path} to be a disk: is it mounted?");
        }

        DiskId id = entered?.Id ?? await EnterAsync(folder, cancel);
        await FormatAsync(folder, id, cancel);
        log.DiskMade(id, folder.Path);
    }

    // What the old folder held is lost; its places go to the newcomer, and repair fills it.
    private async Task MakeAnewAsync(DiskFolder folder, DiskEntry lost, CancellationToken cancel)
    {
        DiskId id = await EnterAsync(folder, cancel);
        await FormatAsync(folder, id, cancel);
        await map.ChangeAsync(from => MapChanges.Replace(from, lost.Id, id), cancel);
        log.DiskMadeAnew(lost.Id, folder.Path, id);
    }

    private async Task<DiskId> EnterAsync(DiskFolder folder, CancellationToken cancel)
    {
        DiskId id = default;
        await map.ChangeAsync(
            from => MapChanges.AddDisk(from, self.Name, options.Labels, folder.Path, folder.IsManaged, out id),
            cancel);
        return id;
    }

    private async Task FormatAsync(DiskFolder folder, DiskId id, CancellationToken cancel)
    {
        Disk.Format(folder.Path, map.Current.Fabric, id, entropy);
        await ClaimAsync(folder, Disk.Peek(folder.Path)!, cancel);
    }

    /// <summary>Opens a disk and takes its next claim. The lock on the folder keeps a second process out; the
    /// compare-and-set of the claim keeps a clone of the folder out.</summary>
    private async Task ClaimAsync(DiskFolder folder, Superblock superblock, CancellationToken cancel)
    {
        if (superblock.Fabric != map.Current.Fabric)
        {
            throw new ZeroStorException(
                ErrorKind.PreconditionFailed,
                $"{folder.Path} is disk {superblock.Disk} of fabric {superblock.Fabric}, and this is fabric "
                + $"{map.Current.Fabric}: take it out of the command line, or point --data at its own fabric");
        }

        Disk disk = Disk.Open(folder.Path, DiskOptions(), entropy, time);
        uint granted = 0;
        try
        {
            await map.ChangeAsync(
                from =>
                {
                    DiskEntry entry = from.Disk(disk.Id) ?? throw Unknown(folder, disk.Id);
                    disk.DemandClaim(entry.Claim);
                    granted = entry.Claim + 1;
                    return MapChanges.Claim(
                        from, entry with { Path = folder.Path, Silo = self.Name, Labels = options.Labels });
                },
                cancel);
            disk.TakeClaim(granted);
        }
        catch
        {
            await disk.DisposeAsync();
            throw;
        }

        homes.Add(disk);
        log.DiskUp(disk.Id, folder.Path, granted, disk.Report().Shards);
    }

    private DiskOptions DiskOptions() => new() { VolumeBytes = options.VolumeBytes };

    private static ZeroStorException Unknown(DiskFolder folder, DiskId disk) =>
        new(
            ErrorKind.PreconditionFailed,
            $"{folder.Path} is disk {disk}, of which the catalog knows nothing: the catalog is older than the disk; "
            + "put the right one back");

    private async Task LoseAsync(DiskEntry entry, string why, CancellationToken cancel)
    {
        log.DiskMissing(entry.Id, why);
        await map.ChangeAsync(
            from => from.Disk(entry.Id) is { State: DiskState.Up or DiskState.ReadOnly } known
                ? MapChanges.Put(from, known with { State = DiskState.Missing })
                : null,
            cancel);
    }

    private async Task WatchAsync(CancellationToken cancel)
    {
        foreach (Disk disk in homes.All)
        {
            if (!disk.CheckFolder())
            {
                homes.Remove(disk.Id);
                await disk.DisposeAsync();
                if (map.Current.Disk(disk.Id) is { } entry)
                {
                    await LoseAsync(entry, $"its folder {entry.Path} is not there any more", cancel);
                }

                continue;
            }

            DiskReport report = disk.Report();
            health.Reported(disk.Id, report.FreeBytes);
            if (report.State == DiskState.ReadOnly && _readOnly.Add(disk.Id))
            {
                log.DiskReadOnly(disk.Id, "a write or sync failed");
                await map.ChangeAsync(
                    from => from.Disk(disk.Id) is { State: DiskState.Up } known
                        ? MapChanges.Put(from, known with { State = DiskState.ReadOnly })
                        : null,
                    cancel);
            }
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

    private async Task RaiseTickAsync(CancellationToken cancel)
    {
        try
        {
            map.Saw(await catalog.RaiseTickAsync(map.Tick, cancel));
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
                    // Whatever it was, the next round may do better, and a silo that no longer watches is worse.
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
