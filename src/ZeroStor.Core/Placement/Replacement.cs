using System.Collections.Immutable;

namespace ZeroStor.Placement;

/// <summary>Finds new homes for the places of a disk that is lost: a disk that the class allows, is up, and
/// carries the fewest places. Pure: equal input, equal answer.</summary>
public static class Replacement
{
    /// <summary>The change that gives the lost disk's places away, as far as that is possible now: groups
    /// that would be left with fewer than k whole places keep it and wait, and so do groups for which no disk
    /// is left.</summary>
    /// <returns>Null when nothing can be given away.</returns>
    public static MapChange? Plan(FabricMap map, DiskId lost)
    {
        var load = map.Groups.SelectMany(g => g.Places).GroupBy(p => p.Home).ToDictionary(g => g.Key, g => g.Count());
        var changed = ImmutableArray.CreateBuilder<PlacementGroup>();
        foreach (PlacementGroup group in map.Groups.Where(g => g.Places.Any(p => p.Home == lost)))
        {
            if (!MapChanges.MayReplace(map, group, lost) || Choose(map, group, lost, load) is not { } home)
            {
                continue;
            }

            load[home] = load.GetValueOrDefault(home) + 1;
            changed.Add(MapChanges.WithHome(group, lost, home));
        }

        return changed.Count == 0 ? null : new MapChange { FromVersion = map.Version, Groups = changed.ToImmutable() };
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
        FabricMap map, PlacementGroup group, DiskId lost, Dictionary<DiskId, int> load) =>
        map.Disks
            .Where(d => d.State == DiskState.Up && d.Id != lost)
            .OrderBy(d => load.GetValueOrDefault(d.Id))
            .ThenBy(d => d.Id)
            .Where(d => Fits(map, group, lost, d))
            .Select(d => (DiskId?)d.Id)
            .FirstOrDefault();
}
