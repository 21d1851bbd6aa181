namespace ZeroStor.Grains;

/// <summary>This silo's copy of the fabric map, and of the tick. Read from the catalog at the start, after
/// every change made here, whenever a home answers with a version that is newer or an order names a later epoch,
/// and within a second of any other change. Thread-safe.</summary>
public sealed class SiloMap(ICatalog catalog) : IFabricMap, IDisposable
{
    /// <summary>Compare-and-sets that lose are made again this often before somebody is told: each loss means
    /// that another silo's change went through.</summary>
    private const int MaxChangeTries = 50;

    private readonly SemaphoreSlim _reading = new(1);
    private volatile FabricMap? _current;
    private int _tick;

    public FabricMap Current =>
        _current ?? throw new ZeroStorException(ErrorKind.Unavailable, "the silo is still reading its fabric map");

    public Tick Tick => new((uint)Volatile.Read(ref _tick));

    /// <summary>Takes a tick that the catalog stands at, or a home has seen.</summary>
    public void Saw(Tick tick)
    {
        int seen = Volatile.Read(ref _tick);
        while ((int)tick.Value > seen)
        {
            int was = Interlocked.CompareExchange(ref _tick, (int)tick.Value, seen);
            if (was == seen)
            {
                return;
            }

            seen = was;
        }
    }

    public async ValueTask<FabricMap> RefreshAsync(long atLeastVersion, CancellationToken cancel)
    {
        if (_current is { } known && known.Version >= atLeastVersion)
        {
            return known;
        }

        await _reading.WaitAsync(cancel);
        try
        {
            // Many may have waited for the same version.
            return _current is { } read && read.Version >= atLeastVersion ? read : await ReadNowAsync(cancel);
        }
        finally
        {
            _reading.Release();
        }
    }

    /// <summary>Reads the map anew, whatever is known.</summary>
    public async Task<FabricMap> ReadAsync(CancellationToken cancel)
    {
        await _reading.WaitAsync(cancel);
        try
        {
            return await ReadNowAsync(cancel);
        }
        finally
        {
            _reading.Release();
        }
    }

    private async Task<FabricMap> ReadNowAsync(CancellationToken cancel)
    {
        FabricMap read = await catalog.ReadMapAsync(cancel);
        if (_current is null || read.Version > _current.Version)
        {
            _current = read;
        }

        return _current;
    }

    /// <summary>Applies a change by compare-and-set; one that lost is computed again from the newer map. A
    /// null change is none.</summary>
    public async Task<FabricMap> ChangeAsync(Func<FabricMap, MapChange?> change, CancellationToken cancel)
    {
        for (int tries = 0; tries < MaxChangeTries; tries++)
        {
            FabricMap from = await ReadAsync(cancel);
            if (change(from) is not { } step || await catalog.ChangeMapAsync(step, cancel))
            {
                return await ReadAsync(cancel);
            }
        }

        throw new ZeroStorException(
            ErrorKind.Busy, $"the fabric map changed {MaxChangeTries} times under one change: try again");
    }

    public void Dispose() => _reading.Dispose();
}
