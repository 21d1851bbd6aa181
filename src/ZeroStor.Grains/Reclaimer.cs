using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using ZeroStor.Paths;

namespace ZeroStor.Grains;

/// <summary>Gives the space of the dead back: ends uploads and condemns puts that nobody went on with, tells
/// every disk which contents are dead, and forgets a dead content when all disks that are up have dropped it
/// and its time is over. Idempotent; what it remembers only saves work. A round at a time.</summary>
internal sealed class Reclaimer(
    ICatalog catalog,
    IShardHome homes,
    FindOrphans orphans,
    CatalogWatch watch,
    SiloMap map,
    ZeroStorOptions options,
    Counters counters,
    ILogger<Reclaimer> log)
{
    /// <summary>Dead contents told to the disks in one order: 16 KiB on the wire, one scan of an
    /// index.</summary>
    private const int ContentsPerOrder = 1000;

    /// <summary>Contents remembered as dropped everywhere; beyond it they are told again, which is harmless.
    /// </summary>
    private const int MaxRemembered = 1_000_000;

    /// <summary>Idle uploads ended in one transaction: each may have ten thousand parts.</summary>
    private const int UploadsPerStep = 4;

    private readonly HashSet<ContentId> _dropped = [];
    private int _droppedBy;
    private Tick _searchedUntil;
    private bool _isRunning;

    /// <summary>One round; none where one runs still. Nothing is condemned or reclaimed by the word of a catalog that
    /// went back.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        if (Interlocked.Exchange(ref _isRunning, true))
        {
            return;
        }

        try
        {
            await RoundAsync(cancel);
        }
        finally
        {
            Volatile.Write(ref _isRunning, false);
        }
    }

    private async Task RoundAsync(CancellationToken cancel)
    {
        if ((await watch.LookAsync(cancel)).WentBack is not null)
        {
            return;
        }

        Tick now = map.Tick;
        if (now.Value > options.UploadIdleTicks)
        {
            var before = new Tick(now.Value - options.UploadIdleTicks);
            while (await catalog.EndIdleUploadsAsync(before, now, UploadsPerStep, cancel) == UploadsPerStep)
            {
            }

            await catalog.CondemnIdleAsync(before, now, cancel);
        }

        int disks = Openings();
        if (disks != _droppedBy || _dropped.Count > MaxRemembered)
        {
            // A disk may have come back with shards that it was never told to drop, or that nobody committed.
            _dropped.Clear();
            _droppedBy = disks;
            _searchedUntil = default;
        }

        await FindOrphansAsync(now, cancel);
        await ReclaimAsync(now, cancel);
    }

    // Tells one set of open disks from another: a disk that was away has another claim.
    private int Openings()
    {
        var hash = new HashCode();
        foreach (DiskEntry disk in map.Current.Disks.Where(d => d.State == DiskState.Up).OrderBy(d => d.Id))
        {
            hash.Add(disk.Id);
            hash.Add(disk.Claim);
        }

        return hash.ToHashCode();
    }

    private async Task FindOrphansAsync(Tick now, CancellationToken cancel)
    {
        if (now.Value < options.OrphanAfterTicks)
        {
            return;
        }

        var until = new Tick(now.Value - options.OrphanAfterTicks);
        if (until > _searchedUntil)
        {
            int condemned = await orphans.RunAsync(_searchedUntil, until, cancel);
            _searchedUntil = until;
            if (condemned > 0)
            {
                log.OrphansFound(condemned);
            }
        }
    }

    private async Task ReclaimAsync(Tick now, CancellationToken cancel)
    {
        if (now.Value < options.ReclaimAfterTicks)
        {
            return;
        }

        var diedBy = new Tick(now.Value - options.ReclaimAfterTicks);
        ContentId after = default;
        while (true)
        {
            ImmutableArray<DeadContent> page =
                await catalog.ListDeadAsync(after, diedBy, ContentsPerOrder, cancel);
            await ReclaimAsync([.. page.Where(d => IsDue(d, now))], now, cancel);
            if (page.Length < ContentsPerOrder)
            {
                return;
            }

            after = page[^1].Content;
        }
    }

    // A content that never lived may be one whose put is still under way somewhere: it is left for long.
    private bool IsDue(DeadContent dead, Tick now) =>
        dead.EverLived || now.Since(dead.Died) >= options.ForgetAfterTicks;

    private async Task ReclaimAsync(DeadContent[] dead, Tick now, CancellationToken cancel)
    {
        // Once more before it is forgotten: a repair that was under way may have stored what was dropped by then.
        ContentId[] untold =
        [
            .. dead.Where(d => !_dropped.Contains(d.Content) || now.Since(d.Died) >= options.ForgetAfterTicks)
                .Select(d => d.Content),
        ];
        if (untold.Length > 0)
        {
            if (!await TellDisksAsync(untold, cancel))
            {
                return;
            }

            int fresh = untold.Count(_dropped.Add);
            if (fresh > 0)
            {
                counters.Reclaimed(fresh);
                log.Reclaimed(fresh);
            }
        }

        ContentId[] over =
            [.. dead.Where(d => now.Since(d.Died) >= options.ForgetAfterTicks).Select(d => d.Content)];
        if (over.Length > 0)
        {
            await catalog.ForgetAsync(over, cancel);
            _dropped.ExceptWith(over);
        }
    }

    private async Task<bool> TellDisksAsync(ContentId[] dead, CancellationToken cancel)
    {
        IEnumerable<Task<HomeAnswer>> orders = map.Current.Disks
            .Where(d => d.State is DiskState.Up or DiskState.Draining)
            .Select(d => homes.ReclaimAsync(new DiskAddress(d.Id, d.Claim), dead, cancel).AsTask());
        HomeAnswer[] answers = await Task.WhenAll(orders);
        HomeAnswer? failed = answers.FirstOrDefault(a => !a.IsDone);
        if (failed is not null)
        {
            log.SweepFailed(failed.Detail);
        }

        return failed is null;
    }
}
