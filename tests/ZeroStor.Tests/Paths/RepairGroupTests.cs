using CsCheck;
using Microsoft.Extensions.Time.Testing;
using ZeroStor.Paths;
using ZeroStor.Placement;
using ZeroStor.Tests.Placement;
using ZeroStor.Tests.Proofs;
using ZeroStor.Volumes;

namespace ZeroStor.Tests.Paths;

public sealed partial class RepairGroupTests
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
            GroupTally tally = await sweep.RunAsync(group, digests, catalog.Catalog, default, Cancel);
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
}
