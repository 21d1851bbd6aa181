using System.Buffers;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Tests.Client;

public sealed class VersionTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Many_deletes_are_one_call_and_each_is_answered_for_itself_even_when_it_is_asked_again()
    {
        var fake = new FakeFabric();
        bool isLost = false;
        fake.After = (_, method) =>
        {
            if (method == "delete-many" && !isLost)
            {
                isLost = true;
                throw new TimeoutException("lost");
            }
        };
        Vault vault = VaultOf(fake);
        await PutAsync(vault, "a");
        await PutAsync(vault, "b");
        DeleteItem[] items =
        [
            new("a"), new("none"), new("b") { If = new Precondition { IfMatch = "other" } },
        ];
        var outcomes = await vault.DeleteManyAsync(items, None);
        Assert.Equal(["a", "none", "b"], outcomes.Select(o => o.Key));
        Assert.Equal(
            [ErrorKind.None, ErrorKind.NotFound, ErrorKind.PreconditionFailed], outcomes.Select(o => o.Kind));
        Assert.Equal(2, fake.Count("delete-many"));
        Assert.Empty(await vault.DeleteManyAsync([], None));
        Assert.Equal(2, fake.Count("delete-many"));
        ZeroStorException refusal =
            await Assert.ThrowsAsync<ZeroStorException>(() => vault.DeleteAsync(items[2], None));
        Assert.Equal(ErrorKind.PreconditionFailed, refusal.Kind);
        Assert.Equal(ErrorKind.NotFound, (await vault.DeleteAsync(items[1], None)).Kind);
    }

    [Fact]
    public async Task Versions_are_listed_page_after_page_within_a_key_too()
    {
        var fake = new FakeFabric();
        for (int i = 0; i < 5; i++)
        {
            fake.History.Add(Info(i < 3 ? "a" : "b", i + 1, isMark: i == 2));
        }

        Vault vault = VaultOf(fake);
        VersionPage page = await vault.ListVersionsPageAsync(new ListVersionsOptions(), 2, None);
        Assert.Equal([(3L, true), (2L, false)], page.Entries.Select(e => (e.Seq, e.IsMark)));
        Assert.Equal(("a", 2L), (page.Next, page.NextSeq));
        page = await vault.ListVersionsPageAsync(
            new ListVersionsOptions { StartAfter = page.Next!, BeforeSeq = page.NextSeq }, 10, None);
        Assert.Equal([1L, 5, 4], page.Entries.Select(e => e.Seq));
        Assert.Equal(
            [3L, 2, 1, 5, 4], await vault.ListVersionsAsync(null, None).Select(e => e.Seq).ToListAsync(None));
    }

    [Fact]
    public async Task A_version_is_read_by_its_name_and_a_mark_is_known_but_not_read()
    {
        var fake = new FakeFabric();
        Vault vault = VaultOf(fake);
        ObjectVersion first = await PutAsync(vault, "a");
        fake.History.Add(Info("a", 9, isMark: true) with { Version = new VersionId(99) });
        Assert.Equal(first.Version, (await vault.HeadAsync("a", first.Version, None)).Version);
        await using ObjectStream read =
            await vault.OpenReadAsync("a", new ReadOptions { Version = first.Version }, None);
        Assert.Equal(3, read.Length);
        Assert.True((await vault.HeadAsync("a", new VersionId(99), None)).IsMark);
        foreach (Func<Task> call in (Func<Task>[])[
            () => vault.OpenReadAsync("a", new ReadOptions { Version = new VersionId(99) }, None),
            () => vault.HeadAsync("a", new VersionId(98), None),
            () => vault.HeadAsync("b", first.Version, None)])
        {
            Assert.Equal(ErrorKind.NotFound, (await Assert.ThrowsAsync<ZeroStorException>(call)).Kind);
        }
    }

    [Fact]
    public async Task Tags_come_with_a_put_and_a_copy_and_change_without_a_version()
    {
        var fake = new FakeFabric();
        Vault vault = VaultOf(fake);
        var tags = Tags.None.Add("colour", "blue");
        ObjectVersion put = await vault.PutAsync(
            "a", new ReadOnlySequence<byte>([1]), new PutOptions { Tags = tags, ContentType = "text/plain" }, None);
        Assert.Equal(tags, put.Tags);
        Assert.Equal(tags, (await vault.HeadAsync("a", None)).Tags);
        await vault.SetTagsAsync("a", Tags.None, cancel: None);
        ObjectVersion head = await vault.HeadAsync("a", None);
        Assert.Equal((put.Version, 0), (head.Version, head.Tags.Count));
        ObjectVersion copy = await vault.CopyAsync(
            "a", "b", new CopyOptions { ReplacesHeaders = true, ContentType = "image/png", Tags = tags }, None);
        Assert.Equal("image/png", copy.ContentType);
        Assert.Equal(tags, (await vault.HeadAsync("b", None)).Tags);
        var tooMany = Tags.None.Add("a", new string('x', Tags.MaxBytes));
        foreach (Func<Task> call in (Func<Task>[])[
            () => vault.SetTagsAsync("a", tooMany, cancel: None),
            () => vault.PutAsync("a", Stream.Null, new PutOptions { Tags = tooMany }, None),
            () => vault.CopyAsync("a", "b", new CopyOptions { Tags = tooMany }, None)])
        {
            Assert.Equal(ErrorKind.InvalidArgument, (await Assert.ThrowsAsync<ZeroStorException>(call)).Kind);
        }
    }

    [Fact]
    public async Task Settings_of_a_front_end_are_named_and_bounded()
    {
        Vault vault = VaultOf(new FakeFabric());
        Assert.Null(await vault.ReadSettingsAsync("s3", None));
        VaultSettings? made = await vault.WriteSettingsAsync("s3", null, [1, 2], None);
        Assert.Equal(made!.ETag, (await vault.ReadSettingsAsync("s3", None))!.ETag);
        foreach (Func<Task> call in (Func<Task>[])[
            () => vault.WriteSettingsAsync("s3", null, new byte[VaultSettings.MaxBytes + 1], None),
            () => vault.ReadSettingsAsync("", None),
            () => vault.ReadSettingsAsync("a/b", None)])
        {
            Assert.Equal(ErrorKind.InvalidArgument, (await Assert.ThrowsAsync<ZeroStorException>(call)).Kind);
        }
    }

    private static Vault VaultOf(FakeFabric fake) => new(fake.Connect(), FakeFabric.VaultName);

    private static Task<ObjectVersion> PutAsync(Vault vault, string key) =>
        vault.PutAsync(key, new ReadOnlySequence<byte>([1, 2, 3]), null, None);

    private static ObjectInfo Info(string key, long seq, bool isMark) => new()
    {
        Key = key,
        Version = new VersionId((UInt128)seq),
        Size = 0,
        ETag = "e",
        Modified = DateTimeOffset.UnixEpoch,
        Seq = seq,
        IsMark = isMark,
    };
}
