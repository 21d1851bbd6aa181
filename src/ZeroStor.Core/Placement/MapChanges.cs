using System.Collections.Immutable;

namespace ZeroStor.Placement;

/// <summary>The steps that a fabric map can take, as pure functions from a map to a <see cref="MapChange"/>.
/// Whoever applies one does so by compare-and-set, and on a refusal computes it again from the newer map.
/// </summary>
public static class MapChanges
{
    /// <summary>Enters a disk under a number that no disk ever had. Nobody has opened it yet (claim 0), so it
    /// is <see cref="DiskState.Missing"/>.</summary>
    public static MapChange AddDisk(
        FabricMap map, string silo, Labels labels, string path, bool isManaged, out DiskId added)
    {
        added = new DiskId(map.Disks.Length == 0 ? 1 : map.Disks.Max(d => d.Id.Value) + 1);
        var entry = new DiskEntry
        {
            Id = added,
            Silo = silo,
            Labels = labels,
            Path = path,
            State = DiskState.Missing,
            Claim = 0,
            IsManaged = isManaged,
        };
        return new MapChange { FromVersion = map.Version, Disks = [entry] };
    }

    /// <summary>Grants a claim of a disk to a silo whose folder of it was asked which claim comes next. A disk
    /// that drains goes on to.</summary>
    public static MapChange Claim(FabricMap map, DiskEntry disk, uint granted) =>
        Put(map, disk with
        {
            Claim = granted, State = disk.State == DiskState.Draining ? DiskState.Draining : DiskState.Up,
        });

    public static MapChange Put(FabricMap map, DiskEntry disk) =>
        new() { FromVersion = map.Version, Disks = [disk] };

    /// <summary>The class for a code and spread, made with its groups if there is none yet.</summary>
    /// <returns>Null when the map has it.</returns>
    /// <exception cref="ZeroStorException">PolicyUnsatisfiable.</exception>
    public static MapChange? EnsureClass(FabricMap map, Code code, Spread spread, out ClassId id)
    {
        PlacementClass? known = map.Classes.FirstOrDefault(c => c.Code == code && c.Spread == spread);
        if (known is not null)
        {
            id = known.Id;
            return null;
        }

        id = new ClassId(map.Classes.Length == 0 ? 1 : map.Classes.Max(c => c.Id.Value) + 1);
        ClassId classId = id;
        uint firstGroup = map.Groups.Length == 0 ? 1 : map.Groups.Max(g => g.Id.Value) + 1;
        DiskEntry[] usable = [.. map.Disks.Where(d => d.State == DiskState.Up)];
        ImmutableArray<ImmutableArray<DiskId>> plan = GroupPlanner.Plan(usable, code, spread);
        return new MapChange
        {
            FromVersion = map.Version,
            Classes = [new PlacementClass(id, code, spread)],
            Groups =
            [
                .. plan.Select((disks, i) => new PlacementGroup(
                    new GroupId(firstGroup + (uint)i), classId, Epoch: 1, [.. disks.Select(d => new Place(d))])),
            ],
        };
    }

    /// <summary>Gives a disk that was added groups in each class that has fewer than it plans, so that it
    /// takes stripes. What other disks hold stays where it is.</summary>
    /// <returns>Null when there is none to add, or the disk is not up.</returns>
    public static MapChange? Grow(FabricMap map, DiskId added)
    {
        DiskEntry[] usable = [.. map.Disks.Where(d => d.State == DiskState.Up)];
        uint next = map.Groups.Length == 0 ? 1 : map.Groups.Max(g => g.Id.Value) + 1;
        var groups = ImmutableArray.CreateBuilder<PlacementGroup>();
        foreach (PlacementClass placement in map.Classes.OrderBy(c => c.Id.Value))
        {
            ImmutableArray<ImmutableArray<DiskId>> plan = GroupPlanner.Grow(
                usable, map.GroupsOf(placement.Id), placement.Code, placement.Spread, added);
            groups.AddRange(plan.Select(disks => new PlacementGroup(
                new GroupId(next++), placement.Id, Epoch: 1, [.. disks.Select(d => new Place(d))])));
        }

        return groups.Count == 0
            ? null
            : new MapChange { FromVersion = map.Version, Groups = groups.ToImmutable() };
    }

    /// <summary>Gives the places of a lost disk to another under new epochs; the lost one becomes a former
    /// home, so what it may still hold counts until the newcomer is whole. Groups that would be left with
    /// fewer than k whole places keep the lost home and wait.</summary>
    public static MapChange Replace(FabricMap map, DiskId lost, DiskId replacement)
    {
        DiskEntry entry = map.Disk(lost) ?? throw ZeroStorException.NotFound($"the map has no disk {lost}");
        return GivePlaces(map, lost, replacement) with
        {
            Disks = entry.State == DiskState.Removed ? [] : [entry with { State = DiskState.Missing }],
        };
    }

