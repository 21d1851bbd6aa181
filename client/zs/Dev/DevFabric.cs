using System.Globalization;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.CommandLine.Dev;

/// <summary>A fabric of many silo processes on this machine, for developers: all of it in one folder, with a
/// PostgreSQL server of its own. Nothing watches it: every command reads <c>dev.json</c>, looks at the processes,
/// acts and ends. One command at a time works on a folder.</summary>
internal sealed class DevFabric : IDisposable
{
    /// <summary>The default vault, as the silos name it.</summary>
    private const string Vault = "default";

    /// <summary>A silo is up in two seconds on a machine with nothing else to do.</summary>
    private static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(3);

    /// <summary>Silos let puts under way end for 30 seconds; whoever takes longer is killed.</summary>
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(45);

    private static readonly TimeSpan KillPatience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Silos that start at once: more only wait for each other's processors.</summary>
    private static readonly int StartsAtOnce = Math.Max(2, Environment.ProcessorCount);

    /// <summary>Many silos share this machine: less memory for puts and smaller files than a server of its own
    /// takes, unless the environment says otherwise. Code mapped twice, so that no page can be written and run, is
    /// for servers: it costs each silo some ten megabytes and a tenth of its start.</summary>
    private static readonly Dictionary<string, string> SmallSilo = new()
    {
        ["ZeroStor__StripeMemoryBytes"] = (48 * 1024 * 1024).ToString(CultureInfo.InvariantCulture),
        ["ZeroStor__ConnectionsPerSilo"] = "1",
        ["ZeroStor__VolumeBytes"] = (64 * 1024 * 1024).ToString(CultureInfo.InvariantCulture),
        ["DOTNET_TieredPGO"] = "0",
        ["DOTNET_EnableWriteXorExecute"] = "0",
        ["DOTNET_GCConserveMemory"] = "5",
    };

    private readonly FileStream _lock;
    private readonly Output _output;

    private DevFabric(string folder, FileStream folderLock, Output output, DevState state) =>
        (Folder, _lock, _output, State) = (folder, folderLock, output, state);

    public string Folder { get; }

    public DevState State { get; private set; }

    private DevPostgres Postgres => new(Folder, State.PostgresPrograms);

    /// <summary>Opens the dev fabric of a folder.</summary>
    public static DevFabric Open(string folder, Output output)
    {
        DevState state = DevState.Load(folder);
        FileStream folderLock = Lock(folder);
        return new DevFabric(folder, folderLock, output, state);
    }

    /// <summary>Makes the folder of a new one.</summary>
    /// <exception cref="ZeroStorException">AlreadyExists: the folder is in use.</exception>
    public static DevFabric Make(string folder, DevState state, Output output)
    {
        if (DevState.IsIn(folder))
        {
            throw new ZeroStorException(
                ErrorKind.AlreadyExists,
                $"{folder} holds a dev fabric: zs dev start --all goes on with it, zs dev down removes it, or choose "
                + "another --data.");
        }

        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
        {
            throw new ZeroStorException(
                ErrorKind.AlreadyExists, $"{folder} is not empty: choose another --data, or empty it.");
        }

        Directory.CreateDirectory(folder);
        var fabric = new DevFabric(folder, Lock(folder), output, state);
        state.Save(folder);
        return fabric;
    }

    public void Dispose() => _lock.Dispose();

    public DevProcessState StateOf(DevSilo silo) => DevProcess.Look(silo.Pid, FolderOf(silo));

    public string FolderOf(DevSilo silo) => Path.Combine(Folder, silo.Name);

    /// <summary>All from nothing: PostgreSQL, one silo, which makes the master key, then the others.</summary>
    public async Task UpAsync(int silos, CancellationToken cancel)
    {
        try
        {
            _output.Line($"PostgreSQL in {Path.Combine(Folder, "postgres")}");
            await Postgres.MakeAsync(cancel);
            File.WriteAllText(Path.Combine(Folder, "postgres.txt"), Postgres.ConnectionString + "\n");
            await AddAsync(silos, site: null, cancel);
        }
        catch
        {
            await DownAsync(keep: false);
            throw;
        }
    }

    /// <summary>Adds silos and starts them.</summary>
    /// <returns>Those that were added.</returns>
    public async Task<IReadOnlyList<DevSilo>> AddAsync(int count, string? site, CancellationToken cancel)
    {
        int first = State.Silos.Count == 0 ? 1 : State.Silos.Max(s => s.Number) + 1;
        int[] ports = DevPrograms.FreePorts(2 * count, TakenPorts());
        DevSilo[] added =
        [
            .. Enumerable.Range(0, count).Select(i => new DevSilo
            {
                Number = first + i,
                Site = site ?? State.SiteOf(first + i),
                Port = ports[2 * i],
                GatewayPort = ports[(2 * i) + 1],
            }),
        ];
        foreach (DevSilo silo in added)
        {
            Keep(silo);
        }

        await StartAsync([.. added.Select(s => s.Number)], cancel);
        return added;
    }

