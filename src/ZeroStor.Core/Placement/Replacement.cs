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
