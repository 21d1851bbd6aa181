using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.TestingHost;
using ZeroStor.Catalog;
using ZeroStor.Client;
using ZeroStor.Contracts;
using ZeroStor.Grains;

namespace ZeroStor.Cluster.Tests;

/// <summary>A fabric of one silo in this process: real disks in a temporary folder, a real catalog, an
/// Orleans client beside it. Disposing takes all of it away.</summary>
internal sealed class TestFabric : IAsyncDisposable
{
    private readonly bool _ownsFolder;
    private InProcessTestCluster? _cluster;
    private ServiceProvider? _clientServices;

    private TestFabric(string folder, bool ownsFolder)
    {
        Folder = folder;
        _ownsFolder = ownsFolder;
    }

    public string Folder { get; }

    /// <summary>Whether the test damaged what disks hold: what was repaired still lies there damaged.</summary>
    public bool LeavesDamage { get; set; }

    public ZeroStorClient Client { get; private set; } = null!;

    public IGrainFactory Grains => _cluster!.Client;

    public IServiceProvider Silo => _cluster!.GetSiloServiceProvider();

    /// <param name="configure">On top of six disks, 4+2 and short ticks.</param>
    /// <param name="folder">An existing fabric's folder; null makes one.</param>
    /// <param name="name">The silo's.</param>
    /// <param name="catalog">The silo's; null: a SQLite file in the folder.</param>
    public static async Task<TestFabric> StartAsync(
        Action<ZeroStorOptions>? configure = null,
        string? folder = null,
        string name = "silo1",
        SqlCatalog? catalog = null)
    {
        var fabric = new TestFabric(
            folder ?? Directory.CreateTempSubdirectory("zerostor-test-").FullName, folder is null);
        await fabric.StartSiloAsync(configure, name, catalog);
        return fabric;
    }

    public async Task StopAsync()
    {
        if (_clientServices is not null)
        {
            await _clientServices.DisposeAsync();
            _clientServices = null;
        }

        if (_cluster is not null)
        {
            await _cluster.StopAllSilosAsync();
            await _cluster.DisposeAsync();
            _cluster = null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (_ownsFolder)
        {
            if (!LeavesDamage)
            {
                TestDisks.AssertSound(Folder);
            }

            Directory.Delete(Folder, recursive: true);
        }
    }

    public async Task StartSiloAsync(
        Action<ZeroStorOptions>? configure = null, string name = "silo1", SqlCatalog? catalog = null)
    {
        catalog ??= await SqliteCatalog.OpenAsync(
            Path.Combine(Folder, "catalog.db"), SystemEntropy.Instance, TimeProvider.System);
        var options = new ZeroStorOptions
        {
            Data = Folder, Disks = 6, Code = "4+2", TickSeconds = 1, PutPatienceSeconds = 2,
        };
        configure?.Invoke(options);
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.Options.ServiceId = ZeroStorSilo.ServiceId;
        builder.ConfigureSilo((_, silo) => silo
            .ConfigureServices(services => services.PostConfigure<SiloOptions>(o => o.SiloName = name))
            .AddZeroStorCatalog(catalog, ZeroStorSilo.StorageName)
            .AddZeroStor(options));
        _cluster = builder.Build();
        await _cluster.DeployAsync();
        _clientServices = new ServiceCollection()
            .AddSingleton<IGrainFactory>(_cluster.Client)
            .AddZeroStorClient()
            .BuildServiceProvider();
        Client = _clientServices.GetRequiredService<ZeroStorClient>();
        await Eventually.HoldsAsync(
            async () => await catalog.FindVaultAsync("default", CancellationToken.None) is not null,
            "the default vault is made");
    }
}

/// <summary>Waits for what a background job will bring about, and says what did not come.</summary>
internal static class Eventually
{
    /// <summary>Long: it is only waited out where something fails, and machines that run tests are busy.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(180);

    public static async Task HoldsAsync(Func<Task<bool>> condition, string what)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > Patience)
            {
                throw new TimeoutException($"it did not come about in {Patience.TotalSeconds} s that {what}");
            }

            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }
}
