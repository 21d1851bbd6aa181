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
}
