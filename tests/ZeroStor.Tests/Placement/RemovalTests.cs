using CsCheck;
using ZeroStor.Placement;

namespace ZeroStor.Tests.Placement;

public sealed class RemovalTests
{
    private static readonly Code Code = new(4, 2);
    private static readonly DiskId Second = new(2);

    [Fact]
    public void A_removed_disks_places_go_to_others_in_the_same_step()
    {
        FabricMap map = Fabric(7);
        Removal removal = Removal.Plan(map, Second, leaveShort: false);
        Assert.Equal((6, 0), (removal.PlacesMoved, removal.PlacesShort));
        map = map.With(removal.Change);
        Assert.Equal(DiskState.Removed, map.Disk(Second)!.State);
        Assert.All(map.Groups, g => Assert.Equal(
            [Second], Assert.Single(g.Places, p => p.Home == new DiskId(7)).FormerHomes));
    }

    [Fact]
    public void Where_no_other_disk_can_take_its_places_it_goes_only_if_they_may_wait()
    {
        FabricMap map = Fabric(6);
        ZeroStorException refusal = Assert.Throws<ZeroStorException>(() => Removal.Plan(map, Second, leaveShort: false));
        Assert.Equal(ErrorKind.PolicyUnsatisfiable, refusal.Kind);
        Assert.StartsWith("6 groups would stay short", refusal.Message, StringComparison.Ordinal);
        Removal removal = Removal.Plan(map, Second, leaveShort: true);
        Assert.Equal((0, 6), (removal.PlacesMoved, removal.PlacesShort));
        Assert.All(map.With(removal.Change).Groups, g => Assert.Contains(g.Places, p => p.Home == Second));
    }

