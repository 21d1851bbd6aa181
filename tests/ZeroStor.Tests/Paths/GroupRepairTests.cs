using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;
using ZeroStor.Paths;

namespace ZeroStor.Tests.Paths;

/// <summary>In which order repair goes, what it waits for, and what it reads for what it restores.</summary>
public sealed class GroupRepairTests
{
    private static readonly Code Code = new(4, 2);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_groups_wait_together_for_what_is_in_flight()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        GroupId[] groups = [.. fabric.Current.Groups.Select(g => g.Id)];
        StripeRef[] stripes = await WriteToAllAsync(fabric, groups);
        Array.ForEach(stripes, s => fabric.Homes.Drop(s.Id, 1));
        fabric.Homes.Reads.Clear();
        var time = new FakeTimeProvider();
        var ended = new Ended();
        Task running = fabric.Repair(time, TimeSpan.FromSeconds(2)).RunAsync(groups, ended, Cancel);
        Assert.False(running.IsCompleted);
        Assert.Empty(fabric.Homes.Reads);
        time.Advance(TimeSpan.FromSeconds(2));

        // The clock stands still from here: no other group may wait for it.
        await running;
        Assert.True(groups.Length > 4);
        Assert.Equal(groups, ended.Tallies.Keys.Order());
        Assert.All(ended.Tallies.Values, t => Assert.True(t is { ShardsRebuilt: > 0, ShardsLeft: 0 }));
        Assert.All(stripes, s => Assert.Equal(6, fabric.Homes.ShardsOf(s.Id)));
        Assert.Equal(stripes.Length, ended.Restored);
    }

    [Fact]
    public async Task Groups_that_lack_nothing_wait_for_nobody()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        GroupId[] groups = [.. fabric.Current.Groups.Select(g => g.Id)];
        StripeRef[] stripes = await WriteToAllAsync(fabric, groups);
        fabric.Homes.Drop(stripes[0].Id, 1);
        var time = new FakeTimeProvider();
        var ended = new Ended();
        Task running = fabric.Repair(time, TimeSpan.FromSeconds(2)).RunAsync(groups, ended, Cancel);
        Assert.Equal(groups.Except([stripes[0].Group]), ended.Tallies.Keys.Order());
        time.Advance(TimeSpan.FromSeconds(2));
        await running;
        Assert.Equal(groups, ended.Tallies.Keys.Order());
    }

    [Fact]
    public async Task A_silent_home_is_waited_for_once_by_all_groups()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        GroupId[] groups = [.. fabric.Current.Groups.Select(g => g.Id)];
        StripeRef[] stripes = await WriteToAllAsync(fabric, groups);
        var silent = new DiskId(3);
        fabric.Homes[silent] = Conduct.Silent;
        StripeRef lacking = Array.Find(stripes, s => s.Group == groups[^1]);
        int place = fabric.Home(lacking, 0) == silent ? 1 : 0;
        fabric.Homes.Drop(lacking.Id, place);
        var time = new FakeTimeProvider();
        var ended = new Ended();
        Task running = fabric.Repair(time).RunAsync(groups, ended, Cancel);
        time.Advance(TimeSpan.FromSeconds(30));
        await running;
        Assert.Equal(groups, ended.Tallies.Keys.Order());
        Assert.NotNull(fabric.Homes.Stored(fabric.Home(lacking, place), lacking.Id, place));
    }

    [Theory]
    [InlineData(100)]
    [InlineData(3)]
    public async Task Of_a_group_the_stripes_with_the_fewest_shards_left_go_first(int stripesPerBatch)
    {
        using var fabric = new PathFixture(Code, disks: 6);
        StripeRef[] stripes = [.. (await WriteToOneAsync(fabric, 13)).OrderBy(s => s.Id)];
        Array.ForEach(stripes, s => fabric.Homes.Drop(s.Id, 5));
        StripeId[] riskiest = [stripes[8].Id, stripes[11].Id];
        Array.ForEach(riskiest, s => fabric.Homes.Drop(s, 0));

        // The one that too few hold cannot be helped, and is in nobody's way.
        StripeId hopeless = stripes[2].Id;
        Array.ForEach([0, 1], p => fabric.Homes.Drop(hopeless, p));
        var order = new ConcurrentQueue<StripeId>();
        fabric.Homes.OnAppend = a => order.Enqueue(a.Header.Stripe);
        RepairTally tally = await Repair(fabric, stripesPerBatch).RunAsync(stripes[0].Group, Cancel);
        Assert.Equal(riskiest, order.Take(4).Distinct());
        Assert.Equal(
            stripes.Select(s => s.Id).Except([.. riskiest, hopeless]).Order(), order.Skip(4).Order());
        Assert.Equal((13, 14, 3, 1), (tally.Stripes, tally.ShardsRebuilt, tally.ShardsLeft, tally.Hopeless));
    }

    [Fact]
    public async Task What_cannot_be_restored_keeps_nothing_else_from_it_however_much_there_is()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        StripeRef[] stripes = await WriteToOneAsync(fabric, 11);
        DiskId full = fabric.Home(stripes[0], 0);
        fabric.Homes[full] = Conduct.Full;
        Array.ForEach(stripes, s => fabric.Homes.Drop(s.Id, 1));
        Array.ForEach(stripes[..7], s => fabric.Homes.Drop(s.Id, 0));
        RepairTally tally = await Repair(fabric, stripesPerBatch: 2).RunAsync(stripes[0].Group, Cancel);
        Assert.All(stripes, s => Assert.NotNull(fabric.Homes.Stored(fabric.Home(s, 1), s.Id, 1)));
        Assert.Equal((11, 11), (tally.Stripes, tally.ShardsRebuilt));
        Assert.True(tally.IsLeft(0));
        Assert.False(tally.IsLeft(1));
    }

    [Fact]
    public async Task A_copied_shard_costs_one_read_and_all_rebuilt_ones_of_a_stripe_cost_k()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        StripeRef[] stripes = await WriteToOneAsync(fabric, 12);
        RepairGroupTests.Move(fabric, from: 2, to: 7);
        int moved = Enumerable.Range(0, 6).Single(p => fabric.Home(stripes[0], p) == new DiskId(7));
        int[] others = [.. Enumerable.Range(0, 6).Where(p => p != moved)];
        long rebuilt = 0;
        long expected = 0;
        foreach ((int i, StripeRef stripe) in stripes.Index())
        {
            int lost = i % 3;
            Array.ForEach(others[..lost], p => fabric.Homes.Drop(stripe.Id, p));
            rebuilt += lost;

            // What was copied is one of the k.
            expected += lost == 0 ? 1 : Code.K;
        }

        fabric.Homes.Reads.Clear();
        RepairTally tally = await fabric.Repair().RunAsync(stripes[0].Group, Cancel);
        Assert.Equal((rebuilt, 12, 0), (tally.ShardsRebuilt, tally.ShardsCopied, tally.ShardsLeft));
        Assert.Equal(expected, tally.ShardsRead);
        Assert.Equal(expected, fabric.Homes.Reads.Count(r => r.Length > 0));
        Assert.Equal(fabric.Homes.Reads.Sum(r => (long)r.Length), tally.BytesRead);
        Assert.True(tally.ShardsRead <= tally.ShardsCopied + (Code.K * tally.ShardsRebuilt));
        Assert.All(stripes, s => Assert.Equal(
            6, Enumerable.Range(0, 6).Count(p => fabric.Homes.Stored(fabric.Home(s, p), s.Id, p) is not null)));
    }

    private static RepairGroup Repair(PathFixture fabric, int stripesPerBatch) =>
        new(fabric.Homes, fabric, fabric, new Throttle(TimeProvider.System), TimeProvider.System)
        {
            InFlightGrace = TimeSpan.Zero,
            StripesPerBatch = stripesPerBatch,
            StripesAtOnce = 1,
        };

    /// <summary>At least one stripe in each of these groups.</summary>
    private static async Task<StripeRef[]> WriteToAllAsync(PathFixture fabric, GroupId[] groups)
    {
        var written = new List<StripeRef>();
        while (!groups.All(g => written.Exists(s => s.Group == g)))
        {
            written.Add(await WriteAsync(fabric));
        }

        return [.. written];
    }

    private static async Task<StripeRef[]> WriteToOneAsync(PathFixture fabric, int count)
    {
        var written = new List<StripeRef>();
        while (written.Count < count)
        {
            StripeRef stripe = await WriteAsync(fabric);
            if (written.Count == 0 || written[0].Group == stripe.Group)
            {
                written.Add(stripe);
            }
        }

        return [.. written];
    }

    private static async Task<StripeRef> WriteAsync(PathFixture fabric)
    {
        (StripeToWrite stripe, _) = fabric.Stripe(fabric.Content(3000));
        return (await fabric.Writer(minHomeSeconds: 20).RunAsync(stripe, Cancel)).Stripe;
    }

    private sealed class Ended : IRepairFollower
    {
        private int _restored;

        public ConcurrentDictionary<GroupId, RepairTally> Tallies { get; } = new();

        public int Restored => Volatile.Read(ref _restored);

        void IRepairFollower.Restored(GroupId group, RepairTally stripe) => Interlocked.Increment(ref _restored);

        Task IRepairFollower.EndedAsync(GroupId group, RepairTally tally, CancellationToken cancel)
        {
            Assert.True(Tallies.TryAdd(group, tally));
            return Task.CompletedTask;
        }
    }
}
