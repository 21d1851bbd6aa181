using System.Collections.Immutable;
using ZeroStor.Paths;
using ZeroStor.Placement;

namespace ZeroStor.Tests.Paths;

public sealed class SweepGroupTests
{
    private static readonly Code Code = new(4, 2);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Groups_that_can_lose_the_fewest_disks_more_go_first_and_equal_ones_not_at_all()
    {
        using var fabric = new PathFixture(Code, disks: 9);
        FabricMap map = fabric.Current;
        map = map.With(MapChanges.EnsureClass(map, new Code(2, 1), Spread.Disk, out _)!);
        var digests = new Dictionary<DiskId, ImmutableArray<BucketDigest>>(await DigestsAsync(fabric));
        digests.Remove(new DiskId(1));
        digests.Remove(new DiskId(2));
        ImmutableArray<PlacementGroup> unequal = SweepGroup.FindUnequal(map, digests);
        int[] spare =
        [
            .. unequal.Select(g => g.Places.Count(p => p.Home.Value > 2) - map.Class(g.Class)!.Code.K),
        ];
        Assert.Equal(spare.Order(), spare);
        Assert.True(spare.Distinct().Count() > 1);
        Assert.Equal(
            map.Groups.Where(g => g.Places.Any(p => p.Home.Value <= 2)).Select(g => g.Id),
            unequal.Select(g => g.Id).Order());
        Assert.Empty(SweepGroup.FindUnequal(map, await DigestsAsync(fabric)));
    }

    [Fact]
    public async Task What_homes_lack_is_counted_from_digests_alone()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        StripeRef[] stripes = await WriteToOneAsync(fabric, 5);
        Assert.Equal(0, await CountLackingAsync(fabric, stripes[0].Group));
        fabric.Homes.Drop(stripes[0].Id, 1);
        fabric.Homes.Drop(stripes[1].Id, 1);
        fabric.Homes.Drop(stripes[1].Id, 3);
        Assert.Equal(3, await CountLackingAsync(fabric, stripes[0].Group));

