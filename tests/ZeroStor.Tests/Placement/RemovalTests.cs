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

    // Six disks carry the groups; the others are spare.
    private static FabricMap Fabric(int disks)
    {
        var map = new FabricMap(new FabricId(1), 1, GroupPlannerTests.Disks(6, 6), [], []);
        map = map.With(MapChanges.EnsureClass(map, Code, Spread.Disk, out _)!);
        return new FabricMap(
            map.Fabric, map.Version, GroupPlannerTests.Disks(disks, disks), map.Classes, map.Groups);
    }
}