    /// <summary>Starts what of these does not run, PostgreSQL first, and ends when all that run are active and
    /// the default vault is there.</summary>
    public async Task StartAsync(IReadOnlyCollection<int> numbers, CancellationToken cancel)
    {
        await Postgres.StartAsync(cancel);
        DevSilo[] down =
            [.. State.Silos.Where(s => numbers.Contains(s.Number) && StateOf(s) == DevProcessState.Down)];
        long began = TimeProvider.System.GetTimestamp();
        int up = 0;

        // The first silo alone, where nothing runs: it makes the master key and the tables.
        int alone = State.Silos.Any(s => StateOf(s) == DevProcessState.Running) ? 0 : 1;
        foreach (DevSilo silo in down.Take(alone))
        {
            await StartOneAsync(silo, cancel);
            Tell(silo);
        }

        await Parallel.ForEachAsync(
            down.Skip(alone),
            new ParallelOptions { MaxDegreeOfParallelism = StartsAtOnce, CancellationToken = cancel },
            async (silo, token) =>
            {
                await StartOneAsync(silo, token);
                Tell(silo);
            });
        DevContext.Take(Folder, State.Silos.Select(s => s.Gateway));
        await UntilActiveAsync(cancel);

        void Tell(DevSilo silo) => _output.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"{Interlocked.Increment(ref up)} of {down.Length} started: {silo.Name} in site {silo.Site}, "
            + $"{Text.Duration(TimeProvider.System.GetElapsedTime(began))}"));
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync(IReadOnlyCollection<DevSilo> silos, CancellationToken cancel)
    {
        await SignalAsync("KILL", silos, cancel);
        if (!await DevProcess.WaitAsync(
            () => silos.All(s => StateOf(s) == DevProcessState.Down), KillPatience, cancel))
        {
            throw new ZeroStorException(ErrorKind.Unavailable, "A silo that was killed is still there: see zs dev ls.");
        }
    }

    public Task SignalAsync(string signal, IReadOnlyCollection<DevSilo> silos, CancellationToken cancel) =>
        DevProcess.SignalAsync(
            signal, silos.Where(s => StateOf(s) != DevProcessState.Down).Select(s => s.Pid), cancel);

    /// <summary>kill -9, and all their disks are gone.</summary>
    public async Task WipeAsync(IReadOnlyCollection<DevSilo> silos, CancellationToken cancel)
    {
        await KillAsync(silos, cancel);
        foreach (string disk in silos.Select(FolderOf).Where(Directory.Exists)
            .SelectMany(f => Directory.EnumerateDirectories(f, "disk*")))
        {
            Directory.Delete(disk, recursive: true);
        }
    }

    /// <summary>Stops all in order, PostgreSQL last, and gives the context back. Not to be interrupted: what is
    /// half stopped helps nobody.</summary>
    public async Task DownAsync(bool keep)
    {
        CancellationToken never = CancellationToken.None;
        await SignalAsync("TERM", [.. State.Silos], never);
        await SignalAsync("CONT", [.. State.Silos], never);
        if (!await DevProcess.WaitAsync(
            () => State.Silos.All(s => StateOf(s) == DevProcessState.Down), StopPatience, never))
        {
            await KillAsync([.. State.Silos], never);
        }

        await Postgres.StopAsync(never);
        DevContext.GiveBack(Folder);
        if (!keep)
        {
            Remove();
        }
    }

    // Only what zs dev made: DIR may hold something of somebody else.
    private void Remove()
    {
        foreach (string part in State.Silos.Select(FolderOf).Append(Path.Combine(Folder, "postgres")))
        {
            if (Directory.Exists(part))
            {
                Directory.Delete(part, recursive: true);
            }
        }

        foreach (string file in new[] { "master.key", "postgres.txt", "dev.lock" })
        {
            File.Delete(Path.Combine(Folder, file));
        }

        DevState.Remove(Folder);
        if (!Directory.EnumerateFileSystemEntries(Folder).Any())
        {
            Directory.Delete(Folder);
        }
    }

    private async Task StartOneAsync(DevSilo silo, CancellationToken cancel)
    {
        string home = FolderOf(silo);
        Directory.CreateDirectory(home);
        string log = Path.Combine(home, "silo.log");
        long from = File.Exists(log) ? new FileInfo(log).Length : 0;
        DevSilo started = WithPorts(silo);
        started = started with { Pid = DevProcess.StartDetached(log, Command(started, home), SmallSilo) };
        Keep(started);
        long since = TimeProvider.System.GetTimestamp();
        while (!await AnswersAsync(started, cancel))
        {
            // In the first moments it is the shell, which names the folder too.
            bool isDown = StateOf(started) == DevProcessState.Down;
            if (isDown || TimeProvider.System.GetElapsedTime(since) > StartPatience)
            {
                throw new ZeroStorException(
                    ErrorKind.Unavailable,
                    $"{silo.Name} {(isDown ? "ended" : "does not answer")}: {LastLine(log, from)} (see {log})");
            }

            await Task.Delay(Pause, cancel);
        }
    }

    // Somebody may have taken the port of a silo that was down.
    private DevSilo WithPorts(DevSilo silo)
    {
        if (DevPrograms.IsFree(silo.Port) && DevPrograms.IsFree(silo.GatewayPort))
        {
            return silo;
        }

        int[] ports = DevPrograms.FreePorts(2, TakenPorts());
        return silo with { Port = ports[0], GatewayPort = ports[1] };
    }

    private IEnumerable<string> Command(DevSilo silo, string home) =>
    [
        .. DevPrograms.Command(State.SiloPath),
        "--name", silo.Name,
        "--data", home,
        "--disks", State.DisksPerSilo.ToString(CultureInfo.InvariantCulture),
        "--code", State.Code,
        "--site", silo.Site,
        "--port", silo.Port.ToString(CultureInfo.InvariantCulture),
        "--gateway-port", silo.GatewayPort.ToString(CultureInfo.InvariantCulture),
        "--postgres", "@" + Path.Combine(Folder, "postgres.txt"),
        "--master-key", Path.Combine(Folder, "master.key"),

        // One of them is enough for a machine; it answers where clients look first.
        .. silo.Number == 1 ? Array.Empty<string>() : ["--s3", "off"],
    ];

    private static async Task<bool> AnswersAsync(DevSilo silo, CancellationToken cancel) =>
        (await Gateways.ProbeAsync([silo.Gateway], Pause, cancel)).Length > 0;

    private async Task UntilActiveAsync(CancellationToken cancel)
    {
        DevSilo[] running = [.. State.Silos.Where(s => StateOf(s) == DevProcessState.Running)];
        bool isEnough = running.Length * State.DisksPerSilo >= Code.Parse(State.Code).N;
        long since = TimeProvider.System.GetTimestamp();
        await using ZeroStorClient client = await ConnectAsync(running, cancel);
        while (true)
        {
            FabricStatus status = await client.StatusAsync(cancel);
            var active = status.Silos.Where(s => s.State == "active").Select(s => s.Name).ToHashSet();
            string[] missing = [.. running.Select(s => s.Name).Where(n => !active.Contains(n))];
            bool hasVault = !isEnough || (await client.ListVaultsAsync(cancel)).Any(v => v.Name == Vault);
            if (missing.Length == 0 && hasVault)
            {
                return;
            }

            if (TimeProvider.System.GetElapsedTime(since) > StartPatience)
            {
                throw new ZeroStorException(
                    ErrorKind.Unavailable,
                    missing.Length > 0
                        ? $"Not active in {StartPatience.TotalMinutes} minutes: {string.Join(", ", missing)}; see their logs."
                        : $"Vault '{Vault}' was not made in {StartPatience.TotalMinutes} minutes: zs status says why.");
            }

            await Task.Delay(Pause, cancel);
        }
    }

    private static Task<ZeroStorClient> ConnectAsync(DevSilo[] silos, CancellationToken cancel) =>
        ZeroStorClient.ConnectAsync(
            options =>
            {
                foreach (DevSilo silo in silos)
                {
                    options.Gateways.Add(silo.Gateway);
                }
            },
            cancel);

    private HashSet<int> TakenPorts() => [.. State.Silos.SelectMany(s => new[] { s.Port, s.GatewayPort })];

    private void Keep(DevSilo silo)
    {
        lock (_lock)
        {
            State = State.With(silo);
            State.Save(Folder);
        }
    }

    private static string LastLine(string log, long from)
    {
        try
        {
            using FileStream file = File.OpenRead(log);
            file.Position = from;
            using var reader = new StreamReader(file);
            return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? "it said nothing";
        }
        catch (IOException e)
        {
            return e.Message;
        }
    }

    private static FileStream Lock(string folder)
    {
        try
        {
            return new FileStream(
                Path.Combine(folder, "dev.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new ZeroStorException(
                ErrorKind.Busy, $"Another zs dev works on {folder}, or it cannot be written: {e.Message}", e);
        }
    }
}
