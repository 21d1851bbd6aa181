namespace ZeroStor.Tests.Catalog;

public abstract partial class CatalogTests
{
    [Fact]
    public async Task Overwriting_and_deleting_the_last_name_of_a_content_is_its_death()
    {
        CommitOrder first = Put("a");
        CommitOrder second = Put("a") with { Now = new Tick(Now.Value + 1) };
        await AppliedAsync(first);
        Assert.Equal(new CatalogCounts(1, 0, 1, 0), await Catalog.CountAsync(Cancel));
        await AppliedAsync(second);
        Assert.Equal(new CatalogCounts(1, 0, 1, 1), await Catalog.CountAsync(Cancel));
        Assert.Equal(
            new DeadContent(first.Content, Vault, second.Now, EverLived: true),
            Assert.Single(await DeadAsync()));
        await AppliedAsync(Delete("a") with { Now = new Tick(Now.Value + 2) });
        Assert.Contains(
            new DeadContent(second.Content, Vault, new Tick(Now.Value + 2), EverLived: true),
            await DeadAsync());
    }

    [Fact]
    public async Task A_content_lives_while_any_version_names_it()
    {
        CommitOrder source = Put("source");
        await AppliedAsync(source);
        CommitOrder copy = Copy("copy", source.Content);
        await AppliedAsync(copy);
        await AppliedAsync(Put("mixed", null, null, source.Content));
        await AppliedAsync(Delete("source"));
        await AppliedAsync(Delete("copy"));
        Assert.DoesNotContain(await DeadAsync(), d => d.Content == source.Content);
        await AppliedAsync(Delete("mixed"));
        Assert.Contains(await DeadAsync(), d => d.Content == source.Content && d.EverLived);
        Assert.Contains(await DeadAsync(), d => d.Content == copy.Content && !d.EverLived);
        Assert.Equal(0, (await Catalog.CountAsync(Cancel)).LiveContents);
    }

    [Fact]
    public async Task A_version_that_names_a_content_several_times_counts_once()
    {
        CommitOrder source = Put("source");
        await AppliedAsync(source);
        Manifest twice = ManifestOf(source.Content, source.Content);
        await AppliedAsync(Copy("copy") with { Manifest = twice.Encode() });
        await AppliedAsync(Delete("copy"));
        Assert.DoesNotContain(await DeadAsync(), d => d.Content == source.Content);
        await AppliedAsync(Delete("source"));
        Assert.Contains(await DeadAsync(), d => d.Content == source.Content);
    }

    [Fact]
    public async Task A_key_copied_onto_itself_keeps_its_content()
    {
        CommitOrder put = Put("a");
        await AppliedAsync(put);
        await AppliedAsync(Copy("a", put.Content));
        Assert.DoesNotContain(await DeadAsync(), d => d.Content == put.Content);
        await AppliedAsync(Delete("a"));
        Assert.Contains(await DeadAsync(), d => d.Content == put.Content);
    }

    [Fact]
    public async Task What_does_not_live_in_this_vault_cannot_be_copied()
    {
        CommitOrder dead = Put("dead");
        await AppliedAsync(dead);
        await AppliedAsync(Delete("dead"));
        ContentId open = NewContent();
        await Catalog.OpenContentAsync(open, Vault, Now, Cancel);
        VaultId other = VaultId.New(Entropy);
        await Catalog.AddVaultAsync(new VaultEntry("other", other, new ClassId(1)), Cancel);
        CommitOrder foreign = Put("foreign") with { Vault = other };
        await AppliedAsync(foreign);
        foreach (ContentId named in new[] { dead.Content, open, foreign.Content, NewContent() })
        {
            CommitOrder copy = Put("copy", null, null, named);
            CommitAnswer refusal = await RefusedAsync(ErrorKind.NotFound, copy);
            Assert.Equal(refusal, await Catalog.CommitAsync(copy, Cancel));
            Assert.Contains(await DeadAsync(), d => d.Content == copy.Content && !d.EverLived);
        }

        Assert.Null(await HeadAsync("copy"));
    }

