using ZeroStor.Catalog;

namespace ZeroStor.Tests.Catalog;

public abstract partial class CatalogTests
{
    [Fact]
    public async Task A_new_catalog_has_an_identity_that_stays_and_the_first_tick()
    {
        FabricState state = await Catalog.ReadFabricAsync(Cancel);
        Assert.NotEqual(default, state.Fabric);
        Assert.Equal(new Tick(0), state.Tick);
        await Catalog.MigrateAsync(Cancel);
        Assert.Equal(state, await Catalog.ReadFabricAsync(Cancel));
        await using SqlCatalog other = await OpenEmptyAsync();
        Assert.NotEqual(state.Fabric, (await other.ReadFabricAsync(Cancel)).Fabric);
    }

    [Fact]
    public async Task The_tick_rises_once_however_many_raise_it()
    {
        await using SqlCatalog second = await OpenAsync();
        Tick[] ticks = await Task.WhenAll(Enumerable.Range(0, 10).Select(
            i => (i % 2 == 0 ? Catalog : second).RaiseTickAsync(new Tick(0), Cancel)));
        Assert.All(ticks, tick => Assert.Equal(new Tick(1), tick));
        Assert.Equal(new Tick(1), await Catalog.RaiseTickAsync(new Tick(7), Cancel));
        Assert.Equal(new Tick(2), await Catalog.RaiseTickAsync(new Tick(1), Cancel));
        Assert.Equal(new Tick(2), (await second.ReadFabricAsync(Cancel)).Tick);
    }

    [Fact]
    public async Task A_catalog_that_went_back_says_so_until_it_is_adopted()
    {
        await Catalog.RaiseTickAsync(new Tick(0), Cancel);
        Assert.Null((await Catalog.ReadFabricAsync(Cancel)).WentBack);
        FabricState state = await Catalog.NoticeWentBackAsync(new Tick(900), Cancel);
        Assert.Equal(new Tick(1), state.WentBack);
        Assert.Equal(new Tick(901), state.Tick);
        Assert.Equal(state, await Catalog.NoticeWentBackAsync(new Tick(5000), Cancel));
        await ReopenAsync();
        Assert.Equal(state, await Catalog.ReadFabricAsync(Cancel));
        Assert.Equal(new Tick(902), await Catalog.RaiseTickAsync(new Tick(901), Cancel));
        Assert.False(await Catalog.AdoptAsync(new Tick(2), Cancel));
        Assert.True(await Catalog.AdoptAsync(new Tick(1), Cancel));
        Assert.False(await Catalog.AdoptAsync(new Tick(1), Cancel));
        Assert.Null((await Catalog.ReadFabricAsync(Cancel)).WentBack);
    }

    [Fact]
    public async Task A_catalog_that_is_ahead_of_what_was_seen_did_not_go_back()
    {
        await Catalog.RaiseTickAsync(new Tick(0), Cancel);
        FabricState state = await Catalog.NoticeWentBackAsync(new Tick(0), Cancel);
        Assert.Null(state.WentBack);
        Assert.Equal(new Tick(1), state.Tick);

        // At the same tick it was told so for another reason than the tick.
        Assert.Equal(new Tick(1), (await Catalog.NoticeWentBackAsync(new Tick(1), Cancel)).WentBack);
    }

    [Fact]
    public async Task The_last_census_is_remembered_and_an_older_one_is_not()
    {
        Assert.Null((await Catalog.ReadFabricAsync(Cancel)).Census);
        var census = new CensusMark(new Tick(70), 3);
        await Catalog.MarkCensusAsync(census, Cancel);
        await Catalog.MarkCensusAsync(new CensusMark(new Tick(69), 0), Cancel);
        await ReopenAsync();
        Assert.Equal(census, (await Catalog.ReadFabricAsync(Cancel)).Census);
        await Catalog.MarkCensusAsync(new CensusMark(new Tick(70), 0), Cancel);
        Assert.Equal(0, (await Catalog.ReadFabricAsync(Cancel)).Census!.Lost);
    }

    [Fact]
    public async Task The_master_key_that_is_entered_first_stands()
    {
        Assert.Null((await Catalog.ReadFabricAsync(Cancel)).MasterKey);
        await using SqlCatalog second = await OpenAsync();
        string[] stood = await Task.WhenAll(Enumerable.Range(0, 10).Select(
            i => (i % 2 == 0 ? Catalog : second).EnterMasterKeyAsync($"key{i}", Cancel)));
        string first = Assert.Single(stood.Distinct());
        Assert.StartsWith("key", first, StringComparison.Ordinal);
        await ReopenAsync();
        Assert.Equal(first, await Catalog.EnterMasterKeyAsync("another", Cancel));
        Assert.Equal(first, (await Catalog.ReadFabricAsync(Cancel)).MasterKey);

        // Another takes its place only from the one that stands.
        Assert.Equal(first, await Catalog.ReplaceMasterKeyAsync("another", "next", Cancel));
        Assert.Equal("next", await Catalog.ReplaceMasterKeyAsync(first, "next", Cancel));
        Assert.Equal("next", await Catalog.ReplaceMasterKeyAsync(first, "next", Cancel));
        Assert.Equal("next", await Catalog.EnterMasterKeyAsync(first, Cancel));
    }

