using System.Collections.Immutable;
using ZeroStor.Paths;

namespace ZeroStor.Tests.Paths;

public sealed class GroupListingTests
{
    private static readonly Code Code = new(4, 2);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Listings_of_many_pages_merge_into_one_in_order_and_gaps_show()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        PlacementGroup group = fabric.Current.Groups[0];
        var random = new Random(3);
        var missing = new SortedDictionary<StripeId, int[]>();
        for (int i = 0; i < 5000; i++)
        {
            StripeId id = StripeId.New(new Tick(5), fabric.Entropy);
            int[] lost = random.Next(4) == 0 ? [random.Next(6)] : [];
            missing[id] = lost;
            foreach (int place in Enumerable.Range(0, 6).Except(lost))
            {
                Plant(fabric, group, group.Places[place].Home, id, place);
            }
        }

        List<ListedStripe> listed = await ListAsync(fabric, group);
        Assert.Equal(missing.Keys, listed.Select(s => s.Stripe));
        Assert.All(listed, s => Assert.Equal(
            missing[s.Stripe], Enumerable.Range(0, 6).Where(p => !s.IsHome(group, p))));
    }

    [Fact]
    public async Task Several_places_on_one_disk_stay_together_across_pages()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        PlacementGroup group = fabric.Current.Groups[0];
        DiskId home = group.Places[2].Home;
        for (uint i = 1; i <= 2500; i++)
        {
            Plant(fabric, group, home, new StripeId(i), 0);
            Plant(fabric, group, home, new StripeId(i), 2);
        }

        List<ListedStripe> listed = await ListAsync(fabric, group);
        Assert.Equal(2500, listed.Count);
        Assert.All(listed, s => Assert.Equal([(home, 0)], s.Strays(group)));
        Assert.All(listed, s => Assert.True(s.IsHome(group, 2)));
    }

    [Fact]
    public async Task A_disk_that_lists_out_of_order_is_distrusted_and_the_rest_goes_on()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        PlacementGroup group = fabric.Current.Groups[0];
        for (uint i = 1; i <= 3; i++)
        {
            for (int place = 0; place < 6; place++)
            {
                Plant(fabric, group, group.Places[place].Home, new StripeId(i), place);
            }
        }

        DiskId liar = group.Places[1].Home;
        RepairHomes pass = Pass(fabric, group, new Endless(fabric.Homes, liar));
        var listed = new List<ListedStripe>();
        await foreach (ListedStripe stripe in new GroupListing(pass).RunAsync(default, Cancel))
        {
            listed.Add(stripe);
        }

        Assert.True(pass.IsAbsent(liar));
        Assert.Equal(3, listed.Count);
        Assert.All(listed, s => Assert.Equal(5, Enumerable.Range(0, 6).Count(p => s.IsHome(group, p))));
    }

    [Fact]
    public async Task Who_names_another_digest_than_most_does_not_count_as_holder()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        PlacementGroup group = fabric.Current.Groups[0];
        for (int place = 0; place < 6; place++)
        {
            Plant(fabric, group, group.Places[place].Home, new StripeId(1), place);
        }

        fabric.Homes[group.Places[0].Home] = Conduct.Forging;
        ListedStripe stripe = Assert.Single(await ListAsync(fabric, group));
        Assert.Equal([1, 2, 3, 4, 5], Enumerable.Range(0, 6).Where(p => stripe.IsHome(group, p)));
    }

    private static async Task<List<ListedStripe>> ListAsync(PathFixture fabric, PlacementGroup group)
    {
        var listed = new List<ListedStripe>();
        var listing = new GroupListing(Pass(fabric, group, fabric.Homes));
        await foreach (ListedStripe stripe in listing.RunAsync(default, Cancel))
        {
            listed.Add(stripe);
        }

        return listed;
    }

    private static RepairHomes Pass(PathFixture fabric, PlacementGroup group, IShardHome homes) =>
        new(homes, fabric, new Throttle(TimeProvider.System), TimeProvider.System, group, [])
        {
            HomeTimeout = TimeSpan.FromSeconds(30),
        };

    private static void Plant(PathFixture fabric, PlacementGroup group, DiskId disk, StripeId id, int place) =>
        fabric.Homes.Put(disk, new StoredShard(
            new ShardHeader
            {
                Stripe = id,
                Content = new ContentId(1),
                Vault = new VaultId(2),
                Seal = new SealId(3),
                Group = group.Id,
                Place = (byte)place,
                Code = Code,
                Ordinal = 0,
                ContentBytes = 1,
                SealedBytes = 17,
                ShardBytes = 5,
                Tick = new Tick(5),
                ShardSum = new Sum128(0, (ulong)place),
                SumsDigest = new Sum128(0, 1),
            },
            [1, 2, 3, 4, 5],
            []));

    /// <summary>Homes of which one lists the same page for ever.</summary>
    private sealed class Endless(IShardHome homes, DiskId liar) : IShardHome
    {
        public ValueTask<HomeAnswer> AppendAsync(ShardAppend order, CancellationToken cancel) =>
            homes.AppendAsync(order, cancel);

        public ValueTask<ShardReadAnswer> ReadAsync(ShardReadOrder order, CancellationToken cancel) =>
            homes.ReadAsync(order, cancel);

        public ValueTask<HomeAnswer> ReclaimAsync(
            DiskAddress to, IReadOnlyCollection<ContentId> dead, CancellationToken cancel) =>
            homes.ReclaimAsync(to, dead, cancel);

        public ValueTask<HomeAnswer> DropAsync(ShardDrop order, CancellationToken cancel) =>
            homes.DropAsync(order, cancel);

        public ValueTask<ImmutableArray<BucketDigest>> DigestsAsync(DiskAddress to, CancellationToken cancel) =>
            homes.DigestsAsync(to, cancel);

        public ValueTask<ImmutableArray<ShardEntry>> ListAsync(
            DiskAddress to, GroupId group, StripeId after, int max, CancellationToken cancel) =>
            to.Disk != liar
                ? homes.ListAsync(to, group, after, max, cancel)
                : ValueTask.FromResult<ImmutableArray<ShardEntry>>(
                [
                    .. Enumerable.Range(0, max).Select(i => new ShardEntry(
                        new StripeId((UInt128)(max - i)), 1, new ContentId(1), new Sum128(0, 1), group)),
                ]);

        public ValueTask<ImmutableArray<ShardEntry>> HeldAsync(
            DiskAddress to,
            IReadOnlyCollection<ContentId> contents,
            StripeId after,
            int max,
            CancellationToken cancel) => homes.HeldAsync(to, contents, after, max, cancel);

        public ValueTask<ShardLocation?> LocateAsync(
            DiskAddress to, StripeId stripe, byte place, CancellationToken cancel) =>
            homes.LocateAsync(to, stripe, place, cancel);

        public ValueTask<DiskReport> ReportAsync(DiskAddress to, CancellationToken cancel) =>
            homes.ReportAsync(to, cancel);
    }
}
