using System.Collections.Concurrent;
using ZeroStor.Catalog;

namespace ZeroStor.Tests.Catalog;

public abstract partial class CatalogTests
{
    [Fact]
    public async Task Where_versions_are_kept_an_overwritten_one_lives_until_it_is_deleted_by_its_name()
    {
        Assert.True(await Catalog.SetVersioningAsync(Vault, Versioning.On, Cancel));
        CommitOrder first = Put("a");
        CommitOrder second = Put("a");
        CommitAnswer one = await AppliedAsync(first);
        await AppliedAsync(second);
        Assert.Empty(await DeadAsync());
        Assert.Equal(new CatalogCounts(2, 0, 2, 0), await Catalog.CountAsync(Cancel));
        VersionRow former = (await Catalog.FindVersionAsync(Vault, "a", one.Version, Cancel))!;
        Assert.Equal((one.Version, one.Seq, one.ETag, true), (former.Version, former.Seq, former.ETag, former.IsKept));
        Assert.Equal(first.Manifest, former.Manifest);
        Assert.Equal(second.Manifest, (await HeadAsync("a"))!.Manifest);
        CommitOrder delete = Delete("a") with { Version = one.Version };
        CommitAnswer gone = await AppliedAsync(delete);
        Assert.Equal((one.Version, false), (gone.Version, gone.IsMark));
        Assert.Equal(gone, await Catalog.CommitAsync(delete, Cancel));
        Assert.Equal(first.Content, (await DeadAsync()).Single(d => d.EverLived).Content);
        await RefusedAsync(ErrorKind.NotFound, Delete("a") with { Version = one.Version });
        Assert.NotNull(await HeadAsync("a"));
    }

    [Fact]
    public async Task The_mark_of_a_delete_hides_the_key_and_without_it_the_key_is_back()
    {
        await Catalog.SetVersioningAsync(Vault, Versioning.On, Cancel);
        CommitAnswer put = await AppliedAsync(Put("a"));
        CommitOrder delete = Delete("a");
        CommitAnswer mark = await AppliedAsync(delete);
        Assert.True(mark.IsMark);
        Assert.NotEqual(put.Version, mark.Version);
        Assert.Equal(mark, await Catalog.CommitAsync(delete, Cancel));
        Assert.Null(await HeadAsync("a"));
        Assert.Empty((await Catalog.ListAsync(new ListQuery { Vault = Vault, Max = 10 }, Cancel)).Versions);
        Assert.True((await Catalog.FindVersionAsync(Vault, "a", mark.Version, Cancel))!.IsMark);

        // A mark is no version: conditions find none.
        await RefusedAsync(ErrorKind.PreconditionFailed, Put("a") with { If = new() { IfMatch = "*" } });
        CommitAnswer again = await AppliedAsync(Delete("never"));
        Assert.True(again.IsMark);
        VersionListing all = await Catalog.ListVersionsAsync(new VersionQuery { Vault = Vault, Max = 10 }, Cancel);
        Assert.Equal(
            [("a", true, true), ("a", false, false), ("never", true, true)],
            all.Versions.Select(v => (v.Row.Key, v.Row.IsMark, v.IsLatest)));
        CommitAnswer removed = await AppliedAsync(Delete("a") with { Version = mark.Version });
        Assert.Equal((mark.Version, true), (removed.Version, removed.IsMark));
        VersionRow head = (await HeadAsync("a"))!;
        Assert.Equal((put.Version, put.Seq), (head.Version, head.Seq));
        Assert.True((await AppliedAsync(Put("a"))).Seq > removed.Seq);
    }

    [Fact]
    public async Task Without_the_latest_version_the_one_before_has_the_key_and_seq_does_not_go_back()
    {
        await Catalog.SetVersioningAsync(Vault, Versioning.On, Cancel);
        CommitAnswer[] puts = [await AppliedAsync(Put("a")), await AppliedAsync(Put("a")), await AppliedAsync(Put("a"))];
        CommitAnswer removed = await AppliedAsync(Delete("a") with { Version = puts[2].Version });
        Assert.True(removed.Seq > puts[2].Seq);
        Assert.Equal(puts[1].Version, (await HeadAsync("a"))!.Version);
        await AppliedAsync(Delete("a") with { Version = puts[0].Version });
        Assert.Equal(puts[1].Version, (await HeadAsync("a"))!.Version);
        await ReopenAsync();
        Assert.True((await AppliedAsync(Put("a"))).Seq > removed.Seq);
        await RefusedAsync(
            ErrorKind.PreconditionFailed,
            Delete("a") with { Version = puts[1].Version, If = new() { IfMatch = "other" } });
        await AppliedAsync(Delete("a") with { Version = puts[1].Version, If = new() { IfMatch = puts[1].ETag } });
    }

