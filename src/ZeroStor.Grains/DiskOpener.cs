using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using ZeroStor.Placement;
using ZeroStor.Volumes;

namespace ZeroStor.Grains;

/// <summary>Brings folders of this silo into the fabric as disks: opens and claims those that are disks,
/// makes those that shall be, makes anew what vanished and was the silo's own, and takes back what returned
/// under any name. A disk that was removed is never taken in again. Callers take turns.</summary>
internal sealed class DiskOpener(
    ZeroStorOptions options,
    SiloMap map,
    LocalHomes homes,
    CatalogWatch watch,
    MapRecovery recovery,
    IEntropy entropy,
    TimeProvider time,
    Instruments instruments,
    ILocalSiloDetails self,
    ILogger<DiskOpener> log) : IDisposable
{
    /// <summary>Folders that were looked at and refused, with what was said of them: said once.</summary>
    private readonly ConcurrentDictionary<string, string> _refused = new(StringComparer.Ordinal);

    /// <summary>Why disks of this silo are missing.</summary>
    private readonly ConcurrentDictionary<DiskId, string> _missing = new();

    private readonly SemaphoreSlim _turn = new(1);

    private IEnumerable<DiskEntry> Own(FabricMap current) =>
        current.Disks.Where(d => d.Silo == self.Name && d.State != DiskState.Removed);

    /// <summary>Waits until nobody else opens or loses disks of this silo, and keeps others out until
    /// disposed.</summary>
    public async Task<IDisposable> TurnAsync(CancellationToken cancel)
    {
        await _turn.WaitAsync(cancel);
        return new Turn(_turn);
    }

    /// <summary>As <see cref="TurnAsync"/>; null when somebody else has it.</summary>
    public IDisposable? TryTurn() => _turn.Wait(TimeSpan.Zero) ? new Turn(_turn) : null;

    public void Dispose() => _turn.Dispose();

    /// <summary>Why a disk is missing, or its folder was refused; empty when nothing is known.</summary>
    public string WhyMissing(DiskEntry disk) =>
        _refused.TryGetValue(disk.Path, out string? refusal) ? refusal
        : _missing.TryGetValue(disk.Id, out string? why) ? why
        : "";

    /// <summary>Opens a folder, whatever state it is in. One that belongs to a disk that was removed is
    /// refused, and the silo goes on without it.</summary>
    /// <exception cref="ZeroStorException">The folder cannot be a disk of this fabric, in one
    /// sentence.</exception>
    public async Task OpenAsync(DiskFolder folder, CancellationToken cancel)
    {
        // Of several that had this path over time the youngest is meant: it was made when the others were
        // lost.
        DiskEntry? here = Own(map.Current).Where(d => d.Path == folder.Path).MaxBy(d => d.Id.Value);
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

        if (superblock is { } found && found.Fabric == map.Current.Fabric && IsRemoved(found.Disk))
        {
            Refuse(folder.Path, Removed(folder, found.Disk).Message);
        }
        else if (superblock is not null)
        {
            await ClaimAsync(folder, superblock, cancel);
        }
        else if (here is null && !folder.IsManaged && RemovedFrom(folder.Path) is { } removed)
        {
            // Empty or gone: perhaps it is not mounted.
            Refuse(
                folder.Path, $"it was disk {removed.Id}, which was removed: zs disk add makes another disk of it");
        }
        else if (here is { Claim: 0 } && !folder.IsManaged && !Directory.Exists(folder.Path))
        {
            await LoseAsync(here, $"there is no folder {folder.Path}: is it mounted?", cancel);
        }
        else if (here is null or { Claim: 0 })
        {
            DiskId made = await MakeAsync(folder, cancel);
            await map.ChangeAsync(from => MapChanges.Grow(from, made), cancel);
        }
        else if (folder.IsManaged && !watch.IsBehind)
        {
            await MakeAnewAsync(folder, here, cancel);
        }
        else
        {
            // Of a catalog that went back it is not known which numbers disks have that may still come back.
            await LoseAsync(
                here,
                watch.IsBehind
                    ? $"{folder.Path} is empty or gone, and is not made anew until the catalog is adopted"
                    : $"{folder.Path} is empty or gone: is it mounted?",
                cancel);
        }
    }

    /// <summary>Makes an empty folder a new disk. What a crash left half-made under this path is gone on
    /// with.</summary>
    public async Task<DiskId> MakeAsync(DiskFolder folder, CancellationToken cancel)
    {
        if (!folder.IsManaged && !Directory.Exists(folder.Path))
        {
            throw ZeroStorException.NotFound($"there is no folder {folder.Path} to be a disk: is it mounted?");
        }

        DiskEntry? entered = Own(map.Current)
            .Where(d => d.Path == folder.Path && d.Claim == 0)
            .MaxBy(d => d.Id.Value);
        DiskId id = entered?.Id ?? await EnterAsync(folder, cancel);
        await FormatAsync(folder, id, cancel);
        log.DiskMade(id, folder.Path);
        return id;
    }

    /// <summary>Makes the folder of a lost disk anew. What it held is lost; its places go to the newcomer,
    /// and repair fills it.</summary>
    public async Task MakeAnewAsync(DiskFolder folder, DiskEntry lost, CancellationToken cancel)
    {
        DiskId id = await EnterAsync(folder, cancel);
        await FormatAsync(folder, id, cancel);
        await map.ChangeAsync(
            from => from.Disk(lost.Id)?.Claim == lost.Claim ? MapChanges.Replace(from, lost.Id, id) : null, cancel);
        log.DiskMadeAnew(lost.Id, folder.Path, id);
    }

    private async Task<DiskId> EnterAsync(DiskFolder folder, CancellationToken cancel)
    {
        if (watch.IsBehind)
        {
            throw new ZeroStorException(
                ErrorKind.PreconditionFailed,
                "no disk is made while the catalog is behind, for its number may be that of one which comes back: "
                + "zs catalog adopt first");
        }

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
    public async Task ClaimAsync(DiskFolder folder, Superblock superblock, CancellationToken cancel)
    {
        if (superblock.Fabric != map.Current.Fabric)
        {
            throw new ZeroStorException(
                ErrorKind.PreconditionFailed,
                $"{folder.Path} is disk {superblock.Disk} of fabric {superblock.Fabric}, and this is fabric "
                + $"{map.Current.Fabric}: take it out of the command line, or point --data at its own fabric");
        }

        // A copy of a folder that is in use shows its claim, too: taking the next one would shut the original
        // out.
        if (homes.Find(superblock.Disk) is { } open)
        {
            throw new ZeroStorException(
                ErrorKind.AlreadyExists,
                $"{folder.Path} is a copy of disk {open.Id}, which is open at {open.Path}: take the copy away");
        }

        Disk disk = Disk.Open(folder.Path, DiskOptions(), entropy, time);
        uint granted = 0;
        try
        {
            await map.ChangeAsync(
                from =>
                {
                    DiskEntry entry = from.Disk(disk.Id) ?? throw Unknown(folder, disk.Id);
                    if (entry.State == DiskState.Removed)
                    {
                        throw Removed(folder, disk.Id);
                    }

                    granted = disk.DemandClaim(entry.Claim, watch.IsBehind);
                    return MapChanges.Claim(
                        from,
                        entry with { Path = folder.Path, Silo = self.Name, Labels = options.Labels },
                        granted);
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
        _missing.TryRemove(disk.Id, out _);
        _refused.TryRemove(folder.Path, out _);
        await recovery.RememberAsync(disk, cancel);

        // Its silo may have been away so long that its places went to others.
        await map.ChangeAsync(from => MapChanges.ReturnHome(from, disk.Id), cancel);
        log.DiskUp(disk.Id, folder.Path, granted, disk.Report().Shards);
    }

    private DiskOptions DiskOptions() => new()
    {
        VolumeBytes = options.VolumeBytes, Observer = instruments,
    };

    private static ZeroStorException Unknown(DiskFolder folder, DiskId disk) =>
        new(
            ErrorKind.PreconditionFailed,
            $"{folder.Path} is disk {disk}, of which the catalog knows nothing: the catalog is older than the disk; "
            + "put the right one back");

    private static ZeroStorException Removed(DiskFolder folder, DiskId disk) =>
        new(
            ErrorKind.PreconditionFailed,
            $"{folder.Path} holds disk {disk}, which was removed for good: empty it, and zs disk add makes "
            + "another disk of it");

    private bool IsRemoved(DiskId disk) => map.Current.Disk(disk) is { State: DiskState.Removed };

    private DiskEntry? RemovedFrom(string path) =>
        map.Current.Disks
            .Where(d => d.Silo == self.Name && d.Path == path && d.State == DiskState.Removed)
            .MaxBy(d => d.Id.Value);

    private void Refuse(string path, string why)
    {
        if (_refused.GetValueOrDefault(path) != why)
        {
            _refused[path] = why;
            log.DiskNotAdopted(path, why);
        }
    }

    /// <summary>Where a disk of this silo may lie: wherever one ever was, and in the data folder under any
    /// name.</summary>
    public IEnumerable<string> Candidates()
    {
        IEnumerable<string> candidates = Own(map.Current).Select(d => d.Path);
        return (Directory.Exists(options.Data)
            ? candidates.Concat(Directory.EnumerateDirectories(Path.GetFullPath(options.Data)))
            : candidates).Distinct();
    }

    /// <summary>Opens folders that are disks of this fabric and are not open here: one that was put back,
    /// under any name, or mounted again.</summary>
    public async Task AdoptAsync(CancellationToken cancel)
    {
        var open = homes.All.Select(d => d.Path).ToHashSet(StringComparer.Ordinal);
        string[] closed = [.. Candidates().Where(p => !open.Contains(p))];
        await recovery.FaceAsync(closed, cancel);
        foreach (string path in closed)
        {
            try
            {
                if (Disk.Peek(path) is { } superblock && map.Current.Disk(superblock.Disk) is not null)
                {
                    await ClaimAsync(new DiskFolder(path, IsManaged(path, superblock.Disk)), superblock, cancel);
                    log.DiskReturned(superblock.Disk, path);
                }
            }
            catch (ZeroStorException e)
            {
                // Foreign folders lie where they like; of one that may be a disk it is said once why it is
                // none.
                if (map.Current.Disks.Any(d => d.Path == path))
                {
                    Refuse(path, e.Message);
                }
            }
        }
    }

    private bool IsManaged(string path, DiskId disk) =>
        map.Current.Disk(disk) is { IsManaged: true }
        && path.StartsWith(Path.GetFullPath(options.Data), StringComparison.Ordinal);

    /// <summary>Tells the map that a disk is missing.</summary>
    public async Task LoseAsync(DiskEntry entry, string why, CancellationToken cancel)
    {
        log.DiskMissing(entry.Id, why);
        _missing[entry.Id] = why;
        await map.ChangeAsync(
            from => from.Disk(entry.Id) is { State: DiskState.Up or DiskState.ReadOnly } known
                    && known.Claim == entry.Claim
                ? MapChanges.Put(from, known with { State = DiskState.Missing })
                : null,
            cancel);
    }

    private sealed class Turn(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }
}
