using System.Globalization;
using System.Text.Json;

namespace ZeroStor.CommandLine.Dev;

/// <summary>One silo of a dev fabric, as <c>dev.json</c> keeps it.</summary>
internal sealed record DevSilo
{
    public required int Number { get; init; }

    public required string Site { get; init; }

    public required int Port { get; init; }

    public required int GatewayPort { get; init; }

    /// <summary>The process that was started last; whether it still is there <see cref="DevProcess"/> tells.</summary>
    public int Pid { get; init; }

    public string Name => string.Create(CultureInfo.InvariantCulture, $"silo{Number}");

    public string Gateway => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{GatewayPort}");
}

/// <summary>All that is known of a dev fabric between two commands: the file <c>dev.json</c> in its folder.</summary>
internal sealed record DevState
{
    private const string FileName = "dev.json";

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    public required string Code { get; init; }

    public required int DisksPerSilo { get; init; }

    public required int Sites { get; init; }

    public required string SiloPath { get; init; }

    public required string PostgresPrograms { get; init; }

    public IReadOnlyList<DevSilo> Silos { get; init; } = [];

    public static bool IsIn(string folder) => File.Exists(Path.Combine(folder, FileName));

    /// <exception cref="ZeroStorException">NotFound: no dev fabric is there; InvalidArgument: the file is damaged.
    /// </exception>
    public static DevState Load(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            throw ZeroStorException.NotFound(
                $"There is no dev fabric in {folder}: zs dev up makes one, or say --data DIR.");
        }

        try
        {
            return JsonSerializer.Deserialize<DevState>(File.ReadAllText(path), Json)
                ?? throw new JsonException("it is empty");
        }
        catch (JsonException e)
        {
            throw ZeroStorException.Invalid($"'{path}' is damaged ({e.Message}): remove {folder} and its processes.");
        }
    }

    // Beside its name and renamed, so that an end at any moment leaves a whole file.
    public void Save(string folder)
    {
        string path = Path.Combine(folder, FileName);
        File.WriteAllText(path + ".new", JsonSerializer.Serialize(this, Json));
        File.Move(path + ".new", path, overwrite: true);
    }

    public static void Remove(string folder) => File.Delete(Path.Combine(folder, FileName));

    public DevState With(DevSilo silo) => this with
    {
        Silos = [.. Silos.Where(s => s.Number != silo.Number).Append(silo).OrderBy(s => s.Number)],
    };

    /// <summary>Sites are <c>1</c>, <c>2</c>, ...: silos are dealt to them in turn.</summary>
    public string SiteOf(int number) => (((number - 1) % Sites) + 1).ToString(CultureInfo.InvariantCulture);
}