    [Fact]
    public async Task While_versioning_is_suspended_a_key_has_one_null_version_before_what_was_kept()
    {
        CommitOrder before = Put("a");
        await AppliedAsync(before);
        await Catalog.SetVersioningAsync(Vault, Versioning.On, Cancel);
        CommitAnswer kept = await AppliedAsync(Put("a"));
        Assert.Equal(before.Manifest, (await Catalog.FindVersionAsync(Vault, "a", VersionId.Null, Cancel))!.Manifest);
        await Catalog.SetVersioningAsync(Vault, Versioning.Suspended, Cancel);
        CommitOrder suspended = Put("a");
        await AppliedAsync(suspended);
        Assert.Equal(before.Content, (await DeadAsync()).Single(d => d.EverLived).Content);
        Assert.NotNull(await Catalog.FindVersionAsync(Vault, "a", kept.Version, Cancel));
        CommitAnswer mark = await AppliedAsync(Delete("a"));
        Assert.True(mark.IsMark);
        Assert.Contains(await DeadAsync(), d => d.Content == suspended.Content && d.EverLived);
        Assert.Equal(mark.Version, (await Catalog.FindVersionAsync(Vault, "a", VersionId.Null, Cancel))!.Version);
        await AppliedAsync(Delete("a") with { Version = VersionId.Null });
        Assert.Equal(kept.Version, (await HeadAsync("a"))!.Version);
        Assert.False(await Catalog.SetVersioningAsync(Vault, Versioning.Off, Cancel));
        Assert.Equal(Versioning.Suspended, (await Catalog.FindVaultAsync("vault", Cancel))!.Versioning);
        Assert.False(await Catalog.SetVersioningAsync(VaultId.New(Entropy), Versioning.On, Cancel));
    }

    [Fact]
    public async Task A_vault_is_removed_when_neither_versions_nor_marks_are_left()
    {
        await Catalog.SetVersioningAsync(Vault, Versioning.On, Cancel);
        await Catalog.WriteSettingsAsync(Vault, "s3", null, [1], Cancel);
        CommitAnswer put = await AppliedAsync(Put("a"));
        CommitAnswer mark = await AppliedAsync(Delete("a"));
        Assert.False(await Catalog.RemoveVaultAsync(Vault, Cancel));
        await AppliedAsync(Delete("a") with { Version = put.Version });
        Assert.False(await Catalog.RemoveVaultAsync(Vault, Cancel));
        await AppliedAsync(Delete("a") with { Version = mark.Version });
        Assert.True(await Catalog.RemoveVaultAsync(Vault, Cancel));
        await ThrowsAsync(ErrorKind.NotFound, () => Catalog.ReadSettingsAsync(Vault, "s3", Cancel));
        Assert.Empty(await RunAsync("SELECT etag FROM vault_settings"));
        await ThrowsAsync(
            ErrorKind.NotFound,
            () => Catalog.ListVersionsAsync(new VersionQuery { Vault = Vault, Max = 1 }, Cancel));
        await ThrowsAsync(ErrorKind.NotFound, () => Catalog.FindVersionAsync(Vault, "a", put.Version, Cancel));
    }

