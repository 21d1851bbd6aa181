using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using ZeroStor.Contracts.Doors;
using ZeroStor.Paths;
using ZeroStor.Placement;

namespace ZeroStor.Grains;

/// <summary>Restores redundancy, round by round: gives the places of lost disks to others, compares what the
/// homes of each group hold, and repairs the groups that differ, those with the fewest whole places first.
/// Idempotent; a round at a time.</summary>
internal sealed class Repairer(
    SiloMap map,
    IShardHome homes,
    SiloWatch silos,
    RepairGroup repair,
    Throttle throttle,
    CensusTaker census,
    HomeHealth health,
    Counters counters,
    ZeroStorOptions options,
    TimeProvider time,
    ILogger<Repairer> log)
{
    /// <summary>Groups repaired at once: each waits a while for stripes in flight, and holds some stripes in
    /// memory.
    /// </summary>
    private const int GroupsAtOnce = 4;

    private readonly Lock _lock = new();
    private int _isInRound;
    private long _rounds;
    private int _groupsToRepair;
    private long _left;
    private RepairTally _done;
    private TimeSpan _busy;

    public RepairProgress Progress
    {
        get
        {
            lock (_lock)
            {
                return Snapshot();
            }
        }
    }

    /// <summary>Lifts the limit on its rate until nothing is left to repair.</summary>
    public void Hurry() => throttle.BytesPerSecond = 0;

    public async Task RunAsync(CancellationToken cancel)
    {
        // A round takes as long as it takes; the timer's next beat is not another one.
        if (Interlocked.Exchange(ref _isInRound, 1) == 1)
        {
            return;
        }

        try
        {
            await ReplaceLostAsync(cancel);
            await RepairAllAsync(cancel);
            _rounds++;
        }
        finally
        {
            Volatile.Write(ref _isInRound, 0);
        }
    }

    private RepairProgress Snapshot() => new()
    {
        GroupsToRepair = _groupsToRepair,
        Rounds = _rounds,
        ShardsRebuilt = _done.ShardsRebuilt,
        ShardsCopied = _done.ShardsCopied,
        ShardsLeft = _left,
        BytesRead = _done.BytesRead,
        BytesWritten = _done.BytesWritten,
        Busy = _busy,
        GetP99 = health.Gets.P99,
    };

    // A disk that is missing while its silo runs failed alone: nobody waits for it. Of a silo that is away it is
    // waited for, and longer where much is away at once.
    private async Task ReplaceLostAsync(CancellationToken cancel)
    {
        Absence absence = silos.Absence;
        IEnumerable<DiskId> lost = map.Current.Disks
            .Where(d => d.State is not DiskState.Up)
            .Select(d => d.Id)
            .Concat(silos.Lost);
        foreach (DiskId disk in lost.ToArray())
        {
            if (Replacement.Plan(map.Current, disk, absence) is not null)
            {
                await map.ChangeAsync(from => Replacement.Plan(from, disk, absence), cancel);
            }
        }
    }

    private async Task RepairAllAsync(CancellationToken cancel)
    {
        PlacementGroup[] groups = await FindAsync(cancel);
        _groupsToRepair = groups.Length;
        _left = 0;
        if (groups.Length == 0)
        {
            throttle.BytesPerSecond = options.RepairMaxMiBPerSecond * 1024 * 1024;
        }

        long started = time.GetTimestamp();
        await Parallel.ForEachAsync(
            groups,
            new ParallelOptions { MaxDegreeOfParallelism = GroupsAtOnce, CancellationToken = cancel },
            (group, token) => RepairAsync(group, token));
        _busy += groups.Length > 0 ? time.GetElapsedTime(started) : TimeSpan.Zero;
    }

    private async ValueTask RepairAsync(PlacementGroup group, CancellationToken cancel)
    {
        RepairTally tally = await repair.RunAsync(group.Id, cancel);
        lock (_lock)
        {
            _done += tally;
            _left += tally.ShardsLeft;
            _groupsToRepair--;
        }

        if (tally.Hopeless > 0)
        {
            census.Suspect();
        }

        counters.Repaired(tally);
        await MarkWholeAsync(group, tally, cancel);
        if (tally.ShardsRebuilt + tally.ShardsCopied + tally.ShardsLeft > 0)
        {
            log.GroupRepaired(group.Id, tally.ShardsRebuilt, tally.ShardsCopied, tally.ShardsLeft);
        }
    }

    private async Task<PlacementGroup[]> FindAsync(CancellationToken cancel)
    {
        FabricMap current = map.Current;
        Dictionary<DiskId, ImmutableArray<BucketDigest>> digests =
            await SweepGroup.DigestsAsync(homes, current, cancel);
        return
        [
            .. current.Groups
                .Where(g => g.Places.Any(p => !p.IsWhole) || !SweepGroup.AreEqual(g, digests))
                .OrderBy(g => g.Places.Count(p => p.IsWhole && digests.ContainsKey(p.Home)))
                .ThenBy(g => g.Id),
        ];
    }

    // A home that has all that any holder lists needs its former homes no more. Under another epoch than the
    // repaired one somebody changed the homes meanwhile, and the next round looks again.
    private Task MarkWholeAsync(PlacementGroup repaired, RepairTally tally, CancellationToken cancel)
    {
        int[] whole =
        [
            .. repaired.Places.Index()
                .Where(p => !p.Item.IsWhole
                    && !tally.IsLeft(p.Index)
                    && map.Current.Disk(p.Item.Home) is { State: DiskState.Up })
                .Select(p => p.Index),
        ];
        return whole.Length == 0
            ? Task.CompletedTask
            : map.ChangeAsync(
                from => from.Group(repaired.Id) is { } now && now.Epoch == repaired.Epoch
                    ? MapChanges.MarkWhole(from, now.Id, whole)
                    : null,
                cancel);
    }
}
