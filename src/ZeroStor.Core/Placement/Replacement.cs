using System.Collections.Immutable;

namespace ZeroStor.Placement;

/// <summary>Finds new homes for the places of disks that are lost or go: for each a disk that the class allows, is
/// up, and carries the fewest places. Pure: equal input, equal answer.</summary>
public static class Replacement
{
    /// <summary>As <see cref="Plan(FabricMap, IReadOnlySet{DiskId}, Absence?)"/>, for one disk.</summary>
    public static MapChange? Plan(FabricMap map, DiskId lost, Absence? absence = null) =>
        Plan(map, new HashSet<DiskId> { lost }, absence);

    /// <summary>The change that gives the lost disks' places away, as far as that is possible now: places of groups
    /// that would be left with fewer than k whole places keep their homes and wait, and so do places for which
    /// no disk is left.</summary>
    /// <param name="map">The map.</param>
    /// <param name="lost">The disks: such whose state says that they are gone or go, or that are up by the map and
    /// were out of reach for too long.</param>
    /// <param name="absence">What is out of reach now.</param>
    /// <returns>Null when nothing can be given away.</returns>
    public static MapChange? Plan(FabricMap map, IReadOnlySet<DiskId> lost, Absence? absence = null)
    {
        absence ??= Absence.None;
        var load = map.Groups.SelectMany(g => g.Places).GroupBy(p => p.Home).ToDictionary(g => g.Key, g => g.Count());
        var changed = ImmutableArray.CreateBuilder<PlacementGroup>();
        foreach (PlacementGroup group in map.Groups.Where(g => g.Places.Any(p => lost.Contains(p.Home))))
        {
            PlacementGroup given = Give(map, group, lost, load, absence, MayGive);
            if (given != group)
            {
                changed.Add(given);
            }
        }

        return changed.Count == 0 ? null : new MapChange { FromVersion = map.Version, Groups = changed.ToImmutable() };

        bool MayGive(PlacementGroup group, DiskId home) =>
            MapChanges.MayReplace(map, group, home)
            && !(map.Disk(home) is { State: DiskState.Up } && absence.IsMass(map, map.Class(group.Class)!));
    }

    /// <summary>Begins to empty a disk in order: it takes no new shards, its places go to others, which copy what
    /// it holds, and until they are whole it goes on serving.</summary>
    /// <returns>Null when it drains already.</returns>
    /// <exception cref="ZeroStorException">NotFound; PreconditionFailed: it is not up, or out of reach;
    /// PolicyUnsatisfiable: for some of its places the class allows no other disk.</exception>
    public static MapChange? Drain(FabricMap map, DiskId disk, Absence? absence = null)
    {
        DiskEntry entry = Demand(map, disk);
        return entry.State == DiskState.Draining
            ? null
            : Drain(map, [entry], $"disk {disk}", $"zs disk remove {disk}", absence ?? Absence.None);
    }

    /// <summary>As <see cref="Drain(FabricMap, DiskId, Absence?)"/>, for all disks of a silo that are up, in one
    /// step. The places of those that are not go to others already.</summary>
    /// <returns>Null when all drain already.</returns>
    public static MapChange? DrainSilo(FabricMap map, string silo, Absence? absence = null)
    {
        DiskEntry[] disks = DemandSilo(map, silo);
        DiskEntry[] up = [.. disks.Where(d => d.State == DiskState.Up)];
        return up.Length == 0 && disks.Any(d => d.State == DiskState.Draining)
            ? null
            : Drain(map, up, $"silo {silo}", $"zs silo remove {silo}", absence ?? Absence.None);
    }

    // All that looks for a home competes for the same disks, so it is moved together, to see whether it can be:
    // what is asked for, what drains already, and what is lost. In what order, and when, does not matter to that.
    private static MapChange Drain(
        FabricMap map, DiskEntry[] disks, string what, string instead, Absence absence)
    {
        if (disks.Length == 0 || disks.Any(d => d.State != DiskState.Up || absence.Unreachable.Contains(d.Id)))
        {
            throw new ZeroStorException(
                ErrorKind.PreconditionFailed,
                $"{what} is not up, so nothing can be copied from it: {instead} has the others rebuild what it held");
        }

        HashSet<DiskId> asked = [.. disks.Select(d => d.Id)];
        HashSet<DiskId> going = [.. asked, .. map.Disks.Where(d => d.State != DiskState.Up).Select(d => d.Id)];
        int stuck = map.Groups.Count(g => g.Places.Any(p => asked.Contains(p.Home))
            && Give(map, g, going, [], absence, (_, _) => true).Places.Any(p => going.Contains(p.Home)));
        return stuck == 0
            ? new MapChange
            {
                FromVersion = map.Version, Disks = [.. disks.Select(d => d with { State = DiskState.Draining })],
            }
            : throw new ZeroStorException(
                ErrorKind.PolicyUnsatisfiable,
                $"in {stuck} groups no other disk can take a place of {what} as their classes ask for: add one "
                + "first (zs disk add)");
    }

    /// <summary>The disk, if it was not removed.</summary>
    /// <exception cref="ZeroStorException">NotFound.</exception>
    internal static DiskEntry Demand(FabricMap map, DiskId disk) =>
        map.Disk(disk) is { State: not DiskState.Removed } known
            ? known
            : throw ZeroStorException.NotFound($"the fabric has no disk {disk}: zs disk ls shows those it has");

    /// <summary>The disks of a silo that were not removed; there is at least one.</summary>
    /// <exception cref="ZeroStorException">NotFound, with the names of the silos that have some.</exception>
    internal static DiskEntry[] DemandSilo(FabricMap map, string silo)
    {
        DiskEntry[] there = [.. map.Disks.Where(d => d.State != DiskState.Removed)];
        DiskEntry[] own = [.. there.Where(d => d.Silo == silo).OrderBy(d => d.Id)];
        return own.Length > 0
            ? own
            : throw ZeroStorException.NotFound(
                $"no disk of the fabric is on a silo {silo}: silos with disks are "
                + string.Join(", ", there.Select(d => d.Silo).Distinct().Order(StringComparer.Ordinal)));
    }

    // The places of these homes go to others, one after the other, as far as there are any and they may.
    private static PlacementGroup Give(
        FabricMap map,
        PlacementGroup group,
        IReadOnlySet<DiskId> going,
        Dictionary<DiskId, int> load,
        Absence absence,
        Func<PlacementGroup, DiskId, bool> may)
    {
        PlacementGroup given = group;
        foreach (DiskId home in group.Places.Select(p => p.Home).Where(going.Contains))
        {
            if (may(given, home) && Choose(map, given, home, going, load, absence) is { } taker)
            {
                load[taker] = load.GetValueOrDefault(taker) + 1;
                given = MapChanges.WithHome(given, home, taker) with { Epoch = group.Epoch + 1 };
            }
        }

        return given;
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
        FabricMap map,
        PlacementGroup group,
        DiskId home,
        IReadOnlySet<DiskId> going,
        Dictionary<DiskId, int> load,
        Absence absence) =>
        map.Disks
            .Where(d => d.State == DiskState.Up && !going.Contains(d.Id) && !absence.Unreachable.Contains(d.Id))
            .OrderBy(d => load.GetValueOrDefault(d.Id))
            .ThenBy(d => d.Id)
            .Where(d => Fits(map, group, home, d))
            .Select(d => (DiskId?)d.Id)
            .FirstOrDefault();
}
