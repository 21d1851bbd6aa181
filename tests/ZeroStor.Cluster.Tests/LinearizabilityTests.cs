using System.Buffers;
using System.Globalization;
using ZeroStor.Client;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Cluster.Tests;

/// <summary>Promise 2: per key, put, get, delete and conditional put are linearizable.</summary>
public sealed class LinearizabilityTests
{
    private const int Clients = 6;
    private const int OperationsPerClient = 15;
    private const int Histories = 5;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void The_checker_finds_a_stale_read_and_a_lost_update()
    {
        var stale = new History();
        stale.Add(new PutDone("a", 1, 2));
        stale.Add(new PutDone("b", 3, 4));
        stale.Add(new ReadDone("a", 5, 6));
        Assert.False(stale.IsLinearizable());

        var lost = new History();
        lost.Add(new PutDone("a", 1, 2));
        lost.Add(new ConditionalPut("a", "b", Won: true, 3, 8));
        lost.Add(new ConditionalPut("a", "c", Won: true, 4, 7));
        Assert.False(lost.IsLinearizable());

        var overlapping = new History();
        overlapping.Add(new PutDone("a", 1, 10));
        overlapping.Add(new ReadDone(null, 2, 3));
        overlapping.Add(new ReadDone("a", 4, 5));
        overlapping.Add(new DeleteDone(true, 6, 20));
        overlapping.Add(new ReadDone(null, 11, 12));
        Assert.True(overlapping.IsLinearizable());
    }

