using System.Buffers;
using System.Security.Cryptography;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Cluster.Tests;

/// <summary>Versions, marks, tags, many deletes and settings, through the SDK against a silo with real
/// disks.</summary>
public sealed class VersionTests : IAsyncLifetime
{
    private TestFabric _fabric = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private Vault Vault => _fabric.Client.Vault("kept");

    public async ValueTask InitializeAsync()
    {
        _fabric = await TestFabric.StartAsync(o =>
        {
            o.TickSeconds = 0.5;
            o.ReclaimAfterTicks = 1;
        });
        VaultInfo made = await _fabric.Client.CreateVaultAsync(
            "kept", new VaultSpec { Versioning = Versioning.On }, Cancel);
        Assert.Equal(Versioning.On, made.Versioning);
        Assert.NotNull(made.Created);
    }

    public ValueTask DisposeAsync() => _fabric.DisposeAsync();

    [Fact]
    public async Task Every_version_is_read_until_it_is_deleted_by_its_name_and_then_its_shards_go()
    {
        byte[][] contents = [.. Enumerable.Range(0, 4).Select(i => RandomNumberGenerator.GetBytes(100_000 + i))];
        var made = new List<ObjectVersion>();
        foreach (byte[] content in contents)
        {
            made.Add(await PutAsync("k", content));
        }

        DeleteOutcome marked = await Vault.DeleteAsync(new DeleteItem("k"), Cancel);
        Assert.True(marked.IsMark);
        await RefusedAsync(ErrorKind.NotFound, () => Vault.HeadAsync("k", Cancel));
        VersionEntry[] all = await Vault.ListVersionsAsync(cancel: Cancel).ToArrayAsync(Cancel);
        Assert.Equal(
            [marked.Version, .. Enumerable.Reverse(made).Select(m => m.Version)], all.Select(v => v.Version));
        Assert.Equal(marked.Version, Assert.Single(all, v => v.IsLatest).Version);
        Assert.Empty(await Vault.ListAsync(cancel: Cancel).ToListAsync(Cancel));

        // A census takes what former versions name for named.
        await CensusAsync();
        for (int i = 0; i < contents.Length; i++)
        {
            Assert.Equal(contents[i], await GetAsync("k", made[i].Version));
        }

        await Vault.DeleteAsync(new DeleteItem("k", marked.Version), Cancel);
        Assert.Equal(contents[3], await GetAsync("k", null));
        ObjectVersion copy = await Vault.CopyAsync(
            "k", "copy", new CopyOptions { SourceVersion = made[0].Version }, Cancel);
        Assert.Equal(contents[0].Length, copy.Size);
        foreach (ObjectVersion version in made)
        {
            await Vault.DeleteAsync(new DeleteItem("k", version.Version), Cancel);
        }

        await RefusedAsync(ErrorKind.NotFound, () => GetAsync("k", made[1].Version));
        Assert.Equal(contents[0], await GetAsync("copy", null));
        await Eventually.HoldsAsync(
            async () => (await _fabric.Client.StatusAsync(Cancel)).Ledger.Stripes == 1,
            "what nobody names is reclaimed");
    }

    [Fact]
    public async Task A_thousand_deletes_are_one_call_and_each_is_for_itself()
    {
        ObjectVersion tagged = await PutAsync("key5", [1]);
        foreach (int i in Enumerable.Range(0, 20).Where(i => i != 5))
        {
            await PutAsync($"key{i}", [1]);
        }

        DeleteItem[] items =
        [
            .. Enumerable.Range(0, 997).Select(i => new DeleteItem($"key{i}")),
            new("key5", tagged.Version), new(""), new("key5", new VersionId(7)),
        ];
        var outcomes = await Vault.DeleteManyAsync(items, Cancel);
        Assert.All(outcomes[..997], o => Assert.Equal((ErrorKind.None, true), (o.Kind, o.IsMark)));
        DeleteOutcome ofVersion = outcomes[997];
        Assert.Equal(
            (ErrorKind.None, tagged.Version, false), (ofVersion.Kind, ofVersion.Version, ofVersion.IsMark));
        Assert.Equal(
            [ErrorKind.InvalidArgument, ErrorKind.NotFound], outcomes[998..].Select(o => o.Kind));
        Assert.Empty(await Vault.ListAsync(cancel: Cancel).ToListAsync(Cancel));
        await RefusedAsync(
            ErrorKind.InvalidArgument, () => Vault.DeleteManyAsync([.. items, items[0]], Cancel));
        await RefusedAsync(
            ErrorKind.NotFound, () => _fabric.Client.Vault("absent").DeleteManyAsync([items[0]], Cancel));
        Upload upload = await Vault.BeginUploadAsync("k", cancel: Cancel);
        await upload.PutPartAsync(1, new ReadOnlySequence<byte>([1]), cancel: Cancel);
        await RefusedAsync(
            ErrorKind.PreconditionFailed, () => _fabric.Client.RemoveVaultAsync("kept", cancel: Cancel));
        await _fabric.Client.RemoveVaultAsync("kept", withContent: true, Cancel);
        await RefusedAsync(ErrorKind.NotFound, () => Vault.DescribeAsync(Cancel));
    }

