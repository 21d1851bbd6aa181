using ZeroStor.Placement;

namespace ZeroStor.Tests.Placement;

public sealed class MapChangesTests
{
    private static readonly Code Code = new(4, 2);

    [Fact]
    public void A_new_disk_gets_a_number_that_none_ever_had()
    {
        FabricMap map = Map(3);
        map = map.With(MapChanges.Put(map, map.Disk(new DiskId(3))! with { State = DiskState.Removed }));
        map = map.With(MapChanges.AddDisk(map, "silo", Labels.None, "/new", true, out DiskId added));
        Assert.Equal(new DiskId(4), added);
        Assert.Equal(DiskState.Missing, map.Disk(added)!.State);
        Assert.Equal(0u, map.Disk(added)!.Claim);
    }

    [Fact]
    public void A_claim_rises_by_one_and_brings_the_disk_up()
    {
        FabricMap map = Map(1);
        map = map.With(MapChanges.Claim(map, map.Disk(new DiskId(1))! with { State = DiskState.Missing }));
        Assert.Equal((2u, DiskState.Up), (map.Disk(new DiskId(1))!.Claim, map.Disk(new DiskId(1))!.State));
    }

    [Fact]
    public void A_class_is_made_once()
    {
        FabricMap map = Map(6);
        MapChange? made = MapChanges.EnsureClass(map, Code, Spread.Disk, out ClassId first);
        map = map.With(made!);
        Assert.Null(MapChanges.EnsureClass(map, Code, Spread.Disk, out ClassId again));
        Assert.Equal(first, again);
        Assert.Equal(6, map.GroupsOf(first).Length);
        Assert.All(map.GroupsOf(first), g => Assert.Equal(1u, g.Epoch));
    }

    [Fact]
    public void A_replaced_disk_becomes_a_former_home_under_a_new_epoch_everywhere()
    {
        FabricMap map = Fabric(7, out ClassId placement);
        map = map.With(MapChanges.Replace(map, new DiskId(2), new DiskId(7)));
        Assert.All(map.GroupsOf(placement), group =>
        {
            Assert.Equal(2u, group.Epoch);
            Place place = Assert.Single(group.Places, p => p.Home == new DiskId(7));
            Assert.Equal([new DiskId(2)], place.FormerHomes);
            Assert.DoesNotContain(group.Places, p => p.Home == new DiskId(2));
        });
    }

    [Fact]
    public void Never_fewer_than_k_places_of_a_group_are_whole()
    {
        FabricMap map = Fabric(10, out ClassId placement);
        for (uint lost = 1; lost <= 4; lost++)
        {
            map = map.With(MapChanges.Replace(map, new DiskId(lost), new DiskId(lost + 6)));
        }

        Assert.All(
            map.GroupsOf(placement),
            group => Assert.Equal(Code.K, group.Places.Count(p => p.IsWhole)));
    }

    private static FabricMap Map(int disks) =>
        new(new FabricId(1), 1, GroupPlannerTests.Disks(disks, disks), [], []);

    // Six disks carry the groups; the others are spare.
    private static FabricMap Fabric(int disks, out ClassId placement)
    {
        FabricMap map = Map(6);
        map = map.With(MapChanges.EnsureClass(map, Code, Spread.Disk, out placement)!);
        return new FabricMap(
            map.Fabric, map.Version, GroupPlannerTests.Disks(disks, disks), map.Classes, map.Groups);
    }
}
