using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using ZeroStor.Contracts.Doors;
using ZeroStor.Paths;

namespace ZeroStor.Grains;

/// <summary>Takes a <see cref="Census"/> when one is due: at first, then every
/// <see cref="ZeroStorOptions.CensusTicks"/>, when a disk comes up that was not (it may hold too much), when
/// repair meets what it cannot make out, and when somebody asks. The catalog remembers the last that met
/// all disks. Idempotent; one at a time.</summary>
internal sealed class CensusTaker(
    Census census,
    ICatalog catalog,
    SiloMap map,
    CatalogWatch watch,
    ZeroStorOptions options,
    ILogger<CensusTaker> log) : IProgress<CensusTally>
{
    /// <summary>After one that could not ask all disks another is tried, but not at once: it costs them a pass
    /// over all they hold.</summary>
    private const uint RetryTicks = 60;

    /// <summary>Where repair waits for what only a census can tell, the next one begins after so many times what the last
    /// one took: then censuses take a quarter of the time at most, and a small fabric need not wait.</summary>
    private const uint PauseForEachTick = 3;

    private readonly Lock _lock = new();
    private HashSet<DiskId>? _up;
    private bool _isSuspected;
    private Tick _notBefore;
    private Tick _notSuspectedBefore;
    private long _ended;
    private bool _isAsked;
    private bool _isRunning;
    private CensusTally _tally;
    private ImmutableArray<string> _lost = [];

    public CensusProgress Progress
    {
        get
        {
            lock (_lock)
            {
                return new CensusProgress
                {
                    IsRunning = _isRunning || _isAsked,
                    Ended = _ended,
                    Versions = _tally.Versions,
                    Stripes = _tally.Stripes,
                    Lacking = _tally.Lacking,
                    ShardsRestored = _tally.ShardsRestored,
                    Lost = _tally.Lost,
                    GarbageShards = _tally.GarbageShards,
                    SurplusShards = _tally.SurplusShards,
                    Unreadable = _tally.Unreadable,
                    MetAllDisks = _tally.MetAllDisks,
                    LostObjects = _lost,
                };
            }
        }
    }

    /// <summary>Has the next round take a census without pause, whether one is due or not; what runs is hurried
    /// too.</summary>
    public void Ask()
    {
        lock (_lock)
        {
            _isAsked = true;
            census.Share = 1;
        }
    }

    /// <summary>Has a census taken soon: repair found what only a census can tell from a loss.</summary>
    public void Suspect()
    {
        lock (_lock)
        {
            _isSuspected = true;
        }
    }

    public void Report(CensusTally value)
    {
        lock (_lock)
        {
            _tally = value;
        }
    }

    /// <summary>One round: a census where one is due.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        if (Interlocked.Exchange(ref _isRunning, true))
        {
            return;
        }

        try
        {
            FabricState state = await watch.LookAsync(cancel);
            LookForNewcomers();
            if (state.WentBack is null && TakeOrder(state))
            {
                try
                {
                    await TakeAsync(state.Tick, cancel);
                }
                finally
                {
                    // One that failed, because a silo died under it, was one too.
                    Pause(state.Tick);
                }
            }
        }
        finally
        {
            Volatile.Write(ref _isRunning, false);
        }
    }

    private void LookForNewcomers()
    {
        var up = map.Current.Disks.Where(d => d.State == DiskState.Up).Select(d => d.Id).ToHashSet();
        if (_up is not null && up.Except(_up).Any())
        {
            Suspect();
        }

        _up = up;
    }

    private bool TakeOrder(FabricState state)
    {
        lock (_lock)
        {
            bool isDue = (_isSuspected && state.Tick >= _notSuspectedBefore)
                || (state.Tick >= _notBefore
                    && (state.Census is null
                        || state.Tick.Since(state.Census.Began) >= options.CensusTicks));
            if (!isDue && !_isAsked)
            {
                return false;
            }

            census.Share = _isAsked ? 1 : options.CensusShare;
            _isAsked = false;
            _isSuspected = false;
            _notBefore = new Tick(state.Tick.Value + RetryTicks);
            _notSuspectedBefore = _notBefore;
            _tally = default;
            return true;
        }
    }

    private void Pause(Tick began)
    {
        lock (_lock)
        {
            uint ticks = 1 + map.Tick.Since(began);
            _notSuspectedBefore = new Tick(began.Value + ticks + (PauseForEachTick * ticks));
        }
    }

    private async Task TakeAsync(Tick began, CancellationToken cancel)
    {
        CensusTally tally = await census.RunAsync(this, cancel);
        ImmutableArray<string> lost = await NamesAsync(census.LostVersions, cancel);
        if (tally.MetAllDisks)
        {
            await catalog.MarkCensusAsync(new CensusMark(began, tally.Lost), cancel);
        }

        lock (_lock)
        {
            _lost = lost;
            _ended++;
        }

        log.CensusTaken(tally.Versions, tally.Stripes, tally.Lacking, tally.Lost, tally.GarbageShards);
    }

    private async Task<ImmutableArray<string>> NamesAsync(
        ImmutableArray<VersionName> versions, CancellationToken cancel)
    {
        if (versions.IsEmpty)
        {
            return [];
        }

        var names = (await catalog.ListVaultsAsync(cancel)).ToDictionary(v => v.Id, v => v.Name);
        return [.. versions.Where(v => names.ContainsKey(v.Vault)).Select(v => $"{names[v.Vault]}/{v.Key}")];
    }
}
