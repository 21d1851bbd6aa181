using CsCheck;
using Microsoft.Extensions.Time.Testing;
using ZeroStor.Paths;
using ZeroStor.Placement;
using ZeroStor.Tests.Placement;
using ZeroStor.Tests.Proofs;
using ZeroStor.Volumes;

namespace ZeroStor.Tests.Paths;

public sealed class RepairGroupTests
{
    private static readonly Code Code = new(4, 2);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<int, int> Pairs()
    {
        var pairs = new TheoryData<int, int>();
        foreach ((int a, int b) in AllPairs())
        {
            pairs.Add(a, b);
        }

        return pairs;
    }

    [Fact]
    public async Task After_any_m_losses_every_record_is_restored_bit_for_bit_from_k_shards()
    {
        foreach ((int a, int b) in AllPairs().Where(p => p.A < p.B))
        {
            using var fabric = new PathFixture(Code, disks: 6);
            Standing standing = await WriteAsync(fabric, 300_001);
            fabric.Homes.Drop(standing.Id, a);
            fabric.Homes.Drop(standing.Id, b);
            fabric.Homes.Reads.Clear();
            RepairTally tally = await fabric.Repair().RunAsync(standing.Group, Cancel);
            int shardBytes = standing.Records[0].Header.ShardBytes;
            Assert.Equal(
                new RepairTally(1, 2, 0, 0, 4L * shardBytes, 2L * shardBytes) { ShardsRead = 4 }, tally);
            Assert.Equal(4, fabric.Homes.Reads.Count(r => r.Length > 0));
            Assert.All(fabric.Homes.Reads.Where(r => r.Length > 0), r => Assert.Equal(shardBytes, r.Length));
            standing.AssertWhole(fabric);
            Assert.Empty(fabric.Faults);
        }
    }

