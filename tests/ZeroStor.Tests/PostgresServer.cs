using System.Diagnostics;
using System.Globalization;
using Npgsql;
using ZeroStor.Tests;

[assembly: AssemblyFixture(typeof(SharedPostgres))]

namespace ZeroStor.Tests;

/// <summary>A PostgreSQL server of the tests' own: made in a temporary folder, reached by a Unix socket
/// there, with fsync on as everywhere. Disposing stops and removes it; so does a watcher beside it when this
/// process ends in any other way. Both test projects compile this file.</summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    /// <summary>The one user that needs a password, once it is made.</summary>
    public const string GuardedUser = "guarded";

    private const string Superuser = "zerostor";

    private static int _count;

    private readonly string _folder;
    private readonly string _programs;
    private Process? _watcher;
    private int _databases;

    private PostgresServer(string folder, string programs)
    {
        _folder = folder;
        _programs = programs;
    }

    /// <summary>Null where PostgreSQL is installed; else why there can be no server.</summary>
    public static string? Missing { get; } = FindPrograms() is null
        ? "PostgreSQL is not installed: neither in PATH nor under /usr/lib/postgresql is there an initdb"
        : null;

    private string Data => Path.Combine(_folder, "data");

    /// <summary>Skips the test where there is no PostgreSQL; in CI that fails.</summary>
    public static void Require()
    {
        if (Missing is not null && Environment.GetEnvironmentVariable("CI") == "true")
        {
            throw new InvalidOperationException(Missing);
        }

        Assert.SkipWhen(Missing is not null, Missing ?? "");
    }

    /// <param name="settings">Lines of postgresql.conf.</param>
    public static async Task<PostgresServer> StartAsync(params string[] settings)
    {
        Require();
        string name = string.Create(
            CultureInfo.InvariantCulture,
            $"zerostor-postgres-{Environment.ProcessId}-{Interlocked.Increment(ref _count)}");

        // Root's own temporary folder may be closed to the user that the server runs as.
        string parent = Environment.IsPrivilegedProcess ? "/tmp" : Path.GetTempPath();
        var server = new PostgresServer(Path.Combine(parent, name), FindPrograms()!);
        await server.MakeAsync(settings);
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>Makes a database and gives its connection string.</summary>
    public async Task<string> MakeDatabaseAsync(string how = "")
    {
        string name = string.Create(
            CultureInfo.InvariantCulture, $"test{Interlocked.Increment(ref _databases)}");
        await RunAsync($"CREATE DATABASE {name} {how}");
        return ConnectionStringOf(name);
    }

    public Task RemoveDatabaseAsync(string connectionString) => RunAsync(
        $"DROP DATABASE {new NpgsqlConnectionStringBuilder(connectionString).Database} WITH (FORCE)");

    public string ConnectionStringOf(string database, string user = Superuser) => new NpgsqlConnectionStringBuilder
    {
        Host = _folder, Database = database, Username = user, Pooling = false,
    }.ConnectionString;

    /// <summary>Runs a statement as the superuser; its first value.</summary>
    public async Task<object?> RunAsync(string sql, string database = "postgres")
    {
        await using var connection = new NpgsqlConnection(ConnectionStringOf(database));
        await connection.OpenAsync();
        await using NpgsqlCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // The tests' own text.
        command.CommandText = sql;
#pragma warning restore CA2100
        return await command.ExecuteScalarAsync();
    }

    /// <summary>Sets what postgresql.conf would, at once.</summary>
    public async Task SetAsync(string setting, string value)
    {
        await RunAsync($"ALTER SYSTEM SET {setting} = '{value}'");
        await RunAsync("SELECT pg_reload_conf()");
    }

    /// <summary>As when the power fails, but for what the system holds of its files.</summary>
    public Task CrashAsync() => RunProgramAsync("pg_ctl", "stop", "-D", Data, "-w", "-m", "immediate");

    public Task StartAgainAsync() => RunProgramAsync(
        "pg_ctl", "start", "-D", Data, "-w", "-t", "60", "-l", Path.Combine(_folder, "log"));

    public async ValueTask DisposeAsync()
    {
        // The watcher does it: it has what it waits for when its input ends.
        if (_watcher is not null)
        {
            _watcher.StandardInput.Close();
            await _watcher.WaitForExitAsync();
            _watcher.Dispose();
        }
    }

    private async Task MakeAsync(string[] settings)
    {
        await RunAsServerAsync("mkdir", "-m", "700", _folder);
        _watcher = Process.Start(StartInfo(
            "setsid", "--wait", "sh", "-c", "cat >/dev/null; \"$1/pg_ctl\" stop -D \"$0/data\" -m immediate; rm -rf \"$0\"",
            _folder, _programs))!;
        _watcher.BeginOutputReadLine();
        _watcher.BeginErrorReadLine();
        await RunProgramAsync(
            "initdb", "-D", Data, "-U", Superuser, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync");
        await WriteAsync("data/pg_hba.conf", $"local all {GuardedUser} scram-sha-256", "local all all trust");
        await WriteAsync("data/postgresql.auto.conf",
        [
            "listen_addresses = ''", $"unix_socket_directories = '{_folder}'", "max_connections = 200",
            "deadlock_timeout = 100ms", .. settings,
        ]);
    }

    private Task WriteAsync(string file, params string[] lines) => RunAsServerAsync(
        "sh", ["-c", "printf '%s\\n' \"$@\" >\"$0\"", Path.Combine(_folder, file), .. lines]);

    private Task RunProgramAsync(string program, params string[] arguments) =>
        RunAsServerAsync(Path.Combine(_programs, program), arguments);

    private static async Task RunAsServerAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(StartInfo(program, arguments))!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {await output}{errors}");
        }
    }

    // PostgreSQL refuses to run as root; its package makes a user for it.
    private static ProcessStartInfo StartInfo(string program, params string[] arguments) =>
        Environment.IsPrivilegedProcess
            ? Redirected(new ProcessStartInfo("runuser", ["-u", "postgres", "--", program, .. arguments]))
            : Redirected(new ProcessStartInfo(program, arguments));

    private static ProcessStartInfo Redirected(ProcessStartInfo start)
    {
        start.WorkingDirectory = "/";
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        return start;
    }

    private static string? FindPrograms()
    {
        IEnumerable<string> path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        IEnumerable<string> debian = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql")
                .OrderByDescending(f => int.TryParse(Path.GetFileName(f), out int version) ? version : 0)
                .Select(f => Path.Combine(f, "bin"))
            : [];
        return path.Concat(debian).FirstOrDefault(
            f => File.Exists(Path.Combine(f, "initdb")) && File.Exists(Path.Combine(f, "pg_ctl")));
    }
}

/// <summary>The one server of a test run, started when the first test asks for it.</summary>
public sealed class SharedPostgres : IAsyncDisposable
{
    private static readonly Lazy<Task<PostgresServer>> Started = new(() => PostgresServer.StartAsync());

    internal static Task<PostgresServer> StartAsync()
    {
        PostgresServer.Require();
        return Started.Value;
    }

    public async ValueTask DisposeAsync()
    {
        if (Started.IsValueCreated)
        {
            await (await Started.Value).DisposeAsync();
        }
    }
}
