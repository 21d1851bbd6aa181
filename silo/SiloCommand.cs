using System.CommandLine;
using System.Globalization;

namespace ZeroStor.Silo;

/// <summary>The command line of the silo: what it can be told, and how it answers.</summary>
internal static class SiloCommand
{
    /// <summary>Exit codes, as <c>zs</c> has them.</summary>
    public const int Done = 0;

    public const int Failed = 1;

    public const int Usage = 2;

    public static RootCommand Make()
    {
        var data = new Option<string?>("--data")
        {
            Description = "Folder of this silo: disks, keys, catalog. Made when missing. [default: ./zerostor-data]",
            HelpName = "DIR",
        };
        var disks = new Option<int?>("--disks")
        {
            Description = "How many disk folders to keep in the data folder (disk01, disk02, ...). "
                + "[default: those that are there, or 24]",
            HelpName = "N",
        };
        var disk = new Option<string[]>("--disk")
        {
            Description = "A folder on a mount of its own to be a disk; repeatable. Never made by the silo.",
            HelpName = "PATH",
        };
        var code = new Option<string?>("--code")
        {
            Description = "Code of vaults that ask for none: K data and M parity shards. [default: 20+4]",
            HelpName = "K+M",
        };
        var name = new Option<string?>("--name")
        {
            Description = "The silo's name, constant for its life. [default: silo1]",
            HelpName = "NAME",
        };
        var port = new Option<int?>("--port")
        {
            Description = "Port for other silos, on 127.0.0.1. [default: 11111]",
            HelpName = "PORT",
        };
        var gatewayPort = new Option<int?>("--gateway-port")
        {
            Description = "Port for clients, on 127.0.0.1. [default: 30000]",
            HelpName = "PORT",
        };
        var masterKey = new Option<string?>("--master-key")
        {
            Description = "The master key's file. [default: keys/master.key in the data folder]",
            HelpName = "FILE",
        };
        var verbose = new Option<bool>("--verbose") { Description = "More log, and stack traces of failures." };
        var root = new RootCommand(
            "A silo of a ZeroStor fabric: stores sealed, erasure-coded shards on its disks.\n\n"
            + "  dotnet run -c Release --project silo                          24 disk folders, 20+4\n"
            + "  dotnet run -c Release --project silo -- --disks 6 --code 4+2  a small one\n"
            + "  dotnet run -c Release --project silo -- --disk /mnt/a --disk /mnt/b --disk /mnt/c --code 2+1\n\n"
            + "Settings also come from appsettings.json (beside the program, then in the data folder) and from the\n"
            + "environment, as ZeroStor:Data or ZeroStor__Data; the command line wins. Ctrl-C stops it cleanly.\n"
            + "Exit codes: 0 stopped cleanly, 1 failed, 2 told something it cannot do.")
        {
            data, disks, disk, code, name, port, gatewayPort, masterKey, verbose,
        };
        root.SetAction((parsed, cancel) =>
        {
            var told = new Dictionary<string, string?>
            {
                ["Data"] = parsed.GetValue(data),
                ["Disks"] = parsed.GetValue(disks)?.ToString(CultureInfo.InvariantCulture),
                ["Code"] = parsed.GetValue(code),
                ["MasterKeyFile"] = parsed.GetValue(masterKey),
                ["Name"] = parsed.GetValue(name),
                ["Port"] = parsed.GetValue(port)?.ToString(CultureInfo.InvariantCulture),
                ["GatewayPort"] = parsed.GetValue(gatewayPort)?.ToString(CultureInfo.InvariantCulture),
            };
            foreach ((int index, string path) in (parsed.GetValue(disk) ?? []).Index())
            {
                told[$"DiskPaths:{index}"] = path;
            }

            return RunAsync(told, parsed.GetValue(verbose), cancel);
        });
        return root;
    }

    private static async Task<int> RunAsync(
        Dictionary<string, string?> told, bool verbose, CancellationToken cancel)
    {
        try
        {
            SiloSettings settings = SiloSettings.Read(told);
            await using SiloProcess process = await SiloProcess.StartAsync(settings, verbose, cancel);
            await process.RunAsync(cancel);
            return Done;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return Done;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Exception cause = Cause(e);
            await Console.Error.WriteLineAsync(verbose ? cause.ToString() : Sentence(cause));
            return cause is ZeroStorException { Kind: ErrorKind.PolicyUnsatisfiable or ErrorKind.InvalidArgument }
                ? Usage
                : Failed;
        }
    }

    // Orleans wraps what happens at its start.
    private static Exception Cause(Exception e)
    {
        for (Exception? at = e; at is not null; at = at.InnerException)
        {
            if (at is ZeroStorException)
            {
                return at;
            }
        }

        return e.GetBaseException();
    }

    private static string Sentence(Exception cause) =>
        cause is ZeroStorException ? cause.Message : $"the silo failed: {cause.Message} (--verbose says where)";
}
