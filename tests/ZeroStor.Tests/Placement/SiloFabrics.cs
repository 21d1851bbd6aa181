using CsCheck;
using ZeroStor.Placement;

namespace ZeroStor.Tests.Placement;

/// <summary>Fabrics of several silos, in which some silo was drained and others may have been added since, and a
/// silo of each to do something with; and what holds of every step that is taken with it.</summary>
internal static class SiloFabrics
{
    public static Gen<(FabricMap Map, string Silo)> Gen { get; } =
        from k in CsCheck.Gen.Int[1, 6]
        from m in CsCheck.Gen.Int[1, 4]
        from silos in CsCheck.Gen.Int[2, 9]
        from disksPerSilo in CsCheck.Gen.Int[1, 4]
        from spread in CsCheck.Gen.Enum<Spread>()
        let disks = GroupPlannerTests.Disks(silos * disksPerSilo, disksPerSilo)
        where GroupPlanner.Misfit(disks, new Code(k, m), spread) is null
        from spares in CsCheck.Gen.Int[0, 3]
        from drained in CsCheck.Gen.Int[-silos, silos - 1]
        from isRepaired in CsCheck.Gen.Bool
        from chosen in CsCheck.Gen.Int[0, silos + spares - 1]
        where chosen != drained
        select (
            Drained(Make(new Code(k, m), spread, silos, disksPerSilo, spares), $"silo{drained}", isRepaired),
            $"silo{chosen}");

    /// <param name="code">Of the only class.</param>
    /// <param name="spread">Of the only class.</param>
    /// <param name="silos">That carry its groups.</param>
    /// <param name="disksPerSilo">Of every silo.</param>
    /// <param name="spares">Silos that were added later, and carry nothing.</param>
    public static FabricMap Make(Code code, Spread spread, int silos, int disksPerSilo, int spares = 0)
    {
        var map = new FabricMap(
            new FabricId(1), 1, GroupPlannerTests.Disks(silos * disksPerSilo, disksPerSilo), [], []);
        map = map.With(MapChanges.EnsureClass(map, code, spread, out _)!);
        return new FabricMap(
            map.Fabric,
            map.Version,
            GroupPlannerTests.Disks((silos + spares) * disksPerSilo, disksPerSilo),
            map.Classes,
            map.Groups);
    }

    public static DiskId[] DisksOf(FabricMap map, string silo) =>
        [.. map.Disks.Where(d => d.Silo == silo).Select(d => d.Id).Order()];

    /// <summary>Whether all places of the group that these disks have can be on others: each domain takes as many
    /// as it has other disks that are up, and room beside those that stay.</summary>
    public static bool CanDoWithout(FabricMap map, PlacementGroup group, HashSet<DiskId> going)
    {
        PlacementClass placement = map.Class(group.Class)!;
        int cap = GroupPlanner.PerDomain(placement.Code, placement.Spread);
        HashSet<DiskId> staying = [.. group.Places.Select(p => p.Home).Where(d => !going.Contains(d))];
        int room = map.Disks
            .GroupBy(d => GroupPlanner.DomainOf(d, placement.Spread))
            .Sum(domain => Math.Clamp(
                cap - domain.Count(d => staying.Contains(d.Id)),
                0,
                domain.Count(
                    d => d.State == DiskState.Up && !going.Contains(d.Id) && !staying.Contains(d.Id))));
        return room >= group.Places.Length - staying.Count;
    }

    /// <summary>A new home means the next epoch and another disk; who was a home counts until the place is whole; at
    /// least k places are; no domain has more of them than its class allows.</summary>
    public static void AssertStep(FabricMap map, PlacementGroup before, PlacementGroup after)
    {
        PlacementClass placement = map.Class(after.Class)!;
        Assert.Equal(placement.Code.N, after.Places.Select(p => p.Home).Distinct().Count());
        Assert.True(after.Places.Count(p => p.IsWhole) >= placement.Code.K);
        bool isMoved = false;
        foreach ((Place was, Place now) in before.Places.Zip(after.Places))
        {
            isMoved |= was.Home != now.Home;
            Assert.True(was.Home == now.Home || now.FormerHomes.SequenceEqual([was.Home, .. was.FormerHomes]));
        }

        Assert.Equal(before.Epoch + (isMoved ? 1u : 0u), after.Epoch);
        int cap = GroupPlanner.PerDomain(placement.Code, placement.Spread);
        Assert.All(
            after.Places.GroupBy(p => GroupPlanner.DomainOf(map.Disk(p.Home)!, placement.Spread)),
            domain => Assert.InRange(domain.Count(), 1, cap));
    }

    /// <summary>What the repair scheduler does round by round, until there is nothing to do: disk by disk.</summary>
    public static FabricMap RepairAll(FabricMap map)
    {
        for (long version = -1; version != map.Version;)
        {
            version = map.Version;
            foreach (DiskEntry disk in map.Disks.Where(d => d.State != DiskState.Up))
            {
                FabricMap before = map;
                map = Replacement.Plan(map, disk.Id) is { } change ? map.With(change) : map;
                Assert.All(before.Groups, g => AssertStep(map, g, map.Group(g.Id)!));
            }

            foreach (PlacementGroup group in map.Groups.Where(g => g.Places.Any(p => !p.IsWhole)))
            {
                int[] up =
                [
                    .. group.Places.Index().Where(p => map.Disk(p.Item.Home)!.State == DiskState.Up)
                        .Select(p => p.Index),
                ];
                map = MapChanges.MarkWhole(map, group.Id, up) is { } change ? map.With(change) : map;
            }
        }

        return map;
    }

    private static FabricMap Drained(FabricMap map, string silo, bool isRepaired)
    {
        try
        {
            map = DisksOf(map, silo).Length > 0 ? map.With(Replacement.DrainSilo(map, silo)!) : map;
        }
        catch (ZeroStorException e) when (e.Kind == ErrorKind.PolicyUnsatisfiable)
        {
            return map;
        }

        return isRepaired ? RepairAll(map) : map;
    }
}
