using System.Collections.Immutable;
using ZeroStor.Placement;
using ZeroStor.Volumes;

namespace ZeroStor.Grains;

/// <summary>Brings a map that went back to what this silo's disks know better: disks that were made since, later
/// claims, places that were given to them. A map that did not go back is left as it is. Idempotent.</summary>
internal sealed class MapRecovery(
    SiloMap map, CatalogWatch watch, ZeroStorOptions options, ILocalSiloDetails self)
{
    /// <summary>Holds what folders say of themselves against the map, before any is opened. Where the map is
    /// behind that is noted, and disks that it lost are entered under the numbers they have.</summary>
    /// <exception cref="ZeroStorException">Unavailable: the catalog does not answer.</exception>
    public async Task FaceAsync(IEnumerable<string> folders, CancellationToken cancel)
    {
        foreach (string folder in folders)
        {
            if (TryPeek(folder) is { } superblock && superblock.Fabric == map.Current.Fabric && IsBehind(superblock))
            {
                await watch.NoticeAsync(Later(superblock.HighestTick, map.Tick), cancel);
                await map.ChangeAsync(from => Enter(from, folder, superblock), cancel);
            }
        }
    }

    /// <summary>Where the map went back, lets it know again which places the disk was a home of.</summary>
    public async Task RememberAsync(Disk disk, CancellationToken cancel)
    {
        if (watch.IsBehind)
        {
            ImmutableArray<(GroupId Group, byte Place)> places = disk.Places();
            await map.ChangeAsync(from => MapChanges.RememberHome(from, disk.Id, places), cancel);
        }
    }

    // A claim that the map did not grant, or a disk that it does not know, was lost with the time between.
    private bool IsBehind(Superblock superblock) =>
        superblock.HighestTick > map.Tick
        || map.Current.Disk(superblock.Disk) is not { } entry
        || superblock.Claim > entry.Claim;

    private MapChange? Enter(FabricMap from, string folder, Superblock superblock) =>
        from.Disk(superblock.Disk) is not null
            ? null
            : MapChanges.Put(from, new DiskEntry
            {
                Id = superblock.Disk,
                Silo = self.Name,
                Labels = options.Labels,
                Path = folder,
                State = DiskState.Missing,
                Claim = superblock.Claim,
                IsManaged = folder.StartsWith(Path.GetFullPath(options.Data), StringComparison.Ordinal),
            });

    private static Tick Later(Tick a, Tick b) => a > b ? a : b;

    private static Superblock? TryPeek(string folder)
    {
        try
        {
            return Disk.Peek(folder);
        }
        catch (ZeroStorException)
        {
            // What is wrong with it is said when it is opened.
            return null;
        }
    }
}