        // One that does not answer lacks nothing that repair could bring it; a newcomer lacks all.
        Assert.Equal(2, await CountLackingAsync(fabric, stripes[0].Group, fabric.Home(stripes[0], 3)));
        int elsewhere = (int)fabric.Home(stripes[0], 5).Value;
        RepairGroupTests.Move(fabric, from: elsewhere, to: 7);
        Assert.Equal(3 + 5, await CountLackingAsync(fabric, stripes[0].Group));
    }

    [Fact]
    public async Task Stripes_that_lack_shards_are_counted_for_their_vaults_but_for_those_of_the_dead_and_in_flight()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        await using CatalogBed bed = await CatalogBed.OpenAsync(fabric.Vault);
        var other = new VaultId(8);
        Assert.True(await bed.Catalog.AddVaultAsync(new VaultEntry("other", other, new ClassId(1)), Cancel));
        PutObject own = await PutObject.WriteAsync(fabric, "own", 1000);
        PutObject whole = await PutObject.WriteAsync(fabric, "whole", 1000);
        PutObject foreign = await PutObject.WriteAsync(fabric, "foreign", 1000);
        PutObject dead = await PutObject.WriteAsync(fabric, "dead", 1000);
        PutObject inFlight = await PutObject.WriteAsync(fabric, "in flight", 1000);
        await own.CommitAsync(bed.Catalog);
        await whole.CommitAsync(bed.Catalog);
        await bed.Catalog.CommitAsync(foreign.Order() with { Vault = other }, Cancel);
        await dead.CommitAsync(bed.Catalog);
        await bed.Catalog.CommitAsync(
            dead.Order() with
            {
                Kind = CommitKind.Delete,
                Content = ContentId.New(fabric.Tick, fabric.Entropy),
                Manifest = [],
            },
            Cancel);
        fabric.Homes.Drop(own.Stripes[0].Id, 0);
        fabric.Homes.Drop(own.Stripes[0].Id, 1);
        fabric.Homes.Drop(foreign.Stripes[0].Id, 2);
        fabric.Homes.Drop(dead.Stripes[0].Id, 3);
        fabric.Homes.Drop(inFlight.Stripes[0].Id, 4);

        (long[] all, Dictionary<(VaultId?, int), long> vaults) = await SweepAsync(fabric, bed.Catalog);
        Assert.Equal(2, all[1..].Sum());
        Assert.Equal(
            new Dictionary<(VaultId?, int), long> { [(fabric.Vault, 2)] = 1, [(other, 1)] = 1 }, vaults);

        // What was not committed in time is nobody's, and lacks what it lacks.
        (all, vaults) = await SweepAsync(fabric, bed.Catalog, inFlightSince: fabric.Tick.Value + 1);
        Assert.Equal(3, all[1..].Sum());
        Assert.Equal(1, vaults[(null, 1)]);

        // Without the catalog nobody knows whose they are, nor that one is dead.
        (all, vaults) = await SweepAsync(fabric, catalog: null);
        Assert.Equal(4, all[1..].Sum());
        Assert.Equal(new Dictionary<(VaultId?, int), long> { [(null, 1)] = 3, [(null, 2)] = 1 }, vaults);
    }

    [Fact]
    public async Task Of_homes_that_agree_one_is_listed_and_only_where_some_differ()
    {
        using var fabric = new PathFixture(Code, disks: 7);
        fabric.Tick = new Tick(5);
        StripeRef[] old = await WriteToOneAsync(fabric, 3);
        fabric.Tick = new Tick((2 * BucketDigest.TicksPerBucket) + 5);
        StripeRef[] young = await WriteToOneAsync(fabric, 4, old[0].Group);
        GroupId group = old[0].Group;
        Assert.Equal((long[])[7L, 0, 0, 0, 0, 0, 0], await CountAsync(fabric, group));
        Assert.Empty(fabric.Homes.Listings);

        // In the younger bucket one home lacks a stripe: it is listed, and one of the five others.
        fabric.Homes.Drop(young[1].Id, 2);
        Assert.Equal((long[])[6L, 1, 0, 0, 0, 0, 0], await CountAsync(fabric, group));
        Assert.Equal(2, fabric.Homes.Listings.Count);
        Assert.Contains(fabric.Home(young[1], 2), fabric.Homes.Listings);

        // One that does not answer is missing everywhere: both buckets differ.
        fabric.Homes.Listings.Clear();
        Assert.Equal((long[])[0L, 6, 1, 0, 0, 0, 0], await CountAsync(fabric, group, fabric.Home(old[0], 4)));
        Assert.Equal(3, fabric.Homes.Listings.Count);

        // A former home still has all of its place, and the new one what repair brought it.
        fabric.Homes.Listings.Clear();
        DiskId former = fabric.Home(old[0], 5);
        DiskId spare = fabric.Current.Disks.Select(d => d.Id).Except(fabric.Current.Group(group)!.Places.Select(p => p.Home)).Single();
        RepairGroupTests.Move(fabric, from: (int)former.Value, to: (int)spare.Value);
        Assert.Equal((long[])[6L, 1, 0, 0, 0, 0, 0], await CountAsync(fabric, group));
        fabric.Homes.Put(spare, fabric.Homes.Stored(former, old[0].Id, 5)!);
        fabric.Homes.DropAll(former);
        Assert.Equal((long[])[1L, 5, 1, 0, 0, 0, 0], await CountAsync(fabric, group));
    }

    private static async Task<long[]> CountAsync(PathFixture fabric, GroupId group, DiskId absent = default)
    {
        var digests = await DigestsAsync(fabric);
        digests.Remove(absent);
        GroupTally tally = await new SweepGroup(fabric.Homes, fabric)
            .RunAsync(fabric.Current.Group(group)!, digests, catalog: null, default, Cancel);
        return [.. tally.ByMissing];
    }

    private static async Task<(long[] All, Dictionary<(VaultId?, int), long> Vaults)> SweepAsync(
        PathFixture fabric, ICatalog? catalog, uint inFlightSince = 0)
    {
        var sweep = new SweepGroup(fabric.Homes, fabric);
        var digests = await DigestsAsync(fabric);
        long[] all = new long[Code.N + 1];
        var vaults = new Dictionary<(VaultId?, int), long>();
        foreach (PlacementGroup group in fabric.Current.Groups)
        {
            GroupTally tally = await sweep.RunAsync(group, digests, catalog, new Tick(inFlightSince), Cancel);
            Assert.Equal(tally.Stripes, tally.ByMissing.Sum());
            foreach ((int missing, long stripes) in tally.ByMissing.Index())
            {
                all[missing] += stripes;
            }

            foreach (VaultTally vault in tally.Vaults)
            {
                foreach ((int missing, long stripes) in vault.ByMissing.Index().Where(m => m.Item > 0))
                {
                    vaults[(vault.Vault, missing)] = vaults.GetValueOrDefault((vault.Vault, missing)) + stripes;
                }
            }
        }

        return (all, vaults);
    }

    private static Task<Dictionary<DiskId, ImmutableArray<BucketDigest>>> DigestsAsync(PathFixture fabric) =>
        SweepGroup.DigestsAsync(fabric.Homes, fabric.Current, Cancel);

    private static async Task<long> CountLackingAsync(PathFixture fabric, GroupId group, DiskId absent = default)
    {
        var digests = await DigestsAsync(fabric);
        digests.Remove(absent);
        return SweepGroup.CountLacking(fabric.Current.Group(group)!, digests);
    }

    private static async Task<StripeRef[]> WriteToOneAsync(PathFixture fabric, int count, GroupId? group = null)
    {
        var written = new List<StripeRef>();
        while (written.Count < count)
        {
            (StripeToWrite stripe, _) = fabric.Stripe(fabric.Content(1000));
            StripeRef at = (await fabric.Writer(minHomeSeconds: 20).RunAsync(stripe, Cancel)).Stripe;
            group ??= at.Group;
            if (group == at.Group)
            {
                written.Add(at);
            }
        }

        return [.. written];
    }
}
