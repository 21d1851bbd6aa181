using ZeroStor.Contracts.Doors;
using ZeroStor.Placement;
using ZeroStor.Volumes;

namespace ZeroStor.Grains;

/// <summary>What operators say to the disks of this silo: add one, close one that was removed, open one
/// again. What has begun is not given up half-way when the caller is: only the wait for a turn is.
/// Thread-safe.</summary>
internal sealed class SiloDisks(
    SiloMap map, LocalHomes homes, DiskOpener opener, Scrubber scrubber, ILocalSiloDetails self)
{
    /// <summary>As <see cref="IFabricDoor.AddDiskAsync"/>.</summary>
    public async Task<DiskAdded> AddAsync(AddDisk add, CancellationToken cancel)
    {
        string path = DemandFolder(add.Path);
        using IDisposable turn = await opener.TurnAsync(cancel);
        await map.ReadAsync(cancel);
        Superblock? superblock = Disk.Peek(path);
        DemandReplaceable(add.Replaced, superblock);
        if (superblock is not null)
        {
            DemandOurs(path, superblock);
        }

        var folder = new DiskFolder(path, IsManaged: false);
        DiskId id = superblock is null
            ? await opener.MakeAsync(folder, CancellationToken.None)
            : await AdoptAsync(folder, superblock);
        await map.ChangeAsync(
            from => add.Replaced is { } replaced
                ? MapChanges.GivePlaces(from, replaced, id)
                : MapChanges.Grow(from, id),
            CancellationToken.None);
        return new DiskAdded
        {
            Disk = id,
            Silo = self.Name,
            Path = path,
            IsAdopted = superblock is not null,
            Places = PlacesOf(id),
            PlacesKept = add.Replaced is { } from ? PlacesOf(from) : 0,
        };
    }

    /// <summary>Closes a disk that the map calls removed.</summary>
    public async Task CloseAsync(DiskId disk, CancellationToken cancel)
    {
        using IDisposable turn = await opener.TurnAsync(cancel);
        FabricMap current = await map.ReadAsync(cancel);
        if (current.Disk(disk) is { State: DiskState.Removed })
        {
            await CloseAsync(homes.Find(disk));
        }
    }

    /// <summary>As <see cref="IFabricDoor.ResetDiskAsync"/>.</summary>
    public async Task<DiskReset> ResetAsync(DiskId disk, CancellationToken cancel)
    {
        using IDisposable turn = await opener.TurnAsync(cancel);
        DiskEntry entry = (await map.ReadAsync(cancel)).Disk(disk)
            ?? throw ZeroStorException.NotFound($"the fabric has no disk {disk}: zs disk ls shows those it has");
        if (entry.State == DiskState.Removed)
        {
            throw new ZeroStorException(
                ErrorKind.PreconditionFailed,
                $"disk {disk} was removed for good: empty {entry.Path}, and zs disk add makes another disk of it");
        }

        if (entry.State == DiskState.Draining)
        {
            // It is not emptied after all.
            await map.ChangeAsync(
                from => from.Disk(disk) is { State: DiskState.Draining } draining
                    ? MapChanges.Put(from, draining with { State = DiskState.Up })
                    : null,
                cancel);
            await map.ChangeAsync(from => MapChanges.ReturnHome(from, disk), cancel);
            entry = map.Current.Disk(disk)!;
        }

        Disk? open = homes.Find(disk);
        bool isUp = entry.State == DiskState.Up && open is { State: DiskState.Up } && open.CheckFolder();
        if (!isUp)
        {
            await CloseAsync(open);
            await ReopenAsync(entry);
        }

        return new DiskReset
        {
            Disk = disk, Path = map.Current.Disk(disk)!.Path, WasUp = isUp, Places = PlacesOf(disk),
        };
    }

    /// <summary>What only this silo knows of a disk of its own.</summary>
    public DiskNotes Notes(DiskId disk)
    {
        Disk? open = homes.Find(disk);
        (bool isScrubbing, DateTimeOffset? lastEnded) = scrubber.Of(disk);
        ScrubPass pass = open?.ScrubPass ?? new ScrubPass();
        return new DiskNotes
        {
            Why = open is not null ? open.Refusal ?? ""
                : map.Current.Disk(disk) is { } entry ? opener.WhyMissing(entry)
                : "",
            IsScrubbing = isScrubbing,
            ShardsScrubbed = open?.ScrubProgress.Shards ?? 0,
            BytesScrubbed = open?.ScrubProgress.Bytes ?? 0,
            Bad = open?.BadRecords ?? 0,
            LastScrubbed = lastEnded,
            ScrubVolume = pass.Volume,
            ScrubOffset = pass.Offset,
            ScrubShare = pass.Share,
            ScrubBegan = pass.Began,
            ScrubEnded = pass.LastEnded,
        };
    }

    private string DemandFolder(string path)
    {
        if (!Path.IsPathFullyQualified(path))
        {
            throw ZeroStorException.Invalid(
                $"'{path}' is not a path from the root: name the folder as silo {self.Name} sees it, as in /mnt/a");
        }

        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        return Directory.Exists(full)
            ? full
            : throw (File.Exists(full)
                ? ZeroStorException.Invalid($"{full} is a file on silo {self.Name}: a disk is a folder")
                : ZeroStorException.NotFound($"there is no folder {full} on silo {self.Name}: is it mounted?"));
    }

    private void DemandReplaceable(DiskId? replaced, Superblock? superblock)
    {
        if (replaced is { } disk && map.Current.Disk(disk) is null)
        {
            throw ZeroStorException.NotFound(
                $"the fabric has no disk {disk} to replace: zs disk ls shows those it has");
        }

        if (superblock?.Fabric == map.Current.Fabric && superblock.Disk == replaced)
        {
            throw ZeroStorException.Invalid(
                $"the folder holds disk {replaced} itself: zs disk reset {replaced} opens it again");
        }
    }

    private void DemandOurs(string path, Superblock superblock)
    {
        if (superblock.Fabric != map.Current.Fabric)
        {
            throw new ZeroStorException(
                ErrorKind.PreconditionFailed,
                $"{path} is disk {superblock.Disk} of another fabric, {superblock.Fabric}: choose an empty folder");
        }

        if (homes.Find(superblock.Disk) is { } open && open.Path == path)
        {
            throw new ZeroStorException(
                ErrorKind.AlreadyExists, $"{path} is disk {open.Id} already, and it is open");
        }
    }

    private async Task<DiskId> AdoptAsync(DiskFolder folder, Superblock superblock)
    {
        await opener.ClaimAsync(folder, superblock, CancellationToken.None);
        return superblock.Disk;
    }

    private async Task CloseAsync(Disk? disk)
    {
        if (disk is not null && homes.Remove(disk))
        {
            await disk.DisposeAsync();
        }
    }

    // Under a new claim: replay says what is there.
    private async Task ReopenAsync(DiskEntry entry)
    {
        try
        {
            (DiskFolder folder, Superblock superblock) = Look(entry);
            await AdoptAsync(folder, superblock);
        }
        catch (ZeroStorException e)
        {
            await opener.LoseAsync(entry, e.Message, CancellationToken.None);
            throw;
        }
    }

    private (DiskFolder Folder, Superblock Superblock) Look(DiskEntry entry)
    {
        foreach (string path in opener.Candidates().OrderBy(p => p != entry.Path))
        {
            try
            {
                if (Disk.Peek(path) is { } superblock
                    && superblock.Fabric == map.Current.Fabric
                    && superblock.Disk == entry.Id)
                {
                    return (new DiskFolder(path, entry.IsManaged), superblock);
                }
            }
            catch (ZeroStorException) when (path != entry.Path)
            {
                // Something else, that lies where it likes.
            }
        }

        string why = !Directory.Exists(entry.Path) ? $"there is no folder {entry.Path}: is it mounted?"
            : Disk.Peek(entry.Path) is { } other ? $"{entry.Path} holds disk {other.Disk}: where is its own folder?"
            : $"{entry.Path} is empty: is it mounted? If it is to be made anew, zs disk add {entry.Path} "
                + $"--replace {entry.Id}";
        throw new ZeroStorException(ErrorKind.DiskOffline, $"disk {entry.Id} cannot be opened, for {why}");
    }

    private int PlacesOf(DiskId disk) => map.Current.Groups.Count(g => g.Places.Any(p => p.Home == disk));
}
