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
    public void A_claim_rises_to_what_was_granted_and_brings_the_disk_up()
    {
        FabricMap map = Map(1);
        map = map.With(MapChanges.Claim(map, map.Disk(new DiskId(1))! with { State = DiskState.Missing }, 5));
        Assert.Equal((5u, DiskState.Up), (map.Disk(new DiskId(1))!.Claim, map.Disk(new DiskId(1))!.State));
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
    public void A_home_that_the_map_forgot_becomes_a_former_one_where_it_is_nothing_yet()
    {
        FabricMap map = Fabric(8, out ClassId placement);
        GroupId group = map.GroupsOf(placement)[0].Id;
        PlacementGroup before = map.Group(group)!;
        var stranger = new DiskId(map.Disks.Select(d => d.Id.Value).First(
            d => before.Places.All(p => p.Home.Value != d)));
        DiskId home = before.Places[1].Home;
        Assert.Null(MapChanges.RememberHome(map, home, [(group, 1)]));
        (GroupId, byte)[] held = [(group, 2), (group, 99), (new GroupId(4711), 0)];
        map = map.With(MapChanges.RememberHome(map, stranger, held)!);
        PlacementGroup after = map.Group(group)!;
        Assert.Equal(before.Epoch, after.Epoch);
        Assert.Equal([stranger], after.Places[2].FormerHomes);
        Assert.Equal(before.Places[2].Home, after.Places[2].Home);
        Assert.Equal(1, after.Places.Count(p => !p.IsWhole));
        Assert.Null(MapChanges.RememberHome(map, stranger, held));
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

    [Fact]
    public void A_whole_place_forgets_its_former_homes_and_keeps_the_epoch()
    {
        FabricMap map = Fabric(8, out _);
        map = map.With(MapChanges.Replace(map, new DiskId(2), new DiskId(7)));
        map = map.With(MapChanges.Replace(map, new DiskId(3), new DiskId(8)));
        PlacementGroup before = map.Groups[0];
        int whole = PlaceOf(before, 7);
        map = map.With(MapChanges.MarkWhole(map, before.Id, [whole])!);
        PlacementGroup after = map.Group(before.Id)!;
        Assert.Equal(before.Epoch, after.Epoch);
        Assert.True(after.Places[whole].IsWhole);
        Assert.Equal(before.Places.Select(p => p.Home), after.Places.Select(p => p.Home));
        Assert.Equal([new DiskId(3)], after.Places[PlaceOf(after, 8)].FormerHomes);
        Assert.Null(MapChanges.MarkWhole(map, before.Id, [whole]));
        Assert.Null(MapChanges.MarkWhole(map, before.Id, []));
        Assert.Throws<ZeroStorException>(() => MapChanges.MarkWhole(map, new GroupId(99), [0]));
    }

    [Fact]
    public void A_former_home_that_returns_gets_its_places_back_and_the_newcomer_still_counts()
    {
        FabricMap map = Fabric(7, out ClassId placement);
        FabricMap first = map;
        map = map.With(MapChanges.Replace(map, new DiskId(2), new DiskId(7)));
        Assert.Null(MapChanges.ReturnHome(map, new DiskId(2)));
        map = Up(map, 2);
        GroupId whole = map.Groups[0].Id;
        map = map.With(MapChanges.MarkWhole(map, whole, [PlaceOf(map.Group(whole)!, 7)])!);
        map = map.With(MapChanges.ReturnHome(map, new DiskId(2))!);
        Assert.All(map.GroupsOf(placement), group =>
        {
            if (group.Id == whole)
            {
                Assert.Equal(2u, group.Epoch);
                Assert.DoesNotContain(group.Places, p => p.Home == new DiskId(2));
                return;
            }

            Assert.Equal(3u, group.Epoch);
            int place = PlaceOf(first.Group(group.Id)!, 2);
            Assert.Equal(new DiskId(2), group.Places[place].Home);
            Assert.Equal([new DiskId(7)], group.Places[place].FormerHomes);
        });
        Assert.Null(MapChanges.ReturnHome(map, new DiskId(2)));
    }

    [Fact]
    public void Other_former_homes_are_kept_when_one_returns()
    {
        FabricMap map = Fabric(8, out _);
        map = map.With(MapChanges.Replace(map, new DiskId(2), new DiskId(7)));
        map = map.With(MapChanges.Replace(map, new DiskId(7), new DiskId(8)));
        map = Up(map, 2);
        map = map.With(MapChanges.ReturnHome(map, new DiskId(2))!);
        Assert.All(map.Groups, group => Assert.Equal(
            [new DiskId(8), new DiskId(7)], group.Places[PlaceOf(group, 2)].FormerHomes));
    }

    [Fact]
    public void However_disks_are_lost_replaced_made_whole_and_return_none_is_twice_a_home_of_a_group()
    {
        CsCheck.Check.Sample(CsCheck.Gen.Int, seed =>
        {
            var random = new Random(seed);
            FabricMap map = Fabric(9, out _);
            for (int step = 0; step < 40; step++)
            {
                FabricMap before = map;
                var disk = new DiskId((uint)random.Next(1, 10));
                PlacementGroup any = map.Groups[random.Next(map.Groups.Length)];
                map = random.Next(4) switch
                {
                    0 => map.With(MapChanges.Replace(map, disk, new DiskId((uint)random.Next(1, 10)))),
                    1 => MapChanges.MarkWhole(map, any.Id, [random.Next(Code.N)]) is { } whole
                        ? map.With(whole)
                        : map,
                    2 => Up(map, disk.Value),
                    _ => MapChanges.ReturnHome(map, disk) is { } returned ? map.With(returned) : map,
                };
                Assert.All(map.Groups, group => AssertStep(before.Group(group.Id)!, group));
            }
        }, iter: 300);
    }

    [Fact]
    public void A_disk_that_gives_its_places_away_stays_as_it_is_and_a_removed_one_stays_removed()
    {
        FabricMap map = Fabric(7, out ClassId placement);
        FabricMap given = map.With(MapChanges.GivePlaces(map, new DiskId(2), new DiskId(7)));
        Assert.Equal(map.Disk(new DiskId(2)), given.Disk(new DiskId(2)));
        Assert.DoesNotContain(given.GroupsOf(placement), g => g.Places.Any(p => p.Home == new DiskId(2)));
        map = map.With(MapChanges.Put(map, map.Disk(new DiskId(2))! with { State = DiskState.Removed }));
        map = map.With(MapChanges.Replace(map, new DiskId(2), new DiskId(7)));
        Assert.Equal(DiskState.Removed, map.Disk(new DiskId(2))!.State);
    }

    [Fact]
    public void Places_are_not_given_where_the_spread_forbids_it()
    {
        // Three silos of two disks hold 4+2 with two places each; a seventh disk is on the first silo.
        DiskEntry[] disks = GroupPlannerTests.Disks(6, disksPerSilo: 2);
        var map = new FabricMap(new FabricId(1), 1, disks, [], []);
        map = map.With(MapChanges.EnsureClass(map, Code, Spread.Silo, out ClassId placement)!);
        map = map.With(MapChanges.Put(map, disks[0] with { Id = new DiskId(7) }));
        Assert.Empty(MapChanges.GivePlaces(map, new DiskId(3), new DiskId(7)).Groups);
        Assert.Equal(
            map.GroupsOf(placement).Length, MapChanges.GivePlaces(map, new DiskId(1), new DiskId(7)).Groups.Length);
    }

    [Fact]
    public void An_added_disk_gets_new_groups_under_new_numbers_and_nothing_else_changes()
    {
        FabricMap before = Fabric(7, out ClassId placement);
        FabricMap after = before.With(MapChanges.Grow(before, new DiskId(7))!);
        Assert.Equal(12, after.GroupsOf(placement).Length);
        Assert.All(before.Groups, g => Assert.Same(g, after.Group(g.Id)));
        PlacementGroup[] grown = [.. after.Groups.Where(g => before.Group(g.Id) is null)];
        Assert.All(grown, g => Assert.True(g is { Epoch: 1 } && g.Places.Any(p => p.Home == new DiskId(7))));
        Assert.Null(MapChanges.Grow(after, new DiskId(7)));
        FabricMap away = before.With(
            MapChanges.Put(before, before.Disk(new DiskId(7))! with { State = DiskState.Missing }));
        Assert.Null(MapChanges.Grow(away, new DiskId(7)));
    }

    // A new home means a new epoch, no disk is a home twice, and who was a home counts until the place is
    // whole.
    private static void AssertStep(PlacementGroup before, PlacementGroup after)
    {
        Assert.Equal(Code.N, after.Places.DistinctBy(p => p.Home).Count());
        Assert.True(after.Places.Count(p => p.IsWhole) >= Code.K);
        for (int i = 0; i < Code.N; i++)
        {
            if (before.Places[i].Home != after.Places[i].Home)
            {
                Assert.Equal(before.Epoch + 1, after.Epoch);
                Assert.Contains(before.Places[i].Home, after.Places[i].FormerHomes);
            }
        }
    }

    private static int PlaceOf(PlacementGroup group, uint disk) =>
        group.Places.Index().Single(p => p.Item.Home == new DiskId(disk)).Index;

    private static FabricMap Up(FabricMap map, uint disk) =>
        map.With(MapChanges.Put(map, map.Disk(new DiskId(disk))! with { State = DiskState.Up }));

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
