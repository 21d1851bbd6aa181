using CsCheck;
using ZeroStor.Paths;
using ZeroStor.Tests.Proofs;

namespace ZeroStor.Tests.Paths;

public sealed class ReadStripeTests
{
    private static readonly Code Code = new(4, 2);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Any_range_reads_back_with_any_two_homes_gone()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        byte[] content = fabric.Content(700_001);
        (StripeToWrite stripe, _) = fabric.Stripe(content);
        StripeRef written = (await fabric.Writer().RunAsync(stripe, Cancel)).Stripe;
        await Gen.Select(Gen.Int[0, content.Length - 1], Gen.Int[1, content.Length], Gen.Int[1, 6], Gen.Int[1, 6])
            .SampleAsync(async (offset, length, first, second) =>
            {
                length = Math.Min(length, content.Length - offset);
                fabric.Homes[new DiskId((uint)first)] = Conduct.Offline;
                fabric.Homes[new DiskId((uint)second)] = Conduct.Offline;
                byte[] read = await fabric.ReadAsync(stripe, written, offset, length);
                Assert.True(content.AsSpan(offset, length).SequenceEqual(read));
                fabric.Homes[new DiskId((uint)first)] = Conduct.Honest;
                fabric.Homes[new DiskId((uint)second)] = Conduct.Honest;
            }, iter: 200, threads: 1);
    }

    [Fact]
    public async Task A_small_range_asks_one_home_for_a_little_more_than_the_range()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        (StripeToWrite stripe, _) = fabric.Stripe(fabric.Content(1_048_576));
        StripeRef written = (await fabric.Writer().RunAsync(stripe, Cancel)).Stripe;
        fabric.Homes.Reads.Clear();
        await fabric.ReadAsync(stripe, written, 70_000, 1000);
        (DiskId disk, int length) = Assert.Single(fabric.Homes.Reads);
        Assert.Equal(fabric.Home(written, 0), disk);
        Assert.Equal(Geometry.SegmentBytes + Geometry.SealTagBytes, length);
        Assert.Equal(0, fabric.Decoded);
    }

    [Fact]
    public async Task A_silent_home_is_hedged()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        byte[] content = fabric.Content(500_000);
        (StripeToWrite stripe, _) = fabric.Stripe(content);
        StripeRef written = (await fabric.Writer().RunAsync(stripe, Cancel)).Stripe;
        fabric.Homes[fabric.Home(written, 1)] = Conduct.Silent;
        fabric.Homes[fabric.Home(written, 4)] = Conduct.Silent;
        Assert.Equal(content, await fabric.ReadAsync(stripe, written, 0, content.Length));
        Assert.Equal(1, fabric.Decoded);
    }

    [Fact]
    public Task Up_to_m_homes_may_lie_and_are_named() => ProveUpToMMayLieAsync(0, Defect.None);

    /// <summary>The proof: every pair of homes, lying in every way.</summary>
    internal static async Task ProveUpToMMayLieAsync(int seed, Defect planted)
    {
        // Every home is waited for, so that a machine that is busy does not read around a liar before it lied.
        using var fabric = new PathFixture(Code, disks: 6, seed)
        {
            Planted = planted.InCore(), MinHedge = TimeSpan.FromSeconds(20),
        };
        byte[] content = fabric.Content(300_000);
        (StripeToWrite stripe, _) = fabric.Stripe(content);
        StripeRef written = (await fabric.Writer().RunAsync(stripe, Cancel)).Stripe;
        Conduct[] lies = [Conduct.Lying, Conduct.Vouching];
        foreach ((int a, int b, Conduct one, Conduct other) in
            from a in Enumerable.Range(0, 6)
            from b in Enumerable.Range(0, 6)
            where a < b
            from one in lies
            from other in lies
            select (a, b, one, other))
        {
            fabric.Homes[fabric.Home(written, a)] = one;
            fabric.Homes[fabric.Home(written, b)] = other;
            fabric.Faults.Clear();
            BrokenPromiseException.Unless(
                await ReadsAsync(fabric, stripe, written, content),
                Promise.ReadsAreRight,
                $"{one} home {a} and {other} home {b} are not read around");
            foreach (int liar in new[] { a, b }.Where(p => p < Code.K))
            {
                Assert.Contains(fabric.Faults, f => f.Place == liar && f.What == ErrorKind.Corrupt);
            }

            fabric.Homes[fabric.Home(written, a)] = Conduct.Honest;
            fabric.Homes[fabric.Home(written, b)] = Conduct.Honest;
        }
    }

    [Fact]
    public async Task More_than_m_gone_is_refused_with_the_homes_to_bring_back()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        byte[] content = fabric.Content(300_000);
        (StripeToWrite stripe, _) = fabric.Stripe(content);
        StripeRef written = (await fabric.Writer().RunAsync(stripe, Cancel)).Stripe;
        fabric.Homes.Drop(written.Id, 0);
        fabric.Homes[fabric.Home(written, 2)] = Conduct.Offline;
        fabric.Homes[fabric.Home(written, 5)] = Conduct.Silent;
        ZeroStorException refusal = await Assert.ThrowsAsync<ZeroStorException>(
            () => fabric.ReadAsync(stripe, written, 0, content.Length));
        Assert.Equal(ErrorKind.TooFewShards, refusal.Kind);

        // What lies on the homes that are left is still to be had.
        byte[] part = await fabric.ReadAsync(stripe, written, 65_536 * 4, 10);
        Assert.Equal(content.AsSpan(65_536 * 4, 10).ToArray(), part);
    }

    [Fact]
    public async Task More_than_m_liars_are_refused_and_no_wrong_byte_leaves()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        (StripeToWrite stripe, _) = fabric.Stripe(fabric.Content(300_000));
        StripeRef written = (await fabric.Writer().RunAsync(stripe, Cancel)).Stripe;
        for (int place = 0; place < 3; place++)
        {
            fabric.Homes[fabric.Home(written, place)] = Conduct.Lying;
        }

        ZeroStorException refusal = await Assert.ThrowsAsync<ZeroStorException>(
            () => fabric.ReadAsync(stripe, written, 0, 300_000));
        Assert.Equal(ErrorKind.TooFewShards, refusal.Kind);
    }

    [Fact]
    public async Task A_stripe_under_another_key_does_not_open()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        (StripeToWrite stripe, _) = fabric.Stripe(fabric.Content(1000));
        (StripeToWrite other, _) = fabric.Stripe(fabric.Content(1000));
        StripeRef written = (await fabric.Writer().RunAsync(stripe, Cancel)).Stripe;
        ZeroStorException refusal = await Assert.ThrowsAsync<ZeroStorException>(
            () => fabric.ReadAsync(other, written, 0, 1000));
        Assert.Equal(ErrorKind.Corrupt, refusal.Kind);
    }

    [Fact]
    public async Task Homes_taken_for_absent_are_not_asked_and_nothing_is_held_against_them()
    {
        using var fabric = new PathFixture(Code, disks: 6) { MinHedge = TimeSpan.FromSeconds(20) };
        byte[] content = fabric.Content(300_000);
        (StripeToWrite stripe, _) = fabric.Stripe(content);
        StripeRef written = (await fabric.Writer().RunAsync(stripe, Cancel)).Stripe;
        fabric.Homes.Reads.Clear();
        byte[] read = await fabric.ReadAsync(
            fabric.Read(stripe, written, 0, content.Length) with { AbsentHomes = 2 });
        Assert.Equal(content, read);
        Assert.Equal(
            [2, 3, 4, 5],
            fabric.Homes.Reads.Select(r => Place(r.Disk)).Order());
        Assert.Equal(1, fabric.Decoded);
        Assert.Empty(fabric.Faults);
        Assert.DoesNotContain(fabric.Current.Disks, d => fabric.Health.Avoids(d.Id));

        int Place(DiskId disk) => Enumerable.Range(0, 6).Single(p => fabric.Home(written, p) == disk);
    }

    [Fact]
    public async Task Of_a_range_the_first_home_that_it_touches_is_taken_for_absent()
    {
        using var fabric = new PathFixture(Code, disks: 6) { MinHedge = TimeSpan.FromSeconds(20) };
        byte[] content = fabric.Content(1_048_576);
        (StripeToWrite stripe, _) = fabric.Stripe(content);
        StripeRef written = (await fabric.Writer().RunAsync(stripe, Cancel)).Stripe;
        int third = 2 * Geometry.ShardBytes(Code, written.SealedBytes);
        fabric.Homes.Reads.Clear();
        byte[] read = await fabric.ReadAsync(
            fabric.Read(stripe, written, third + 100_000, 10) with { AbsentHomes = 1 });
        Assert.Equal(content.AsSpan(third + 100_000, 10).ToArray(), read);
        Assert.Equal(1, fabric.Decoded);
        Assert.DoesNotContain(fabric.Homes.Reads, r => r.Disk == fabric.Home(written, 2));
    }

    [Fact]
    public async Task A_former_home_serves_until_the_place_is_whole()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        byte[] content = fabric.Content(300_000);
        (StripeToWrite stripe, _) = fabric.Stripe(content);
        StripeRef written = (await fabric.Writer().RunAsync(stripe, Cancel)).Stripe;
        FabricMap map = fabric.Current;
        DiskEntry[] disks = ZeroStor.Tests.Placement.GroupPlannerTests.Disks(7, 7);
        var roomy = new FabricMap(map.Fabric, map.Version, disks, map.Classes, map.Groups);
        FabricMap moved = roomy.With(ZeroStor.Placement.MapChanges.Replace(roomy, new DiskId(2), new DiskId(7)));
        fabric.Current = moved.With(ZeroStor.Placement.MapChanges.Put(
            moved, moved.Disk(new DiskId(2))! with { State = DiskState.Up }));
        Assert.Equal(content, await fabric.ReadAsync(stripe, written, 0, content.Length));
        Assert.Equal(0, fabric.Decoded);
    }

    [Fact]
    public async Task Where_a_lost_home_is_being_made_anew_nobody_waits_to_hear_so()
    {
        // The newcomer answers nothing, and no hedge helps: only who was asked at once does.
        using var fabric = new PathFixture(Code, disks: 6) { MinHedge = TimeSpan.FromHours(1) };
        byte[] content = fabric.Content(300_000);
        (StripeToWrite stripe, _) = fabric.Stripe(content);
        StripeRef written = (await fabric.Writer().RunAsync(stripe, Cancel)).Stripe;
        FabricMap map = fabric.Current;
        DiskId lost = fabric.Home(written, 1);
        DiskEntry[] disks = ZeroStor.Tests.Placement.GroupPlannerTests.Disks(7, 7);
        var roomy = new FabricMap(map.Fabric, map.Version, disks, map.Classes, map.Groups);
        fabric.Current = roomy.With(ZeroStor.Placement.MapChanges.Replace(roomy, lost, new DiskId(7)));
        fabric.Homes[lost] = Conduct.Silent;
        fabric.Homes[new DiskId(7)] = Conduct.Silent;
        fabric.Homes.Reads.Clear();
        Assert.Equal(content, await fabric.ReadAsync(stripe, written, 0, content.Length));
        Assert.Equal((1, Code.N - 1), (fabric.Decoded, fabric.Homes.Reads.Count));
    }

    private static async Task<bool> ReadsAsync(
        PathFixture fabric, StripeToWrite stripe, StripeRef written, byte[] content)
    {
        try
        {
            byte[] read = await fabric.ReadAsync(stripe, written, 0, content.Length);
            return content.AsSpan().SequenceEqual(read);
        }
        catch (ZeroStorException)
        {
            return false;
        }
    }
}