    [Fact]
    public async Task Whose_a_content_is_and_whether_it_lives_is_told_in_the_order_asked()
    {
        VaultId other = VaultId.New(Entropy);
        await Catalog.AddVaultAsync(new VaultEntry("other", other, new ClassId(1)), Cancel);
        CommitOrder live = Put("live");
        CommitOrder foreign = Put("foreign") with { Vault = other };
        CommitOrder dead = Put("dead");
        await AppliedAsync(live);
        await AppliedAsync(foreign);
        await AppliedAsync(dead);
        await AppliedAsync(Delete("dead"));
        ContentId open = NewContent();
        await Catalog.OpenContentAsync(open, other, Now, Cancel);
        Assert.Equal(
            [
                new ContentOwner(other, ContentState.Live), null, new ContentOwner(Vault, ContentState.Dead),
                new ContentOwner(Vault, ContentState.Live), new ContentOwner(other, ContentState.Open),
                new ContentOwner(other, ContentState.Live),
            ],
            await Catalog.OwnersAsync(
                [foreign.Content, NewContent(), dead.Content, live.Content, open, foreign.Content], Cancel));
        Assert.Empty(await Catalog.OwnersAsync([], Cancel));
    }

    [Fact]
    public async Task A_refused_copy_counts_none_of_the_contents_that_it_named()
    {
        CommitOrder source = Put("source");
        await AppliedAsync(source);
        await RefusedAsync(ErrorKind.NotFound, Copy("copy", source.Content, NewContent()));
        await AppliedAsync(Delete("source"));
        Assert.Contains(await DeadAsync(), d => d.Content == source.Content);
    }

    [Fact]
    public async Task An_open_content_turns_live_with_its_commit_and_keeps_its_pages()
    {
        CommitOrder put = Put("a");
        Assert.True(await Catalog.OpenContentAsync(put.Content, Vault, Now, Cancel));
        Assert.True(await Catalog.WritePageAsync(put.Content, 0, [1], Now, Cancel));
        Assert.True(await Catalog.WritePageAsync(put.Content, 0, [2], Now, Cancel));
        Assert.Equal(new CatalogCounts(0, 1, 0, 0), await Catalog.CountAsync(Cancel));
        await AppliedAsync(put with { Pages = [(1, [3])] });
        Assert.Equal(new CatalogCounts(1, 0, 1, 0), await Catalog.CountAsync(Cancel));
        Assert.Equal([2], await Catalog.ReadPageAsync(put.Content, 0, Cancel));
        Assert.Equal([3], await Catalog.ReadPageAsync(put.Content, 1, Cancel));
        Assert.Null(await Catalog.ReadPageAsync(put.Content, 2, Cancel));
        Assert.True(await Catalog.OpenContentAsync(put.Content, Vault, Now, Cancel));
        await ThrowsAsync(
            ErrorKind.InvalidArgument, () => Catalog.WritePageAsync(put.Content, 0, [9], Now, Cancel));
        Assert.Equal([2], await Catalog.ReadPageAsync(put.Content, 0, Cancel));
    }

    [Fact]
    public async Task A_refused_put_condemns_its_open_content_and_writes_none_of_its_pages()
    {
        CommitOrder put = Put("a") with { If = new() { IfMatch = "*" }, Pages = [(5, [5])] };
        await Catalog.OpenContentAsync(put.Content, Vault, Now, Cancel);
        await RefusedAsync(ErrorKind.PreconditionFailed, put);
        Assert.Equal(new CatalogCounts(0, 0, 0, 1), await Catalog.CountAsync(Cancel));
        Assert.Null(await Catalog.ReadPageAsync(put.Content, 5, Cancel));
    }

    [Fact]
    public async Task Pages_belong_to_contents_that_were_opened_in_their_vault()
    {
        ContentId content = NewContent();
        Assert.False(await Catalog.WritePageAsync(content, 0, [1], Now, Cancel));
        Assert.Null(await Catalog.ReadPageAsync(content, 0, Cancel));
        await Catalog.OpenContentAsync(content, Vault, Now, Cancel);
        VaultId other = VaultId.New(Entropy);
        await Catalog.AddVaultAsync(new VaultEntry("other", other, new ClassId(1)), Cancel);
        await ThrowsAsync(
            ErrorKind.InvalidArgument, () => Catalog.OpenContentAsync(content, other, Now, Cancel));
        await RefusedAsync(ErrorKind.InvalidArgument, Put("a", content) with { Vault = other });
        await AppliedAsync(Put("a", content));
    }