    /// <summary>As <see cref="Replace"/>, and nothing is said of the disk that gives: one that is up stays
    /// up, without places. Groups that the taker is in already, or may not be in by their spread, keep it.
    /// </summary>
    public static MapChange GivePlaces(FabricMap map, DiskId from, DiskId to)
    {
        DiskEntry taker = map.Disk(to) ?? throw ZeroStorException.NotFound($"the map has no disk {to}");
        return new MapChange
        {
            FromVersion = map.Version,
            Groups =
            [
                .. map.Groups
                    .Where(g => g.Places.Any(p => p.Home == from)
                        && MayReplace(map, g, from)
                        && Replacement.Fits(map, g, from, taker))
                    .Select(g => WithHome(g, from, to)),
            ],
        };
    }

    /// <summary>Whether at least k places of the group are whole without this home: the fabric never replaces
    /// more.
    /// </summary>
    internal static bool MayReplace(FabricMap map, PlacementGroup group, DiskId lost) =>
        group.Places.Count(p => p.IsWhole && p.Home != lost) >= map.Class(group.Class)!.Code.K;

    /// <summary>The group under its next epoch, with another home in place of the lost one, which becomes a
    /// former home.</summary>
    internal static PlacementGroup WithHome(PlacementGroup group, DiskId lost, DiskId home) => group with
    {
        Epoch = group.Epoch + 1,
        Places =
        [
            .. group.Places.Select(p => p.Home == lost ? new Place(home, p.FormerHomes.Insert(0, lost)) : p),
        ],
    };

    /// <summary>The homes of these places hold all that the group holds: their former homes count no longer.
    /// The epoch stays, for no home changes.</summary>
    /// <returns>Null when these places are whole already.</returns>
    /// <exception cref="ZeroStorException">NotFound: the map has no such group.</exception>
    public static MapChange? MarkWhole(FabricMap map, GroupId group, IReadOnlyCollection<int> places)
    {
        PlacementGroup old = map.Group(group) ?? throw ZeroStorException.NotFound($"the map has no group {group}");
        return old.Places.Index().Any(p => !p.Item.IsWhole && places.Contains(p.Index))
            ? new MapChange
            {
                FromVersion = map.Version,
                Groups =
                [
                    old with
                    {
                        Places = [.. old.Places.Select((p, i) => places.Contains(i) ? new Place(p.Home) : p)],
                    },
                ],
            }
            : null;
    }

    /// <summary>Gives a disk that came back the places again that it lost and whose newcomers are not whole
    /// yet, under new epochs; the newcomer becomes a former home, so what it got by now counts. A group in
    /// which the disk is a home by now keeps its homes, and of two places of one group it gets the one it
    /// lost last.
    /// </summary>
    /// <returns>Null when there is none, or the disk is not up.</returns>
    public static MapChange? ReturnHome(FabricMap map, DiskId returned)
    {
        if (map.Disk(returned) is not { State: DiskState.Up })
        {
            return null;
        }

        var groups = ImmutableArray.CreateBuilder<PlacementGroup>();
        foreach (PlacementGroup group in map.Groups)
        {
            (int Index, Place Item)[] lost =
                [.. group.Places.Index().Where(p => p.Item.FormerHomes.Contains(returned))];
            if (lost.Length == 0 || group.Places.Any(p => p.Home == returned))
            {
                continue;
            }

            (int at, Place place) = lost.MinBy(p => p.Item.FormerHomes.IndexOf(returned));
            var given = new Place(
                returned, [place.Home, .. place.FormerHomes.Where(d => d != returned && d != place.Home)]);
            groups.Add(group with { Epoch = group.Epoch + 1, Places = group.Places.SetItem(at, given) });
        }

        return groups.Count == 0
            ? null
            : new MapChange { FromVersion = map.Version, Groups = groups.ToImmutable() };
    }

    /// <summary>A disk holds shards of these places, though the map, which went back, does not know that it was
    /// their home: it becomes a former one of those where it is nothing yet, so what it holds counts, and a
    /// place whose home lacks some of it is not whole.</summary>
    /// <returns>Null when the map knows all of it.</returns>
    public static MapChange? RememberHome(
        FabricMap map, DiskId disk, IEnumerable<(GroupId Group, byte Place)> places)
    {
        var groups = ImmutableArray.CreateBuilder<PlacementGroup>();
        foreach (IGrouping<GroupId, byte> held in places.GroupBy(p => p.Group, p => p.Place))
        {
            if (map.Group(held.Key) is not { } group)
            {
                continue;
            }

            ImmutableArray<Place> now =
            [
                .. group.Places.Select((place, i) =>
                    held.Contains((byte)i) && place.Home != disk && !place.FormerHomes.Contains(disk)
                        ? place with { FormerHomes = place.FormerHomes.Add(disk) }
                        : place),
            ];
            if (!now.SequenceEqual(group.Places))
            {
                groups.Add(group with { Places = now });
            }
        }

        return groups.Count == 0
            ? null
            : new MapChange { FromVersion = map.Version, Groups = groups.ToImmutable() };
    }
}
