using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orleans.Configuration;
using Orleans.Storage;
using ZeroStor.Catalog;
using ZeroStor.Client;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Doors;
using ZeroStor.Grains;
using ZeroStor.Tests;

namespace ZeroStor.Cluster.Tests;

/// <summary>Silos whose catalog is PostgreSQL: Orleans' grain storage, membership and reminders in it, and a
/// fabric on top.</summary>
public sealed class PostgresSiloTests : IAsyncLifetime
{
    private readonly List<IHost> _silos = [];
    private PostgresServer? _server;
    private string _where = "";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await SharedPostgres.StartAsync();
        _where = await _server.MakeDatabaseAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (IHost silo in _silos)
        {
            await silo.StopAsync(CancellationToken.None);
            await ((IAsyncDisposable)silo).DisposeAsync();
        }

        if (_server is not null)
        {
            await _server.RemoveDatabaseAsync(_where);
        }
    }

    [Fact]
    public async Task Of_many_first_writes_of_a_grain_one_stands_and_the_others_are_told()
    {
        IHost silo = await StartAsync("one");
        IGrainStorage storage = silo.Services.GetRequiredKeyedService<IGrainStorage>(ZeroStorSilo.StorageName);
        for (int round = 0; round < 20; round++)
        {
            var grain = GrainId.Create("thing", $"round-{round}");
            GrainState<Thing>[] states =
                [.. Enumerable.Range(0, 8).Select(i => new GrainState<Thing>(new Thing { Number = i }))];
            Exception?[] told = await Task.WhenAll(states.Select(state => Task.Run(
                () => Record.ExceptionAsync(
                    () => storage.WriteStateAsync("state", grain, state, Cancel)).AsTask())));
            int winner = Assert.Single(Enumerable.Range(0, 8), i => told[i] is null);
            Assert.All(
                told.Where(e => e is not null), e => Assert.IsType<InconsistentStateException>(e, exactMatch: false));
            var read = new GrainState<Thing>();
            await storage.ReadStateAsync("state", grain, read);
            Assert.Equal(winner, read.State!.Number);

            // Who won goes on from there; who lost, once it has read.
            await storage.WriteStateAsync("state", grain, states[winner]);
            await storage.ReadStateAsync("state", grain, states[(winner + 1) % 8]);
            await storage.WriteStateAsync("state", grain, states[(winner + 1) % 8]);
        }

        string database = new NpgsqlConnectionStringBuilder(_where).Database!;
        Assert.Equal(20L, await _server!.RunAsync("SELECT COUNT(*) FROM orleansstorage", database));
    }

    [Fact]
    public async Task Silos_of_one_database_find_each_other_and_keep_their_reminders_there()
    {
        IHost one = await StartAsync("one");
        IHost two = await StartAsync("two");
        IManagementGrain management = one.Services.GetRequiredService<IGrainFactory>().GetGrain<IManagementGrain>(0);
        await Eventually.HoldsAsync(
            async () => (await management.GetHosts(onlyActive: true)).Count == 2, "both silos are active");
        IReminderTable reminders = one.Services.GetRequiredService<IReminderTable>();
        var grain = GrainId.Create("thing", "reminded");
        var entry = new ReminderEntry
        {
            GrainId = grain, ReminderName = "wake", StartAt = DateTime.UnixEpoch, Period = TimeSpan.FromMinutes(1),
        };
        await reminders.UpsertRow(entry, Cancel);
        ReminderEntry? seen = await two.Services.GetRequiredService<IReminderTable>()
            .ReadRow(grain, "wake", Cancel);
        Assert.Equal(entry.Period, seen!.Period);
        await two.StopAsync(Cancel);
        await Eventually.HoldsAsync(
            async () => (await management.GetHosts(onlyActive: true)).Count == 1, "the one that left is gone");
    }

    [Fact]
    public async Task A_fabric_works_on_it_as_on_SQLite()
    {
        SqlCatalog catalog = await OpenAsync();
        await using TestFabric fabric = await TestFabric.StartAsync(catalog: catalog);
        byte[] content = new byte[3_000_000];
        new Random(5).NextBytes(content);
        Vault vault = fabric.Client.Vault("default");
        await vault.PutAsync("a/b", new ReadOnlySequence<byte>(content), cancel: Cancel);
        await using ObjectStream got = await vault.OpenReadAsync("a/b", cancel: Cancel);
        using var copy = new MemoryStream();
        await got.CopyToAsync(copy, Cancel);
        Assert.Equal(content, copy.ToArray());
        await fabric.StopAsync();
    }

    [Fact]
    public async Task Silos_and_disks_are_told_of_while_the_catalog_does_not_answer()
    {
        await using PostgresServer server = await PostgresServer.StartAsync();
        SqlCatalog catalog = await PostgresCatalog.OpenAsync(
            await server.MakeDatabaseAsync(), SystemEntropy.Instance, TimeProvider.System, cancel: Cancel);
        await using TestFabric fabric = await TestFabric.StartAsync(catalog: catalog);
        FabricStatus before = await fabric.Client.StatusAsync(Cancel);
        Assert.DoesNotContain(before.Notices, IsAboutTheCatalog);
        await server.CrashAsync();
        FabricStatus away = await fabric.Client.StatusAsync(Cancel);
        Assert.Single(away.Notices, IsAboutTheCatalog);
        Assert.Equal(before.Disks.Select(d => d.Id), away.Disks.Select(d => d.Id));
        Assert.Equal(before.Silos.Select(s => s.Name), away.Silos.Select(s => s.Name));
        Assert.False(away.Ledger.IsGreen);
        await server.StartAgainAsync();
        await Eventually.HoldsAsync(
            async () => !(await fabric.Client.StatusAsync(Cancel)).Notices.Any(IsAboutTheCatalog),
            "the catalog answers again");
        await fabric.StopAsync();

        static bool IsAboutTheCatalog(string notice) =>
            notice.StartsWith("the catalog does not answer", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_catalog_of_one_silo_is_no_place_to_find_others()
    {
        string folder = Directory.CreateTempSubdirectory("zerostor-test-").FullName;
        await using (SqlCatalog catalog = await SqliteCatalog.OpenAsync(
            Path.Combine(folder, "catalog.db"), SystemEntropy.Instance, TimeProvider.System, cancel: Cancel))
        {
            HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
            builder.UseOrleans(silo => Assert.Equal(
                ErrorKind.InvalidArgument,
                Assert.Throws<ZeroStorException>(() => silo.UseZeroStorMembership(catalog)).Kind));
        }

        Directory.Delete(folder, recursive: true);
    }

    private Task<SqlCatalog> OpenAsync() =>
        PostgresCatalog.OpenAsync(_where, SystemEntropy.Instance, TimeProvider.System, cancel: Cancel);

    private async Task<IHost> StartAsync(string name)
    {
        SqlCatalog catalog = await OpenAsync();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddFilter("Orleans", LogLevel.None);
        builder.UseOrleans(silo => silo
            .ConfigureEndpoints(IPAddress.Loopback, FreePort(), FreePort())
            .Configure<ClusterOptions>(options =>
            {
                options.ServiceId = ZeroStorSilo.ServiceId;
                options.ClusterId = ZeroStorSilo.ServiceId;
            })
            .Configure<SiloOptions>(options => options.SiloName = name)
            .AddZeroStorCatalog(catalog, ZeroStorSilo.StorageName)
            .UseZeroStorMembership(catalog));
        IHost host = builder.Build();
        _silos.Add(host);
        await host.StartAsync(Cancel);
        return host;
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private sealed class Thing
    {
        public int Number { get; set; }
    }
}
