using Microsoft.Extensions.Configuration;
using ZeroStor.Grains;

namespace ZeroStor.Silo;

/// <summary>All that a silo process is told: by files, environment and command line, in this order.</summary>
internal sealed class SiloSettings
{
    /// <summary>Where clients look when they are told nothing.</summary>
    public const int DefaultGatewayPort = 30000;

    public const int DefaultPort = 11111;

    public ZeroStorOptions Fabric { get; } = new();

    public string Name { get; set; } = "silo1";

    public int Port { get; set; } = DefaultPort;

    public int GatewayPort { get; set; } = DefaultGatewayPort;

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

    private void Check()
    {
        if (Name.Length == 0 || Name.Contains('/', StringComparison.Ordinal))
        {
            throw ZeroStorException.Invalid($"'{Name}' is not a silo's name: it must not be empty or hold a slash");
        }

        if (Fabric.Disks is < 0 or > 1000)
        {
            throw ZeroStorException.Invalid($"--disks {Fabric.Disks} is not a number of disks: 0 to 1000 is");
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
