using System.Collections.Immutable;

namespace ZeroStor.Placement;

/// <summary>Finds new homes for the places of a disk that is lost: a disk that the class allows, is up, and
/// carries the fewest places. Pure: equal input, equal answer.</summary>
public static class Replacement
{
    /// <summary>The change that gives the lost disk's places away, as far as that is possible now: groups
    /// that would be left with fewer than k whole places keep it and wait, and so do groups for which no disk
    /// is left.</summary>
    /// <param name="map">The map.</param>
    /// <param name="lost">The disk: one whose state says that it is gone or goes, or one that is up by the map
    /// and was out of reach for too long.</param>
    /// <param name="absence">What is out of reach now.</param>
    /// <returns>Null when nothing can be given away.</returns>
    public static MapChange? Plan(FabricMap map, DiskId lost, Absence? absence = null)
    {
        absence ??= Absence.None;
        bool mayReturn = map.Disk(lost) is { State: DiskState.Up };
        var load = map.Groups.SelectMany(g => g.Places).GroupBy(p => p.Home).ToDictionary(g => g.Key, g => g.Count());
        var changed = ImmutableArray.CreateBuilder<PlacementGroup>();
        foreach (PlacementGroup group in map.Groups.Where(g => g.Places.Any(p => p.Home == lost)))
        {
            bool mayReplace = MapChanges.MayReplace(map, group, lost)
                && !(mayReturn && absence.IsMass(map, map.Class(group.Class)!));
            if (!mayReplace || Choose(map, group, lost, load, absence) is not { } home)
            {
                continue;
            }

            load[home] = load.GetValueOrDefault(home) + 1;
            changed.Add(MapChanges.WithHome(group, lost, home));
        }

        return changed.Count == 0 ? null : new MapChange { FromVersion = map.Version, Groups = changed.ToImmutable() };
    }

    /// <summary>Begins to empty a disk in order: it takes no new shards, its places go to others, which copy what
    /// it holds, and until they are whole it goes on serving.</summary>
    /// <returns>Null when it drains already.</returns>
    /// <exception cref="ZeroStorException">NotFound; PreconditionFailed: it is not up; PolicyUnsatisfiable: for
    /// some of its places the class allows no other disk.</exception>
    public static MapChange? Drain(FabricMap map, DiskId disk, Absence? absence = null)
    {
        DiskEntry entry = map.Disk(disk) is { State: not DiskState.Removed } known
            ? known
            : throw ZeroStorException.NotFound($"the fabric has no disk {disk}: zs disk ls shows those it has");
        if (entry.State == DiskState.Draining)
        {
            return null;
        }

        if (entry.State != DiskState.Up)
        {
            throw new ZeroStorException(
                ErrorKind.PreconditionFailed,
                $"disk {disk} is not up, so nothing can be copied from it: zs disk remove {disk} has the others "
                + "rebuild what it held");
        }

        PlacementGroup[] stuck =
        [
            .. map.Groups.Where(g => g.Places.Any(p => p.Home == disk)
                && Choose(map, g, disk, [], absence ?? Absence.None) is null),
        ];
        return stuck.Length == 0
            ? MapChanges.Put(map, entry with { State = DiskState.Draining })
            : throw new ZeroStorException(
                ErrorKind.PolicyUnsatisfiable,
                $"in {stuck.Length} groups no other disk can take the place of disk {disk} as their classes ask "
                + "for: add one first (zs disk add)");
    }

    /// <summary>Whether the group may have this disk in place of the lost one: it is not in it yet, and its
    /// failure domain has room.</summary>
    internal static bool Fits(FabricMap map, PlacementGroup group, DiskId lost, DiskEntry candidate)
    {
        PlacementClass placement = map.Class(group.Class)!;
        string domain = GroupPlanner.DomainOf(candidate, placement.Spread);
        return !group.Places.Any(p => p.Home == candidate.Id)
            && group.Places.Count(p => p.Home != lost
                    && map.Disk(p.Home) is { } other
                    && GroupPlanner.DomainOf(other, placement.Spread) == domain)
                < GroupPlanner.PerDomain(placement.Code, placement.Spread);
    }

    private static DiskId? Choose(
        FabricMap map, PlacementGroup group, DiskId lost, Dictionary<DiskId, int> load, Absence absence) =>
        map.Disks
            .Where(d => d.State == DiskState.Up && d.Id != lost && !absence.Unreachable.Contains(d.Id))
            .OrderBy(d => load.GetValueOrDefault(d.Id))
            .ThenBy(d => d.Id)
            .Where(d => Fits(map, group, lost, d))
            .Select(d => (DiskId?)d.Id)
            .FirstOrDefault();
}
