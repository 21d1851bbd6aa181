using System.Collections.Immutable;

namespace ZeroStor.Placement;

/// <summary>Takes a disk out of the fabric for good: it is removed and its places go to others, in one step.
/// Pure: equal input, equal answer.</summary>
/// <param name="Change">The step.</param>
/// <param name="PlacesMoved">Places that have a new home now.</param>
/// <param name="PlacesShort">Places that wait for a disk to be added.</param>
public sealed record Removal(MapChange Change, int PlacesMoved, int PlacesShort)
{
    /// <param name="map">The map.</param>
    /// <param name="disk">The disk that goes.</param>
    /// <param name="leaveShort">Whether places may be left without a home until a disk is added.</param>
    /// <exception cref="ZeroStorException">NotFound: there is no such disk, or it was removed before.
    /// PolicyUnsatisfiable: a group would be left with fewer than k whole places, or places without a home
    /// though that is not allowed.</exception>
    public static Removal Plan(FabricMap map, DiskId disk, bool leaveShort)
    {
        DiskEntry entry = map.Disk(disk) is { State: not DiskState.Removed } known
            ? known
            : throw ZeroStorException.NotFound(
                $"the fabric has no disk {disk}: zs disk ls shows those it has");
        DemandWhole(map, disk);
        var removed = new MapChange
        {
            FromVersion = map.Version, Disks = [entry with { State = DiskState.Removed }],
        };
        ImmutableArray<PlacementGroup> moved = Replacement.Plan(map.With(removed), disk)?.Groups ?? [];
        int waiting = map.Groups.Count(g => g.Places.Any(p => p.Home == disk)) - moved.Length;
        if (waiting > 0 && !leaveShort)
        {
            throw new ZeroStorException(
                ErrorKind.PolicyUnsatisfiable,
                $"{waiting} groups would stay short of a home until a disk is added, for no other disk can "
                + $"take the place of disk {disk} in them: add one first (zs disk add), or say --yes");
        }

        return new Removal(removed with { Groups = moved }, moved.Length, waiting);
    }

    // A home that cannot be read now is not counted on, whatever it holds.
    private static void DemandWhole(FabricMap map, DiskId disk)
    {
        int atRisk = map.Groups.Count(g =>
            g.Places.Any(p => p.Home == disk || p.FormerHomes.Contains(disk))
            && g.Places.Count(p => p.IsWhole
                && p.Home != disk
                && map.Disk(p.Home) is { State: not (DiskState.Missing or DiskState.Removed) })
                < map.Class(g.Class)!.Code.K);
        if (atRisk > 0)
        {
            throw new ZeroStorException(
                ErrorKind.PolicyUnsatisfiable,
                $"{atRisk} groups would be left with fewer than k whole places without disk {disk}: let repair "
                + "end first (zs repair --wait), then remove it");
        }
    }
}
