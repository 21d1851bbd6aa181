namespace ZeroStor.Tests.Catalog;

public abstract partial class CatalogTests
{
    [Fact]
    public async Task A_put_is_the_current_version_from_then_on()
    {
        CommitOrder put = Put("a", etag: "\"mine\"");
        CommitAnswer answer = await AppliedAsync(put);
        VersionRow head = (await HeadAsync("a"))!;
        Manifest manifest = Manifest.Decode(put.Manifest);
        Assert.Equal("a", head.Key);
        Assert.Equal(manifest.Version, head.Version);
        Assert.Equal(manifest.Version, answer.Version);
        Assert.Equal(manifest.Size, head.Size);
        Assert.Equal("\"mine\"", head.ETag);
        Assert.Equal("\"mine\"", answer.ETag);
        Assert.Equal(answer.Seq, head.Seq);
        Assert.Equal(put.Modified, head.Modified);
        Assert.Equal(put.Manifest, head.Manifest);
    }

    [Fact]
    public async Task Without_an_etag_of_its_own_a_version_has_its_id()
    {
        CommitAnswer answer = await AppliedAsync(Put("a"));
        Assert.Equal(answer.Version.ToString(), answer.ETag);
        Assert.Equal(answer.ETag, (await HeadAsync("a"))!.ETag);
    }

    [Fact]
    public async Task Heads_come_in_the_order_of_their_keys_and_null_where_there_is_none()
    {
        await AppliedAsync(Put("b"));
        await AppliedAsync(Put("a"));
        var heads = await Catalog.HeadAsync(Vault, ["a", "none", "b", "a"], Cancel);
        Assert.Equal(["a", null, "b", "a"], heads.Select(h => h?.Key));
        await ThrowsAsync(ErrorKind.InvalidArgument, () => Catalog.HeadAsync(Vault, ["a", ""], Cancel));
    }

    [Fact]
    public async Task A_repeated_put_answers_what_the_first_did_even_after_the_version_went()
    {
        CommitOrder put = Put("a");
        CommitAnswer first = await AppliedAsync(put);
        Assert.Equal(first, await Catalog.CommitAsync(put, Cancel));
        await AppliedAsync(Put("a"));
        Assert.Equal(first, await Catalog.CommitAsync(put, Cancel));
        await AppliedAsync(Delete("a"));
        Assert.Equal(first, await Catalog.CommitAsync(put, Cancel));
        Assert.Null(await HeadAsync("a"));
    }

    [Fact]
    public async Task What_disks_hold_whole_is_let_in_however_old_it_is()
    {
        CommitOrder old = Put("a", NewContent(new Tick(1)));
        await RefusedAsync(ErrorKind.InvalidArgument, old);
        await AppliedAsync(old with { IsFound = true });
        Assert.Equal(Now, (await HeadAsync("a"))!.Committed);

        // It lives by its row like any other, and dies once.
        await AppliedAsync(Delete("a"));
        ContentId dead = Assert.Single((await DeadAsync()), d => d.EverLived).Content;
        Assert.Equal(old.Content, dead);
        CommitOrder condemned = Put("b");
        await Catalog.CondemnAsync(Vault, [condemned.Content], Now, Cancel);
        await RefusedAsync(ErrorKind.PreconditionFailed, condemned with { IsFound = true });
    }

    [Fact]
    public async Task A_repeated_delete_deletes_once()
    {
        await AppliedAsync(Put("a"));
        CommitOrder delete = Delete("a");
        CommitAnswer first = await AppliedAsync(delete);
        await AppliedAsync(Put("a"));
        Assert.Equal(first, await Catalog.CommitAsync(delete, Cancel));
        Assert.NotNull(await HeadAsync("a"));
    }

    [Fact]
    public async Task A_delete_answers_the_version_that_it_removed()
    {
        CommitAnswer put = await AppliedAsync(Put("a", etag: "e"));
        CommitAnswer delete = await AppliedAsync(Delete("a"));
        Assert.Equal(put.Version, delete.Version);
        Assert.Equal("e", delete.ETag);
        Assert.Null(await HeadAsync("a"));
    }

    [Fact]
    public async Task A_refused_order_answers_the_same_when_it_would_be_let_in_by_now()
    {
        CommitOrder delete = Delete("a");
        CommitAnswer nothing = await RefusedAsync(ErrorKind.NotFound, delete);
        CommitOrder put = Put("a") with { If = new Precondition { IfMatch = "*" } };
        CommitAnswer failed = await RefusedAsync(ErrorKind.PreconditionFailed, put);
        await AppliedAsync(Put("a"));
        Assert.Equal(nothing, await Catalog.CommitAsync(delete, Cancel));
        Assert.Equal(failed, await Catalog.CommitAsync(put, Cancel));
        Assert.NotNull(await HeadAsync("a"));
    }

