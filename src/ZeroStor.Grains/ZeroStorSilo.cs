using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Inner;
using ZeroStor.Paths;
using ZeroStor.Volumes;

namespace ZeroStor.Grains;

/// <summary>Puts ZeroStor's disks and grains into an Orleans silo: the fabric's own, or a front
/// end's.</summary>
public static class ZeroStorSilo
{
    /// <summary>The Orleans grain storage that small state (vaults) is kept in.</summary>
    public const string StorageName = "zerostor";

    /// <summary>The vault that a new fabric begins with.</summary>
    public const string DefaultVault = "default";

    /// <summary>The fabric's name in storage rows and membership: constant for ever.</summary>
    public const string ServiceId = "zerostor";

    /// <summary>Adds disks and grains. The catalog (<see cref="ICatalog"/>) is the host's to add before, the grain
    /// storage <see cref="StorageName"/> before or after.</summary>
    /// <exception cref="InvalidOperationException">There is no catalog.</exception>
    public static ISiloBuilder AddZeroStor(this ISiloBuilder silo, Action<ZeroStorOptions> configure)
    {
        var options = new ZeroStorOptions();
        configure(options);
        return silo.AddZeroStor(options);
    }

    /// <summary>As above, with options that are complete.</summary>
    public static ISiloBuilder AddZeroStor(this ISiloBuilder silo, ZeroStorOptions options)
    {
        AddServices(silo.Services, options);
        WrapCatalog(silo.Services);
        silo.Services.AddPlacementDirector<SiloPlacement, SiloPlacementDirector>();
        silo.AddIncomingGrainCallFilter<DoorFilter>();
        silo.AddStartupTask(StartAsync);
        silo.Services.AddHostedService<SchedulerWaker>();
        silo.Services.AddHostedService(s => s.GetRequiredService<FirstVault>());
        return silo;
    }

    private static void AddServices(IServiceCollection services, ZeroStorOptions options)
    {
        services.AddSingleton(options);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IEntropy>(SystemEntropy.Instance);
        services.AddSingleton<SiloMap>();
        services.AddSingleton<IFabricMap>(s => s.GetRequiredService<SiloMap>());
        services.AddSingleton<LocalHomes>();
        services.AddSingleton<IShardHome, GrainHomes>();
        services.AddSingleton<HomeHealth>();
        services.AddSingleton<Counters>();
        services.AddSingleton<Instruments>();
        services.AddSingleton<IReadObserver>(s => s.GetRequiredService<Counters>());
        services.AddSingleton<FabricKey>();
        services.AddSingleton<MasterRotation>();
        services.AddSingleton<VaultDirectory>();
        services.AddSingleton(_ => new SeenVersions());
        services.AddSingleton<PutSlots>();
        services.AddSingleton<ReadStripe>();
        services.AddSingleton(s => new WriteStripe(
            s.GetRequiredService<IShardHome>(),
            s.GetRequiredService<IFabricMap>(),
            s.GetRequiredService<HomeHealth>(),
            s.GetRequiredService<IEntropy>(),
            s.GetRequiredService<TimeProvider>())
        {
            PutPatience = TimeSpan.FromSeconds(options.PutPatienceSeconds),
        });
        services.AddSingleton<Coordinator>();
        services.AddSingleton(s => new Throttle(s.GetRequiredService<TimeProvider>())
        {
            BytesPerSecond = options.RepairMaxMiBPerSecond * 1024 * 1024,
        });
        services.AddSingleton<RepairGroup>();
        services.AddSingleton<SiloWatch>();
        services.AddSingleton<Repairer>();
        services.AddSingleton<FindOrphans>();
        services.AddSingleton<SweepGroup>();
        services.AddSingleton<LedgerKeeper>();
        services.AddSingleton<Census>();
        services.AddSingleton<FindContents>();
        services.AddSingleton<CatalogWatch>();
        services.AddSingleton<MapRecovery>();
        services.AddSingleton<CensusTaker>();
        services.AddSingleton<Adopter>();
        services.AddSingleton<Reclaimer>();
        services.AddSingleton<DiskOpener>();
        services.AddSingleton<SiloDisks>();
        services.AddSingleton<Scrubber>();
        services.AddSingleton<SiloSurvey>();
        services.AddSingleton<SiloGateways>();
        services.AddSingleton<DiskOrders>();
        services.AddSingleton<SiloOrders>();
        services.AddSingleton(SiloHealth.Of);
        services.AddSingleton<FirstVault>();
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, SiloNameCheck>();
        services.AddSingleton<DiskHost>();
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(s => s.GetRequiredService<DiskHost>());
    }

    // Whoever asks for the catalog gets the silo's own.
    private static void WrapCatalog(IServiceCollection services)
    {
        ServiceDescriptor told = services.LastOrDefault(s => s.ServiceType == typeof(ICatalog) && !s.IsKeyedService)
            ?? throw new InvalidOperationException("Add a catalog (ICatalog) to the silo before ZeroStor.");
        services.Remove(told);
        services.Add(new ServiceDescriptor(
            typeof(ICatalog),
            nameof(SiloCatalog),
            (s, _) => told.ImplementationInstance ?? told.ImplementationFactory?.Invoke(s)
                ?? ActivatorUtilities.CreateInstance(s, told.ImplementationType!),
            ServiceLifetime.Singleton));
        services.AddSingleton(s => new SiloCatalog(
            s.GetRequiredKeyedService<ICatalog>(nameof(SiloCatalog)),
            s.GetRequiredService<SeenVersions>(),
            s.GetRequiredService<Instruments>(),
            s.GetRequiredService<TimeProvider>()));
        services.AddSingleton<ICatalog>(s => s.GetRequiredService<SiloCatalog>());
    }

    private static async Task StartAsync(IServiceProvider services, CancellationToken cancel)
    {
        Instruments instruments = services.GetRequiredService<Instruments>();
        instruments.Observe(services.GetRequiredService<LocalHomes>(), services.GetRequiredService<PutSlots>());
        instruments.Observe(services.GetRequiredService<Scrubber>());
        await services.GetRequiredService<IGrainFactory>().GetGrain<IRepairSchedulerGrain>(0).WakeAsync();
        await services.GetRequiredService<FirstVault>().MakeAsync(cancel);
    }
}
