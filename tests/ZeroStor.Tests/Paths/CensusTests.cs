using ZeroStor.Paths;
using ZeroStor.Placement;

namespace ZeroStor.Tests.Paths;

/// <summary>A census over homes in memory and a real catalog.</summary>
public sealed class CensusTests
{
    private static readonly Code Code = new(4, 2);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Where_disks_hold_what_the_catalog_names_nothing_changes()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        await using CatalogBed bed = await CatalogBed.OpenAsync(fabric.Vault);
        PutObject[] objects = await PutManyAsync(fabric, bed, 20);
        int appends = fabric.Homes.Appends;
        CensusTally tally = await TakeAsync(fabric, bed);
        Assert.Equal(new CensusTally { Versions = 20, Stripes = objects.Sum(o => o.Stripes.Length) }, tally);
        Assert.Equal(appends, fabric.Homes.Appends);
        Assert.True(tally.MetAllDisks);
    }

    [Fact]
    public async Task What_every_home_lost_alike_shows_to_the_census_alone()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        await using CatalogBed bed = await CatalogBed.OpenAsync(fabric.Vault);
        PutObject kept = await PutAsync(fabric, bed, "kept", 5000);
        PutObject lost = await PutAsync(fabric, bed, "lost", 5000);
        for (int place = 0; place < Code.N; place++)
        {
            fabric.Homes.Drop(lost.Stripes[0].Id, place);
        }

        var census = CensusOf(fabric, bed);
        CensusTally tally = await census.RunAsync(null, Cancel);
        Assert.Equal((2, 1, 1, 0), (tally.Stripes, tally.Lacking, tally.Lost, tally.ShardsRestored));
        Assert.Equal("lost", Assert.Single(census.LostVersions).Key);

        // Who died is not missed.
        await bed.Catalog.CommitAsync(
            lost.Order() with { Kind = CommitKind.Delete, Content = new ContentId(77) }, Cancel);
        tally = await census.RunAsync(null, Cancel);
        Assert.Equal((1, 0, 0), (tally.Stripes, tally.Lacking, tally.Lost));
        Assert.Empty(census.LostVersions);
        Assert.Equal(Code.N, kept.Records(0).Count(r => r is not null));
    }

    [Fact]
    public async Task What_former_versions_name_is_missed_as_what_the_current_ones_do()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        await using CatalogBed bed = await CatalogBed.OpenAsync(fabric.Vault);
        await bed.Catalog.SetVersioningAsync(fabric.Vault, Versioning.On, Cancel);
        PutObject former = await PutAsync(fabric, bed, "a", 5000);
        await PutAsync(fabric, bed, "a", 5000);
        await bed.Catalog.CommitAsync(
            former.Order() with { Kind = CommitKind.Delete, Content = new ContentId(77) }, Cancel);
        fabric.Homes.Drop(former.Stripes[0].Id, 2);
        var census = CensusOf(fabric, bed);
        CensusTally tally = await census.RunAsync(null, Cancel);
        Assert.Equal((2, 2, 1, 0), (tally.Versions, tally.Stripes, tally.Lacking, tally.GarbageShards));
        Assert.Equal(1, tally.ShardsRestored);
    }

    [Fact]
    public async Task While_a_disk_is_absent_nothing_is_called_lost()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        await using CatalogBed bed = await CatalogBed.OpenAsync(fabric.Vault);
        PutObject put = await PutAsync(fabric, bed, "a", 5000);
        for (int place = 0; place < Code.N; place++)
        {
            fabric.Homes.Drop(put.Stripes[0].Id, place);
        }

        fabric.Homes[new DiskId(4)] = Conduct.Offline;
        CensusTally tally = await TakeAsync(fabric, bed);
        Assert.Equal((1, 0), (tally.Lacking, tally.Lost));
        Assert.False(tally.MetAllDisks);

        // A silent one is waited for within bounds.
        fabric.Homes[new DiskId(4)] = Conduct.Silent;
        tally = await TakeAsync(fabric, bed);
        Assert.False(tally.MetAllDisks);
        fabric.Homes[new DiskId(4)] = Conduct.Honest;
        Assert.Equal(1, (await TakeAsync(fabric, bed)).Lost);
    }

    [Fact]
    public async Task What_some_homes_lack_is_repaired_also_from_strays()
    {
        using var fabric = new PathFixture(Code, disks: 7);
        await using CatalogBed bed = await CatalogBed.OpenAsync(fabric.Vault);
        PutObject put = await PutAsync(fabric, bed, "a", 5000);
        StripeRef stripe = put.Stripes[0];
        StoredShard[] records = put.Records(0);

        // Three of six are gone, which is one too many; and one lies on a disk that never was its home.
        DiskId stranger = fabric.Current.Disks
            .Select(d => d.Id)
            .First(d => fabric.Current.Group(stripe.Group)!.Places.All(p => p.Home != d));
        fabric.Homes.Put(stranger, records[2]);
        Array.ForEach([0, 2, 5], place => fabric.Homes.Drop(stripe.Id, place));
        fabric.Homes.Put(stranger, records[2]);
        CensusTally tally = await TakeAsync(fabric, bed);
        Assert.Equal((1, 3, 0), (tally.Lacking, tally.ShardsRestored, tally.Lost));
        Assert.Equal(records.Select(r => r.Header), put.Records(0).Select(r => r.Header));

        // The next one finds that the stray is one too many.
        tally = await TakeAsync(fabric, bed);
        Assert.Equal((0, 1), (tally.Lacking, tally.SurplusShards));
        Assert.Null(fabric.Homes.Stored(stranger, stripe.Id, 2));
        Assert.Equal(default(CensusTally) with { Versions = 1, Stripes = 1 }, await TakeAsync(fabric, bed));
    }

    [Fact]
    public async Task A_former_home_keeps_its_shards_until_the_place_is_whole()
    {
        using var fabric = new PathFixture(Code, disks: 7);
        await using CatalogBed bed = await CatalogBed.OpenAsync(fabric.Vault);
        PutObject put = await PutAsync(fabric, bed, "a", 5000);
        StripeRef stripe = put.Stripes[0];
        DiskId former = fabric.Home(stripe, 3);
        fabric.Current = fabric.Current.With(Replacement.Plan(fabric.Current, former)!);
        CensusTally tally = await TakeAsync(fabric, bed);
        Assert.Equal((1, 1, 0), (tally.Lacking, tally.ShardsRestored, tally.SurplusShards));
        tally = await TakeAsync(fabric, bed);
        Assert.Equal((0, 0), (tally.Lacking, tally.SurplusShards));
        Assert.NotNull(fabric.Homes.Stored(former, stripe.Id, 3));
        fabric.Current = fabric.Current.With(MapChanges.MarkWhole(fabric.Current, stripe.Group, [3])!);
        tally = await TakeAsync(fabric, bed);
        Assert.Equal(1, tally.SurplusShards);
        Assert.Null(fabric.Homes.Stored(former, stripe.Id, 3));
    }

    [Fact]
    public async Task A_placing_that_was_given_up_goes_when_its_content_lives()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        await using CatalogBed bed = await CatalogBed.OpenAsync(fabric.Vault);
        PutObject put = await PutObject.WriteAsync(fabric, "a", 5000);
        StripeRef standing = put.Stripes[0];

        // The same stripe of the same content, placed again: the first placing has no name from now on.
        (StripeToWrite again, _) = fabric.Stripe(fabric.Content(5000));
        again = again with { Content = put.Content, Ordinal = 0 };
        StripeRef named = (await fabric.Writer(minHomeSeconds: 20).RunAsync(again, Cancel)).Stripe;
        put.Stripes[0] = named;

        // Nobody knows yet which one will be named.
        PutObject other = await PutAsync(fabric, bed, "b", 5000);
        Assert.Equal(0, (await TakeAsync(fabric, bed)).GarbageShards);
        Assert.Equal(Code.N, fabric.Homes.ShardsOf(standing.Id));
        await put.CommitAsync(bed.Catalog);
        Assert.Equal(Code.N, (await TakeAsync(fabric, bed)).GarbageShards);
        Assert.Equal(0, fabric.Homes.ShardsOf(standing.Id));
        Assert.Equal(Code.N, fabric.Homes.ShardsOf(named.Id));
        Assert.Equal(Code.N, fabric.Homes.ShardsOf(other.Stripes[0].Id));
    }

    [Fact]
    public async Task A_shard_that_states_another_digest_is_none()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        await using CatalogBed bed = await CatalogBed.OpenAsync(fabric.Vault);
        PutObject put = await PutAsync(fabric, bed, "a", 5000);
        fabric.Homes[fabric.Home(put.Stripes[0], 1)] = Conduct.Forging;
        CensusTally tally = await TakeAsync(fabric, bed);
        Assert.Equal((1, 0, 0), (tally.Lacking, tally.Lost, tally.GarbageShards));
        Assert.Contains(fabric.Faults, f => f.Place == 1 && f.What == ErrorKind.Corrupt);
    }

    [Fact]
    public async Task An_order_to_drop_by_an_older_map_is_refused()
    {
        using var fabric = new PathFixture(Code, disks: 7);
        await using CatalogBed bed = await CatalogBed.OpenAsync(fabric.Vault);
        PutObject put = await PutAsync(fabric, bed, "a", 5000);
        StripeRef stripe = put.Stripes[0];
        DiskId former = fabric.Home(stripe, 3);
        StoredShard record = put.Records(0)[3];
        FabricMap whole = fabric.Current.With(Replacement.Plan(fabric.Current, former)!);
        whole = whole.With(MapChanges.MarkWhole(whole, stripe.Group, [3])!);
        fabric.Homes.Put(whole.Group(stripe.Group)!.Places[3].Home, record);

        // The disk gets its place back, which the homes know and the census does not.
        fabric.Current = whole.With(new MapChange { FromVersion = whole.Version });
        var census = new Census(fabric.Homes, new OldMap(whole), bed.Catalog, fabric.Repair(), TimeProvider.System);
        Assert.Equal(0, (await census.RunAsync(null, Cancel)).SurplusShards);
        Assert.NotNull(fabric.Homes.Stored(former, stripe.Id, 3));
    }

    [Fact]
    public async Task Contents_in_pages_and_copies_are_gone_through_like_others()
    {
        var code = new Code(1, 1);
        using var fabric = new PathFixture(code, disks: 4);
        await using CatalogBed bed = await CatalogBed.OpenAsync(fabric.Vault);
        int stripes = Geometry.MaxInlineStripes + 6;
        PutObject put = await PutAsync(fabric, bed, "a", stripes * Geometry.StripeBytes(code));
        Assert.Equal(stripes, put.Stripes.Length);
        await bed.Catalog.CommitAsync(put.Order() with { Key = "copy", Content = new ContentId(99), Pages = [] }, Cancel);
        fabric.Homes.Drop(put.Stripes[^1].Id, 0);
        CensusTally tally = await TakeAsync(fabric, bed);
        Assert.Equal((2, stripes, 1, 1), (tally.Versions, tally.Stripes, tally.Lacking, tally.ShardsRestored));
    }

    [Fact]
    public async Task Any_losses_strays_and_given_up_placings_end_in_exactly_what_the_catalog_names()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            using var fabric = new PathFixture(Code, disks: 8);
            await using CatalogBed bed = await CatalogBed.OpenAsync(fabric.Vault);
            PutObject[] objects = await PutManyAsync(fabric, bed, 10);
            foreach (StripeRef stripe in objects.SelectMany(o => o.Stripes))
            {
                Disturb(fabric, stripe, random);
            }

            await TakeAsync(fabric, bed);
            CensusTally last = await TakeAsync(fabric, bed);
            Assert.Equal((0, 0), (last.Lacking, last.Lost));
            foreach (StripeRef stripe in objects.SelectMany(o => o.Stripes))
            {
                Assert.True(Code.N == fabric.Homes.ShardsOf(stripe.Id), $"seed {seed}");
                Assert.All(
                    Enumerable.Range(0, Code.N),
                    p => Assert.NotNull(fabric.Homes.Stored(fabric.Home(stripe, p), stripe.Id, p)));
            }
        }
    }

    private static void Disturb(PathFixture fabric, StripeRef stripe, Random random)
    {
        int[] lost = [.. Enumerable.Range(0, Code.N).OrderBy(_ => random.Next()).Take(random.Next(Code.M + 1))];
        foreach (int place in Enumerable.Range(0, Code.N))
        {
            StoredShard record = fabric.Homes.Stored(fabric.Home(stripe, place), stripe.Id, place)!;
            if (lost.Contains(place))
            {
                fabric.Homes.Drop(stripe.Id, place);
            }

            if (random.Next(4) == 0)
            {
                fabric.Homes.Put(new DiskId((uint)random.Next(1, 9)), record);
            }
        }
    }

    private static Census CensusOf(PathFixture fabric, CatalogBed bed) =>
        new(fabric.Homes, fabric, bed.Catalog, fabric.Repair(), TimeProvider.System)
        {
            HomeTimeout = TimeSpan.FromSeconds(1),
        };

    private static Task<CensusTally> TakeAsync(PathFixture fabric, CatalogBed bed) =>
        CensusOf(fabric, bed).RunAsync(null, Cancel);

    private static async Task<PutObject> PutAsync(PathFixture fabric, CatalogBed bed, string key, int bytes)
    {
        PutObject put = await PutObject.WriteAsync(fabric, key, bytes);
        await put.CommitAsync(bed.Catalog);
        return put;
    }

    private static async Task<PutObject[]> PutManyAsync(PathFixture fabric, CatalogBed bed, int count)
    {
        var all = new PutObject[count];
        for (int i = 0; i < count; i++)
        {
            all[i] = await PutAsync(fabric, bed, $"key{i}", 1000 + (i * 300_000));
        }

        return all;
    }

    private sealed class OldMap(FabricMap map) : IFabricMap
    {
        public FabricMap Current => map;

        public Tick Tick => new(5);

        public ValueTask<FabricMap> RefreshAsync(long atLeastVersion, CancellationToken cancel) =>
            ValueTask.FromResult(map);
    }
}
