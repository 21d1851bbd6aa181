using CsCheck;
using Microsoft.Extensions.Time.Testing;
using ZeroStor.Paths;
using ZeroStor.Placement;
using ZeroStor.Tests.Placement;

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
            Assert.Equal(new RepairTally(1, 2, 0, 0, 4L * shardBytes, 2L * shardBytes), tally);
            Assert.Equal(4, fabric.Homes.Reads.Count(r => r.Length > 0));
            Assert.All(fabric.Homes.Reads.Where(r => r.Length > 0), r => Assert.Equal(shardBytes, r.Length));
            standing.AssertWhole(fabric);
            Assert.Empty(fabric.Faults);
        }
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
    public async Task What_the_former_home_has_no_longer_or_no_longer_right_is_decoded()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing[] all = await WriteManyAsync(fabric, 4);
        Move(fabric, from: 2, to: 7);
        fabric.Homes[new DiskId(2)] = Conduct.Lying;
        RepairTally sum = await RepairAllAsync(fabric);
        Assert.Equal((4, 0, 0), (sum.ShardsRebuilt, sum.ShardsCopied, sum.ShardsLeft));
        Assert.Equal(4, fabric.Faults.Count(f => f.Disk == new DiskId(2) && f.What == ErrorKind.Corrupt));
        Assert.All(all, s => s.AssertWhole(fabric));
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
    public async Task Two_homes_that_state_another_stripe_are_named_and_neither_followed_nor_overwritten(int a, int b)
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
            RepairTally tally = await fabric.Repair().RunStripesAsync(standing.Group, [standing.Id], Cancel);
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
        Task<RepairTally> running =
            fabric.Repair(time, TimeSpan.FromSeconds(2)).RunAsync(standing.Group, Cancel);
        Assert.False(running.IsCompleted);
        foreach (int place in new[] { 2, 3, 4 })
        {
            fabric.Homes.Put(fabric.Home(standing.Ref, place), standing.Records[place]);
        }

        time.Advance(TimeSpan.FromSeconds(2));
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
        var repair = new RepairGroup(
            fabric.Homes, behind, fabric, new Throttle(TimeProvider.System), TimeProvider.System)
        {
            InFlightGrace = TimeSpan.Zero,
        };
        RepairTally short_ = await repair.RunAsync(first.Group, Cancel);
        Assert.Equal(0, short_.ShardsRebuilt);
        Assert.True(short_.ShardsLeft > 0);
        Assert.InRange(fabric.Homes.Appends - appends, 1, 4);
        Assert.Same(fabric.Current, behind.Current);
        RepairTally next = await repair.RunAsync(first.Group, Cancel);
        Assert.Equal((31, 31, 0), (next.ShardsRebuilt, next.ShardsCopied, next.ShardsLeft));
        Assert.All(all, s => s.AssertWhole(fabric));
    }

    [Fact]
    public async Task Read_repair_touches_the_stripes_it_is_given_and_no_others()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 5000);
        Standing other = await WriteIntoAsync(fabric, standing.Group);
        fabric.Homes.Drop(standing.Id, 1);
        fabric.Homes.Drop(other.Id, 1);
        var unknown = new StripeId(77);
        RepairTally tally = await fabric.Repair().RunStripesAsync(
            standing.Group, [standing.Id, standing.Id, unknown], Cancel);
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
        RepairTally tally = await fabric.Repair().RunStripesAsync(standing.Group, [new StripeId(77)], Cancel);
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
    public async Task A_shard_that_comes_after_its_time_is_given_back_and_replaced_by_another()
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
        Assert.Equal(1, (await running).ShardsRebuilt);
        int given = fabric.Homes.GivenOut.Count(s => s.Length > 0);
        late.Set();
        while (fabric.Homes.GivenOut.Count(s => s.Length > 0) == given)
        {
            Cancel.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        await AssertAllGivenBackAsync(fabric);
        standing.AssertWhole(fabric);
    }

    [Fact]
    public async Task The_throttle_holds_back_every_shard_byte_that_is_read_and_written()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 100_000);
        int shardBytes = standing.Records[0].Header.ShardBytes;
        fabric.Homes.Drop(standing.Id, 3);
        var time = new FakeTimeProvider();
        var throttle = new Throttle(time) { BytesPerSecond = shardBytes };
        DateTimeOffset began = time.GetUtcNow();
        Task<RepairTally> running = fabric.Repair(time, throttle: throttle).RunAsync(standing.Group, Cancel);
        while (!running.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }

        Assert.Equal(1, (await running).ShardsRebuilt);

        // Four shards read and one written: the last may go when the four before it are paid.
        Assert.True(time.GetUtcNow() - began >= TimeSpan.FromSeconds(4));
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

        foreach (PlacementGroup group in fabric.Current.Groups)
        {
            GroupTally tally = await new SweepGroup(fabric.Homes, fabric).RunAsync(group, digests, Cancel);
            Assert.Equal(tally.Stripes, tally.ByMissing[0]);
        }
    }

    private static IEnumerable<(int A, int B)> AllPairs() =>
        from a in Enumerable.Range(0, 6)
        from b in Enumerable.Range(0, 6)
        where a != b
        select (a, b);

    private static async Task AssertAllGivenBackAsync(PathFixture fabric)
    {
        foreach (BufferSlice slice in fabric.Homes.GivenOut!.Where(s => s.Length > 0))
        {
            // A read that was given up may end a moment later.
            while (!IsReleased(slice))
            {
                Cancel.ThrowIfCancellationRequested();
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

    private static void Move(PathFixture fabric, int from, int to)
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
