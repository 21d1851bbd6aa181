using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace ZeroStor.CommandLine.Dev;

/// <summary><c>zs dev</c>: a fabric of many silos on this machine, to build against and to break.</summary>
internal static class DevVerbs
{
    /// <summary>More silos than any one machine is of use for.</summary>
    private const int MaxSilos = 200;

    private static readonly Option<string?> Data = new("--data")
    {
        Description = "The dev fabric's folder. [default: that of the last 'zs dev up', or ./zerostor-dev]",
        HelpName = "DIR",
    };

    private static readonly Option<int> Silos = Number("--silos", "How many silos", 3, MaxSilos);

    private static readonly Option<int> Sites = Number("--sites", "How many sites the silos are dealt to", 1, MaxSilos);

    private static readonly Option<int> DisksPerSilo = Number("--disks-per-silo", "Disks of each silo", 2, 100);

    private static readonly Option<string> CodeOption = new("--code")
    {
        Description = "Code of vaults that ask for none: K data and M parity shards",
        HelpName = "K+M",
        DefaultValueFactory = _ => Code.Default.ToString(),
    };

    private static readonly Option<string?> SiloPath = new("--silo-path")
    {
        Description = "The silo's program. [default: beside zs, or in the checkout that zs was built in]",
        HelpName = "PATH",
    };