    [Fact]
    public async Task No_more_than_k_shards_are_read_where_more_are_at_hand()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 300_001);
        fabric.Homes.Drop(standing.Id, 2);
        fabric.Homes.Reads.Clear();
        await fabric.Repair().RunAsync(standing.Group, Cancel);
        Assert.Equal(4, fabric.Homes.Reads.Count(r => r.Length > 0));
    }

    [Fact]
    public async Task Repeating_it_reads_no_shard_and_writes_nothing()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 100_000);
        fabric.Homes.Drop(standing.Id, 1);
        await fabric.Repair().RunAsync(standing.Group, Cancel);
        fabric.Homes.Reads.Clear();
        int appends = fabric.Homes.Appends;
        Assert.Equal(
            new RepairTally(1, 0, 0, 0, 0, 0), await fabric.Repair().RunAsync(standing.Group, Cancel));
        Assert.Empty(fabric.Homes.Reads);
        Assert.Equal(appends, fabric.Homes.Appends);
    }

    [Fact]
    public async Task Any_code_any_size_any_losses_up_to_m()
    {
        Code[] codes = [new(1, 1), new(1, 2), new(3, 2), new(5, 3), Code.Default];
        await Gen.Select(Gen.Int[0, codes.Length - 1], Gen.Int[1, 200_000], Gen.Int).SampleAsync(
            async (which, bytes, seed) =>
            {
                Code code = codes[which];
                using var fabric = new PathFixture(code, disks: code.N);
                Standing[] all = [await WriteAsync(fabric, bytes), await WriteAsync(fabric, 1 + (bytes / 7))];
                int[] places = [.. Enumerable.Range(0, code.N)];
                new Random(seed).Shuffle(places);
                int lost = 1 + (int)((uint)seed % (uint)code.M);
                foreach (Standing standing in all)
                {
                    Array.ForEach(places[..lost], p => fabric.Homes.Drop(standing.Id, p));
                }

                foreach (GroupId group in all.Select(s => s.Group).Distinct())
                {
                    RepairTally tally = await fabric.Repair().RunAsync(group, Cancel);
                    Assert.Equal((lost * tally.Stripes, 0), (tally.ShardsRebuilt, tally.ShardsLeft));
                }

                Assert.All(all, s => s.AssertWhole(fabric));
            },
            iter: 60,
            threads: 1);
    }

    [Fact]
    public async Task A_newcomer_gets_copies_from_the_former_home_and_nothing_is_decoded()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing[] all = await WriteManyAsync(fabric, 12);
        Move(fabric, from: 2, to: 7);
        fabric.Homes.Reads.Clear();
        RepairTally sum = await RepairAllAsync(fabric);
        Assert.Equal((12, 0, 12, 0), (sum.Stripes, sum.ShardsRebuilt, sum.ShardsCopied, sum.ShardsLeft));
        Assert.Equal(12, fabric.Homes.Reads.Count(r => r.Length > 0));
        Assert.All(all, s => s.AssertWhole(fabric));
    }

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
    public Task What_the_former_home_has_no_longer_right_is_decoded_however_well_it_lies() =>
        ProveLiesAreNotCopiedAsync(0, Defect.None);

    /// <summary>The proof: nothing that a former home says wrongly reaches the new one.</summary>
    internal static async Task ProveLiesAreNotCopiedAsync(int seed, Defect planted)
    {
        foreach (Conduct conduct in new[] { Conduct.Lying, Conduct.Vouching })
        {
            using var fabric = new PathFixture(Code, disks: 6, seed) { Planted = planted.InCore() };
            Standing[] all = await WriteManyAsync(fabric, 4);
            Move(fabric, from: 2, to: 7);
            fabric.Homes[new DiskId(2)] = conduct;
            RepairTally sum = await RepairAllAsync(fabric);
            BrokenPromiseException.Unless(
                Array.TrueForAll(all, s => s.IsWhole(fabric)),
                Promise.RepairsAreRight,
                $"a {conduct} home was believed");
            Assert.Equal((4, 0, 0), (sum.ShardsRebuilt, sum.ShardsCopied, sum.ShardsLeft));
            Assert.Equal(4, fabric.Faults.Count(f => f.Disk == new DiskId(2) && f.What == ErrorKind.Corrupt));
            Assert.All(all, s => s.AssertWhole(fabric));
        }
    }

    [Fact]
    public async Task A_place_that_a_past_of_the_group_left_on_another_disk_is_copied_from_there()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 50_000);
        DiskId stray = fabric.Home(standing.Ref, 4);
        fabric.Homes.Put(stray, standing.Records[1]);
        fabric.Homes.Put(stray, standing.Records[4]);
        fabric.Homes.Drop(standing.Id, 1);
        fabric.Homes.Put(stray, standing.Records[1]);
        RepairTally tally = await fabric.Repair().RunAsync(standing.Group, Cancel);
        Assert.Equal((0, 1, 0), (tally.ShardsRebuilt, tally.ShardsCopied, tally.ShardsLeft));
        standing.AssertWhole(fabric);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task A_home_that_lies_about_its_bytes_is_named_and_spreads_nothing(int liar, int lost)
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 300_000);
        fabric.Homes[fabric.Home(standing.Ref, liar)] = Conduct.Lying;
        fabric.Homes.Drop(standing.Id, lost);
        RepairTally tally = await fabric.Repair().RunAsync(standing.Group, Cancel);
        bool asked = tally.BytesRead > 4L * standing.Records[0].Header.ShardBytes;
        Assert.Equal((1, asked ? 1 : 0), (tally.ShardsRebuilt, tally.ShardsLeft));
        Assert.Equal(asked, fabric.Faults.Contains(
            (liar, fabric.Home(standing.Ref, liar), ErrorKind.Corrupt)));
        Assert.True(asked || liar >= Code.K);
        standing.AssertWhole(fabric);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Two_homes_that_state_another_stripe_are_named_and_neither_followed_nor_overwritten(
        int a, int b)
    {
        foreach (Conduct conduct in new[] { Conduct.Forging, Conduct.Misnaming })
        {
            using var fabric = new PathFixture(Code, disks: 6);
            Standing standing = await WriteAsync(fabric, 10_000);
            fabric.Homes[fabric.Home(standing.Ref, a)] = conduct;
            fabric.Homes[fabric.Home(standing.Ref, b)] = Conduct.Forging;
            int appends = fabric.Homes.Appends;
            RepairTally tally = await fabric.Repair().RunAsync(standing.Group, Cancel);
            Assert.Equal(new RepairTally(1, 0, 0, 2, 0, 0), tally with { PlacesLeft = default });
            Assert.Equal(appends, fabric.Homes.Appends);
            Assert.Equal([.. new[] { a, b }.Order()], fabric.Faults.Select(f => f.Place).Order());
        }
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task A_lost_shard_is_rebuilt_as_the_honest_say_though_another_home_states_otherwise(
        int liar, int lost)
    {
        foreach (Conduct conduct in new[] { Conduct.Forging, Conduct.Misnaming })
        {
            using var fabric = new PathFixture(Code, disks: 6);
            Standing standing = await WriteAsync(fabric, 10_000);
            fabric.Homes[fabric.Home(standing.Ref, liar)] = conduct;
            fabric.Homes.Drop(standing.Id, lost);
            RepairTally tally = await fabric.Repair().RunStripesAsync(
                standing.Group, [new LackingStripe(standing.Id, [])], Cancel);
            Assert.Equal((1, 1), (tally.ShardsRebuilt, tally.ShardsLeft));
            Assert.Contains(fabric.Faults, f => f.Place == liar && f.What == ErrorKind.Corrupt);
            standing.AssertWhole(fabric);
        }
    }

    [Fact]
    public async Task A_shard_that_its_home_finds_rotten_is_replaced_in_the_same_pass()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 200_000);
        fabric.Homes.Rot(fabric.Home(standing.Ref, 1), standing.Id, 1);
        fabric.Homes.Drop(standing.Id, 5);
        RepairTally tally = await fabric.Repair().RunAsync(standing.Group, Cancel);
        Assert.Equal((2, 0), (tally.ShardsRebuilt, tally.ShardsLeft));
        Assert.Contains(fabric.Faults, f => f.Place == 1 && f.What == ErrorKind.Corrupt);
        standing.AssertWhole(fabric);
    }

    [Fact]
    public async Task A_stripe_in_flight_is_left_alone_when_it_completes_within_the_grace()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 1000);
        fabric.Homes.Drop(standing.Id, 2);
        fabric.Homes.Drop(standing.Id, 3);
        fabric.Homes.Drop(standing.Id, 4);
        int appends = fabric.Homes.Appends;
        var time = new FakeTimeProvider();
        long asked = 0;
        fabric.Homes.OnRead = _ => Interlocked.Increment(ref asked);
        Task<RepairTally> running =
            fabric.Repair(time, TimeSpan.FromSeconds(2)).RunAsync(standing.Group, Cancel);
        time.Advance(TimeSpan.FromSeconds(1.9));
        for (int i = 0; i < 1000; i++)
        {
            await Task.Yield();
        }

        Assert.False(running.IsCompleted);
        Assert.Equal(0, Interlocked.Read(ref asked));
        foreach (int place in new[] { 2, 3, 4 })
        {
            fabric.Homes.Put(fabric.Home(standing.Ref, place), standing.Records[place]);
        }

        time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(new RepairTally(1, 0, 0, 0, 0, 0), await running);
        Assert.Equal(appends, fabric.Homes.Appends);
    }

    [Fact]
    public async Task With_too_few_shards_nothing_is_written_and_the_loss_is_counted()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 1000);
        Standing other = await WriteIntoAsync(fabric, standing.Group);
        Array.ForEach([0, 2, 5], p => fabric.Homes.Drop(standing.Id, p));
        fabric.Homes.Drop(other.Id, 0);
        RepairTally tally = await fabric.Repair().RunAsync(standing.Group, Cancel);
        Assert.Equal((2, 1, 3), (tally.Stripes, tally.ShardsRebuilt, tally.ShardsLeft));
        Assert.Equal(3, fabric.Homes.ShardsOf(standing.Id));
        other.AssertWhole(fabric);
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
    public async Task With_too_few_right_shards_nothing_is_written()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 1000);
        fabric.Homes.Drop(standing.Id, 5);
        fabric.Homes[fabric.Home(standing.Ref, 1)] = Conduct.Lying;
        fabric.Homes[fabric.Home(standing.Ref, 4)] = Conduct.Lying;
        int appends = fabric.Homes.Appends;
        RepairTally tally = await fabric.Repair().RunAsync(standing.Group, Cancel);
        Assert.Equal((0, 3), (tally.ShardsRebuilt, tally.ShardsLeft));
        Assert.Equal(appends, fabric.Homes.Appends);
    }

    [Fact]
    public async Task Sums_that_are_no_coding_of_the_shards_get_nothing_stored()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 1000);
        var sums = new Sum128[6];
        Array.ForEach([0, 1, 2, 3, 4], p => sums[p] = standing.Records[p].Header.ShardSum);
        RecordExtension wrong = ZeroStor.Erasure.ShardSums.ToExtension(sums);
        foreach (StoredShard record in standing.Records)
        {
            fabric.Homes.Put(fabric.Home(standing.Ref, record.Header.Place), record with
            {
                Header = record.Header with { SumsDigest = Sum128.Digest(sums) },
                Extensions = record.Extensions.IsEmpty ? [] : [wrong],
            });
        }

        fabric.Homes.Drop(standing.Id, 5);
        int appends = fabric.Homes.Appends;
        RepairTally tally = await fabric.Repair().RunAsync(standing.Group, Cancel);
        Assert.Equal((0, 1), (tally.ShardsRebuilt, tally.ShardsLeft));
        Assert.Equal(appends, fabric.Homes.Appends);
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
        };
        RepairTally short_ = await repair.RunAsync(first.Group, Cancel);
        Assert.Equal(0, short_.ShardsRebuilt);
        Assert.True(short_.ShardsLeft > 0);
        Assert.InRange(fabric.Homes.Appends - appends, 1, 4);

        // Four at once, and as many that began before the first one's refusal was noticed.
        Assert.InRange(fabric.Homes.Reads.Count, 1, 8 * (6 + 4));
        Assert.Same(fabric.Current, behind.Current);
        RepairTally next = await repair.RunAsync(first.Group, Cancel);
        Assert.Equal((31, 31, 0), (next.ShardsRebuilt, next.ShardsCopied, next.ShardsLeft));
        Assert.All(all, s => s.AssertWhole(fabric));
    }

    [Fact]
    public async Task Of_a_group_only_the_stripes_that_were_given_are_touched()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 5000);
        Standing other = await WriteIntoAsync(fabric, standing.Group);
        fabric.Homes.Drop(standing.Id, 1);
        fabric.Homes.Drop(other.Id, 1);
        var unknown = new StripeId(77);
        RepairTally tally = await fabric.Repair().RunStripesAsync(
            standing.Group, [new LackingStripe(standing.Id, []), new LackingStripe(unknown, [])], Cancel);
        Assert.Equal((2, 1, 0), (tally.Stripes, tally.ShardsRebuilt, tally.ShardsLeft));
        standing.AssertWhole(fabric);
        Assert.Equal(5, fabric.Homes.ShardsOf(other.Id));
        Assert.Equal(0, fabric.Homes.ShardsOf(unknown));
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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_cancelled_repair_ends_at_once_and_gives_every_buffer_back(bool whileReading)
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 200_000);
        fabric.Homes.Drop(standing.Id, 5);
        fabric.Homes.GivenOut = [];
        using var cancel = new CancellationTokenSource();
        int whole = 0;
        fabric.Homes.OnRead = order =>
        {
            if (order.Length > 0 && Interlocked.Increment(ref whole) == Code.K)
            {
                if (whileReading)
                {
                    fabric.Homes[order.To.Disk] = Conduct.Silent;
                }
                else
                {
                    fabric.Homes[fabric.Home(standing.Ref, 5)] = Conduct.Silent;
                }

                cancel.CancelAfter(0);
            }
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => fabric.Repair().RunAsync(standing.Group, cancel.Token));
        await AssertAllGivenBackAsync(fabric);
        Assert.Equal(5, fabric.Homes.ShardsOf(standing.Id));
    }

    [Fact]
    public async Task A_repair_gives_every_buffer_back_whatever_it_met()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 200_000);
        Standing other = await WriteIntoAsync(fabric, standing.Group);
        fabric.Homes.GivenOut = [];
        fabric.Homes.Drop(standing.Id, 5);
        fabric.Homes.Rot(fabric.Home(standing.Ref, 1), standing.Id, 1);
        Array.ForEach([0, 1, 2], p => fabric.Homes.Drop(other.Id, p));
        fabric.Homes[fabric.Home(standing.Ref, 2)] = Conduct.Lying;
        await fabric.Repair().RunAsync(standing.Group, Cancel);
        Assert.True(fabric.Homes.GivenOut.Count(s => s.Length > 0) >= 4);
        await AssertAllGivenBackAsync(fabric);
    }

    [Fact]
    public async Task A_shard_that_comes_after_its_time_is_given_back()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 200_000);
        fabric.Homes.Drop(standing.Id, 5);
        fabric.Homes.GivenOut = [];
        using var asked = new SemaphoreSlim(0);
        using var late = new ManualResetEventSlim();
        fabric.Homes.OnRead = order =>
        {
            if (order.Length > 0 && order.Place == 0)
            {
                asked.Release();
                late.Wait(Cancel);
            }
        };
        var time = new FakeTimeProvider();
        Task<RepairTally> running = fabric.Repair(time).RunAsync(standing.Group, Cancel);
        await asked.WaitAsync(Cancel);
        time.Advance(TimeSpan.FromSeconds(30));
        await running;
        int given = fabric.Homes.GivenOut.Count(s => s.Length > 0);
        late.Set();
        while (fabric.Homes.GivenOut.Count(s => s.Length > 0) == given)
        {
            Cancel.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        await AssertAllGivenBackAsync(fabric);
        Assert.Equal(0, (await fabric.Repair().RunAsync(standing.Group, Cancel)).ShardsLeft);
        standing.AssertWhole(fabric);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    public async Task Exactly_the_shard_bytes_that_are_read_and_written_pass_the_throttle(int more, bool isLeft)
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 100_000);
        fabric.Homes.Drop(standing.Id, 3);
        var time = new FakeTimeProvider();
        int bytes = standing.Records[0].Header.ShardBytes * (Code.K + 1);
        var throttle = new Throttle(time) { BytesPerSecond = bytes + more };
        time.Advance(TimeSpan.FromSeconds(1));
        RepairTally tally = await fabric.Repair(time, throttle: throttle).RunAsync(standing.Group, Cancel);
        Assert.Equal((1, bytes), (tally.ShardsRebuilt, tally.BytesRead + tally.BytesWritten));

        // The clock stood still, so what the bucket held at first is what was taken and what is left.
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        Task next = throttle.TakeAsync(1, enough.Token);
        Assert.Equal(isLeft, next.IsCompleted);
        await enough.CancelAsync();
        Assert.Equal(isLeft, await next.ContinueWith(t => t.IsCompletedSuccessfully, TaskScheduler.Default));
    }

    [Fact]
    public async Task A_throttled_repair_waits_and_goes_on_when_the_limit_is_lifted()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 100_000);
        fabric.Homes.Drop(standing.Id, 3);
        var time = new FakeTimeProvider();
        var throttle = new Throttle(time) { BytesPerSecond = 1 };
        Task<RepairTally> running = fabric.Repair(time, throttle: throttle).RunAsync(standing.Group, Cancel);
        for (int second = 0; second < 100; second++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.False(running.IsCompleted);
        Assert.Equal(5, fabric.Homes.ShardsOf(standing.Id));
        throttle.BytesPerSecond = 0;
        while (!running.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }

        Assert.Equal(1, (await running).ShardsRebuilt);
        standing.AssertWhole(fabric);
    }

    [Fact]
    public async Task A_group_that_the_map_lacks_is_not_found()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        ZeroStorException refusal = await Assert.ThrowsAsync<ZeroStorException>(
            () => fabric.Repair().RunAsync(new GroupId(99), Cancel));
        Assert.Equal(ErrorKind.NotFound, refusal.Kind);
    }

    [Fact]
    public async Task On_real_disks_a_lost_and_a_rotten_shard_come_back()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        DirectoryInfo root = Directory.CreateTempSubdirectory("zs-repair-");
        try
        {
            await using var disks = new LocalHomes(fabric);
            foreach (DiskEntry entry in fabric.Current.Disks)
            {
                string folder = Path.Combine(root.FullName, entry.Id.ToString());
                Disk.Format(folder, fabric.Current.Fabric, entry.Id, fabric.Entropy);
                var disk = Disk.Open(folder, new DiskOptions(), fabric.Entropy, TimeProvider.System);
                disk.DemandClaim(entry.Claim - 1);
                disk.TakeClaim(entry.Claim);
                disks.Add(disk);
            }

            Standing standing = await WriteAsync(fabric, 300_000);
            foreach (StoredShard record in standing.Records[..^1])
            {
                Assert.True((await AppendAsync(fabric, disks, standing, record)).IsDone);
            }

            DiskId bad = fabric.Home(standing.Ref, 1);
            ShardLocation at = (await disks.LocateAsync(Address(fabric, bad), standing.Id, 1, Cancel))!.Value;
            string path = Path.Combine(root.FullName, bad.ToString(), at.File);
            using (FileStream volume = File.Open(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            {
                volume.Position = at.Offset + 100;
                volume.WriteByte((byte)~standing.Records[1].Payload[100]);
            }

            RepairTally tally = await fabric.Repair(homes: disks).RunAsync(standing.Group, Cancel);
            Assert.Equal((2, 0), (tally.ShardsRebuilt, tally.ShardsLeft));
            foreach (StoredShard record in standing.Records)
            {
                ShardReadAnswer answer = await disks.ReadAsync(
                    new ShardReadOrder
                    {
                        To = Address(fabric, fabric.Home(standing.Ref, record.Header.Place)),
                        Stripe = standing.Id,
                        Place = record.Header.Place,
                        Length = record.Payload.Length,
                        WithExtensions = true,
                    },
                    Cancel);
                Assert.Equal(record.Header, answer.Header);
                Assert.Equal(record.Payload, answer.Payload.Span.ToArray());
                Assert.Equal(record.Extensions.Length, answer.Extensions.Length);
                answer.Payload.Release();
            }

            Assert.Equal(
                new RepairTally(1, 0, 0, 0, 0, 0),
                await fabric.Repair(homes: disks).RunAsync(standing.Group, Cancel));
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Repaired_homes_have_equal_digests_again()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        await WriteManyAsync(fabric, 20);
        fabric.Homes.DropAll(new DiskId(3));
        Assert.Equal(20, (await RepairAllAsync(fabric)).ShardsRebuilt);
        var digests = new Dictionary<DiskId, System.Collections.Immutable.ImmutableArray<BucketDigest>>();
        foreach (DiskEntry disk in fabric.Current.Disks)
        {
            digests[disk.Id] = await fabric.Homes.DigestsAsync(new DiskAddress(disk.Id, disk.Claim), Cancel);
        }

        await using CatalogBed catalog = await CatalogBed.OpenAsync(fabric.Vault);
        var sweep = new SweepGroup(fabric.Homes, fabric);
        foreach (PlacementGroup group in fabric.Current.Groups)
        {
            GroupTally tally = await sweep.RunAsync(group, digests, catalog.Catalog, Cancel);
            Assert.Equal(tally.Stripes, tally.ByMissing[0]);
        }
    }

    private static IEnumerable<(int A, int B)> AllPairs() =>
        from a in Enumerable.Range(0, 6)
        from b in Enumerable.Range(0, 6)
        where a != b
        select (a, b);

    private static DiskAddress Address(PathFixture fabric, DiskId disk) =>
        new(disk, fabric.Current.Disk(disk)!.Claim);

    private static async Task<HomeAnswer> AppendAsync(
        PathFixture fabric, LocalHomes homes, Standing standing, StoredShard record)
    {
        BufferSlice payload = BufferPool.Shared.RentSlice(record.Payload.Length);
        record.Payload.CopyTo(payload.Span);
        HomeAnswer answer = await homes.AppendAsync(
            new ShardAppend
            {
                To = Address(fabric, fabric.Home(standing.Ref, record.Header.Place)),
                Epoch = fabric.Current.Group(standing.Group)!.Epoch,
                Header = record.Header,
                Extensions = record.Extensions,
                Payload = payload,
            },
            Cancel);
        payload.Release();
        return answer;
    }

    private static async Task AssertAllGivenBackAsync(PathFixture fabric)
    {
        // A read that was given up may end a moment later; one that leaks fails the test instead of hanging
        // it.
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        foreach (BufferSlice slice in fabric.Homes.GivenOut!.Where(s => s.Length > 0))
        {
            while (!IsReleased(slice))
            {
                patience.Token.ThrowIfCancellationRequested();
                await Task.Yield();
            }
        }
    }

    private static bool IsReleased(BufferSlice slice)
    {
        try
        {
            slice.Hold().Release();
            return false;
        }
        catch (InvalidOperationException)
        {
            return true;
        }
    }

    internal static void Move(PathFixture fabric, int from, int to)
    {
        FabricMap map = fabric.Current;
        var roomy = new FabricMap(
            map.Fabric, map.Version, GroupPlannerTests.Disks(7, 7), map.Classes, map.Groups);
        FabricMap moved = roomy.With(
            MapChanges.Replace(roomy, new DiskId((uint)from), new DiskId((uint)to)));
        fabric.Current = moved.With(MapChanges.Put(
            moved, moved.Disk(new DiskId((uint)from))! with { State = DiskState.Up }));
    }

    private static async Task<RepairTally> RepairAllAsync(PathFixture fabric)
    {
        var sum = default(RepairTally);
        foreach (PlacementGroup group in fabric.Current.Groups)
        {
            sum += await fabric.Repair().RunAsync(group.Id, Cancel);
        }

        return sum;
    }

    private static async Task<Standing[]> WriteManyAsync(PathFixture fabric, int count)
    {
        var all = new Standing[count];
        for (int i = 0; i < count; i++)
        {
            all[i] = await WriteAsync(fabric, 1000 + (i * 777));
        }

        return all;
    }

    private static async Task<Standing> WriteIntoAsync(PathFixture fabric, GroupId group)
    {
        while (true)
        {
            Standing standing = await WriteAsync(fabric, 2000);
            if (standing.Group == group)
            {
                return standing;
            }
        }
    }

    private static async Task<Standing[]> WriteIntoAsync(PathFixture fabric, GroupId group, int count)
    {
        var all = new Standing[count];
        for (int i = 0; i < count; i++)
        {
            all[i] = await WriteIntoAsync(fabric, group);
        }

        return all;
    }

    private static async Task<Standing> WriteAsync(PathFixture fabric, int bytes)
    {
        byte[] content = fabric.Content(bytes);
        (StripeToWrite stripe, _) = fabric.Stripe(content, manifest: fabric.Content(300));
        StripeRef written = (await fabric.Writer(minHomeSeconds: 20).RunAsync(stripe, Cancel)).Stripe;
        StoredShard[] records =
        [
            .. Enumerable.Range(0, fabric.Code.N)
                .Select(p => fabric.Homes.Stored(fabric.Home(written, p), written.Id, p)!),
        ];
        return new Standing(written, records);
    }

    /// <summary>A stripe and the records of all its places as they were first written.</summary>
    private sealed record Standing(StripeRef Ref, StoredShard[] Records)
    {
        public StripeId Id => Ref.Id;

        public GroupId Group => Ref.Group;

        /// <summary>Every home holds the very bytes that were written.</summary>
        public bool IsWhole(PathFixture fabric) => Array.TrueForAll(
            Records,
            r => fabric.Homes.Stored(fabric.Home(Ref, r.Header.Place), Id, r.Header.Place) is { } now
                && now.Payload.AsSpan().SequenceEqual(r.Payload));

        /// <summary>Every home holds the very record that was written.</summary>
        public void AssertWhole(PathFixture fabric)
        {
            foreach (StoredShard first in Records)
            {
                int place = first.Header.Place;
                StoredShard? now = fabric.Homes.Stored(fabric.Home(Ref, place), Id, place);
                Assert.NotNull(now);
                Assert.Equal(first.Header, now.Header);
                Assert.Equal(first.Payload, now.Payload);
                Assert.Equal(
                    first.Extensions.Select(e => (e.Type, Convert.ToHexString(e.Value.Span))),
                    now.Extensions.Select(e => (e.Type, Convert.ToHexString(e.Value.Span))));
                Assert.False(now.IsKnownBad);
            }
        }
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
