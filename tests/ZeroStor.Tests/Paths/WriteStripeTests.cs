using Microsoft.Extensions.Time.Testing;
using ZeroStor.Paths;
using ZeroStor.Placement;
using ZeroStor.Tests.Proofs;

namespace ZeroStor.Tests.Paths;

public sealed class WriteStripeTests
{
    private static readonly Code Code = new(4, 2);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    [InlineData(1_000_000)]
    [InlineData(1_048_576)]
    public async Task A_stripe_stands_on_all_its_homes_and_reads_back(int bytes)
    {
        using var fabric = new PathFixture(Code, disks: 6);
        byte[] content = fabric.Content(bytes);
        (StripeToWrite stripe, _) = fabric.Stripe(content);
        WrittenStripe written = await fabric.Writer().RunAsync(stripe, Cancel);
        Assert.Equal(0, written.Missing);
        Assert.Equal(6, fabric.Homes.ShardsOf(written.Stripe.Id));
        Assert.Equal(content, await fabric.ReadAsync(stripe, written.Stripe, 0, bytes));
    }

    [Fact]
    public async Task Where_another_healthy_group_exists_an_absent_home_costs_no_redundancy()
    {
        using var fabric = new PathFixture(Code, disks: 12);
        fabric.Homes[new DiskId(3)] = Conduct.Offline;
        WriteStripe writer = fabric.Writer();
        for (int i = 0; i < 20; i++)
        {
            (StripeToWrite stripe, _) = fabric.Stripe(fabric.Content(5000));
            WrittenStripe written = await writer.RunAsync(stripe, Cancel);
            Assert.Equal(0, written.Missing);
            Assert.Equal(6, fabric.Homes.ShardsOf(written.Stripe.Id));
            Assert.DoesNotContain(
                fabric.Current.Group(written.Stripe.Group)!.Places, p => p.Home == new DiskId(3));
        }

        // What was placed where the absent home is, is dropped again.
        await writer.GivenUp.Dropping;
        Assert.Equal(20 * Code.N, fabric.Homes.Shards);
    }

    [Theory]
    [InlineData((int)Conduct.Offline)]
    [InlineData((int)Conduct.Silent)]
    [InlineData((int)Conduct.Full)]
    public async Task Where_none_does_the_stripe_is_finished_short_and_says_so(int conduct)
    {
        using var fabric = new PathFixture(Code, disks: 6);
        fabric.Homes[new DiskId(2)] = (Conduct)conduct;
        byte[] content = fabric.Content(70_000);
        (StripeToWrite stripe, _) = fabric.Stripe(content);
        WrittenStripe written = await fabric.Writer().RunAsync(stripe, Cancel);
        Assert.Equal(1, written.Missing);
        fabric.Homes[new DiskId(2)] = Conduct.Honest;
        Assert.Equal(content, await fabric.ReadAsync(stripe, written.Stripe, 0, content.Length));
    }

    [Theory]
    [InlineData(6, 1)]
    [InlineData(12, 0)]
    public async Task A_home_whose_own_map_is_behind_is_done_without_and_not_asked_again_and_again(
        int disks, int missing)
    {
        using var fabric = new PathFixture(Code, disks);
        fabric.Homes[new DiskId(2)] = Conduct.Behind;
        (StripeToWrite stripe, _) = fabric.Stripe(fabric.Content(5000));
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        fabric.Homes.OnAppend = _ =>
        {
            if (fabric.Homes.Appends > 1000)
            {
                ends.Cancel();
            }
        };
        WrittenStripe written = await fabric.Writer().RunAsync(stripe, ends.Token);
        Assert.Equal(missing, written.Missing);
    }

    [Fact]
    public Task Below_the_write_floor_nothing_is_acknowledged_and_the_homes_are_named() =>
        ProveFloorHoldsAsync(0, Defect.None);

    /// <summary>The proof: with one home fewer than the floor nothing is acknowledged.</summary>
    internal static async Task ProveFloorHoldsAsync(int seed, Defect planted)
    {
        using var fabric = new PathFixture(Code, disks: 6, seed) { Planted = planted.InCore() };
        fabric.Homes[new DiskId(2)] = Conduct.Offline;
        fabric.Homes[new DiskId(5)] = Conduct.Silent;
        (StripeToWrite stripe, _) = fabric.Stripe(fabric.Content(100));
        ZeroStorException? refusal = null;
        try
        {
            await fabric.Writer().RunAsync(stripe, Cancel);
        }
        catch (ZeroStorException refused)
        {
            refusal = refused;
        }

        BrokenPromiseException.Unless(
            refusal is not null, Promise.AcknowledgedIsSpread, "four homes of 4+2 were enough");
        Assert.Equal(ErrorKind.PolicyUnsatisfiable, refusal!.Kind);
        Assert.Contains("disk 2", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("disk 5", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Full_disks_below_the_floor_are_called_full()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        fabric.Homes[new DiskId(1)] = Conduct.Full;
        fabric.Homes[new DiskId(6)] = Conduct.Full;
        (StripeToWrite stripe, _) = fabric.Stripe(fabric.Content(100));
        ZeroStorException refusal = await Assert.ThrowsAsync<ZeroStorException>(
            () => fabric.Writer().RunAsync(stripe, Cancel));
        Assert.Equal(ErrorKind.DiskFull, refusal.Kind);
    }

    [Fact]
    public async Task Below_the_floor_a_put_waits_for_a_home_to_return()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        fabric.Homes[new DiskId(2)] = Conduct.Offline;
        fabric.Homes[new DiskId(5)] = Conduct.Offline;
        (StripeToWrite stripe, _) = fabric.Stripe(fabric.Content(100));
        Task<WrittenStripe> writing = fabric.Writer(patienceSeconds: 30).RunAsync(stripe, Cancel);
        fabric.Homes[new DiskId(5)] = Conduct.Honest;
        WrittenStripe written = await writing;
        Assert.True(fabric.Homes.ShardsOf(written.Stripe.Id) >= Code.DefaultWriteFloor);
    }

    [Fact]
    public async Task Under_a_stale_map_the_stripe_is_placed_again_from_the_newer_one()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        FabricMap stale = fabric.Current;
        DiskEntry[] disks = [.. stale.Disks, .. GroupPlannerDisks(7).Where(d => d.Id.Value == 7)];
        var roomy = new FabricMap(stale.Fabric, stale.Version, disks, stale.Classes, stale.Groups);
        FabricMap newer = roomy.With(MapChanges.Replace(roomy, new DiskId(2), new DiskId(7)));
        var coordinator = new StaleMap(stale, newer);
        fabric.Current = newer;
        var write = new WriteStripe(
            fabric.Homes, coordinator, fabric.Health, fabric.Entropy, TimeProvider.System);
        byte[] content = fabric.Content(1000);
        (StripeToWrite stripe, _) = fabric.Stripe(content);
        WrittenStripe written = await write.RunAsync(stripe, Cancel);
        Assert.Equal(0, written.Missing);
        Assert.Equal(1, coordinator.Refreshes);
        Assert.Equal(content, await fabric.ReadAsync(stripe, written.Stripe, 0, content.Length));
    }