    [Fact]
    public async Task The_map_is_what_its_changes_made_of_it()
    {
        FabricMap expected = await Catalog.ReadMapAsync(Cancel);
        Assert.Equal(0, expected.Version);
        Assert.Equal((await Catalog.ReadFabricAsync(Cancel)).Fabric, expected.Fabric);
        DiskEntry disk = DiskOf(1);
        var group = new PlacementGroup(
            new GroupId(9),
            new ClassId(1),
            4,
            [new Place(new DiskId(1)), new Place(new DiskId(2), [new DiskId(3)])]);
        MapChange[] changes =
        [
            new() { FromVersion = 0, Disks = [disk, DiskOf(uint.MaxValue)] },
            new()
            {
                FromVersion = 1,
                Classes = [new PlacementClass(new ClassId(1), new Code(20, 4), Spread.Rack)],
                Groups = [group],
            },
            new()
            {
                FromVersion = 2,
                Disks = [disk with { State = DiskState.Removed, Claim = 8, IsManaged = false }],
                Groups = [group with { Epoch = 5, Places = [new Place(new DiskId(7))] }],
            },
        ];
        foreach (MapChange change in changes)
        {
            Assert.True(await Catalog.ChangeMapAsync(change, Cancel));
            Assert.False(await Catalog.ChangeMapAsync(change, Cancel));
            expected = expected.With(change);
            AssertSame(expected, await Catalog.ReadMapAsync(Cancel));
        }

        await ReopenAsync();
        AssertSame(expected, await Catalog.ReadMapAsync(Cancel));
    }

    [Fact]
    public async Task Of_two_changes_from_one_version_one_is_made()
    {
        await using SqlCatalog second = await OpenAsync();
        for (int version = 0; version < 10; version++)
        {
            bool[] made = await Task.WhenAll(Enumerable.Range(0, 4).Select(i =>
                (i % 2 == 0 ? Catalog : second).ChangeMapAsync(
                    new MapChange { FromVersion = version, Disks = [DiskOf((uint)((10 * version) + i + 1))] },
                    Cancel)));
            Assert.Single(made, m => m);
        }

        FabricMap map = await second.ReadMapAsync(Cancel);
        Assert.Equal(10, map.Version);
        Assert.Equal(10, map.Disks.Length);
    }

    [Fact]
    public async Task A_name_is_given_once_and_names_one_life()
    {
        var first = new VaultEntry("photos", VaultId.New(Entropy), new ClassId(3));
        VaultEntry second = first with { Id = VaultId.New(Entropy) };
        Assert.True(await Catalog.AddVaultAsync(first, Cancel));
        Assert.False(await Catalog.AddVaultAsync(second, Cancel));
        Assert.False(await Catalog.AddVaultAsync(first with { Name = "again" }, Cancel));
        Assert.Equal(first, await Catalog.FindVaultAsync("photos", Cancel));
        Assert.Null(await Catalog.FindVaultAsync("none", Cancel));
        Assert.False(await Catalog.RemoveVaultAsync(second.Id, Cancel));
        Assert.True(await Catalog.RemoveVaultAsync(first.Id, Cancel));
        Assert.False(await Catalog.RemoveVaultAsync(first.Id, Cancel));
        Assert.True(await Catalog.AddVaultAsync(second, Cancel));
        Assert.Equal(["photos", "vault"], (await Catalog.ListVaultsAsync(Cancel)).Select(v => v.Name));
        await ThrowsAsync(
            ErrorKind.InvalidArgument, () => Catalog.AddVaultAsync(first with { Name = "No Name" }, Cancel));
    }

    [Fact]
    public async Task A_vault_stays_while_it_has_versions()
    {
        await AppliedAsync(Put("a"));
        Assert.False(await Catalog.RemoveVaultAsync(Vault, Cancel));
        CommitOrder delete = Delete("a");
        CommitAnswer deleted = await AppliedAsync(delete);
        Assert.True(await Catalog.RemoveVaultAsync(Vault, Cancel));
        await RefusedAsync(ErrorKind.NotFound, Put("a"));
        Assert.Equal(deleted, await Catalog.CommitAsync(delete, Cancel));
    }

    private static DiskEntry DiskOf(uint number) => new()
    {
        Id = new DiskId(number),
        Silo = "silo-é",
        Labels = new Labels("eu", "berlin", "r1"),
        Path = $"/data/{number}",
        State = DiskState.Up,
        Claim = 7,
        IsManaged = true,
    };

    private static void AssertSame(FabricMap expected, FabricMap actual)
    {
        Assert.Equal(expected.Fabric, actual.Fabric);
        Assert.Equal(expected.Version, actual.Version);
        Assert.Equal(expected.Disks.OrderBy(d => d.Id), actual.Disks.OrderBy(d => d.Id));
        Assert.Equal(expected.Classes, actual.Classes);
        Assert.Equal(expected.Groups.Length, actual.Groups.Length);
        foreach (PlacementGroup group in expected.Groups)
        {
            PlacementGroup same = actual.Group(group.Id)!;
            Assert.Equal((group.Class, group.Epoch), (same.Class, same.Epoch));
            Assert.Equal(group.Places.Select(p => p.Home), same.Places.Select(p => p.Home));
            Assert.Equal(group.Places.Select(p => p.FormerHomes), same.Places.Select(p => p.FormerHomes));
        }
    }
}
