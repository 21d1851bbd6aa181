using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using ZeroStor.Catalog;
using ZeroStor.Client;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Doors;
using ZeroStor.Tests;

namespace ZeroStor.Cluster.Tests;

/// <summary>A fabric whose database goes away: what is refused, what may still be read, and that all goes on by
/// itself when it is back.</summary>
public sealed class StaleTests : IAsyncLifetime
{
    private static readonly ReadOptions AllowStale = new() { AllowStale = true };

    private readonly List<ServiceProvider> _clients = [];
    private PostgresServer? _server;
    private TestFabric? _fabric;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private TestFabric Fabric => _fabric!;

    private Vault Vault { get; set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await PostgresServer.StartAsync();
        string where = await _server.MakeDatabaseAsync();
        SqlCatalog catalog = await PostgresCatalog.OpenAsync(
            where, SystemEntropy.Instance, TimeProvider.System, cancel: Cancel);
        _fabric = await TestFabric.StartAsync(catalog: catalog);
        Vault = Connect("default");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ServiceProvider client in _clients)
        {
            await client.DisposeAsync();
        }

        if (_fabric is not null)
        {
            await _fabric.DisposeAsync();
        }

        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    [Fact]
    public async Task Without_the_database_reads_are_refused_or_stale_and_writes_refused_and_then_all_goes_on()
    {
        byte[] first = RandomNumberGenerator.GetBytes(3_000_000);
        byte[] second = RandomNumberGenerator.GetBytes(1_000_000);
        await PutAsync("put", first);
        await PutAsync("deleted", first);
        await PutAsync("overwritten", first);
        await PutAsync("overwritten", second);
        await Vault.CopyAsync("put", "copied", cancel: Cancel);
        await Vault.DeleteAsync("deleted", cancel: Cancel);
        ObjectVersion strict = (await GetAsync("put", null)).Version;
        Assert.False(strict.IsStale);

        await _server!.CrashAsync();
        foreach (Func<Task> refused in new Func<Task>[]
        {
            () => GetAsync("put", null),
            () => Vault.HeadAsync("put", Cancel),
            () => Vault.ListPageAsync(new ListOptions(), 10, Cancel),
            () => PutAsync("put", second),
            () => PutAsync("new", second),
            () => Vault.DeleteAsync("overwritten", cancel: Cancel),
            () => Vault.CopyAsync("put", "copied again", cancel: Cancel),
            () => GetAsync("deleted", AllowStale),
            () => GetAsync("never put", AllowStale),
            () => Connect("unknown").HeadAsync("put", allowStale: true, Cancel),
        })
        {
            ZeroStorException refusal = await Assert.ThrowsAsync<ZeroStorException>(refused);
            Assert.Equal(ErrorKind.Unavailable, refusal.Kind);
            Assert.EndsWith(".", refusal.Message, StringComparison.Ordinal);
        }

        (ObjectVersion version, byte[] bytes) = await GetAsync("put", AllowStale);
        Assert.Equal(first, bytes);
        Assert.Equal((strict.Version, strict.ETag, true), (version.Version, version.ETag, version.IsStale));
        Assert.Equal(first[100..200], (await GetAsync(
            "copied", AllowStale with { Range = ByteRange.Parse("100-199") })).Bytes);

        // Perhaps it was deleted: nobody knows.
        await Assert.ThrowsAsync<ZeroStorException>(() => GetAsync("overwritten", AllowStale));

        // A client that has not met the vault yet cannot hear what it is, and needs not.
        Assert.True((await Connect("default").HeadAsync("put", allowStale: true, Cancel)).IsStale);

        await _server.StartAgainAsync();
        await Eventually.HoldsAsync(AnswersAsync, "the catalog is asked again");
        (version, bytes) = await GetAsync("put", AllowStale);
        Assert.False(version.IsStale);
        Assert.Equal(first, bytes);
        Assert.Equal(second, (await GetAsync("overwritten", null)).Bytes);
        ListPage page = await Vault.ListPageAsync(new ListOptions(), 10, Cancel);
        Assert.Equal(["copied", "overwritten", "put"], page.Entries.Select(e => e.Key));
        await PutAsync("new", second);
        Assert.Equal(second, (await GetAsync("new", null)).Bytes);
    }

    [Fact]
    public async Task An_object_of_many_pages_can_be_read_stale()
    {
        await Fabric.Client.CreateVaultAsync("small", new VaultSpec { Code = new Code(1, 1) }, Cancel);
        Vault = Connect("small");
        byte[] content = RandomNumberGenerator.GetBytes((Geometry.MaxInlineStripes + 1) * 256 * 1024);
        await PutAsync("paged", content);
        await _server!.CrashAsync();
        (ObjectVersion version, byte[] bytes) = await GetAsync("paged", AllowStale);
        Assert.True(version.IsStale);
        Assert.Equal(content, bytes);
    }

    // A client of its own, which gives up soon.
    private Vault Connect(string vault)
    {
        ServiceProvider client = new ServiceCollection()
            .AddSingleton(Fabric.Grains)
            .AddZeroStorClient(options => options.Patience = TimeSpan.FromSeconds(0.5))
            .BuildServiceProvider();
        _clients.Add(client);
        return client.GetRequiredService<ZeroStorClient>().Vault(vault);
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            await Vault.HeadAsync("put", Cancel);
            return true;
        }
        catch (ZeroStorException e) when (e.Kind == ErrorKind.Unavailable)
        {
            return false;
        }
    }

    private Task<ObjectVersion> PutAsync(string key, byte[] content) =>
        Vault.PutAsync(key, new ReadOnlySequence<byte>(content), cancel: Cancel);

    private async Task<(ObjectVersion Version, byte[] Bytes)> GetAsync(string key, ReadOptions? options)
    {
        await using ObjectStream read = await Vault.OpenReadAsync(key, options, Cancel);
        using var all = new MemoryStream();
        await read.CopyToAsync(all, Cancel);
        return (read.Version, all.ToArray());
    }
}
