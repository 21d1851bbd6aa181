using Microsoft.Extensions.Logging;
using ZeroStor.Placement;
using ZeroStor.Volumes;

namespace ZeroStor.Grains;

/// <summary>Brings folders of this silo into the fabric as disks: opens and claims those that are disks,
/// makes those that shall be, makes anew what vanished and was the silo's own, and takes back what returned
/// under any name.
/// </summary>
internal sealed class DiskOpener(
    ZeroStorOptions options,
    SiloMap map,
    LocalHomes homes,
    CatalogWatch watch,
    MapRecovery recovery,
    IEntropy entropy,
    TimeProvider time,
    ILocalSiloDetails self,
    ILogger<DiskOpener> log)
{
    /// <summary>Folders that were looked at and refused, with what was said of them: said once.</summary>
    private readonly Dictionary<string, string> _refused = [];

    private IEnumerable<DiskEntry> Own(FabricMap current) =>
        current.Disks.Where(d => d.Silo == self.Name && d.State != DiskState.Removed);

    /// <summary>Opens a folder, whatever state it is in.</summary>
    /// <exception cref="ZeroStorException">The folder cannot be a disk of this fabric, in one
    /// sentence.</exception>
    public async Task OpenAsync(DiskFolder folder, CancellationToken cancel)
    {
        // Of several that had this path over time the youngest is meant: it was made when the others were lost.
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

        if (superblock is { } found)
        {
            await ClaimAsync(folder, found, cancel);
        }
        else if (here is null or { Claim: 0 })
        {
            await MakeAsync(folder, here, cancel);
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

        // A copy of a folder that is in use shows its claim, too: taking the next one would shut the original out.
        if (homes.All.FirstOrDefault(d => d.Id == superblock.Disk) is { } open)
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
        await recovery.RememberAsync(disk, cancel);
        log.DiskUp(disk.Id, folder.Path, granted, disk.Report().Shards);
    }

    private DiskOptions DiskOptions() => new() { VolumeBytes = options.VolumeBytes };

    private static ZeroStorException Unknown(DiskFolder folder, DiskId disk) =>
        new(
            ErrorKind.PreconditionFailed,
            $"{folder.Path} is disk {disk}, of which the catalog knows nothing: the catalog is older than the disk; "
            + "put the right one back");

    /// <summary>Opens folders that are disks of this fabric and are not open here: one that was put back,
    /// under any name, or mounted again.</summary>
    public async Task AdoptAsync(CancellationToken cancel)
    {
        var open = homes.All.Select(d => d.Path).ToHashSet(StringComparer.Ordinal);
        IEnumerable<string> candidates = Own(map.Current).Select(d => d.Path);
        if (Directory.Exists(options.Data))
        {
            candidates = candidates.Concat(Directory.EnumerateDirectories(Path.GetFullPath(options.Data)));
        }

        string[] closed = [.. candidates.Distinct().Where(p => !open.Contains(p))];
        await recovery.FaceAsync(closed, cancel);
        foreach (string path in closed)
        {
            try
            {
                if (Disk.Peek(path) is { } superblock && map.Current.Disk(superblock.Disk) is not null)
                {
                    await ClaimAsync(new DiskFolder(path, IsManaged(path, superblock.Disk)), superblock, cancel);
                    await map.ChangeAsync(from => MapChanges.ReturnHome(from, superblock.Disk), cancel);
                    log.DiskReturned(superblock.Disk, path);
                    _refused.Remove(path);
                }
            }
            catch (ZeroStorException e)
            {
                // Foreign folders lie where they like; of one that may be a disk it is said once why it is
                // none.
                if (map.Current.Disks.Any(d => d.Path == path) && _refused.GetValueOrDefault(path) != e.Message)
                {
                    _refused[path] = e.Message;
                    log.DiskNotAdopted(path, e.Message);
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
        await map.ChangeAsync(
            from => from.Disk(entry.Id) is { State: DiskState.Up or DiskState.ReadOnly } known
                    && known.Claim == entry.Claim
                ? MapChanges.Put(from, known with { State = DiskState.Missing })
                : null,
            cancel);
    }
}
