using System.Collections.Concurrent;

namespace ZeroStor.Paths;

/// <summary>A stripe that lacks shards.</summary>
/// <param name="Stripe">The stripe.</param>
/// <param name="Strays">Who holds some of them without being asked anyway: neither a home nor a former one.
/// </param>
public readonly record struct LackingStripe(StripeId Stripe, IReadOnlyList<(DiskId Disk, int Place)> Strays)
{
    /// <summary>Places that somebody holds, as far as that was seen.</summary>
    internal int Held { get; init; }
}

/// <summary>Follows a repair of many groups. Called by several threads at once.</summary>
public interface IRepairFollower
{
    /// <summary>A stripe that lacked shards was dealt with.</summary>
    void Restored(GroupId group, RepairTally stripe);

    /// <summary>The group was dealt with; all in all it came to this.</summary>
    Task EndedAsync(GroupId group, RepairTally tally, CancellationToken cancel);
}

/// <summary>Brings the stripes of groups to all their homes. It asks no catalog: it rebuilds whatever a
/// group's disks hold. Which shards are right is said by the shard sums whose digest most disks name, so up
/// to m of them may lie: nothing is stored that does not match its sum, and who holds something else is named
/// to the observer. A stripe that lacks shards may be one that is being written, so it is looked at twice:
/// what lacks some is noted, in as many groups as can be remembered, then waited for once, then restored.
/// Of what is noted, groups go in the order they were given, and within each the stripes with the fewest
/// shards left go first. Repeating it changes nothing. When the map turns out to be older than the homes',
/// the pass over a group ends short, with <see cref="RepairTally.ShardsLeft"/> above 0, and is to be run again.
/// Thread-safe.</summary>
public sealed class RepairGroup(
    IShardHome homes, IFabricMap map, IReadObserver observer, Throttle throttle, TimeProvider time)
{
    /// <summary>Groups listed, and then repaired, at once: each holds some pages of listings, then some stripes
    /// in memory.</summary>
    internal const int GroupsAtOnce = 4;

    /// <summary>So many noted stripes share one <see cref="InFlightGrace"/> at least, where there are so many:
    /// a wait is little beside restoring these, and remembering them takes some megabytes.</summary>
    private const int StripesPerGrace = 4 * GroupRepair.StripesPerBatch;

    /// <summary>A stripe that lacks shards is looked at again after this, longer than a coordinator waits for
    /// a slow home; only what is missing then is restored.</summary>
    public TimeSpan InFlightGrace { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>A home gets this long for each answer; who takes longer is absent for the rest of the pass.
    /// </summary>
    public TimeSpan HomeTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Stripes restored at once, over all groups.</summary>
    public RepairWindow Window { get; } = new(time);

    internal PlantedDefects Planted { get; init; }

    /// <summary>Noted in a group before what was noted is restored.</summary>
    internal int StripesPerBatch { get; init; } = GroupRepair.StripesPerBatch;

    internal int StripesAtOnce { get; init; } = GroupRepair.StripesAtOnce;

    /// <summary>Repairs all stripes that any home or former home of the group lists.</summary>
    /// <exception cref="ZeroStorException">NotFound: the map has no such group.</exception>
    public async Task<RepairTally> RunAsync(GroupId group, CancellationToken cancel)
    {
        var only = new LastTally();
        await RunAsync([group], only, cancel);
        return only.Tally;
    }

    /// <summary>Repairs all stripes of these groups, the first groups first.</summary>
    /// <exception cref="ZeroStorException">NotFound: the map has no such group.</exception>
    public async Task RunAsync(
        IReadOnlyList<GroupId> groups, IRepairFollower follower, CancellationToken cancel)
    {
        List<GroupRepair> noted = [];
        int begun = 0;
        do
        {
            var silent = new ConcurrentDictionary<DiskId, ErrorKind>();
            noted = await NoteAsync([.. noted.Where(g => !g.IsListed)], follower, cancel);
            while (begun < groups.Count && noted.Sum(g => g.Noted) < StripesPerGrace)
            {
                GroupRepair[] next =
                    [.. groups.Skip(begun).Take(GroupsAtOnce).Select(g => Begin(g, silent, follower))];
                begun += next.Length;
                noted.AddRange(await NoteAsync(next, follower, cancel));
            }

            await RestoreAsync(noted, follower, cancel);
        }
        while (noted.Count > 0);
    }

    /// <summary>Repairs these stripes alone, each given once: what a census found to lack shards.</summary>
    /// <exception cref="ZeroStorException">NotFound: the map has no such group.</exception>
    public async Task<RepairTally> RunStripesAsync(
        GroupId group, IReadOnlyCollection<LackingStripe> stripes, CancellationToken cancel)
    {
        GroupRepair repair = Begin(group, [], follower: null);
        foreach (LackingStripe[] batch in stripes.Chunk(StripesPerBatch))
        {
            await repair.NoteAsync(batch, cancel);
            if (repair.Noted > 0)
            {
                await Task.Delay(InFlightGrace, time, cancel);
                await repair.RestoreAsync(cancel);
            }

            if (repair.IsStale)
            {
                break;
            }
        }

        return repair.End();
    }

    // What is done with is not kept until the others had their wait.
    private static async Task<List<GroupRepair>> NoteAsync(
        IReadOnlyCollection<GroupRepair> groups, IRepairFollower follower, CancellationToken cancel)
    {
        await Task.WhenAll(groups.Select(g => g.NoteAsync(cancel)));
        foreach (GroupRepair done in groups.Where(g => g.Noted == 0))
        {
            await follower.EndedAsync(done.Group, done.End(), cancel);
        }

        return [.. groups.Where(g => g.Noted > 0)];
    }

    private async Task RestoreAsync(
        List<GroupRepair> noted, IRepairFollower follower, CancellationToken cancel)
    {
        if (noted.Count == 0)
        {
            return;
        }

        await Task.Delay(InFlightGrace, time, cancel);
        await Parallel.ForEachAsync(
            noted,
            new ParallelOptions { MaxDegreeOfParallelism = GroupsAtOnce, CancellationToken = cancel },
            async (group, token) =>
            {
                await group.RestoreAsync(token);
                if (group.IsListed)
                {
                    await follower.EndedAsync(group.Group, group.End(), token);
                }
            });
    }

    private GroupRepair Begin(
        GroupId id, ConcurrentDictionary<DiskId, ErrorKind> silent, IRepairFollower? follower)
    {
        FabricMap current = map.Current;
        PlacementGroup group = current.Group(id)
            ?? throw ZeroStorException.NotFound($"The map has no group {id} to repair: read the map again.");
        var pass = new RepairHomes(homes, map, throttle, time, group, silent)
        {
            HomeTimeout = HomeTimeout,
            Planted = Planted,
        };
        return new GroupRepair(pass, current.Class(group.Class)!.Code, observer, follower, Window, time)
        {
            Batch = StripesPerBatch,
            AtOnce = StripesAtOnce,
        };
    }

    private sealed class LastTally : IRepairFollower
    {
        public RepairTally Tally { get; private set; }

        public void Restored(GroupId group, RepairTally stripe)
        {
        }

        public Task EndedAsync(GroupId group, RepairTally tally, CancellationToken cancel)
        {
            Tally = tally;
            return Task.CompletedTask;
        }
    }
}
