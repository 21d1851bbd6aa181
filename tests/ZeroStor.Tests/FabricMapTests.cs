namespace ZeroStor.Tests;

public sealed class FabricMapTests
{
    private static readonly PlacementClass Class = new(new ClassId(1), new Code(1, 1), Spread.Disk);
    private static readonly FabricMap Map = new(
        new FabricId(9), 5, [Disk(1), Disk(2)], [Class], [Group(2, 1, 1, 2), Group(1, 1, 2, 1)]);

    [Fact]
    public void Entries_are_found_by_their_number()
    {
        Assert.Equal(Disk(2), Map.Disk(new DiskId(2)));
        Assert.Equal(Class, Map.Class(new ClassId(1)));
        Assert.Equal(1u, Map.Group(new GroupId(1))!.Id.Value);
        Assert.Null(Map.Disk(new DiskId(3)));
        Assert.Null(Map.Class(new ClassId(2)));
        Assert.Null(Map.Group(new GroupId(3)));
    }

    [Fact]
    public void A_class_lists_its_groups_in_order()
    {
        Assert.Equal([1u, 2u], Map.GroupsOf(new ClassId(1)).Select(g => g.Id.Value));
        Assert.Empty(Map.GroupsOf(new ClassId(7)));
    }

    [Fact]
    public void A_change_adds_what_is_new_and_replaces_what_was_there()
    {
        PlacementGroup moved = Group(1, 2, 3, 1);
        FabricMap changed = Map.With(new MapChange
        {
            FromVersion = 5,
            Disks = [Disk(3), Disk(2) with { State = DiskState.Missing }],
            Classes = [new PlacementClass(new ClassId(2), Code.Default, Spread.Rack)],
            Groups = [moved],
        });
        Assert.Equal((6, Map.Fabric), (changed.Version, changed.Fabric));
        Assert.Equal([1u, 2u, 3u], changed.Disks.Select(d => d.Id.Value).Order());
        Assert.Equal(DiskState.Missing, changed.Disk(new DiskId(2))!.State);
        Assert.Equal(2, changed.Classes.Length);
        Assert.Same(moved, changed.Group(new GroupId(1)));
        Assert.Same(moved, changed.GroupsOf(new ClassId(1))[0]);
        Assert.Equal(2, changed.Groups.Length);
    }

    [Fact]
    public void The_map_it_was_made_from_stays_as_it_was()
    {
        DiskEntry missing = Disk(2) with { State = DiskState.Missing };
        Map.With(new MapChange { FromVersion = 5, Disks = [Disk(3), missing] });
        Assert.Equal((5, 2), (Map.Version, Map.Disks.Length));
        Assert.Equal(DiskState.Up, Map.Disk(new DiskId(2))!.State);
    }

    [Fact]
    public void A_group_that_changes_its_class_leaves_the_old_one()
    {
        PlacementGroup moved = Group(1, 2, 2, 1) with { Class = new ClassId(2) };
        FabricMap changed = Map.With(new MapChange { FromVersion = 5, Groups = [moved] });
        Assert.Equal([2u], changed.GroupsOf(new ClassId(1)).Select(g => g.Id.Value));
        Assert.Equal([1u], changed.GroupsOf(new ClassId(2)).Select(g => g.Id.Value));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    public void A_change_of_another_version_is_refused(long fromVersion) => Assert.Equal(
        ErrorKind.PreconditionFailed,
        Assert.Throws<ZeroStorException>(() => Map.With(new MapChange { FromVersion = fromVersion })).Kind);

    [Fact]
    public void A_place_is_whole_without_former_homes()
    {
        Assert.True(new Place(new DiskId(1)).IsWhole);
        Assert.False(new Place(new DiskId(1), [new DiskId(2)]).IsWhole);
    }

    private static DiskEntry Disk(uint id) => new()
    {
        Id = new DiskId(id), Silo = "a", Labels = Labels.None, Path = $"/{id}", State = DiskState.Up,
        Claim = 1, IsManaged = true,
    };

    private static PlacementGroup Group(uint id, uint epoch, params uint[] homes) => new(
        new GroupId(id), Class.Id, epoch, [.. homes.Select(home => new Place(new DiskId(home)))]);
}
