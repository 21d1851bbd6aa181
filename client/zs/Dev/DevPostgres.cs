using System.Globalization;

namespace ZeroStor.CommandLine.Dev;

/// <summary>The PostgreSQL server of a dev fabric, in <c>postgres</c> of its folder and reached by a Unix socket
/// there, which only its owner may use. It refuses to run as root, so for root it runs as the user
/// <c>postgres</c>.</summary>
internal sealed class DevPostgres(string folder, string programs)
{
    private const string User = "zerostor";
    private const string Database = "zerostor";
    private const string System = "postgres";

    /// <summary>What the kernel takes for a socket's path, less the name that PostgreSQL adds.</summary>
    private const int MaxPathBytes = 107 - 16;

    /// <summary>Each silo takes some eight connections: enough for a hundred silos.</summary>
    private const int MaxConnections = 1000;

    /// <summary>Orleans takes up to sixteen when a silo starts, and the server a process for each: with many silos on
    /// one machine that alone keeps it busy.</summary>
    private const int OrleansConnections = 4;

    private string Home => Path.Combine(folder, "postgres");

    private string Data => Path.Combine(Home, "data");

    public string ConnectionString => string.Create(
        CultureInfo.InvariantCulture,
        $"Host={Home};Database={Database};Username={User};Maximum Pool Size={OrleansConnections}");

    /// <summary>Makes the server's files and the database, and starts it.</summary>
    /// <exception cref="ZeroStorException">What stands against it.</exception>
    public async Task MakeAsync(CancellationToken cancel)
    {
        if (Home.Length > MaxPathBytes)
        {
            throw ZeroStorException.Invalid(
                $"{Home} is too long for a socket (at most {MaxPathBytes} characters): choose a shorter --data.");
        }

        Directory.CreateDirectory(Home);
        if (Environment.IsPrivilegedProcess)
        {
            await DevProcess.RunAsync(["chown", System, Home], cancel);
            (int code, _) = await DevProcess.TryRunAsync(AsServer("test", "-w", Home), cancel);
            if (code != 0)
            {
                throw new ZeroStorException(
                    ErrorKind.Forbidden,
                    $"PostgreSQL does not run as root, and its user {System} cannot reach {Home}: choose a --data that "
                    + "others may enter, or run zs as another user.");
            }
        }

        await RunAsync("initdb", cancel, "-D", Data, "-U", User, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync");
        string[] settings =
        [
            "listen_addresses = ''",
            $"unix_socket_directories = '{Home.Replace("'", "''", StringComparison.Ordinal)}'",
            "unix_socket_permissions = 0700",
            string.Create(CultureInfo.InvariantCulture, $"max_connections = {MaxConnections}"),
        ];
        await DevProcess.RunAsync(
            AsServer(
                ["sh", "-c", "printf '%s\\n' \"$@\" >\"$0\"", Path.Combine(Data, "postgresql.auto.conf"), .. settings]),
            cancel);
        await StartAsync(cancel);
        await RunAsync("createdb", cancel, "-h", Home, "-U", User, "--maintenance-db", "postgres", Database);
    }

    /// <summary>Starts the server if it does not run.</summary>
    public async Task StartAsync(CancellationToken cancel)
    {
        if (!await IsRunningAsync(cancel))
        {
            await RunAsync("pg_ctl", cancel, "start", "-D", Data, "-w", "-t", "60", "-l", Path.Combine(Home, "log"));
        }
    }

    /// <summary>Stops the server in order, if it runs.</summary>
    public async Task StopAsync(CancellationToken cancel)
    {
        if (await IsRunningAsync(cancel))
        {
            await RunAsync("pg_ctl", cancel, "stop", "-D", Data, "-w", "-t", "60", "-m", "fast");
        }
    }

    private async Task<bool> IsRunningAsync(CancellationToken cancel) =>
        Directory.Exists(Data) && (await DevProcess.TryRunAsync(
            AsServer(Path.Combine(programs, "pg_ctl"), "status", "-D", Data), cancel)).Code == 0;

    private Task RunAsync(string program, CancellationToken cancel, params string[] arguments) =>
        DevProcess.RunAsync(AsServer([Path.Combine(programs, program), .. arguments]), cancel);

    private static string[] AsServer(params string[] command) =>
        Environment.IsPrivilegedProcess
            ? ["setpriv", "--reuid", System, "--regid", System, "--init-groups", "--", .. command]
            : command;
}