    private static readonly Option<int[]> Silo = new("--silo")
    {
        Description = "This silo; repeatable", HelpName = "N", Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<string[]> Site = new("--site")
    {
        Description = "All silos of this site; repeatable", HelpName = "S", Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<bool> All = new("--all") { Description = "All silos" };

    private static readonly Option<int> More = Number("--silos", "How many silos", 1, MaxSilos);

    private static readonly Option<string?> SiteOfMore = new("--site")
    {
        Description = "Where they stand. [default: dealt to the sites in turn]", HelpName = "S",
    };

    private static readonly Option<bool> KeepOption = new("--keep")
    {
        Description = "Leave the folder: zs dev start --all goes on with it",
    };

    public static Command Make() => new(
        "dev", "Runs a fabric of many silos on this machine, and breaks parts of it.")
    {
        Verb.Make("up", """
            Starts a fabric of many silos, with a PostgreSQL of its own, all in one folder, and points zs at it.

              zs dev up --silos 6 --disks-per-silo 4
              zs dev up --silos 28 --sites 7 --disks-per-silo 1
              zs dev up --silos 3 --disks-per-silo 2 --code 4+2 --data /tmp/fabric
            """, [Silos, Sites, Data, DisksPerSilo, CodeOption, SiloPath], UpAsync),
        OnSome("kill", "Ends silos with kill -9.", (fabric, silos, cancel) => fabric.KillAsync(silos, cancel)),
        OnSome("pause", "Stops silos where they are (SIGSTOP): they hang until zs dev resume.",
            (fabric, silos, cancel) => fabric.SignalAsync("STOP", silos, cancel)),
        OnSome("resume", "Lets paused silos go on (SIGCONT).",
            (fabric, silos, cancel) => fabric.SignalAsync("CONT", silos, cancel)),
        OnSome("wipe", "Ends silos with kill -9 and deletes their disks; zs dev start starts them anew.",
            (fabric, silos, cancel) => fabric.WipeAsync(silos, cancel)),
        OnSome("start", "Starts silos that do not run, and PostgreSQL when it does not.",
            (fabric, silos, cancel) => fabric.StartAsync([.. silos.Select(s => s.Number)], cancel)),
        Verb.Make("add", """
            Adds silos to the dev fabric and starts them.

              zs dev add
              zs dev add --silos 4 --site 8
            """, [More, SiteOfMore, Data], AddAsync),
        Verb.Make("ls", """
            Lists the silos: their process, gateway, memory and folder.

              zs dev ls
              zs dev ls --json
            """, [Data], verb =>
        {
            string folder = FolderOf(verb);
            DevState state = DevState.Load(folder);
            Tell(verb.Output, folder, state, state.Silos);
            return Task.CompletedTask;
        }),
        Verb.Make("down", """
            Stops all silos in order, then PostgreSQL, points zs where it pointed before, and removes the folder.

              zs dev down
              zs dev down --keep
            """, [KeepOption, Data], DownAsync),
    };

    /// <exception cref="ZeroStorException">PolicyUnsatisfiable: the disks are too few for the code.</exception>
    internal static void DemandRoom(int silos, int disksPerSilo, Code code)
    {
        if (silos * disksPerSilo < code.N)
        {
            int enough = (code.N + silos - 1) / silos;
            throw new ZeroStorException(
                ErrorKind.PolicyUnsatisfiable,
                $"{code} needs {code.N} disks, and {silos} silos with {disksPerSilo} each have {silos * disksPerSilo}: say "
                + $"--disks-per-silo {enough}, or a smaller --code.");
        }
    }

    /// <exception cref="ZeroStorException">NotFound: there is no such silo or site.</exception>
    internal static IReadOnlyList<DevSilo> Choose(
        IReadOnlyList<DevSilo> silos, IReadOnlyList<int> numbers, IReadOnlyList<string> sites, bool all)
    {
        foreach (int number in numbers.Where(n => silos.All(s => s.Number != n)))
        {
            throw ZeroStorException.NotFound($"There is no silo {number}: zs dev ls lists them.");
        }

        foreach (string site in sites.Where(n => silos.All(s => s.Site != n)))
        {
            throw ZeroStorException.NotFound($"There is no silo in site {site}: zs dev ls lists them.");
        }

        return [.. silos.Where(s => all || numbers.Contains(s.Number) || sites.Contains(s.Site))];
    }

    internal static void Write(
        Utf8JsonWriter w, string folder, IEnumerable<(DevSilo Silo, DevProcessState State, long ResidentBytes)> silos)
    {
        w.WriteString("data", folder);
        w.WriteStartArray("silos");
        foreach ((DevSilo silo, DevProcessState state, long residentBytes) in silos)
        {
            w.WriteStartObject();
            w.WriteNumber("number", silo.Number);
            w.WriteString("name", silo.Name);
            w.WriteString("site", silo.Site);
            w.WriteString("state", state.ToString().ToLowerInvariant());
            w.WriteNumber("pid", silo.Pid);
            w.WriteString("gateway", silo.Gateway);
            w.WriteNumber("residentBytes", residentBytes);
            w.WriteString("folder", Path.Combine(folder, silo.Name));
            w.WriteEndObject();
        }

        w.WriteEndArray();
    }

    private static Command OnSome(
        string name, string does, Func<DevFabric, IReadOnlyList<DevSilo>, CancellationToken, Task> act) =>
        Verb.Make(name, $"""
            {does}

              zs dev {name} --silo 3
              zs dev {name} --site 2
              zs dev {name} --all
            """, [Silo, Site, All, Data], async verb =>
        {
            int[] numbers = verb.Arguments.GetValue(Silo) ?? [];
            string[] sites = verb.Arguments.GetValue(Site) ?? [];
            bool all = verb.Arguments.GetValue(All);
            if (!all && numbers.Length == 0 && sites.Length == 0)
            {
                throw ZeroStorException.Invalid("Say which silos: --silo N, --site S, or --all.");
            }

            using DevFabric fabric = DevFabric.Open(FolderOf(verb), verb.Output);
            IReadOnlyList<DevSilo> chosen = Choose(fabric.State.Silos, numbers, sites, all);
            await act(fabric, chosen, verb.Cancel);
            Tell(verb.Output, fabric.Folder, fabric.State, Now(fabric, chosen));
        });

    private static async Task UpAsync(Verb verb)
    {
        int silos = verb.Arguments.GetValue(Silos);
        int disksPerSilo = verb.Arguments.GetValue(DisksPerSilo);
        var code = Code.Parse(verb.Arguments.GetValue(CodeOption)!);
        DemandRoom(silos, disksPerSilo, code);
        string folder = Path.GetFullPath(verb.Arguments.GetValue(Data) ?? DefaultFolder);
        var state = new DevState
        {
            Code = code.ToString(),
            DisksPerSilo = disksPerSilo,
            Sites = verb.Arguments.GetValue(Sites),
            SiloPath = DevPrograms.FindSilo(verb.Arguments.GetValue(SiloPath), AppContext.BaseDirectory),
            PostgresPrograms = DevPrograms.FindPostgres(
                Environment.GetEnvironmentVariable("PATH"), "/usr/lib/postgresql"),
        };
        using DevFabric fabric = DevFabric.Make(folder, state, verb.Output);
        await fabric.UpAsync(silos, verb.Cancel);
        Tell(verb.Output, folder, fabric.State, fabric.State.Silos);
        if (Environment.GetEnvironmentVariable(Gateways.Variable) is { Length: > 0 })
        {
            verb.Output.Line($"{Gateways.Variable} is set and goes before: unset it, so that zs reaches this fabric.");
        }
    }

    private static async Task AddAsync(Verb verb)
    {
        using DevFabric fabric = DevFabric.Open(FolderOf(verb), verb.Output);
        IReadOnlyList<DevSilo> added = await fabric.AddAsync(
            verb.Arguments.GetValue(More), verb.Arguments.GetValue(SiteOfMore), verb.Cancel);
        Tell(verb.Output, fabric.Folder, fabric.State, Now(fabric, added));
    }

    private static async Task DownAsync(Verb verb)
    {
        string folder = FolderOf(verb);
        bool keep = verb.Arguments.GetValue(KeepOption);
        using (DevFabric fabric = DevFabric.Open(folder, verb.Output))
        {
            await fabric.DownAsync(keep);
        }

        verb.Output.Line(keep ? $"stopped; {folder} is left" : $"stopped, and {folder} removed");
        verb.Output.Json(w =>
        {
            w.WriteString("data", folder);
            w.WriteBoolean("removed", !keep);
        });
    }

    private const string DefaultFolder = "zerostor-dev";

    private static string FolderOf(Verb verb) => Path.GetFullPath(
        verb.Arguments.GetValue(Data) ?? DevContext.Folder() ?? DefaultFolder);

    private static IReadOnlyList<DevSilo> Now(DevFabric fabric, IReadOnlyList<DevSilo> chosen) =>
        [.. fabric.State.Silos.Where(s => chosen.Any(c => c.Number == s.Number))];

    private static void Tell(Output output, string folder, DevState state, IReadOnlyList<DevSilo> silos)
    {
        (DevSilo Silo, DevProcessState State, long ResidentBytes)[] seen =
        [
            .. silos.Select(s =>
            {
                DevProcessState at = DevProcess.Look(s.Pid, Path.Combine(folder, s.Name));
                return (s, at, at == DevProcessState.Down ? 0 : DevProcess.ResidentBytes(s.Pid));
            }),
        ];
        output.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"dev fabric {folder}: {state.Silos.Count} silos, {state.DisksPerSilo} disks each, {state.Code}"));
        foreach ((DevSilo silo, DevProcessState at, long residentBytes) in seen)
        {
            output.Line(string.Create(
                CultureInfo.InvariantCulture,
                $"{silo.Name,-8} site {silo.Site,-4} {at.ToString().ToLowerInvariant(),-8} {silo.Gateway,-16} "
                + $"{(residentBytes > 0 ? Text.Bytes(residentBytes) : ""),10}  pid {silo.Pid}"));
        }

        output.Json(w => Write(w, folder, seen));
    }

    private static Option<int> Number(string name, string description, int byDefault, int max)
    {
        var option = new Option<int>(name)
        {
            Description = description, HelpName = "N", DefaultValueFactory = _ => byDefault,
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0
                && !(int.TryParse(result.Tokens[^1].Value, CultureInfo.InvariantCulture, out int told)
                    && told >= 1 && told <= max))
            {
                result.AddError($"{name} {result.Tokens[^1].Value} is not a number of 1 to {max}");
            }
        });
        return option;
    }
}