    [Fact]
    public async Task Tags_change_without_a_version_and_go_where_it_goes()
    {
        await Catalog.SetVersioningAsync(Vault, Versioning.On, Cancel);
        byte[] blue = Tags.Encode(Tags.None.Add("colour", "blue"));
        byte[] red = Tags.Encode(Tags.None.Add("colour", "red"));
        CommitAnswer put = await AppliedAsync(Put("a") with { Tags = blue });
        Assert.Equal(blue, (await HeadAsync("a"))!.Tags);
        var order = new TagOrder { Vault = Vault, Key = "a", Tags = red, Was = blue };
        Assert.Equal(put, await Catalog.SetTagsAsync(order, Cancel));
        Assert.Equal(put, await Catalog.SetTagsAsync(order, Cancel));
        CommitAnswer late = await Catalog.SetTagsAsync(order with { Tags = [], Was = blue }, Cancel);
        Assert.Equal(ErrorKind.PreconditionFailed, late.Kind);
        CommitAnswer next = await AppliedAsync(Put("a"));
        Assert.Empty((await HeadAsync("a"))!.Tags);
        Assert.Equal(red, (await Catalog.FindVersionAsync(Vault, "a", put.Version, Cancel))!.Tags);
        await Catalog.SetTagsAsync(order with { Version = put.Version, Tags = blue, Was = null }, Cancel);
        await AppliedAsync(Delete("a") with { Version = next.Version });
        VersionRow head = (await HeadAsync("a"))!;
        Assert.Equal((put.Version, put.Seq), (head.Version, head.Seq));
        Assert.Equal(blue, head.Tags);
        CommitAnswer mark = await AppliedAsync(Delete("a"));
        foreach (TagOrder none in new[] { order, order with { Version = mark.Version }, order with { Key = "b" } })
        {
            Assert.Equal(ErrorKind.NotFound, (await Catalog.SetTagsAsync(none, Cancel)).Kind);
        }

        await ThrowsAsync(
            ErrorKind.InvalidArgument, () => Catalog.SetTagsAsync(order with { Tags = [1, 2] }, Cancel));
        await ThrowsAsync(ErrorKind.InvalidArgument, () => Catalog.CommitAsync(Put("a") with { Tags = [9] }, Cancel));
        Assert.Empty(await DeadOfAsync(put));
    }

    [Fact]
    public async Task Settings_of_a_front_end_are_compared_and_set_by_their_etag()
    {
        Assert.Null(await Catalog.ReadSettingsAsync(Vault, "s3", Cancel));
        VaultSettings first = (await Catalog.WriteSettingsAsync(Vault, "s3", null, [1], Cancel))!;
        Assert.Equal([1], first.Bytes);

        // Who thinks that there are none, or others, is told what stands; who said it before is told that it
        // does.
        Assert.Equal(first.ETag, (await Catalog.WriteSettingsAsync(Vault, "s3", null, [2], Cancel))!.ETag);
        Assert.Equal(first.ETag, (await Catalog.WriteSettingsAsync(Vault, "s3", "other", [2], Cancel))!.ETag);
        VaultSettings second = (await Catalog.WriteSettingsAsync(Vault, "s3", first.ETag, [2], Cancel))!;
        Assert.Equal([2], second.Bytes);
        Assert.Equal(second.ETag, (await Catalog.WriteSettingsAsync(Vault, "s3", first.ETag, [2], Cancel))!.ETag);
        Assert.Null(await Catalog.ReadSettingsAsync(Vault, "files", Cancel));
        await ReopenAsync();
        Assert.Equal([2], (await Catalog.ReadSettingsAsync(Vault, "s3", Cancel))!.Bytes);
        Assert.NotNull(await Catalog.WriteSettingsAsync(Vault, "s3", first.ETag, null, Cancel));
        Assert.Null(await Catalog.WriteSettingsAsync(Vault, "s3", second.ETag, null, Cancel));
        await ThrowsAsync(
            ErrorKind.InvalidArgument,
            () => Catalog.WriteSettingsAsync(Vault, "s3", null, new byte[VaultSettings.MaxBytes + 1], Cancel));
    }

    [Fact]
    public async Task A_vault_tells_when_it_was_made_and_what_it_keeps()
    {
        var made = new VaultEntry("kept", VaultId.New(Entropy), new ClassId(1))
        {
            Versioning = Versioning.On, Created = DateTimeOffset.FromUnixTimeMilliseconds(1_790_000_000_123),
        };
        await Catalog.AddVaultAsync(made, Cancel);
        Assert.Equal(made, await Catalog.FindVaultAsync("kept", Cancel));
        Assert.Contains(made, await Catalog.ListVaultsAsync(Cancel));
        Assert.Null((await Catalog.FindVaultAsync("vault", Cancel))!.Created);
    }

