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
            Description = "Port for other silos. [default: 11111]",
            HelpName = "PORT",
        };
        var gatewayPort = new Option<int?>("--gateway-port")
        {
            Description = "Port for clients. [default: 30000]",
            HelpName = "PORT",
        };
        var masterKey = new Option<string?>("--master-key")
        {
            Description = "The master key's file, the same for all silos. [default: keys/master.key in the data folder]",
            HelpName = "FILE",
        };
        var passphrase = new Option<string?>("--master-key-passphrase")
        {
            Description = "A file with the passphrase that the master key's file is under, or is put under when it is "
                + "made. [default: none]",
            HelpName = "FILE",
        };
        var nextKey = new Option<string?>("--next-master-key")
        {
            Description = "The file of the master key that shall take its place (zs key rotate --master). [default: none]",
            HelpName = "FILE",
        };
        var nextPassphrase = new Option<string?>("--next-master-key-passphrase")
        {
            Description = "A file with the passphrase of that one. [default: none]", HelpName = "FILE",
        };
        var postgres = new Option<string?>("--postgres")
        {
            Description = "Connection string of the catalog of many silos, or @FILE that holds it. [default: a catalog "
                + "of this silo alone, in the data folder]",
            HelpName = "Host=...;Database=...",
        };
        var address = new Option<string?>("--address")
        {
            Description = "IP address at which other silos and clients reach this one. [default: 127.0.0.1]",
            HelpName = "IP",
        };
        var bind = new Option<string?>("--bind")
        {
            Description = "IP address to listen on. [default: the address]", HelpName = "IP",
        };
        var insecure = new Option<bool>("--insecure-network")
        {
            Description = "Let other machines reach this silo, though whoever reaches it is administrator and links "
                + "are not encrypted.",
        };
        var region = new Option<string?>("--region") { Description = "Where the silo stands.", HelpName = "NAME" };
        var site = new Option<string?>("--site") { Description = "Where in the region.", HelpName = "NAME" };
        var rack = new Option<string?>("--rack") { Description = "Where in the site.", HelpName = "NAME" };
        var migrate = new Option<bool>("--migrate")
        {
            Description = "Bring the catalog's tables to this version, say what that took, and end. A start does it, too.",
        };
        var health = new Option<string?>("--health")
        {
            Description = "Where to answer GET /live and GET /ready over HTTP; they tell nothing secret. [default: off]",
            HelpName = "IP:PORT|off",
        };
        var s3 = new Option<string?>("--s3")
        {
            Description = $"Where to answer S3, over plain HTTP; off: nowhere. [default: {SiloSettings.DefaultS3}]",
            HelpName = "HOST:PORT|off",
        };
        var verbose = new Option<bool>("--verbose") { Description = "More log, and stack traces of failures." };
        var root = new RootCommand(
            "A silo of a ZeroStor fabric: stores sealed, erasure-coded shards on its disks.\n\n"
            + "  dotnet run -c Release --project silo                          24 disk folders, 20+4\n"
            + "  dotnet run -c Release --project silo -- --disks 6 --code 4+2  a small one\n"
            + "  dotnet run -c Release --project silo -- --disk /mnt/a --disk /mnt/b --disk /mnt/c --code 2+1\n"
            + "  dotnet run -c Release --project silo -- --postgres @db.txt --name a --master-key fabric.key  one of many\n\n"
            + "Settings also come from appsettings.json (beside the program, then in the data folder) and from the\n"
            + "environment, as ZeroStor:Data or ZeroStor__Data; the command line wins. Ctrl-C stops it cleanly.\n"
            + "Exit codes: 0 stopped cleanly, 1 failed, 2 told something it cannot do.")
        {
            data, disks, disk, code, name, port, gatewayPort, masterKey, passphrase, nextKey, nextPassphrase, postgres, address, bind, insecure,
            region, site,
            rack, health, s3, migrate, verbose,
        };
        root.SetAction((parsed, cancel) =>
        {
            var told = new Dictionary<string, string?>
            {
                ["Data"] = parsed.GetValue(data),
                ["Disks"] = parsed.GetValue(disks)?.ToString(CultureInfo.InvariantCulture),
                ["Code"] = parsed.GetValue(code),
                ["MasterKeyFile"] = parsed.GetValue(masterKey),
                ["MasterKeyPassphraseFile"] = parsed.GetValue(passphrase),
                ["NextMasterKeyFile"] = parsed.GetValue(nextKey),
                ["NextMasterKeyPassphraseFile"] = parsed.GetValue(nextPassphrase),
                ["Name"] = parsed.GetValue(name),
                ["Port"] = parsed.GetValue(port)?.ToString(CultureInfo.InvariantCulture),
                ["GatewayPort"] = parsed.GetValue(gatewayPort)?.ToString(CultureInfo.InvariantCulture),
                ["Postgres"] = parsed.GetValue(postgres),
                ["Address"] = parsed.GetValue(address),
                ["Bind"] = parsed.GetValue(bind),
                ["InsecureNetwork"] = parsed.GetValue(insecure) ? bool.TrueString : null,
                ["Region"] = parsed.GetValue(region),
                ["Site"] = parsed.GetValue(site),
                ["Rack"] = parsed.GetValue(rack),
                ["Health"] = parsed.GetValue(health),
                ["S3"] = parsed.GetValue(s3),
            };
            foreach ((int index, string path) in (parsed.GetValue(disk) ?? []).Index())
            {
                told[$"DiskPaths:{index}"] = path;
            }

            return RunAsync(told, parsed.GetValue(migrate), parsed.GetValue(verbose), cancel);
        });
        return root;
    }

    private static async Task<int> RunAsync(
        Dictionary<string, string?> told, bool migrate, bool verbose, CancellationToken cancel)
    {
        try
        {
            SiloSettings settings = SiloSettings.Read(told);
            if (migrate)
            {
                await SiloProcess.MigrateAsync(settings, Console.Out, cancel);
                return Done;
            }

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