    [Fact]
    public async Task If_match_compares_with_the_current_etag()
    {
        await RefusedAsync(ErrorKind.PreconditionFailed, Put("a") with { If = new() { IfMatch = "*" } });
        await RefusedAsync(ErrorKind.PreconditionFailed, Put("a") with { If = new() { IfMatch = "1" } });
        await AppliedAsync(Put("a", etag: "1"));
        await RefusedAsync(ErrorKind.PreconditionFailed, Put("a") with { If = new() { IfMatch = "2" } });
        await AppliedAsync(Put("a", etag: "2") with { If = new() { IfMatch = "1" } });
        await AppliedAsync(Put("a", etag: "3") with { If = new() { IfMatch = "*" } });
        await RefusedAsync(ErrorKind.PreconditionFailed, Delete("a") with { If = new() { IfMatch = "2" } });
        await AppliedAsync(Delete("a") with { If = new() { IfMatch = "3" } });
        await RefusedAsync(ErrorKind.PreconditionFailed, Delete("a") with { If = new() { IfMatch = "*" } });
    }

    [Fact]
    public async Task If_none_match_compares_with_the_current_etag()
    {
        await AppliedAsync(Put("a", etag: "1") with { If = new() { IfNoneMatch = "*" } });
        await RefusedAsync(ErrorKind.PreconditionFailed, Put("a") with { If = new() { IfNoneMatch = "*" } });
        await RefusedAsync(ErrorKind.PreconditionFailed, Put("a") with { If = new() { IfNoneMatch = "1" } });
        await AppliedAsync(Put("a", etag: "2") with { If = new() { IfNoneMatch = "2" } });
        await AppliedAsync(Put("b", etag: "2") with { If = new() { IfNoneMatch = "2" } });
        Precondition both = new() { IfMatch = "2", IfNoneMatch = "2" };
        await RefusedAsync(ErrorKind.PreconditionFailed, Put("a") with { If = both });
    }

    [Fact]
    public async Task A_vault_that_is_no_more_takes_nothing_and_shows_nothing()
    {
        VaultId gone = VaultId.New(Entropy);
        CommitOrder put = Put("a") with { Vault = gone };
        await RefusedAsync(ErrorKind.NotFound, put);
        await RefusedAsync(ErrorKind.NotFound, Delete("a") with { Vault = gone });
        await ThrowsAsync(ErrorKind.NotFound, () => Catalog.HeadAsync(gone, ["a"], Cancel));
        await ThrowsAsync(
            ErrorKind.NotFound, () => Catalog.ListAsync(new ListQuery { Vault = gone, Max = 1 }, Cancel));
        await ThrowsAsync(
            ErrorKind.NotFound, () => Catalog.OpenContentAsync(NewContent(), gone, Now, Cancel));
        Assert.Contains(await DeadAsync(), d => d.Content == put.Content && d.Vault == gone && !d.EverLived);
    }

    [Fact]
    public async Task Keys_of_one_name_in_two_vaults_are_two()
    {
        VaultId other = VaultId.New(Entropy);
        await Catalog.AddVaultAsync(new VaultEntry("other", other, new ClassId(1)), Cancel);
        await AppliedAsync(Put("a"));
        Assert.Null(Assert.Single(await Catalog.HeadAsync(other, ["a"], Cancel)));
        await AppliedAsync(Put("a") with { Vault = other, If = new() { IfNoneMatch = "*" } });
    }

    [Fact]
    public async Task A_content_older_than_the_catalog_remembers_is_refused_unless_it_has_a_row()
    {
        await AppliedAsync(Put("edge", NewContent(new Tick(Now.Value - 1439))));
        var old = new Tick(Now.Value - 1440);
        await RefusedAsync(ErrorKind.InvalidArgument, Put("a", NewContent(old)));
        await RefusedAsync(ErrorKind.InvalidArgument, Delete("edge", NewContent(old)));
        Assert.False(await Catalog.OpenContentAsync(NewContent(old), Vault, Now, Cancel));

        ContentId opened = NewContent(old);
        Assert.True(await Catalog.OpenContentAsync(opened, Vault, old, Cancel));
        await AppliedAsync(Put("a", opened));
    }

    [Fact]
    public async Task What_was_forgotten_when_it_was_due_is_not_done_a_second_time()
    {
        CommitOrder put = Put("a"), delete = Delete("a");
        await AppliedAsync(put);
        await AppliedAsync(delete);
        await Catalog.ForgetAsync([put.Content, delete.Content], Cancel);
        var due = new Tick(Now.Value + 1440);
        await RefusedAsync(ErrorKind.InvalidArgument, put with { Now = due });
        await RefusedAsync(ErrorKind.InvalidArgument, delete with { Now = due });
    }