    [Fact]
    public async Task What_some_homes_took_before_the_map_changed_is_dropped()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        FabricMap stale = fabric.Current;
        DiskEntry[] disks = [.. stale.Disks, .. GroupPlannerDisks(7).Where(d => d.Id.Value == 7)];
        var roomy = new FabricMap(stale.Fabric, stale.Version, disks, stale.Classes, stale.Groups);
        fabric.Homes.OnAppend = _ =>
        {
            if (fabric.Homes.Appends == 4)
            {
                fabric.Current = roomy.With(MapChanges.Replace(roomy, new DiskId(2), new DiskId(7)));
            }
        };
        byte[] content = fabric.Content(1000);
        (StripeToWrite stripe, _) = fabric.Stripe(content);
        WriteStripe writer = fabric.Writer();
        WrittenStripe written = await writer.RunAsync(stripe, Cancel);
        Assert.True(fabric.Homes.Appends > Code.N);
        await writer.GivenUp.Dropping;
        Assert.Equal(Code.N, fabric.Homes.ShardsOf(written.Stripe.Id));
        Assert.Equal(Code.N, fabric.Homes.Shards);
    }

    [Fact]
    public async Task A_home_that_knows_a_newer_map_is_told_again_by_that_one()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        (StripeToWrite stripe, _) = fabric.Stripe(fabric.Content(1000));
        WrittenStripe written = await fabric.Writer().RunAsync(stripe, Cancel);
        FabricMap stale = fabric.Current;
        var newer = new FabricMap(stale.Fabric, stale.Version + 1, stale.Disks, stale.Classes, stale.Groups);
        fabric.Current = newer;
        var coordinator = new StaleMap(stale, newer);
        var givenUp = new GivenUpPlacings(fabric.Homes, coordinator, TimeProvider.System);
        givenUp.Drop(written.Stripe.Id, Enumerable.Range(0, Code.N).Select(p => (fabric.Home(written.Stripe, p), p)));
        await givenUp.Dropping;
        Assert.Equal(0, fabric.Homes.Shards);
        Assert.True(coordinator.Refreshes > 0);
    }

    [Fact]
    public async Task A_home_that_never_answers_keeps_nobody_dropping_for_ever()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        fabric.Homes[new DiskId(2)] = Conduct.Silent;
        var time = new FakeTimeProvider();
        var givenUp = new GivenUpPlacings(fabric.Homes, fabric, time);
        givenUp.Drop(new StripeId(1), [(new DiskId(2), 0)]);
        Assert.False(givenUp.Dropping.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(10));
        await givenUp.Dropping;
    }

    [Fact]
    public async Task What_it_was_made_of_is_let_go_before_any_home_is_asked()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        byte[] content = fabric.Content(300_000);
        byte[] gone = [.. content];
        (StripeToWrite stripe, _) = fabric.Stripe(gone);
        int asked = -1;
        WrittenStripe written = await fabric.Writer().RunAsync(
            stripe with
            {
                WhenCoded = () =>
                {
                    asked = fabric.Homes.Appends;
                    Array.Clear(gone);
                },
            },
            Cancel);
        Assert.Equal(0, asked);
        Assert.Equal(content, await fabric.ReadAsync(stripe, written.Stripe, 0, content.Length));
    }

    [Fact]
    public async Task A_cancelled_put_ends_at_once()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        fabric.Homes[new DiskId(2)] = Conduct.Silent;
        (StripeToWrite stripe, _) = fabric.Stripe(fabric.Content(100));
        using var cancel = new CancellationTokenSource();
        Task<WrittenStripe> writing = fabric.Writer(minHomeSeconds: 600).RunAsync(stripe, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing);
    }

    private static DiskEntry[] GroupPlannerDisks(int count) =>
        ZeroStor.Tests.Placement.GroupPlannerTests.Disks(count, count);

    private sealed class StaleMap(FabricMap stale, FabricMap newer) : IFabricMap
    {
        public FabricMap Current { get; private set; } = stale;

        public Tick Tick => new(5);

        public int Refreshes { get; private set; }

        public ValueTask<FabricMap> RefreshAsync(long atLeastVersion, CancellationToken cancel)
        {
            Assert.Equal(newer.Version, atLeastVersion);
            Refreshes++;
            Current = newer;
            return ValueTask.FromResult(newer);
        }
    }
}
