using System.Collections.Concurrent;
using System.Globalization;
using ZeroStor.Catalog;

namespace ZeroStor.Tests.Catalog;

// Two catalogs on one database, as two silos have, or two activations of a grain: what is right must rest on
// the database alone.
public abstract partial class CatalogTests
{
    [Fact]
    public async Task Of_many_that_make_a_key_exactly_one_wins()
    {
        await using SqlCatalog second = await OpenAsync();
        for (int round = 0; round < 20; round++)
        {
            string key = $"round {round}";
            CommitAnswer[] answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i =>
                (i % 2 == 0 ? Catalog : second).CommitAsync(
                    Put(key) with { If = new() { IfNoneMatch = "*" } }, Cancel)));
            CommitAnswer winner = Assert.Single(answers, a => a.Kind == ErrorKind.None);
            Assert.Equal(7, answers.Count(a => a.Kind == ErrorKind.PreconditionFailed));
            Assert.Equal(winner.Version, (await HeadAsync(key))!.Version);
        }
    }

    [Fact]
    public async Task A_counter_kept_by_compare_and_set_loses_no_step()
    {
        const int workers = 6;
        const int steps = 20;
        await using SqlCatalog second = await OpenAsync();
        await AppliedAsync(Put("counter", etag: "0"));
        var history = new ConcurrentBag<(int Value, long Seq)>();
        await Task.WhenAll(Enumerable.Range(0, workers).Select(async worker =>
        {
            (SqlCatalog mine, SqlCatalog others) = worker % 2 == 0 ? (Catalog, second) : (second, Catalog);
            for (int step = 0; step < steps;)
            {
                VersionRow head = (await mine.HeadAsync(Vault, ["counter"], Cancel))[0]!;
                int value = int.Parse(head.ETag, CultureInfo.InvariantCulture) + 1;
                CommitOrder order = Put("counter", etag: value.ToString(CultureInfo.InvariantCulture));
                CommitAnswer answer = await mine.CommitAsync(
                    order with { If = new() { IfMatch = head.ETag } }, Cancel);
                if (answer.Kind == ErrorKind.None)
                {
                    step++;
                    history.Add((value, answer.Seq));

                    // Whoever looks from now on, wherever, sees this step or a later one.
                    VersionRow seen = (await others.HeadAsync(Vault, ["counter"], Cancel))[0]!;
                    Assert.True(seen.Seq >= answer.Seq);
                }
            }
        }));
        Assert.Equal(Enumerable.Range(1, workers * steps), history.OrderBy(h => h.Seq).Select(h => h.Value));
        Assert.Equal(workers * steps, history.Select(h => h.Seq).Distinct().Count());
    }

    [Fact]
    public async Task An_order_said_many_times_at_once_is_applied_once()
    {
        await using SqlCatalog second = await OpenAsync();
        for (int round = 0; round < 10; round++)
        {
            CommitOrder put = Put("a");
            CommitOrder delete = Delete("a");
            foreach (CommitOrder order in new[] { put, delete })
            {
                CommitAnswer[] answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(
                    i => (i % 2 == 0 ? Catalog : second).CommitAsync(order, Cancel)));
                Assert.Equal(ErrorKind.None, answers[0].Kind);
                Assert.Single(answers.Distinct());
            }

            Assert.Single(await DeadAsync(), d => d.Content == put.Content);
        }

        Assert.Equal(new CatalogCounts(0, 0, 0, 20), await Catalog.CountAsync(Cancel));
    }

    [Fact]
    public async Task A_copy_that_races_with_the_death_of_what_it_names_saves_it_or_is_refused()
    {
        await using SqlCatalog second = await OpenAsync();
        for (int round = 0; round < 20; round++)
        {
            CommitOrder source = Put("source");
            await AppliedAsync(source);
            CommitOrder copy = Copy("copy", source.Content);
            Task<CommitAnswer> copying = second.CommitAsync(copy, Cancel);
            Task<CommitAnswer> deleting = Catalog.CommitAsync(Delete("source"), Cancel);
            CommitAnswer[] answers = await Task.WhenAll(copying, deleting);
            Assert.Equal(ErrorKind.None, answers[1].Kind);
            bool died = (await DeadAsync()).Any(d => d.Content == source.Content);
            Assert.Equal(answers[0].Kind, died ? ErrorKind.NotFound : ErrorKind.None);
            Assert.Equal(died, await HeadAsync("copy") is null);
            await Catalog.CommitAsync(Delete("copy"), Cancel);
        }
    }

    [Fact]
    public async Task A_vault_is_removed_or_put_into_never_both()
    {
        await using SqlCatalog second = await OpenAsync();
        for (int round = 0; round < 20; round++)
        {
            VaultId vault = VaultId.New(Entropy);
            await Catalog.AddVaultAsync(new VaultEntry($"vault-{round}", vault, new ClassId(1)), Cancel);
            Task<bool> removing = second.RemoveVaultAsync(vault, Cancel);
            CommitAnswer put = await Catalog.CommitAsync(Put("a") with { Vault = vault }, Cancel);
            Assert.Equal(await removing ? ErrorKind.NotFound : ErrorKind.None, put.Kind);
        }
    }

    [Fact]
    public async Task A_content_is_committed_or_condemned_never_both()
    {
        await using SqlCatalog second = await OpenAsync();
        for (int round = 0; round < 20; round++)
        {
            CommitOrder put = Put($"key {round}");
            Task condemning = second.CondemnAsync(Vault, [put.Content], Now, Cancel);
            CommitAnswer answer = await Catalog.CommitAsync(put, Cancel);
            await condemning;
            bool died = (await DeadAsync()).Any(d => d.Content == put.Content);
            Assert.Equal(answer.Kind, died ? ErrorKind.PreconditionFailed : ErrorKind.None);
            Assert.Equal(died, await HeadAsync(put.Key) is null);
        }
    }

    [Fact]
    public async Task An_open_content_is_committed_or_found_idle_never_both()
    {
        await using SqlCatalog second = await OpenAsync();
        for (int round = 0; round < 20; round++)
        {
            CommitOrder put = Put($"key {round}");
            await Catalog.OpenContentAsync(put.Content, Vault, Now, Cancel);
            Task<int> condemning = second.CondemnIdleAsync(new Tick(Now.Value + 1), Now, Cancel);
            CommitAnswer answer = await Catalog.CommitAsync(put, Cancel);
            Assert.Equal(await condemning == 1 ? ErrorKind.PreconditionFailed : ErrorKind.None, answer.Kind);
            Assert.Equal(answer.Kind == ErrorKind.None, await HeadAsync(put.Key) is not null);
        }
    }

    [Fact]
    public async Task What_is_condemned_is_dead_whoever_opens_it_meanwhile()
    {
        await using SqlCatalog second = await OpenAsync();
        for (int round = 0; round < 20; round++)
        {
            ContentId content = NewContent();
            Task<bool> opening = second.OpenContentAsync(content, Vault, Now, Cancel);
            Task<bool> paging = second.WritePageAsync(content, 0, [1], Now, Cancel);
            await Catalog.CondemnAsync(Vault, [content], Now, Cancel);
            await Task.WhenAll(opening, paging);
            Assert.Equal(ContentState.Dead, Assert.Single(await Catalog.StatesAsync([content], Cancel)));
            Assert.False(await second.OpenContentAsync(content, Vault, Now, Cancel));
        }
    }

    [Fact]
    public async Task Of_two_first_versions_of_a_key_the_later_one_stands_alone()
    {
        await using SqlCatalog second = await OpenAsync();
        for (int round = 0; round < 30; round++)
        {
            // Silos whose ticks differ: so their counters do not even meet.
            CommitOrder one = Put($"key {round}");
            CommitOrder other = Put(one.Key) with { Now = new Tick(Now.Value + (uint)(round % 2)) };
            CommitAnswer[] answers = await Task.WhenAll(
                Catalog.CommitAsync(one, Cancel), second.CommitAsync(other, Cancel));
            Assert.All(answers, answer => Assert.Equal(ErrorKind.None, answer.Kind));
            Assert.NotEqual(answers[0].Seq, answers[1].Seq);
            VersionRow head = (await HeadAsync(one.Key))!;
            Assert.Equal(answers.MaxBy(a => a.Seq)!.Version, head.Version);
            Assert.Equal(
                [ContentState.Dead, ContentState.Live],
                (await Catalog.StatesAsync([one.Content, other.Content], Cancel)).OrderDescending());
        }

        Assert.Equal(30, (await Catalog.CountAsync(Cancel)).Versions);
    }

    [Fact]
    public async Task A_key_that_comes_and_goes_while_the_tick_rises_has_each_seq_once()
    {
        await using SqlCatalog second = await OpenAsync();
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        Task ticking = Task.Run(
            async () =>
            {
                for (Tick tick = default; tick.Value < 1_000 && !enough.IsCancellationRequested;)
                {
                    tick = await second.RaiseTickAsync(tick, Cancel);
                }
            },
            Cancel);
        var applied = new ConcurrentBag<(CommitKind Kind, CommitAnswer Answer)>();
        await Task.WhenAll(Enumerable.Range(0, 6).Select(async worker =>
        {
            SqlCatalog mine = worker % 2 == 0 ? Catalog : second;
            for (int step = 0; step < 25; step++)
            {
                CommitOrder order = (step + worker) % 2 == 0
                    ? Put("a", NewContent(default)) with { Now = default }
                    : Delete("a", NewContent(default)) with { Now = default };
                CommitAnswer answer = await mine.CommitAsync(order, Cancel);
                if (answer.Kind == ErrorKind.None)
                {
                    applied.Add((order.Kind, answer));
                }
            }
        }));
        await enough.CancelAsync();
        await ticking;
        Assert.Equal(applied.Count, applied.Select(a => a.Answer.Seq).Distinct().Count());
        (CommitKind lastKind, CommitAnswer last) = applied.MaxBy(a => a.Answer.Seq);
        Assert.Equal(lastKind == CommitKind.Put ? last.Version : null, (await HeadAsync("a"))?.Version);
        CatalogCounts counts = await Catalog.CountAsync(Cancel);
        Assert.Equal(lastKind == CommitKind.Put ? 1 : 0, counts.Versions);
        Assert.Equal(counts.Versions, counts.LiveContents);
    }

    [Fact]
    public async Task Names_are_counted_whoever_gives_and_takes_them()
    {
        const int workers = 6;
        const int copies = 15;
        await using SqlCatalog second = await OpenAsync();
        CommitOrder source = Put("source");
        await AppliedAsync(source);
        await Task.WhenAll(Enumerable.Range(0, workers).Select(async worker =>
        {
            SqlCatalog mine = worker % 2 == 0 ? Catalog : second;
            for (int i = 0; i < copies; i++)
            {
                CommitOrder copy = Copy($"copy {worker} {i}", source.Content);
                Assert.Equal(ErrorKind.None, (await mine.CommitAsync(copy, Cancel)).Kind);
                if (i % 3 == 0)
                {
                    Assert.Equal(ErrorKind.None, (await mine.CommitAsync(Delete(copy.Key), Cancel)).Kind);
                }
            }
        }));
        const int left = workers * (copies - (copies / 3));
        Assert.Equal([left + 1L], await RunAsync("SELECT names FROM contents WHERE state = 1"));
        await AppliedAsync(Delete("source"));
        Listing rest = await Catalog.ListAsync(new ListQuery { Vault = Vault, Max = 1_000 }, Cancel);
        Assert.Equal(left, rest.Versions.Length);
        await Task.WhenAll(rest.Versions.Select(
            (v, i) => (i % 2 == 0 ? Catalog : second).CommitAsync(Delete(v.Key), Cancel)));
        Assert.Contains(await DeadAsync(), d => d.Content == source.Content && d.EverLived);
    }

    [Fact]
    public async Task Those_who_want_the_same_in_another_order_all_get_through()
    {
        await using SqlCatalog second = await OpenAsync();
        ContentId[] contents = [.. Enumerable.Range(0, 40).Select(_ => NewContent())];
        string[] keys = [.. Enumerable.Range(0, 40).Select(i => $"key {i}")];
        IEnumerable<Task> calls = Enumerable.Range(0, 240).Select(i =>
        {
            (SqlCatalog mine, int at) = i % 2 == 0 ? (Catalog, i / 2 % 40) : (second, 39 - (i / 2 % 40));
            return (i % 3) switch
            {
                0 => mine.CommitAsync(Put(keys[at]), Cancel),
                1 => mine.OpenContentAsync(contents[at], Vault, Now, Cancel),
                _ => (Task)mine.CondemnAsync(Vault, [contents[at], contents[39 - at]], Now, Cancel),
            };
        });
        await Task.WhenAll(calls);
        Assert.Equal(40, (await Catalog.CountAsync(Cancel)).Versions);
    }

    [Fact]
    public async Task Of_many_that_make_a_vault_of_one_name_one_does()
    {
        await using SqlCatalog second = await OpenAsync();
        for (int round = 0; round < 10; round++)
        {
            VaultEntry[] entries =
            [
                .. Enumerable.Range(0, 6).Select(
                    _ => new VaultEntry($"vault-{round}", VaultId.New(Entropy), new ClassId(1))),
            ];
            bool[] made = await Task.WhenAll(entries.Select(
                (entry, i) => (i % 2 == 0 ? Catalog : second).AddVaultAsync(entry, Cancel)));
            Assert.Equal(
                entries[Assert.Single(Enumerable.Range(0, 6), i => made[i])],
                await second.FindVaultAsync($"vault-{round}", Cancel));
        }
    }
}
