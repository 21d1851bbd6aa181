using CsCheck;
using Microsoft.Extensions.Time.Testing;
using ZeroStor.Paths;

namespace ZeroStor.Tests.Paths;

/// <summary>Homes that are absent, silent, refusing, or follow another map.</summary>
public sealed partial class RepairGroupTests
{
    [Fact]
    public async Task An_empty_newcomer_is_not_taken_for_whole_while_those_who_know_better_are_absent()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 50_000);
        Move(fabric, from: 2, to: 7);
        int place = Array.FindIndex([.. fabric.Current.Group(standing.Group)!.Places], p => !p.IsWhole);
        uint[] others = [1, 2, 3, 4, 5, 6];
        Array.ForEach(others, d => fabric.Homes[new DiskId(d)] = Conduct.Offline);
        RepairTally blind = await fabric.Repair().RunAsync(standing.Group, Cancel);
        Assert.True(blind.IsLeft(place));
        Assert.True(blind.ShardsLeft > 0);
        Array.ForEach(others, d => fabric.Homes[new DiskId(d)] = Conduct.Honest);
        RepairTally seeing = await fabric.Repair().RunAsync(standing.Group, Cancel);
        Assert.False(seeing.IsLeft(place));
        Assert.Equal(1, seeing.ShardsCopied);
    }

    [Fact]
    public async Task What_too_few_hold_or_may_come_back_with_keeps_no_place_from_being_whole()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 1000);
        Array.ForEach([0, 1, 2, 5], p => fabric.Homes.Drop(standing.Id, p));
        RepairTally tally = await fabric.Repair().RunAsync(standing.Group, Cancel);
        Assert.Equal((4, 1), (tally.ShardsLeft, tally.Hopeless));
        Assert.DoesNotContain(true, Enumerable.Range(0, 6).Select(tally.IsLeft));

        // Two places stand, four are needed: one that is away may have a third at most.
        fabric.Homes[fabric.Home(standing.Ref, 5)] = Conduct.Offline;
        tally = await fabric.Repair().RunAsync(standing.Group, Cancel);
        Assert.Equal(1, tally.Hopeless);
        Assert.False(tally.IsLeft(0));

        // Two that are away may have what the others lack.
        fabric.Homes[fabric.Home(standing.Ref, 0)] = Conduct.Offline;
        tally = await fabric.Repair().RunAsync(standing.Group, Cancel);
        Assert.Equal(0, tally.Hopeless);
        Assert.All(Enumerable.Range(0, 6), p => Assert.True(tally.IsLeft(p)));
    }

    [Fact]
    public async Task An_absent_home_costs_no_reads_and_the_others_are_restored()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 1000);
        Standing other = await WriteIntoAsync(fabric, standing.Group);
        fabric.Homes[fabric.Home(standing.Ref, 3)] = Conduct.Offline;
        fabric.Homes.Drop(standing.Id, 0);
        fabric.Homes.Reads.Clear();
        RepairTally tally = await fabric.Repair().RunAsync(standing.Group, Cancel);
        Assert.Equal((2, 1, 2), (tally.Stripes, tally.ShardsRebuilt, tally.ShardsLeft));
        Assert.Equal(4, fabric.Homes.Reads.Count(r => r.Length > 0));
        standing.AssertWhole(fabric);
        other.AssertWhole(fabric);
    }

    [Theory]
    [InlineData((int)Conduct.Full)]
    [InlineData((int)Conduct.Behind)]
    public async Task A_home_that_refuses_is_offered_no_more_and_the_others_are_served(int conduct)
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing first = await WriteAsync(fabric, 1000);
        Standing[] all = [first, .. await WriteIntoAsync(fabric, first.Group, 30)];
        fabric.Homes[fabric.Home(first.Ref, 0)] = (Conduct)conduct;
        foreach (Standing standing in all)
        {
            fabric.Homes.Drop(standing.Id, 0);
            fabric.Homes.Drop(standing.Id, 1);
        }

        int appends = fabric.Homes.Appends;
        RepairTally tally = await fabric.Repair().RunAsync(first.Group, Cancel);
        Assert.Equal((31, 31, 31), (tally.Stripes, tally.ShardsRebuilt, tally.ShardsLeft));
        Assert.InRange(fabric.Homes.Appends - appends, 32, 35);
    }

    [Fact]
    public async Task Under_a_stale_epoch_the_pass_ends_and_the_next_one_goes_by_the_newer_map()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing first = await WriteAsync(fabric, 1000);
        Standing[] all = [first, .. await WriteIntoAsync(fabric, first.Group, 30)];
        foreach (Standing standing in all)
        {
            fabric.Homes.Drop(standing.Id, 1);
        }

        var behind = new StaleMap(fabric.Current, fabric);
        Move(fabric, from: (int)fabric.Home(first.Ref, 0).Value, to: 7);
        int appends = fabric.Homes.Appends;
        fabric.Homes.Reads.Clear();
        var repair = new RepairGroup(
            fabric.Homes, behind, fabric, new Throttle(TimeProvider.System), TimeProvider.System)
        {
            InFlightGrace = TimeSpan.Zero,

            // Otherwise it is chance how many begin before the first one's refusal is noticed.
            StripesAtOnce = 1,
        };
        RepairTally short_ = await repair.RunAsync(first.Group, Cancel);
        Assert.Equal(0, short_.ShardsRebuilt);
        Assert.True(short_.ShardsLeft > 0);
        Assert.Equal(1, fabric.Homes.Appends - appends);
        Assert.InRange(fabric.Homes.Reads.Count, 1, 6 + 4);
        Assert.Same(fabric.Current, behind.Current);
        RepairTally next = await repair.RunAsync(first.Group, Cancel);
        Assert.Equal((31, 31, 0), (next.ShardsRebuilt, next.ShardsCopied, next.ShardsLeft));
        Assert.All(all, s => s.AssertWhole(fabric));
    }

    [Fact]
    public async Task A_stripe_that_only_an_absent_disk_may_know_is_not_called_gone()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 5000);
        fabric.Homes[fabric.Home(standing.Ref, 3)] = Conduct.Offline;
        RepairTally tally = await fabric.Repair().RunStripesAsync(
            standing.Group, [new LackingStripe(new StripeId(77), [])], Cancel);
        Assert.Equal(6, tally.ShardsLeft);
    }

    [Fact]
    public async Task A_silent_home_is_waited_for_once_in_a_pass()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 5000);
        Standing other = await WriteIntoAsync(fabric, standing.Group);
        DiskId silent = fabric.Home(standing.Ref, 2);
        fabric.Homes[silent] = Conduct.Silent;
        fabric.Homes.Drop(standing.Id, 0);
        fabric.Homes.Drop(other.Id, 0);
        var time = new FakeTimeProvider();
        Task<RepairTally> running = fabric.Repair(time).RunAsync(standing.Group, Cancel);
        Assert.False(running.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(30));
        RepairTally tally = await running;
        Assert.Equal((2, 2, 2), (tally.Stripes, tally.ShardsRebuilt, tally.ShardsLeft));
        Assert.DoesNotContain(fabric.Homes.Reads, r => r.Disk == silent);
    }

    [Fact]
    public async Task A_group_that_the_map_lacks_is_not_found()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        ZeroStorException refusal = await Assert.ThrowsAsync<ZeroStorException>(
            () => fabric.Repair().RunAsync(new GroupId(99), Cancel));
        Assert.Equal(ErrorKind.NotFound, refusal.Kind);
    }

    /// <summary>A map that learns what the fabric knows when it is told to.</summary>
    private sealed class StaleMap(FabricMap stale, IFabricMap fabric) : IFabricMap
    {
        public FabricMap Current { get; private set; } = stale;

        public Tick Tick => fabric.Tick;

        public ValueTask<FabricMap> RefreshAsync(long atLeastVersion, CancellationToken cancel)
        {
            Current = fabric.Current;
            return ValueTask.FromResult(Current);
        }
    }
}
