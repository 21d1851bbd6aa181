using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using ZeroStor.Contracts.Doors;
using ZeroStor.Paths;
using ZeroStor.Placement;

namespace ZeroStor.Grains;

/// <summary>Restores redundancy, round by round: gives the places of lost disks to others, compares what the
/// homes of each group hold, and repairs the groups that differ, those most at risk first. Idempotent; a round
/// at a time.</summary>
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
    ILocalSiloDetails self,
    TimeProvider time,
    ILogger<Repairer> log)
    : IRepairFollower
{
    private readonly RepairAccount _account = new(time);
    private ImmutableDictionary<GroupId, PlacementGroup> _found = ImmutableDictionary<GroupId, PlacementGroup>.Empty;
    private int _isInRound;
    private long _rounds;

    public RepairProgress Progress
    {
        get
        {
            RepairState now = _account.State;
            return new RepairProgress
            {
                GroupsToRepair = now.GroupsToRepair,
                Rounds = Volatile.Read(ref _rounds),
                ShardsRebuilt = now.Done.ShardsRebuilt,
                ShardsCopied = now.Done.ShardsCopied,
                ShardsLeft = now.ShardsLeft,
                ShardsRead = now.Done.ShardsRead,
                BytesRead = now.Done.BytesRead,
                BytesWritten = now.Done.BytesWritten,
                Busy = now.Busy,
                GetP99 = health.Gets.P99,
                StripesAtOnce = repair.Window.Stripes,
                Silo = self.Name,
                Round = now.Round is not { } round ? null : new RepairRound
                {
                    ShardsRestored = round.Done.ShardsRestored,
                    BytesRestored = round.Done.BytesWritten,
                    ShardsToDo = round.ShardsToDo,
                    BytesToDo = round.BytesToDo,
                    BytesPerSecond = round.BytesPerSecond,
                    TimeLeft = round.TimeLeft,
                },
            };
        }
    }

    /// <summary>Lifts the limits on its rate, and on what it does at once, until nothing is left to repair.
    /// </summary>
    public void Hurry()
    {
        throttle.BytesPerSecond = 0;
        repair.Window.IsWide = true;
    }

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
            Interlocked.Increment(ref _rounds);
        }
        finally
        {
            Volatile.Write(ref _isInRound, 0);
        }
    }

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
        FabricMap current = map.Current;
        Dictionary<DiskId, ImmutableArray<BucketDigest>> digests =
            await SweepGroup.DigestsAsync(homes, current, cancel);
        ImmutableArray<PlacementGroup> groups = SweepGroup.FindUnequal(current, digests);
        if (groups.IsEmpty)
        {
            throttle.BytesPerSecond = options.RepairMaxMiBPerSecond * 1024 * 1024;
            repair.Window.IsWide = false;
        }

        _found = groups.ToImmutableDictionary(g => g.Id);
        _account.Begin(groups.Select(g => KeyValuePair.Create(g.Id, SweepGroup.CountLacking(g, digests))));
        try
        {
            await repair.RunAsync([.. groups.Select(g => g.Id)], this, cancel);
        }
        finally
        {
            _account.End();
        }
    }

    void IRepairFollower.Restored(GroupId group, RepairTally stripe)
    {
        _account.Restored(group, stripe);
        counters.Repaired(stripe);
    }

    async Task IRepairFollower.EndedAsync(GroupId group, RepairTally tally, CancellationToken cancel)
    {
        _account.Ended(group, tally);
        if (tally.Hopeless > 0)
        {
            census.Suspect();
        }

        await MarkWholeAsync(_found[group], tally, cancel);
        if (tally.ShardsRestored + tally.ShardsLeft > 0)
        {
            log.GroupRepaired(group, tally.ShardsRebuilt, tally.ShardsCopied, tally.ShardsLeft);
        }
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
