using System.Net;
using Microsoft.Extensions.Configuration;
using ZeroStor.Grains;

namespace ZeroStor.Silo;

/// <summary>All that a silo process is told: by files, environment and command line, in this order.</summary>
internal sealed class SiloSettings
{
    /// <summary>Where clients look when they are told nothing.</summary>
    public const int DefaultGatewayPort = 30000;

    public const int DefaultPort = 11111;

    public const string NoHealth = "off";

    public const string NoS3 = "off";

    public const string DefaultS3 = "127.0.0.1:9000";

    private const string LocalHost = "localhost:";

    /// <summary>Beyond this they only cost memory.</summary>
    private const int MaxConnectionsPerSilo = 16;

    public ZeroStorOptions Fabric { get; } = new();

    public string Name { get; set; } = "silo1";

    public int Port { get; set; } = DefaultPort;

    public int GatewayPort { get; set; } = DefaultGatewayPort;

    /// <summary>Where other silos and clients reach this one.</summary>
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>What it listens on; null: <see cref="Address"/>.</summary>
    public string? Bind { get; set; }

    /// <summary>Connection string of the catalog of many silos, or <c>@FILE</c> that holds it, so that no password
    /// shows in a list of processes; null: a catalog of this silo alone. Also read from
    /// <c>ConnectionStrings:ZeroStor</c>.</summary>
    public string? Postgres { get; set; }

    /// <summary>Where <c>/live</c> and <c>/ready</c> are answered, as <c>IP:PORT</c>; <see cref="NoHealth"/>:
    /// nowhere.</summary>
    public string Health { get; set; } = NoHealth;

    /// <summary>Where S3 is answered, as <c>HOST:PORT</c>; <see cref="NoS3"/>: nowhere. Null: at
    /// <see cref="DefaultS3"/>, if nobody else is there.</summary>
    public string? S3 { get; set; }

    /// <summary>Where S3 is answered over HTTP/2, as <see cref="S3"/>; null: nowhere.</summary>
    public string? S3Http2 { get; set; }

    /// <summary>What S3 is called by where buckets stand before it, as <c>s3.example.com</c>.</summary>
    public IList<string> S3Domains { get; } = [];

    /// <summary>Connections to each other silo. Shards must not hold up small calls, probes among them: on one
    /// connection a call behind eight megabytes waits milliseconds. Each costs some hundred kilobytes at both
    /// ends, so where many silos share a machine fewer are better.</summary>
    public int ConnectionsPerSilo { get; set; } = 4;

    public IPAddress AdvertisedAddress => IPAddress.Parse(Address);

    public IPAddress ListeningAddress => IPAddress.Parse(Bind ?? Address);

    /// <summary>Null: nowhere. It may be any address, loopback or not: what is answered there is no secret, nothing
    /// can be changed by it, and who probes a silo mostly stands on another machine.</summary>
    public IPEndPoint? HealthEndpoint => Health == NoHealth ? null : ParseEndpoint(Health);

    /// <summary>Null: nowhere.</summary>
    public IPEndPoint? S3Endpoint => S3 == NoS3 ? null : ParseS3(S3 ?? DefaultS3);

    /// <summary>Null: nowhere.</summary>
    public IPEndPoint? S3Http2Endpoint => S3Http2 is null || S3 == NoS3 ? null : ParseS3(S3Http2);

    /// <summary>Whether other machines can reach this silo.</summary>
    public bool IsOpen => !IPAddress.IsLoopback(AdvertisedAddress) || !IPAddress.IsLoopback(ListeningAddress);

    /// <summary>Logging, and whatever else .NET reads from configuration.</summary>
    public IConfiguration Configuration { get; private init; } = new ConfigurationBuilder().Build();

    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    public static SiloSettings Read(Dictionary<string, string?> told)
    {
        IConfiguration configuration = Sources(told);
        var settings = new SiloSettings { Configuration = configuration };
        IConfigurationSection section = configuration.GetSection(ZeroStorOptions.Section);
        try
        {
            section.Bind(settings);
            section.Bind(settings.Fabric);
        }
        catch (InvalidOperationException e)
        {
            throw ZeroStorException.Invalid($"a setting cannot be read: {e.GetBaseException().Message}");
        }

        settings.Postgres = ReadPostgres(settings.Postgres ?? configuration.GetConnectionString("ZeroStor"));
        settings.Fabric.IsShared = settings.Postgres is not null;
        settings.Check();
        return settings;
    }