    [Fact]
    public async Task A_silo_that_says_an_old_tick_is_held_to_the_catalogs()
    {
        for (uint tick = 0; tick < 3; tick++)
        {
            await Catalog.RaiseTickAsync(new Tick(tick), Cancel);
        }

        ContentId content = NewContent(new Tick(0));
        CommitAnswer put = await AppliedAsync(Put("a", content) with { Now = new Tick(1) });
        Assert.Equal(3L << 20, put.Seq);
        await AppliedAsync(Delete("a", NewContent(new Tick(1))) with { Now = new Tick(1) });
        Assert.All(await DeadAsync(), dead => Assert.Equal(new Tick(3), dead.Died));
    }

    [Fact]
    public async Task Seq_rises_with_every_change_of_a_key_and_with_the_tick()
    {
        long expected = (long)Now.Value << 20;
        Assert.Equal(expected, (await AppliedAsync(Put("a"))).Seq);
        Assert.Equal(expected + 1, (await AppliedAsync(Put("a"))).Seq);
        Assert.Equal(expected + 2, (await AppliedAsync(Put("a") with { Now = new Tick(7) })).Seq);
        Assert.Equal(expected, (await AppliedAsync(Put("b"))).Seq);
        CommitOrder later = Put("a") with { Now = new Tick(Now.Value + 1) };
        Assert.Equal((long)(Now.Value + 1) << 20, (await AppliedAsync(later)).Seq);
    }

    [Fact]
    public async Task Seq_does_not_go_back_when_the_row_that_held_it_went()
    {
        long last = 0;
        for (int i = 0; i < 3; i++)
        {
            foreach (CommitOrder order in new[] { Put("a"), Put("a"), Delete("a") })
            {
                long seq = (await AppliedAsync(order)).Seq;
                Assert.True(seq > last, $"{seq} after {last}");
                last = seq;
            }

            await ReopenAsync();
        }
    }

    [Fact]
    public async Task What_is_no_key_no_manifest_or_no_etag_is_refused_before_it_is_queued()
    {
        CommitOrder put = Put("a");
        CommitOrder[] none =
        [
            put with { Key = "" },
            put with { Manifest = [9, 9] },
            put with { ETag = "*" },
            put with { ETag = "" },
            put with { Pages = [(-1, [])] },
        ];
        foreach (CommitOrder order in none)
        {
            await ThrowsAsync(ErrorKind.InvalidArgument, () => Catalog.CommitAsync(order, Cancel));
        }

        await AppliedAsync(put);
    }

    [Fact]
    public async Task Of_many_orders_at_once_a_refusal_refuses_itself_alone()
    {
        await AppliedAsync(Put("taken"));
        var orders = Enumerable.Range(0, 200)
            .Select(i => i % 3 == 0
                ? Put("taken") with { If = new() { IfNoneMatch = "*" } }
                : Put($"key {i % 100}"))
            .ToList();
        CommitAnswer[] answers = await Task.WhenAll(orders.Select(o => Catalog.CommitAsync(o, Cancel)));
        Assert.Equal(
            orders.Select(o => o.Key == "taken" ? ErrorKind.PreconditionFailed : ErrorKind.None),
            answers.Select(a => a.Kind));
        var applied = orders.Zip(answers).Where(x => x.First.Key != "taken");
        foreach (var ofKey in applied.GroupBy(x => x.First.Key))
        {
            Assert.Equal(ofKey.Count(), ofKey.Select(x => x.Second.Seq).Distinct().Count());
            Assert.Equal(ofKey.Max(x => x.Second.Seq), (await HeadAsync(ofKey.Key))!.Seq);
        }
    }

    [Fact]
    public async Task All_of_it_is_there_after_a_restart()
    {
        CommitOrder put = Put("a", etag: "e");
        CommitAnswer answer = await AppliedAsync(put);
        ContentId open = NewContent();
        await Catalog.OpenContentAsync(open, Vault, Now, Cancel);
        await Catalog.WritePageAsync(open, 3, [1, 2, 3], Now, Cancel);
        FabricState fabric = await Catalog.ReadFabricAsync(Cancel);
        CatalogCounts counts = await Catalog.CountAsync(Cancel);
        await ReopenAsync();
        Assert.Equal(answer, await Catalog.CommitAsync(put, Cancel));
        Assert.Equal("e", (await HeadAsync("a"))!.ETag);
        Assert.Equal([1, 2, 3], await Catalog.ReadPageAsync(open, 3, Cancel));
        Assert.Equal(fabric, await Catalog.ReadFabricAsync(Cancel));
        Assert.Equal(counts, await Catalog.CountAsync(Cancel));
        Assert.NotNull(await Catalog.FindVaultAsync("vault", Cancel));
    }
}
