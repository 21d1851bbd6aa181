using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ZeroStor.Catalog;
using ZeroStor.Contracts;
using ZeroStor.Grains;

namespace ZeroStor.Silo;

/// <summary>One silo as a process: the lock on its data folder, its catalog, its Orleans host.</summary>
internal sealed class SiloProcess : IAsyncDisposable
{
    /// <summary>In-flight puts may finish; then the silo ends all the same.</summary>
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(30);

    private readonly FileStream _lock;
    private readonly IHost _host;
    private readonly HealthServer? _health;

    private SiloProcess(FileStream dataLock, IHost host, HealthServer? health)
    {
        _lock = dataLock;
        _host = host;
        _health = health;
    }

    /// <summary>Starts the silo; when it returns, the silo serves.</summary>
    /// <exception cref="ZeroStorException">What stands against it, in one sentence.</exception>
    public static async Task<SiloProcess> StartAsync(SiloSettings settings, bool verbose, CancellationToken cancel)
    {
        string data = Path.GetFullPath(settings.Fabric.Data);
        string catalogFile = Path.Combine(data, "catalog.db");
        if (!settings.Fabric.IsShared && !File.Exists(catalogFile))
        {
            // Before anything is made: a fabric that could not hold its own code is not begun.
            DiskFolders.DemandRoom(
                DiskFolders.Of(settings.Fabric, []), Code.Parse(settings.Fabric.Code ?? Code.Default.ToString()));
        }

        FileStream dataLock = Lock(data);
        SqlCatalog? catalog = null;
        HealthServer? health = null;
        try
        {
            if (settings.HealthEndpoint is { } at)
            {
                DemandFree(at.Address, at.Port, "--health");
                health = await HealthServer.StartAsync(at, cancel);
            }

            DemandFree(settings.ListeningAddress, settings.Port, "--port");
            DemandFree(settings.ListeningAddress, settings.GatewayPort, "--gateway-port");
            IPEndPoint? s3 = FreeS3(settings);
            catalog = await OpenAsync(settings, catalogFile, cancel);
            IHost host = Build(settings, s3, catalog, verbose);
            catalog = null;
            string s3Line;
            try
            {
                await host.StartAsync(cancel);
                s3Line = await S3Banner.LineAsync(settings, s3, host.Services, data, cancel);
            }
            catch
            {
                await AbandonAsync(host);
                throw;
            }

            Banner.Print(Console.Out, settings, data, host.Services.GetRequiredService<IFabricMap>().Current, s3Line);
            health?.Follow(host.Services.GetRequiredService<SiloHealth>());
            return new SiloProcess(dataLock, host, health);
        }
        catch
        {
            if (catalog is not null)
            {
                await catalog.DisposeAsync();
            }

            if (health is not null)
            {
                await health.DisposeAsync();
            }

            await dataLock.DisposeAsync();
            throw;
        }
    }

    /// <summary>Brings the catalog to the tables of this version, says what that took, and starts nothing. A catalog
    /// of one silo must not be in use; on one of many silos go on meanwhile.</summary>
    /// <exception cref="ZeroStorException">What stands against it, in one sentence.</exception>
    public static async Task MigrateAsync(SiloSettings settings, TextWriter to, CancellationToken cancel)
    {
        string data = Path.GetFullPath(settings.Fabric.Data);
        await using FileStream? dataLock = settings.Fabric.IsShared ? null : Lock(data);
        await using SqlCatalog catalog = await OpenAsync(settings, Path.Combine(data, "catalog.db"), cancel);
        await to.WriteLineAsync(catalog.AppliedScripts.IsEmpty
            ? $"The catalog {catalog.Name} has the tables of this version: nothing was to be done."
            : $"The catalog {catalog.Name} took {string.Join(", ", catalog.AppliedScripts)}.");
    }

    /// <summary>Serves until it is told to stop, by a signal or by the token.</summary>
    public Task RunAsync(CancellationToken cancel) => _host.WaitForShutdownAsync(cancel);

    public async ValueTask DisposeAsync()
    {
        _health?.Leave();
        await DisposeAsync(_host);
        if (_health is not null)
        {
            await _health.DisposeAsync();
        }

        await _lock.DisposeAsync();
    }

    private static Task<SqlCatalog> OpenAsync(SiloSettings settings, string file, CancellationToken cancel) =>
        settings.Postgres is { } where
            ? PostgresCatalog.OpenAsync(where, SystemEntropy.Instance, TimeProvider.System, cancel: cancel)
            : SqliteCatalog.OpenAsync(file, SystemEntropy.Instance, TimeProvider.System, cancel: cancel);

    private static async ValueTask DisposeAsync(IHost host)
    {
        using var patience = new CancellationTokenSource(StopPatience);
        await host.StopAsync(patience.Token);
        if (host is IAsyncDisposable disposable)
        {
            await disposable.DisposeAsync();
        }
    }

    // What did not start cannot be stopped either, and what it says of that would hide why.
    private static async Task AbandonAsync(IHost host)
    {
        try
        {
            await DisposeAsync(host);
        }
        catch (Exception e) when (e is InvalidOperationException or OperationCanceledException or AggregateException)
        {
            // The process ends; its locks and files end with it.
        }
    }

