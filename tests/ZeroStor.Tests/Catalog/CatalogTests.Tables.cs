using System.Data.Common;
using ZeroStor.Catalog;

namespace ZeroStor.Tests.Catalog;

// What a catalog's tables hold, looked at from outside, and what it makes of a database that others wrote.
public abstract partial class CatalogTests
{
    [Fact]
    public async Task A_database_of_something_else_is_refused_and_left_alone()
    {
        string other = await MakeEmptyAsync();
        await RunAsync("CREATE TABLE browser_history (url TEXT)", where: other);
        await ThrowsAsync(ErrorKind.InvalidArgument, () => OpenAsync(other));
        Assert.Empty(await RunAsync("SELECT * FROM browser_history", where: other));
        await Assert.ThrowsAnyAsync<DbException>(
            () => RunAsync("SELECT * FROM zerostor_scripts", where: other));
    }

    [Theory]
    [InlineData("INSERT INTO zerostor_scripts VALUES (900, '900-later.sql', @bytes, 0)", "900-later.sql")]
    [InlineData("UPDATE zerostor_scripts SET sha256 = @bytes WHERE number = 10", "010-zerostor.sql")]
    public async Task A_catalog_of_another_version_is_refused(string how, string named)
    {
        await RunAsync(how, [0]);
        ZeroStorException error = await ThrowsAsync(ErrorKind.InvalidArgument, () => OpenAsync());
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_that_open_a_new_catalog_at_once_find_one()
    {
        string where = await MakeEmptyAsync();
        SqlCatalog[] opened = await Task.WhenAll(
            Enumerable.Range(0, 4).Select(_ => Task.Run(() => OpenAsync(where))));
        var fabrics = await Task.WhenAll(opened.Select(c => c.ReadFabricAsync(Cancel)));
        Assert.Single(fabrics.Distinct());
        foreach (SqlCatalog catalog in opened)
        {
            await catalog.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_closed_catalog_says_so()
    {
        SqlCatalog closed = await OpenAsync();
        await closed.DisposeAsync();
        await ThrowsAsync(ErrorKind.Unavailable, () => closed.HeadAsync(Vault, ["a"], Cancel));
        await ThrowsAsync(ErrorKind.Unavailable, () => closed.CommitAsync(Put("a"), Cancel));
    }

    [Fact]
    public async Task A_version_that_cannot_be_read_is_not_replaced_and_hinders_no_other()
    {
        await AppliedAsync(Put("a"));
        await RunAsync("UPDATE versions SET manifest = @bytes", [0xFF]);
        Task<CommitAnswer> hindered = Catalog.CommitAsync(Delete("a"), Cancel);
        await AppliedAsync(Put("b"));
        ZeroStorException error = await ThrowsAsync(ErrorKind.Corrupt, () => hindered);
        Assert.Contains("'a'", error.Message, StringComparison.Ordinal);
        Assert.NotNull(await HeadAsync("a"));
    }

    [Fact]
    public async Task Counters_of_deleted_keys_go_once_the_tick_has_passed_them()
    {
        CommitOrder put = Put("a", NewContent(default)) with { Now = default };
        await AppliedAsync(put);
        long deleted = (await AppliedAsync(Delete("a", NewContent(default)) with { Now = default })).Seq;
        var next = new Tick(2);
        await AppliedAsync(Put("ahead") with { Now = next });
        long ahead = (await AppliedAsync(Delete("ahead") with { Now = next })).Seq;
        Assert.Equal(["a", "ahead"], await RunAsync("SELECT key FROM counters ORDER BY key"));
        await Catalog.RaiseTickAsync(default, Cancel);
        Assert.Equal(["ahead"], await RunAsync("SELECT key FROM counters"));
        CommitAnswer again = await AppliedAsync(Put("a", NewContent(default)) with { Now = default });
        Assert.True(again.Seq > deleted);
        Assert.Equal(ahead + 1, (await AppliedAsync(Put("ahead") with { Now = next })).Seq);
    }

    [Fact]
    public async Task The_log_of_the_map_has_every_change()
    {
        var change = new MapChange
        {
            FromVersion = 0, Classes = [new PlacementClass(new ClassId(1), new Code(4, 2), Spread.Silo)],
        };
        await Catalog.ChangeMapAsync(change, Cancel);
        Assert.Equal(
            MapCodec.Encode(change), Assert.Single(await RunAsync("SELECT change FROM map_log WHERE version = 1")));
    }

    [Fact]
    public async Task More_values_than_one_round_trip_takes_are_all_looked_up()
    {
        CommitOrder[] puts = [.. Enumerable.Range(0, 10).Select(i => Put($"key {i}"))];
        await Task.WhenAll(puts.Select(put => Catalog.CommitAsync(put, Cancel)));
        ContentId[] asked =
        [
            .. Enumerable.Range(0, 10_000).Select(i => i % 1_000 == 0 ? puts[i / 1_000].Content : NewContent()),
        ];
        var states = await Catalog.StatesAsync(asked, Cancel);
        Assert.Equal(
            Enumerable.Range(0, 10_000).Select(i => i % 1_000 == 0 ? ContentState.Live : default(ContentState?)),
            states);
    }

    [Fact]
    public async Task Of_a_page_that_comes_twice_the_last_one_stands()
    {
        CommitOrder put = Put("a") with { Pages = [(0, [1]), (1, [2]), (0, [3])] };
        await AppliedAsync(put);
        Assert.Equal([3], await Catalog.ReadPageAsync(put.Content, 0, Cancel));
        Assert.Equal([2], await Catalog.ReadPageAsync(put.Content, 1, Cancel));
    }
}
