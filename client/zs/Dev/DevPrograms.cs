using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ZeroStor.CommandLine.Dev;

/// <summary>Finds what a dev fabric is made of: the silo's program, PostgreSQL's, free ports.</summary>
internal static class DevPrograms
{
    private const string Silo = "ZeroStor.Silo";

    private static readonly string[] Postgres = ["initdb", "pg_ctl", "createdb"];

    /// <summary>Below the ports that systems give to outgoing connections, so that what was free stays so.</summary>
    private const int FirstPort = 20_000;

    private const int EndPort = 32_000;

    /// <summary>The silo's program: as told, beside zs, or built in the checkout that zs was built in.</summary>
    /// <exception cref="ZeroStorException">NotFound.</exception>
    public static string FindSilo(string? told, string beside)
    {
        if (told is not null)
        {
            return File.Exists(told)
                ? Path.GetFullPath(told)
                : throw ZeroStorException.NotFound($"There is no silo program '{told}': name one with --silo-path.");
        }

        return SiloFolders(beside).SelectMany(f => new[] { Path.Combine(f, Silo), Path.Combine(f, Silo + ".dll") })
            .FirstOrDefault(File.Exists)
            ?? throw ZeroStorException.NotFound(
                $"There is no {Silo} beside zs or in its checkout: dotnet build -c Release silo, or say --silo-path.");
    }

    /// <summary>How a silo's program is run: one without an executable of its own by dotnet.</summary>
    public static IEnumerable<string> Command(string silo) =>
        silo.EndsWith(".dll", StringComparison.Ordinal) ? ["dotnet", silo] : [silo];

    /// <summary>The folder of PostgreSQL's programs: in PATH, else where Debian puts them.</summary>
    /// <exception cref="ZeroStorException">NotFound.</exception>
    public static string FindPostgres(string? path, string debian)
    {
        IEnumerable<string> folders = (path ?? "").Split(Path.PathSeparator);
        if (Directory.Exists(debian))
        {
            folders = folders.Concat(Directory.GetDirectories(debian)
                .OrderByDescending(f => int.TryParse(
                    Path.GetFileName(f), CultureInfo.InvariantCulture, out int version) ? version : 0)
                .Select(f => Path.Combine(f, "bin")));
        }

        return folders.FirstOrDefault(f => f.Length > 0
                && Postgres.All(program => File.Exists(Path.Combine(f, program))))
            ?? throw ZeroStorException.NotFound(
                $"PostgreSQL's programs are neither in one folder of PATH nor under {debian}: install PostgreSQL 14 or later.");
    }

    /// <summary>Ports of 127.0.0.1 that nobody listens on.</summary>
    /// <param name="count">How many.</param>
    /// <param name="taken">Those of silos that are down keep theirs.</param>
    /// <exception cref="ZeroStorException">Unavailable.</exception>
    public static int[] FreePorts(int count, IReadOnlySet<int> taken)
    {
        int[] free =
        [
            .. Enumerable.Range(FirstPort, EndPort - FirstPort).Where(p => !taken.Contains(p) && IsFree(p)).Take(count),
        ];
        return free.Length == count
            ? free
            : throw new ZeroStorException(
                ErrorKind.Unavailable,
                $"Of the ports {FirstPort} to {EndPort - 1} of 127.0.0.1 only {free.Length} are free, and {count} are "
                + "needed: stop what listens there.");
    }

    public static bool IsFree(int port)
    {
        try
        {
            using var probe = new TcpListener(IPAddress.Loopback, port);
            probe.ExclusiveAddressUse = true;
            probe.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    // .../client/zs/bin/<configuration>/net10.0 of a checkout has the silo in silo/bin/<configuration>/net10.0.
    private static IEnumerable<string> SiloFolders(string beside)
    {
        yield return beside;
        var own = new DirectoryInfo(Path.TrimEndingDirectorySeparator(beside));
        for (DirectoryInfo? at = own; at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "ZeroStor.sln")))
            {
                foreach (string configuration in new[] { own.Parent?.Name ?? "", "Release", "Debug" })
                {
                    yield return Path.Combine(at.FullName, "silo", "bin", configuration, own.Name);
                }
            }
        }
    }
}
