using Microsoft.Extensions.Logging;

namespace ZeroStor.Grains;

/// <summary>Tells whether the catalog may be believed in what is dead. Every disk knows the highest tick it has
/// seen; a catalog that stands behind one of them was put back to an earlier time, and does not know of what
/// was committed since: by its word that would be reclaimed. Once that was seen the catalog says so itself, and
/// nothing is reclaimed until an operator adopts it. Thread-safe.</summary>
internal sealed class CatalogWatch(ICatalog catalog, IShardHome homes, SiloMap map, ILogger<CatalogWatch> log)
{
    /// <summary>A disk that has not told of itself by then is asked the next time.</summary>
    private static readonly TimeSpan ReportPatience = TimeSpan.FromSeconds(5);

    private int _isTold;

    /// <summary>Whether the catalog was behind when it was looked at last.</summary>
    public bool IsBehind => Volatile.Read(ref _isTold) == 1;

    /// <summary>Compares the catalog with all disks that answer.</summary>
    /// <exception cref="ZeroStorException">Unavailable: the catalog does not answer.</exception>
    public async Task<FabricState> LookAsync(CancellationToken cancel)
    {
        // The disks first: the tick rises in the catalog before any disk is told of it.
        Tick seen = await HighestTickAsync(cancel);
        FabricState state = await catalog.ReadFabricAsync(cancel);
        return seen > state.Tick && state.WentBack is null ? await NoticeAsync(seen, cancel) : Tell(state);
    }

    /// <summary>Notes that the catalog is behind what was seen.</summary>
    public async Task<FabricState> NoticeAsync(Tick seen, CancellationToken cancel) =>
        Tell(await catalog.NoticeWentBackAsync(seen, cancel));

    private FabricState Tell(FabricState state)
    {
        map.Saw(state.Tick);
        if (state.WentBack is not { } tick)
        {
            Volatile.Write(ref _isTold, 0);
        }
        else if (Interlocked.Exchange(ref _isTold, 1) == 0)
        {
            log.CatalogWentBack(tick);
        }

        return state;
    }

    private async Task<Tick> HighestTickAsync(CancellationToken cancel)
    {
        Tick[] ticks = await Task.WhenAll(map.Current.Disks
            .Where(d => d.State is not (DiskState.Removed or DiskState.Missing))
            .Select(d => HighestTickAsync(d, cancel)));
        return ticks.Length == 0 ? default : ticks.Max();
    }

    private async Task<Tick> HighestTickAsync(DiskEntry disk, CancellationToken cancel)
    {
        try
        {
            DiskReport report = await homes.ReportAsync(new DiskAddress(disk.Id, disk.Claim), cancel)
                .AsTask().WaitAsync(ReportPatience, cancel);
            return report.HighestTick;
        }
        catch (Exception e) when (e is not OutOfMemoryException && !cancel.IsCancellationRequested)
        {
            // It does not answer, so it is told of no death either.
            return default;
        }
    }
}