    [Fact]
    public async Task Concurrent_writers_and_readers_of_one_key_agree_on_one_order()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        Vault vault = fabric.Client.Vault("default");
        for (int round = 0; round < Histories; round++)
        {
            string key = $"key{round}";
            var history = new History();
            await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => RunAsync(vault, key, client, history)));
            Assert.Equal(Clients * OperationsPerClient, history.Count);
            Assert.True(history.IsLinearizable());
        }
    }

    [Fact]
    public async Task Two_activations_of_a_metadata_grain_agree_on_one_order()
    {
        await using TestFabric first = await TestFabric.StartAsync();

        // A silo that knows nothing of the first but its catalog and its key: what a split cluster looks
        // like.
        await using TestFabric second = await TestFabric.StartAsync(
            options =>
            {
                options.Disks = 0;
                options.MasterKeyFile = Path.Combine(first.Folder, "keys", "master.key");
            },
            first.Folder,
            "silo2");
        for (int round = 0; round < Histories; round++)
        {
            string key = $"key{round}";
            var history = new History();
            await Task.WhenAll(Enumerable.Range(0, Clients).Select(client =>
            {
                IGrainFactory grains = client % 2 == 0 ? first.Grains : second.Grains;
                return RunAsync(grains.GetGrain<IObjectDoor>(ObjectDoor.KeyOf("default", 16, key)), key, client, history);
            }));
            Assert.Equal(Clients * OperationsPerClient, history.Count);
            Assert.True(history.IsLinearizable());
        }
    }

    [Fact]
    public async Task A_repeated_commit_answers_what_the_first_did_and_applies_once()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        IObjectDoor door = fabric.Grains.GetGrain<IObjectDoor>(ObjectDoor.KeyOf("default", 16, "key"));
        CommitPut put = EmptyPut("key", "first");
        ObjectInfo first = await door.CommitAsync(put, Cancel);
        ObjectInfo between = await door.CommitAsync(EmptyPut("key", "second"), Cancel);
        ObjectInfo again = await door.CommitAsync(put, Cancel);
        Assert.Equal((first.Version, first.ETag), (again.Version, again.ETag));
        Assert.Equal(between.Version, (await door.HeadAsync("key", allowStale: false, Cancel))!.Version);

        var delete = new DeleteObject { Key = "key", Commit = NewContent(), If = Precondition.None };
        Assert.True(await door.DeleteAsync(delete, Cancel));
        await door.CommitAsync(EmptyPut("key", "third"), Cancel);
        Assert.True(await door.DeleteAsync(delete, Cancel));
        Assert.Equal("third", (await door.HeadAsync("key", allowStale: false, Cancel))!.ETag);
    }

    private static async Task RunAsync(Vault vault, string key, int client, History history)
    {
        var random = new Random(client);
        string? seen = null;
        for (int i = 0; i < OperationsPerClient; i++)
        {
            string value = string.Create(CultureInfo.InvariantCulture, $"{client}.{i}");
            switch (random.Next(5))
            {
                case 0:
                    await history.RecordAsync(
                        () => PutAsync(vault, key, value, Precondition.None),
                        (_, called, returned) => new PutDone(value, called, returned));
                    break;
                case 1:
                    await history.RecordAsync(
                        () => vault.DeleteAsync(key, cancel: Cancel),
                        (existed, called, returned) => new DeleteDone(existed, called, returned));
                    break;
                case 2:
                    string? expected = seen;
                    await history.RecordAsync(
                        () => PutAsync(vault, key, value, At(expected)),
                        (won, called, returned) => new ConditionalPut(expected, value, won, called, returned));
                    break;
                default:
                    seen = await history.RecordAsync(
                        () => GetAsync(vault, key),
                        (read, called, returned) => new ReadDone(read, called, returned));
                    break;
            }
        }
    }

    private static async Task RunAsync(IObjectDoor door, string key, int client, History history)
    {
        var random = new Random(client);
        string? seen = null;
        for (int i = 0; i < OperationsPerClient; i++)
        {
            string value = string.Create(CultureInfo.InvariantCulture, $"{client}.{i}");
            switch (random.Next(4))
            {
                case 0:
                    await history.RecordAsync(
                        () => door.DeleteAsync(
                            new DeleteObject { Key = key, Commit = NewContent(), If = Precondition.None }, Cancel),
                        (existed, called, returned) => new DeleteDone(existed, called, returned));
                    break;
                case 1:
                    string? expected = seen;
                    await history.RecordAsync(
                        () => CommitAsync(door, EmptyPut(key, value) with { If = At(expected) }),
                        (won, called, returned) => new ConditionalPut(expected, value, won, called, returned));
                    break;
                default:
                    seen = await history.RecordAsync(
                        async () => (await door.HeadAsync(key, allowStale: false, Cancel))?.ETag,
                        (read, called, returned) => new ReadDone(read, called, returned));
                    break;
            }
        }
    }

    private static Precondition At(string? etag) =>
        etag is null ? new Precondition { IfNoneMatch = "*" } : new Precondition { IfMatch = etag };

    private static async Task<bool> PutAsync(Vault vault, string key, string value, Precondition condition)
    {
        try
        {
            await vault.PutAsync(
                key,
                new ReadOnlySequence<byte>(System.Text.Encoding.UTF8.GetBytes(value)),
                new PutOptions { If = condition, ETag = () => value },
                Cancel);
            return true;
        }
        catch (ZeroStorException e) when (e.Kind == ErrorKind.PreconditionFailed)
        {
            return false;
        }
    }

    private static async Task<bool> CommitAsync(IObjectDoor door, CommitPut put)
    {
        try
        {
            await door.CommitAsync(put, Cancel);
            return true;
        }
        catch (ZeroStorException e) when (e.Kind == ErrorKind.PreconditionFailed)
        {
            return false;
        }
    }

    private static async Task<string?> GetAsync(Vault vault, string key)
    {
        try
        {
            await using ObjectStream read = await vault.OpenReadAsync(key, cancel: Cancel);
            using var text = new StreamReader(read);
            string value = await text.ReadToEndAsync(Cancel);
            Assert.Equal(read.Version.ETag, value);
            return value;
        }
        catch (ZeroStorException e) when (e.Kind == ErrorKind.NotFound)
        {
            return null;
        }
    }

    private static ContentId NewContent() => ContentId.New(new Tick(0), SystemEntropy.Instance);

    private static CommitPut EmptyPut(string key, string etag) => new()
    {
        Key = key,
        Content = NewContent(),
        ETag = etag,
        If = Precondition.None,
        Manifest = new Manifest
        {
            Version = VersionId.New(SystemEntropy.Instance),
            Size = 0,
            Contents = [],
            Extents = [],
        }.Encode(),
    };
}
