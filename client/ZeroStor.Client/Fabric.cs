using System.Collections.Concurrent;
using System.Collections.Immutable;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Client;

/// <summary>The fabric as one client sees it: its doors, the route to its coordinators, the vaults it met,
/// and the way calls are made: bounded in time, translated into <see cref="ZeroStorException"/>, and tried
/// again where the contract lets them be repeated. Thread-safe.</summary>
internal sealed class Fabric(
    IDoors doors,
    TimeProvider time,
    IEntropy entropy,
    ZeroStorClientOptions options,
    GatewayList? gateways = null)
{
    /// <summary>A new disk takes part at the latest after this, and ids are made of a tick no older: the
    /// catalog refuses only those begun 1,440 ticks ago.</summary>
    private static readonly TimeSpan RouteMaxAge = TimeSpan.FromMinutes(1);

    /// <summary>How long a call may have no answer before somebody looks who is there. A call in flight to a silo
    /// that died, or through a gateway that hangs, hears nothing else until its time is up; one that works answers
    /// most calls in milliseconds.</summary>
    private static readonly TimeSpan SilenceBeforeLook = TimeSpan.FromSeconds(2);

    /// <summary>Of its whole time, a call that may take long has no answer for this part before somebody
    /// looks.</summary>
    private const int SilencesOfTimeout = 5;

    /// <summary>How long a coordinator that failed is passed over while there are others: about what
    /// membership needs to notice a dead silo.</summary>
    private static readonly TimeSpan AvoidFor = TimeSpan.FromSeconds(15);

    /// <summary>A call that moves no stripe and has no answer by then is asked again.</summary>
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);

    /// <summary>As <see cref="CallTimeout"/>, for a call that asks many disks, some of which may hang; less
    /// than Orleans itself waits.</summary>
    public static readonly TimeSpan SurveyTimeout = TimeSpan.FromSeconds(25);

    /// <summary>How long one who takes a stale answer waits to hear what a vault is: together with what the object
    /// grain waits for the catalog less than <see cref="CallTimeout"/>.</summary>
    private static readonly TimeSpan VaultPatienceBeforeStale = TimeSpan.FromSeconds(3);

    /// <summary>Partitions that one who takes a stale answer asks in turn: they are dealt over the gateways, so the
    /// silos behind these are asked.</summary>
    private const int PartitionsAskedForStale = 16;

    /// <summary>Vaults remembered: a front end for more of them asks again now and then.</summary>
    private const int MaxVaultsKnown = 4096;

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, VaultInfo> _vaults = new();
    private readonly ConcurrentDictionary<string, long> _avoided = new();
    private readonly GatewayWatch _watch = new(doors, gateways, time);
    private FabricRoute? _route;
    private long _routeAt;
    private Task<FabricRoute>? _asking;

    public IDoors Doors => doors;

    public TimeProvider Time => time;

    public IEntropy Entropy => entropy;

    public ZeroStorClientOptions Options => options;

    /// <summary>The vaults whose keys are with this client.</summary>
    public OwnedVaults Owned => field ??= new OwnedVaults(this);

    /// <summary>Where stripes are cut into; tests bring their own to see that all comes back.</summary>
    public BufferPool Buffers { get; init; } = BufferPool.Shared;

    public Patience NewPatience() => new(time, entropy, options.Patience);

    /// <summary>A fresh id of the current tick: names a commit.</summary>
    public async Task<ContentId> NewContentIdAsync(CancellationToken cancel) =>
        ContentId.New((await RouteAsync(RouteMaxAge, cancel)).Tick, entropy);

    /// <summary>The object grain of a key, and the vault it is in.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault.</exception>
    public async ValueTask<IObjectDoor> ObjectsAsync(string vault, string key, CancellationToken cancel) =>
        doors.Objects(ObjectDoor.KeyOf(vault, (await VaultAsync(vault, cancel)).Partitions, key));

    /// <summary>As <see cref="ObjectsAsync"/>, for uploads.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault.</exception>
    public async ValueTask<IUploadDoor> UploadsAsync(string vault, string key, CancellationToken cancel) =>
        doors.Uploads(ObjectDoor.KeyOf(vault, (await VaultAsync(vault, cancel)).Partitions, key));

    /// <summary>As <see cref="ObjectsAsync"/>, for versions.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault.</exception>
    public async ValueTask<IVersionDoor> VersionsAsync(string vault, string key, CancellationToken cancel) =>
        doors.Versions(ObjectDoor.KeyOf(vault, (await VaultAsync(vault, cancel)).Partitions, key));

    /// <summary>What a vault is.</summary>
    /// <exception cref="ZeroStorException">NotFound.</exception>
    public async ValueTask<VaultInfo> VaultAsync(string vault, CancellationToken cancel) =>
        _vaults.TryGetValue(vault, out VaultInfo? info)
            ? info
            : await VaultAnewAsync(vault, cancel);

    /// <summary>What a vault is now: some of it may be set.</summary>
    /// <exception cref="ZeroStorException">NotFound.</exception>
    public async Task<VaultInfo> VaultAnewAsync(string vault, CancellationToken cancel) =>
        Know(await RepeatAsync($"looking for vault '{vault}'", doors.Vault(vault).DescribeAsync, cancel));

    /// <summary>An object grain for one who takes a stale answer: the key's own where it can be told, at further
    /// tries any other, for another silo may know more.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault.</exception>
    public async ValueTask<IObjectDoor> ObjectsForStaleAsync(
        string vault, string key, int tries, CancellationToken cancel)
    {
        try
        {
            if (tries == 0 && !_vaults.ContainsKey(vault))
            {
                Know(await OnceAsync(
                    $"looking for vault '{vault}'",
                    doors.Vault(vault).DescribeAsync,
                    cancel,
                    VaultPatienceBeforeStale));
            }
        }
        catch (ZeroStorException failure) when (failure.IsTransient)
        {
            // Its description is in the catalog as well.
        }

        int first = _vaults.TryGetValue(vault, out VaultInfo? info)
            ? ObjectDoor.PartitionOf(info.Partitions, key)
            : 0;
        return doors.Objects(ObjectDoor.KeyOf(vault, (first + tries) % PartitionsAskedForStale));
    }

    private VaultInfo Know(VaultInfo vault)
    {
        if (_vaults.Count >= MaxVaultsKnown)
        {
            _vaults.Clear();
        }

        return _vaults[vault.Name] = vault;
    }

    /// <summary>The vault may have gone, or come back as another.</summary>
    public void ForgetVault(string vault) => _vaults.TryRemove(vault, out _);

    /// <summary>Makes one call; whatever it throws comes out as a <see cref="ZeroStorException"/>, unless the
    /// caller gave up.</summary>
    public async Task<T> OnceAsync<T>(
        string doing,
        Func<CancellationToken, Task<T>> call,
        CancellationToken cancel,
        TimeSpan? timeout = null)
    {
        using var bound = new CancellationTokenSource(timeout ?? CallTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, bound.Token);
        try
        {
            return await call(both.Token).WaitAsync(both.Token);
        }
        catch (Exception failure)
        {
            cancel.ThrowIfCancellationRequested();
            throw Failures.Translate(failure, doing);
        }
    }

    /// <summary>Makes a call that may be repeated, also while it is under way, until it is answered, or the
    /// patience is over.</summary>
    public async Task<T> RepeatAsync<T>(
        string doing,
        Func<CancellationToken, Task<T>> call,
        CancellationToken cancel,
        TimeSpan? timeout = null)
    {
        Patience patience = NewPatience();
        while (true)
        {
            try
            {
                return await OnceAsync(doing, AgainIfSilentAsync, cancel, timeout);
            }
            catch (ZeroStorException failure) when (failure.IsTransient)
            {
                if (!await patience.WaitAsync(cancel))
                {
                    throw;
                }
            }
        }

        Task<T> AgainIfSilentAsync(CancellationToken token) => Hedge.RunAsync(
            call, (timeout ?? CallTimeout) / SilencesOfTimeout, LookAsync, release: null, time, token);
    }

    public Task RepeatAsync(string doing, Func<CancellationToken, Task> call, CancellationToken cancel) =>
        RepeatAsync<object?>(
            doing,
            async token =>
            {
                await call(token);
                return null;
            },
            cancel);

    /// <summary>Asks a coordinator for as long as it is one: a silent one that hangs, left the route, or came
    /// back in another life, is given up. One that failed is avoided for a while.</summary>
    /// <param name="coordinator">Whom.</param>
    /// <param name="doing">For messages, to continue "while".</param>
    /// <param name="call">May be repeated, also while an earlier one is under way.</param>
    /// <param name="cancel">Gives up.</param>
    /// <param name="release">What becomes of a second answer.</param>
    public async Task<T> AskAsync<T>(
        CoordinatorInfo coordinator,
        string doing,
        Func<IStripeDoor, CancellationToken, Task<T>> call,
        CancellationToken cancel,
        Action<T>? release = null)
    {
        try
        {
            return await Hedge.RunAsync(
                token => call(doors.Stripes(coordinator.Key), token),
                SilenceBeforeLook,
                token => DemandThereAsync(coordinator, doing, token),
                release,
                time,
                cancel);
        }
        catch (Exception failure)
        {
            cancel.ThrowIfCancellationRequested();
            ZeroStorException translated = Failures.Translate(failure, doing);
            if (translated.Kind is ErrorKind.Unavailable or ErrorKind.DiskOffline)
            {
                _avoided[coordinator.Key] = time.GetTimestamp();
            }

            throw translated;
        }
    }

    /// <summary>A coordinator, by chance: of the near silo where it has one, and not <paramref name="other"/>
    /// nor one that failed lately as long as there are others.</summary>
    /// <exception cref="ZeroStorException">Unavailable: there is none.</exception>
    public async ValueTask<CoordinatorInfo> PickAsync(CoordinatorInfo? other, CancellationToken cancel)
    {
        FabricRoute route = await RouteAsync(RouteMaxAge, cancel);
        if (route.Coordinators.IsEmpty)
        {
            lock (_gate)
            {
                _route = null;
            }

            throw new ZeroStorException(
                ErrorKind.Unavailable, "No disk of the fabric is up; see 'zs status' for why.");
        }

        ImmutableArray<CoordinatorInfo> fit = route.Coordinators;
        fit = Narrow(fit, c => c.Key != other?.Key);
        fit = Narrow(fit, c => !IsAvoided(c.Key) && !_watch.IsSilent(c.Silo));
        if (options.NearSilo is { } near)
        {
            fit = Narrow(fit, c => c.Silo == near);
        }

        return fit[(int)(Id128.Random(entropy) % (UInt128)fit.Length)];

        static ImmutableArray<CoordinatorInfo> Narrow(
            ImmutableArray<CoordinatorInfo> from, Predicate<CoordinatorInfo> keep)
        {
            ImmutableArray<CoordinatorInfo> kept = from.RemoveAll(c => !keep(c));
            return kept.IsEmpty ? from : kept;
        }
    }

    private bool IsAvoided(string coordinatorKey)
    {
        if (!_avoided.TryGetValue(coordinatorKey, out long since))
        {
            return false;
        }

        if (time.GetElapsedTime(since) < AvoidFor)
        {
            return true;
        }

        _avoided.TryRemove(coordinatorKey, out _);
        return false;
    }

    private async Task<bool> DemandThereAsync(
        CoordinatorInfo coordinator, string doing, CancellationToken cancel)
    {
        bool isAnySilent = await LookAsync(cancel);
        if (_watch.IsSilent(coordinator.Silo))
        {
            throw new ZeroStorException(
                ErrorKind.Unavailable, $"Silo '{coordinator.Silo}' does not answer while {doing}.");
        }

        FabricRoute route = await RouteAsync(SilenceBeforeLook, cancel);
        if (!route.Coordinators.Any(c => c.Key == coordinator.Key && c.Claim == coordinator.Claim))
        {
            throw new ZeroStorException(
                ErrorKind.Unavailable, $"Silo '{coordinator.Silo}' left or restarted while {doing}.");
        }

        return isAnySilent;
    }

    private Task<bool> LookAsync(CancellationToken cancel)
    {
        ImmutableArray<SiloGateway> known;
        lock (_gate)
        {
            known = _route?.Gateways ?? [];
        }

        return _watch.LookAsync(known, cancel);
    }

    // One question at a time, whoever waits for its answer.
    private Task<FabricRoute> RouteAsync(TimeSpan maxAge, CancellationToken cancel)
    {
        lock (_gate)
        {
            if (_route is not null && time.GetElapsedTime(_routeAt) < maxAge)
            {
                return Task.FromResult(_route);
            }

            if (_asking is null or { IsCompleted: true })
            {
                _asking = AskRouteAsync();
            }

            return _asking.WaitAsync(cancel);
        }
    }

    private async Task<FabricRoute> AskRouteAsync()
    {
        FabricRoute route = await RepeatAsync(
            "asking for the way to its disks", doors.Fabric.RouteAsync, CancellationToken.None);
        lock (_gate)
        {
            _route = route;
            _routeAt = time.GetTimestamp();
        }

        return route;
    }
}