    private static IConfigurationRoot Sources(Dictionary<string, string?> told)
    {
        var fromCommandLine = told
            .Where(t => t.Value is not null)
            .ToDictionary(t => $"{ZeroStorOptions.Section}:{t.Key}", t => t.Value);
        IConfigurationRoot Build(string? dataFolder)
        {
            IConfigurationBuilder builder = new ConfigurationBuilder()
                .AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json"), optional: true);
            if (dataFolder is not null)
            {
                builder.AddJsonFile(Path.Combine(Path.GetFullPath(dataFolder), "appsettings.json"), optional: true);
            }

            return builder.AddEnvironmentVariables().AddInMemoryCollection(fromCommandLine).Build();
        }

        try
        {
            string data = Build(null)[$"{ZeroStorOptions.Section}:Data"] ?? new ZeroStorOptions().Data;
            return Build(data);
        }
        catch (InvalidDataException e)
        {
            throw ZeroStorException.Invalid($"{e.Message} {e.InnerException?.Message}");
        }
    }

    private static string? ReadPostgres(string? told)
    {
        if (told is null || !told.StartsWith('@'))
        {
            return string.IsNullOrWhiteSpace(told) ? null : told;
        }

        string path = Path.GetFullPath(told[1..]);
        try
        {
            string text = File.ReadAllText(path).Trim();
            return text.Length > 0
                ? text
                : throw ZeroStorException.Invalid($"{path} is empty: write the connection string into it");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ZeroStorException.Invalid($"the connection string cannot be read: {e.Message}");
        }
    }

    private static IPEndPoint ParseEndpoint(string text) =>
        IPEndPoint.TryParse(text, out IPEndPoint? endpoint) && endpoint.Port > 0
            ? endpoint
            : throw ZeroStorException.Invalid(
                $"--health {text} is not an address and a port: 127.0.0.1:8080 is, 0.0.0.0:8080 for all of this "
                + $"machine's addresses, [::1]:8080, and {NoHealth}");

    private static IPEndPoint ParseS3(string text)
    {
        string address = text.StartsWith(LocalHost, StringComparison.Ordinal)
            ? $"{IPAddress.Loopback}:{text[LocalHost.Length..]}"
            : text;
        return IPEndPoint.TryParse(address, out IPEndPoint? endpoint) && endpoint.Port > 0
            ? endpoint
            : throw ZeroStorException.Invalid(
                $"--s3 {text} is not an address and a port: {DefaultS3} is, 0.0.0.0:9000 for all of this machine's "
                + $"addresses, [::1]:9000, and {NoS3}");
    }

    private void CheckS3()
    {
        IPEndPoint? open = new[] { S3Endpoint, S3Http2Endpoint }.FirstOrDefault(
            at => at is not null && !IPAddress.IsLoopback(at.Address));
        if (open is not null && !Fabric.InsecureNetwork)
        {
            throw ZeroStorException.Invalid(
                $"--s3 {open} can be reached from other machines, and S3 is plain HTTP for now: whoever is on the way "
                + $"reads what is put and got. Stay on {DefaultS3} behind a proxy that speaks TLS, or say "
                + "--insecure-network on a network where you trust everybody");
        }
    }

    private void CheckAddresses()
    {
        foreach (string text in new[] { Address, Bind ?? Address })
        {
            if (!IPAddress.TryParse(text, out _))
            {
                throw ZeroStorException.Invalid($"'{text}' is not an IP address: 10.0.0.5 is one, and ::1");
            }
        }

        if (AdvertisedAddress.Equals(IPAddress.Any) || AdvertisedAddress.Equals(IPAddress.IPv6Any))
        {
            throw ZeroStorException.Invalid(
                $"--address {Address} is nowhere to reach a silo: name the machine's own address, and --bind {Address}");
        }

        if (IsOpen && !Fabric.InsecureNetwork)
        {
            throw ZeroStorException.Invalid(
                $"{(IPAddress.IsLoopback(ListeningAddress) ? Address : Bind ?? Address)} can be reached from other "
                + "machines, whoever reaches a gateway is administrator, and links are not encrypted yet: stay on "
                + "127.0.0.1, or say --insecure-network on a network where you trust everybody");
        }
    }

    private void Check()
    {
        CheckAddresses();
        _ = HealthEndpoint;
        CheckS3();
        if (Name.Length == 0 || Name.Contains('/', StringComparison.Ordinal))
        {
            throw ZeroStorException.Invalid($"'{Name}' is not a silo's name: it must not be empty or hold a slash");
        }

        if (Fabric.Disks is < 0 or > 1000)
        {
            throw ZeroStorException.Invalid($"--disks {Fabric.Disks} is not a number of disks: 0 to 1000 is");
        }

        if (ConnectionsPerSilo is < 1 or > MaxConnectionsPerSilo)
        {
            throw ZeroStorException.Invalid(
                $"ConnectionsPerSilo {ConnectionsPerSilo} is not a number of connections: 1 to "
                + $"{MaxConnectionsPerSilo} is");
        }

        foreach (int port in new[] { Port, GatewayPort })
        {
            if (port is < 1 or > 65535)
            {
                throw ZeroStorException.Invalid($"{port} is not a port: 1 to 65535 is");
            }
        }

        if (Fabric.Code is { } code)
        {
            _ = ZeroStor.Code.Parse(code);
        }
    }
}