    [Theory]
    [InlineData(DiskState.Missing)]
    [InlineData(DiskState.Removed)]
    public void Never_would_fewer_than_k_whole_places_be_left_that_can_be_read(DiskState state)
    {
        FabricMap map = Fabric(8);
        map = map.With(MapChanges.Put(map, map.Disk(new DiskId(5))! with { State = state }));
        _ = Removal.Plan(map, Second, leaveShort: true);
        map = map.With(MapChanges.Put(map, map.Disk(new DiskId(6))! with { State = state }));
        ZeroStorException refusal = Assert.Throws<ZeroStorException>(() => Removal.Plan(map, Second, leaveShort: true));
        Assert.Equal(ErrorKind.PolicyUnsatisfiable, refusal.Kind);
        Assert.Contains("zs repair --wait", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(0, Removal.Plan(map, new DiskId(8), leaveShort: false).PlacesMoved);
    }

    [Fact]
    public void A_former_home_that_newcomers_still_need_stays()
    {
        FabricMap map = Fabric(9);
        map = map.With(MapChanges.GivePlaces(map, new DiskId(1), new DiskId(7)));
        map = map.With(MapChanges.GivePlaces(map, Second, new DiskId(8)));
        _ = Removal.Plan(map, Second, leaveShort: true);
        map = map.With(MapChanges.Put(map, map.Disk(new DiskId(6))! with { State = DiskState.Missing }));
        Assert.Throws<ZeroStorException>(() => Removal.Plan(map, Second, leaveShort: true));
    }

    [Fact]
    public void What_is_not_there_or_was_removed_cannot_be_removed()
    {
        FabricMap map = Fabric(7);
        map = map.With(Removal.Plan(map, Second, leaveShort: false).Change);
        foreach (DiskId disk in new[] { Second, new DiskId(99) })
        {
            Assert.Equal(
                ErrorKind.NotFound,
                Assert.Throws<ZeroStorException>(() => Removal.Plan(map, disk, leaveShort: true)).Kind);
        }
    }

    [Fact]
    public void A_silo_goes_with_all_its_disks_in_one_step_never_below_k_and_its_places_keep_to_their_spread()
    {
        SiloFabrics.Gen.Sample(
            (map, silo) =>
            {
                DiskId[] own = SiloFabrics.DisksOf(map, silo);
                bool isBelowK = map.Groups.Any(
                    g => g.Places.Count(p => p.IsWhole && !own.Contains(p.Home)) < map.Class(g.Class)!.Code.K);
                bool fits = map.Groups.All(g => SiloFabrics.CanDoWithout(map, g, [.. own]));
                if (isBelowK || !fits)
                {
                    ZeroStorException refusal = Assert.Throws<ZeroStorException>(
                        () => Removal.PlanSilo(map, silo, leaveShort: false));
                    Assert.Equal(ErrorKind.PolicyUnsatisfiable, refusal.Kind);
                    Assert.Contains($"silo {silo}", refusal.Message, StringComparison.Ordinal);
                }

                if (isBelowK)
                {
                    Assert.Throws<ZeroStorException>(() => Removal.PlanSilo(map, silo, leaveShort: true));
                    return;
                }

                Removal removal = Removal.PlanSilo(map, silo, leaveShort: !fits);
                FabricMap after = map.With(removal.Change);
                Assert.Equal(own, removal.Disks);
                Assert.All(own, d => Assert.Equal(DiskState.Removed, after.Disk(d)!.State));
                Assert.All(map.Disks.Where(d => d.Silo != silo), d => Assert.Same(d, after.Disk(d.Id)));
                Assert.All(map.Groups, g => SiloFabrics.AssertStep(after, g, after.Group(g.Id)!));
                int left = after.Groups.Sum(g => g.Places.Count(p => own.Contains(p.Home)));
                Assert.Equal(!fits, left > 0);
                Assert.Equal(left, removal.PlacesShort);
                Assert.Equal(
                    map.Groups.Sum(g => g.Places.Count(p => own.Contains(p.Home))), removal.PlacesMoved + left);
            },
            iter: 1000);
    }

    [Fact]
    public void A_removed_silos_places_go_to_nobody_who_is_out_of_reach_and_nobody_out_of_reach_is_counted_on()
    {
        FabricMap map = SiloFabrics.Make(Code, Spread.Silo, silos: 7, disksPerSilo: 1);
        var away = new HashSet<DiskId> { new(7) };
        FabricMap after = map.With(Removal.PlanSilo(map, "silo0", leaveShort: true, new Absence(away, 0.2)).Change);
        Assert.All(map.Groups, g => Assert.DoesNotContain(
            after.Group(g.Id)!.Places, p => p.Home == new DiskId(7) && !p.IsWhole));

        // Without silo0 and those two a group of six has three left, or four that may be among them.
        away.Add(new DiskId(6));
        ZeroStorException refusal = Assert.Throws<ZeroStorException>(
            () => Removal.PlanSilo(map, "silo0", leaveShort: true, new Absence(away, 0.2)));
        Assert.Equal(ErrorKind.PolicyUnsatisfiable, refusal.Kind);
        Assert.Contains("zs silo drain silo0", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_a_silo_that_is_not_known_or_has_no_disks_left_the_others_are_named()
    {
        FabricMap map = SiloFabrics.Make(Code, Spread.Silo, silos: 7, disksPerSilo: 1);
        map = map.With(Removal.PlanSilo(map, "silo1", leaveShort: false).Change);
        foreach (string silo in new[] { "silo1", "nobody" })
        {
            ZeroStorException refusal = Assert.Throws<ZeroStorException>(
                () => Removal.PlanSilo(map, silo, leaveShort: false));
            Assert.Equal(ErrorKind.NotFound, refusal.Kind);
            Assert.EndsWith("are silo0, silo2, silo3, silo4, silo5, silo6", refusal.Message, StringComparison.Ordinal);
        }
    }

    // Six disks carry the groups; the others are spare.
    private static FabricMap Fabric(int disks)
    {
        var map = new FabricMap(new FabricId(1), 1, GroupPlannerTests.Disks(6, 6), [], []);
        map = map.With(MapChanges.EnsureClass(map, Code, Spread.Disk, out _)!);
        return new FabricMap(
            map.Fabric, map.Version, GroupPlannerTests.Disks(disks, disks), map.Classes, map.Groups);
    }
}
