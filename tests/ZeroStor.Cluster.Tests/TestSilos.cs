using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.TestingHost;
using ZeroStor.Catalog;
using ZeroStor.Client;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Inner;
using ZeroStor.Grains;

namespace ZeroStor.Cluster.Tests;

/// <summary>A fabric of several silos in this process: each with disks of its own, all on one catalog, and an Orleans
/// client beside them. Membership is Orleans' own for tests; what it takes to notice a death is for real processes to
/// show.</summary>
internal sealed class TestSilos : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("zerostor-silos-");
    private readonly ConcurrentDictionary<string, bool> _hung = new();
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly InProcessTestCluster _cluster;
    private ServiceProvider? _clientServices;

    private TestSilos(Action<ZeroStorOptions>? configure)
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.Options.ServiceId = ZeroStorSilo.ServiceId;
        builder.ConfigureSilo((silo, host) => Configure(silo.SiloName, host, configure));
        _cluster = builder.Build();
    }

    public ZeroStorClient Client { get; private set; } = null!;

    public IGrainFactory Grains => _cluster.Client;

    public IEnumerable<string> Names => _cluster.Silos.Select(s => s.Name);

    /// <param name="count">Silos.</param>
    /// <param name="configure">On top of three disks each, 2+1 for the default vault, and short times.</param>
    public static async Task<TestSilos> StartAsync(int count, Action<ZeroStorOptions>? configure = null)
    {
        var fabric = new TestSilos(configure);
        await fabric._cluster.DeployAsync();
        for (int i = 1; i < count; i++)
        {
            await fabric.AddAsync();
        }

        fabric._clientServices = new ServiceCollection()
            .AddSingleton<IGrainFactory>(fabric._cluster.Client)
            .AddZeroStorClient()
            .BuildServiceProvider();
        fabric.Client = fabric._clientServices.GetRequiredService<ZeroStorClient>();
        await Eventually.HoldsAsync(
            async () => (await fabric.Client.StatusAsync(TestContext.Current.CancellationToken)).Disks
                .Count(d => d.State == "up") == count * DisksPerSilo,
            "all disks are up");
        return fabric;
    }

    public const int DisksPerSilo = 3;

    public Task AddAsync() => _cluster.StartAdditionalSiloAsync();

    public IServiceProvider Services(string silo) => _cluster.GetSiloServiceProvider(
        _cluster.Silos.Single(s => s.Name == silo).SiloAddress);

    public Task KillAsync(string silo) => _cluster.KillSiloAsync(_cluster.Silos.Single(s => s.Name == silo));

    /// <summary>Kills a silo, and all its disks are gone.</summary>
    public async Task WipeAsync(string silo)
    {
        await KillAsync(silo);
        Directory.Delete(Path.Combine(_folder.FullName, silo), recursive: true);
    }

    /// <summary>Stops a silo in order.</summary>
    public Task StopAsync(string silo) => _cluster.StopSiloAsync(_cluster.Silos.Single(s => s.Name == silo));

    /// <summary>From now on nothing that is asked of this silo as a whole is answered, though it is there.</summary>
    public void Hang(string silo) => _hung[silo] = true;

    public async ValueTask DisposeAsync()
    {
        _over.SetResult();
        if (_clientServices is not null)
        {
            await _clientServices.DisposeAsync();
        }

        await _cluster.StopAllSilosAsync();
        await _cluster.DisposeAsync();
        TestDisks.AssertSound(_folder.FullName);
        _folder.Delete(recursive: true);
    }

    private void Configure(string name, ISiloBuilder host, Action<ZeroStorOptions>? configure)
    {
        SqlCatalog catalog = SqliteCatalog.OpenAsync(
            Path.Combine(_folder.FullName, "catalog.db"), SystemEntropy.Instance, TimeProvider.System)
            .GetAwaiter().GetResult();
        var options = new ZeroStorOptions
        {
            Data = Path.Combine(_folder.FullName, name),
            MasterKeyFile = Path.Combine(_folder.FullName, "master.key"),
            Disks = DisksPerSilo,
            Code = "2+1",
            TickSeconds = 1,
            PutPatienceSeconds = 2,
            LostAfterSeconds = 1,
        };
        Directory.CreateDirectory(options.Data);
        configure?.Invoke(options);
        host.ConfigureServices(services => services.PostConfigure<SiloOptions>(o => o.SiloName = name))
            .AddZeroStorCatalog(catalog, ZeroStorSilo.StorageName)
            .AddZeroStor(options)
            .AddIncomingGrainCallFilter(context =>
                _hung.ContainsKey(name) && context.InterfaceMethod.DeclaringType == typeof(ISiloGrain)
                    ? _over.Task
                    : context.Invoke());
    }
}