    [Fact]
    public async Task Condemning_ends_what_is_open_or_unknown_and_spares_what_lives()
    {
        CommitOrder live = Put("live");
        await AppliedAsync(live);
        ContentId open = NewContent();
        await Catalog.OpenContentAsync(open, Vault, Now, Cancel);
        ContentId unknown = NewContent(new Tick(1));
        var later = new Tick(Now.Value + 9);
        await Catalog.CondemnAsync(Vault, [live.Content, open, unknown, open], later, Cancel);
        Assert.Equal(
            new[] { unknown, open }.Order().Select(id => new DeadContent(id, Vault, later, EverLived: false)),
            await DeadAsync());
        Assert.False(await Catalog.OpenContentAsync(open, Vault, later, Cancel));
        Assert.False(await Catalog.WritePageAsync(open, 0, [1], later, Cancel));
        CommitAnswer refusal = await RefusedAsync(ErrorKind.PreconditionFailed, Put("a", open));
        Assert.Contains("put again", refusal.Detail, StringComparison.Ordinal);
        Assert.NotNull(await HeadAsync("live"));

        // Dead stays dead, since when it did.
        await Catalog.CondemnAsync(Vault, [open], new Tick(later.Value + 1), Cancel);
        Assert.All(await DeadAsync(), d => Assert.Equal(later, d.Died));
    }

    [Fact]
    public async Task Idle_contents_are_those_that_nobody_touched_since()
    {
        ContentId idle = NewContent();
        ContentId touched = NewContent();
        ContentId paged = NewContent();
        foreach (ContentId content in new[] { idle, touched, paged })
        {
            await Catalog.OpenContentAsync(content, Vault, Now, Cancel);
        }

        await AppliedAsync(Put("live"));
        var later = new Tick(Now.Value + 10);
        await Catalog.OpenContentAsync(touched, Vault, later, Cancel);
        await Catalog.WritePageAsync(paged, 0, [1], later, Cancel);
        Assert.Equal(0, await Catalog.CondemnIdleAsync(Now, later, Cancel));
        Assert.Equal(1, await Catalog.CondemnIdleAsync(later, later, Cancel));
        Assert.Equal(new DeadContent(idle, Vault, later, EverLived: false), Assert.Single(await DeadAsync()));
        Assert.Equal(2, await Catalog.CondemnIdleAsync(new Tick(later.Value + 1), later, Cancel));
        Assert.Equal(new CatalogCounts(1, 0, 1, 3), await Catalog.CountAsync(Cancel));
    }

    [Fact]
    public async Task The_dead_are_listed_in_pages_by_id_and_by_when_they_died()
    {
        ContentId[] contents = [.. Enumerable.Range(0, 10).Select(_ => NewContent()).Order()];
        for (int i = 0; i < contents.Length; i++)
        {
            await Catalog.CondemnAsync(Vault, [contents[i]], new Tick(Now.Value + (uint)(i % 2)), Cancel);
        }

        var firstHalf = await Catalog.ListDeadAsync(default, Now, 100, Cancel);
        Assert.Equal(contents.Where((_, i) => i % 2 == 0), firstHalf.Select(d => d.Content));
        var page = await Catalog.ListDeadAsync(contents[2], new Tick(Now.Value + 1), 3, Cancel);
        Assert.Equal(contents[3..6], page.Select(d => d.Content));
    }

    [Fact]
    public async Task Forgetting_removes_dead_rows_with_their_pages_and_no_others()
    {
        CommitOrder live = Put("live") with { Pages = [(0, [1])] };
        await AppliedAsync(live);
        ContentId dead = NewContent();
        await Catalog.OpenContentAsync(dead, Vault, Now, Cancel);
        await Catalog.WritePageAsync(dead, 0, [2], Now, Cancel);
        await Catalog.CondemnAsync(Vault, [dead], Now, Cancel);
        Assert.Equal([2], await Catalog.ReadPageAsync(dead, 0, Cancel));
        await Catalog.ForgetAsync([dead, live.Content, NewContent()], Cancel);
        Assert.Null(await Catalog.ReadPageAsync(dead, 0, Cancel));
        Assert.Equal([1], await Catalog.ReadPageAsync(live.Content, 0, Cancel));
        Assert.Equal(new CatalogCounts(1, 0, 1, 0), await Catalog.CountAsync(Cancel));
    }

    [Fact]
    public async Task A_catalog_takes_no_page_that_is_none()
    {
        ContentId content = NewContent();
        await Catalog.OpenContentAsync(content, Vault, Now, Cancel);
        await ThrowsAsync(
            ErrorKind.InvalidArgument, () => Catalog.WritePageAsync(content, -1, [1], Now, Cancel));
        await ThrowsAsync(
            ErrorKind.InvalidArgument,
            () => Catalog.WritePageAsync(content, 0, new byte[1024 * 1024], Now, Cancel));
    }
}