    [Fact]
    public async Task Tags_are_there_with_the_version_and_settings_with_the_vault()
    {
        var tags = Tags.None.Add("colour", "blé");
        Upload upload = await Vault.BeginUploadAsync("k", new UploadOptions { Tags = tags }, Cancel);
        PartInfo part = await upload.PutPartAsync(1, new ReadOnlySequence<byte>([1, 2]), cancel: Cancel);
        ObjectVersion made = await upload.CompleteAsync([new(1, part.ETag)], cancel: Cancel);
        Assert.Equal(tags, (await Vault.HeadAsync("k", Cancel)).Tags);
        await Vault.SetTagsAsync("k", tags.Add("more", ""), was: tags, cancel: Cancel);
        await RefusedAsync(
            ErrorKind.PreconditionFailed, () => Vault.SetTagsAsync("k", Tags.None, was: tags, cancel: Cancel));
        ObjectVersion copy = await Vault.CopyAsync("k", "copy", cancel: Cancel);
        Assert.Equal(2, copy.Tags.Count);
        Assert.Equal(made.Version, (await Vault.HeadAsync("k", Cancel)).Version);

        VaultSettings? settings = await Vault.WriteSettingsAsync("s3", null, [1], Cancel);
        await RefusedAsync(
            ErrorKind.PreconditionFailed, () => Vault.WriteSettingsAsync("s3", null, [2], Cancel));
        await Vault.WriteSettingsAsync("s3", settings!.ETag, [3], Cancel);
        Assert.Equal([3], (await Vault.ReadSettingsAsync("s3", Cancel))!.Bytes);

        Assert.Equal(Versioning.Suspended, (await Vault.SetVersioningAsync(Versioning.Suspended, Cancel)).Versioning);
        await RefusedAsync(
            ErrorKind.PreconditionFailed, () => Vault.SetVersioningAsync(Versioning.Off, Cancel));
        ObjectVersion unkept = await PutAsync("k", [9]);
        Assert.Equal([9], await GetAsync("k", VersionId.Null));
        Assert.True((await Vault.HeadAsync("k", unkept.Version, Cancel)).IsNull);
        VaultInfo listed = (await _fabric.Client.ListVaultsAsync(Cancel)).Single(v => v.Name == "kept");
        Assert.Equal(Versioning.Suspended, listed.Versioning);
        Assert.NotNull(listed.Created);
    }

    private async Task CensusAsync()
    {
        long ended = (await _fabric.Client.CensusAsync(cancel: Cancel)).Ended;
        await _fabric.Client.CensusAsync(begin: true, Cancel);
        CensusProgress now = await _fabric.Client.CensusAsync(cancel: Cancel);
        await Eventually.HoldsAsync(
            async () =>
            {
                now = await _fabric.Client.CensusAsync(cancel: Cancel);
                return !now.IsRunning && now.Ended > ended;
            },
            "the census has ended");
        Assert.Equal((4L, 0L, 0L), (now.Versions, now.GarbageShards, now.Lost));
    }

    private Task<ObjectVersion> PutAsync(string key, byte[] content) =>
        Vault.PutAsync(key, new ReadOnlySequence<byte>(content), cancel: Cancel);

    private async Task<byte[]> GetAsync(string key, VersionId? version)
    {
        await using ObjectStream read = await Vault.OpenReadAsync(key, new ReadOptions { Version = version }, Cancel);
        using var all = new MemoryStream();
        await read.CopyToAsync(all, Cancel);
        return all.ToArray();
    }

    private static async Task RefusedAsync(ErrorKind kind, Func<Task> call) =>
        Assert.Equal(kind, (await Assert.ThrowsAsync<ZeroStorException>(call)).Kind);
}