    [Fact]
    public async Task Keys_are_listed_alike_however_many_versions_they_had()
    {
        await Catalog.SetVersioningAsync(Vault, Versioning.On, Cancel);
        await AppliedAsync(Put("a"));
        await AppliedAsync(Put("c"));
        for (int i = 0; i < 1_300; i++)
        {
            await Catalog.CommitAsync(i % 10 == 9 ? Delete("b") : Put("b"), Cancel);
        }

        await AppliedAsync(Put("b"));
        Listing listing = await Catalog.ListAsync(new ListQuery { Vault = Vault, Max = 3 }, Cancel);
        Assert.Equal(["a", "b", "c"], listing.Versions.Select(v => v.Key));
        Assert.Equal([3L], await RunAsync("SELECT count(*) FROM versions"));

        // Also where a chunk of rows ends within the key.
        VersionListing all = await Catalog.ListVersionsAsync(new VersionQuery { Vault = Vault, Max = 10_000 }, Cancel);
        Assert.Equal(1_303, all.Versions.Length);
        Assert.Equal(130, all.Versions.Count(v => v.Row.IsMark));
        Assert.Equal(3, all.Versions.Count(v => v.IsLatest));
        Assert.Equal(
            all.Versions.OrderBy(v => v.Row.Key, StringComparer.Ordinal).ThenByDescending(v => v.Row.Seq),
            all.Versions);
    }

    [Fact]
    public async Task What_many_do_to_the_versions_of_a_key_at_once_is_one_after_the_other()
    {
        await using SqlCatalog second = await OpenAsync();
        await Catalog.SetVersioningAsync(Vault, Versioning.On, Cancel);
        var made = new ConcurrentDictionary<VersionId, CommitAnswer>();
        await Task.WhenAll(Enumerable.Range(0, 6).Select(async worker =>
        {
            SqlCatalog mine = worker % 2 == 0 ? Catalog : second;
            for (int step = 0; step < 20; step++)
            {
                CommitAnswer answer = await mine.CommitAsync(step % 4 == 3 ? Delete("a") : Put("a"), Cancel);
                Assert.Equal(ErrorKind.None, answer.Kind);
                made[answer.Version] = answer;
                if (step % 5 == 4 && made.TryRemove(made.Keys.FirstOrDefault(), out CommitAnswer? gone))
                {
                    CommitAnswer removed = await mine.CommitAsync(Delete("a") with { Version = gone.Version }, Cancel);
                    Assert.Equal((ErrorKind.None, gone.Version), (removed.Kind, removed.Version));
                }
            }
        }));
        VersionListing all = await Catalog.ListVersionsAsync(new VersionQuery { Vault = Vault, Max = 1_000 }, Cancel);
        Assert.Equal(
            made.Values.OrderByDescending(a => a.Seq).Select(a => a.Version), all.Versions.Select(v => v.Row.Version));
        CommitAnswer last = made.Values.MaxBy(a => a.Seq)!;
        Assert.Equal(last.IsMark ? null : last.Version, (await HeadAsync("a"))?.Version);
        CatalogCounts counts = await Catalog.CountAsync(Cancel);
        Assert.Equal(counts.Versions, counts.LiveContents);
        Assert.Equal(made.Values.Count(a => !a.IsMark), counts.Versions);
    }

    [Fact]
    public async Task What_is_put_after_versions_are_kept_loses_nothing_whatever_another_silo_knew()
    {
        await using SqlCatalog second = await OpenAsync();
        for (int round = 0; round < 15; round++)
        {
            VaultId vault = VaultId.New(Entropy);
            await Catalog.AddVaultAsync(new VaultEntry($"vault-{round}", vault, new ClassId(1)), Cancel);
            await AppliedAsync(Put("a") with { Vault = vault });
            Task<CommitAnswer> during = second.CommitAsync(Put("a") with { Vault = vault }, Cancel);
            Assert.True(await Catalog.SetVersioningAsync(vault, Versioning.On, Cancel));
            await second.CommitAsync(Put("a") with { Vault = vault }, Cancel);
            CommitAnswer raced = await during;
            await second.CommitAsync(Put("a") with { Vault = vault }, Cancel);
            VersionListing all = await Catalog.ListVersionsAsync(new VersionQuery { Vault = vault, Max = 10 }, Cancel);
            Assert.InRange(all.Versions.Length, 3, 4);
            Assert.Contains(all.Versions, v => v.Row.Version == raced.Version);
        }
    }

    private async Task<DeadContent[]> DeadOfAsync(CommitAnswer put)
    {
        VersionRow row = (await Catalog.FindVersionAsync(Vault, "a", put.Version, Cancel))!;
        ContentId content = Manifest.Decode(row.Manifest).Contents[0].Id;
        return [.. (await DeadAsync()).Where(d => d.Content == content)];
    }
}