    private static IHost Build(SiloSettings settings, IPEndPoint? s3, SqlCatalog catalog, bool verbose)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(
            new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.AddConfiguration(settings.Configuration);
        builder.Logging.AddConfiguration(settings.Configuration.GetSection("Logging"));
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ssZ ";
            console.UseUtcTimestamp = true;
        });
        builder.Logging.AddFilter("Orleans", verbose ? LogLevel.Information : LogLevel.Warning);
        if (!verbose)
        {
            // A start that fails is told once, in one sentence, by who ends the process.
            builder.Logging.AddFilter("Orleans.Runtime.SiloLifecycleSubject", LogLevel.None);
            builder.Logging.AddFilter("Orleans.Runtime.Silo", LogLevel.None);
            builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);

            // A call to a disk whose silo is away fails, and whoever made it says so where that matters.
            builder.Logging.AddFilter("Orleans.Messaging", LogLevel.None);
        }

        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Logging.AddFilter("Polly", LogLevel.Warning);

        // It takes the machine's uptime for its first interval, and warns of it at every start.
        builder.Logging.AddFilter("Orleans.Runtime.Watchdog", LogLevel.Error);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = StopPatience);
        builder.UseOrleans(silo =>
        {
            Membership.Configure(silo, settings, catalog);
            silo.AddZeroStorCatalog(catalog, ZeroStorSilo.StorageName);
            silo.AddZeroStor(settings.Fabric);
        });

        if (s3 is not null)
        {
            S3FrontEnd.Add(builder.Services, settings, s3);
        }

        builder.Services.AddHostedService(_ => new IdleMemory(TimeProvider.System));
        return builder.Build();
    }

    private static FileStream Lock(string data)
    {
        string path = Path.Combine(data, "silo.lock");
        try
        {
            Directory.CreateDirectory(data);
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new ZeroStorException(
                ErrorKind.Forbidden, $"the data folder {data} cannot be written: {e.Message}", e);
        }
        catch (IOException e) when (File.Exists(path))
        {
            throw new ZeroStorException(
                ErrorKind.Busy, $"another silo runs on {data}: stop it, or give this one its own --data", e);
        }
        catch (IOException e)
        {
            throw new ZeroStorException(
                ErrorKind.Unavailable, $"the data folder {data} cannot be made: {e.Message}", e);
        }
    }

    // Where nothing was said and somebody else is there, mostly another silo of this machine, the silo does without.
    private static IPEndPoint? FreeS3(SiloSettings settings)
    {
        if (settings.S3Endpoint is not { } at)
        {
            return null;
        }

        if (settings.S3 is not null)
        {
            DemandFree(at.Address, at.Port, "--s3");
        }

        return Probe(at.Address, at.Port) is null ? at : null;
    }

    private static SocketException? Probe(IPAddress address, int port)
    {
        try
        {
            using var probe = new TcpListener(address, port);
            probe.ExclusiveAddressUse = true;
            probe.Start();
            return null;
        }
        catch (SocketException e)
        {
            return e;
        }
    }

    private static void DemandFree(IPAddress address, int port, string option)
    {
        if (Probe(address, port) is { } e)
        {
            throw new ZeroStorException(
                ErrorKind.Unavailable,
                e.SocketErrorCode == SocketError.AddressNotAvailable
                    ? $"this machine has no address {address}: choose one with --address or --bind"
                    : $"port {port.ToString(CultureInfo.InvariantCulture)} of {address} is taken: another silo may "
                        + $"run; choose one with {option}",
                e);
        }
    }
}

/// <summary>What a silo says when it is up.</summary>
internal static class Banner
{
    public static void Print(TextWriter to, SiloSettings settings, string data, FabricMap map, string s3)
    {
        string version = typeof(Banner).Assembly
            .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
        DiskEntry[] own = [.. map.Disks.Where(d => d.Silo == settings.Name && d.State != DiskState.Removed)];
        int up = own.Count(d => d.State == DiskState.Up);
        string masterKey = settings.Fabric.MasterKeyFile ?? Path.Combine(data, "keys", "master.key");
        to.WriteLine();
        to.WriteLine($"  ZeroStor {version.Split('+')[0]}   fabric {map.Fabric}");
        to.WriteLine($"  silo       {settings.Name}{Place(settings.Fabric)}");
        to.WriteLine($"  data       {data}");
        to.WriteLine($"  catalog    {(settings.Fabric.IsShared ? "PostgreSQL, of many silos" : "of this silo alone")}");
        to.WriteLine($"  disks      {up} of {own.Length} up");
        to.WriteLine($"  code       {settings.Fabric.Code ?? Code.Default.ToString()}");
        string gateway = new IPEndPoint(settings.AdvertisedAddress, settings.GatewayPort).ToString();
        to.WriteLine($"  gateway    {gateway} ({(settings.IsOpen ? "--insecure-network" : "loopback only")})");
        if (settings.IsOpen)
        {
            to.WriteLine("             Whoever reaches it is administrator, and links are not encrypted.");
        }

        to.WriteLine($"  s3         {s3}");
        to.WriteLine($"  master key {masterKey}");
        to.WriteLine("             Back up this file: without it nothing here can ever be read again.");
        to.WriteLine();
        to.WriteLine("  first put  dotnet run -c Release --project client/zs -- put README.md default/");
        to.WriteLine();
    }

    private static string Place(ZeroStorOptions of)
    {
        var labels = new Labels(of.Region, of.Site, of.Rack);
        return labels == Labels.None ? "" : $" in {labels}";
    }
}
