using ZeroStor.Paths;

namespace ZeroStor.Tests.Paths;

/// <summary>What disks hold and a catalog that went back lacks.</summary>
public sealed class FindContentsTests
{
    private static readonly Code Code = new(4, 2);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_the_catalog_has_no_row_of_is_found_with_its_stripes_and_its_draft()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        await using CatalogBed bed = await CatalogBed.OpenAsync(fabric.Vault);
        PutObject known = await PutObject.WriteAsync(fabric, "known", 5000);
        await known.CommitAsync(bed.Catalog);
        PutObject lost = await PutObject.WriteAsync(fabric, "lost", (3 * Geometry.StripeBytes(Code)) + 9);
        FoundContent found = Assert.Single(await FindAsync(fabric, bed));
        Assert.Equal((lost.Content, fabric.Vault, Code), (found.Content, found.Vault, found.Code));
        Assert.Equal(lost.Stripes, found.Stripes);
        var draft = CommitDraft.Decode(fabric.Keys.OpenManifest(found.Content, found.SealedDraft.Span));
        Assert.Equal("lost", draft.Key);
        Assert.Equal(lost.Bytes, draft.Manifest.Size);
    }

    [Theory]
    [InlineData((int)Conduct.Offline)]
    [InlineData((int)Conduct.Forging)]
    [InlineData((int)Conduct.Misnaming)]
    public async Task Up_to_m_homes_may_be_absent_or_lie(int conduct)
    {
        using var fabric = new PathFixture(Code, disks: 6);
        await using CatalogBed bed = await CatalogBed.OpenAsync(fabric.Vault);
        PutObject lost = await PutObject.WriteAsync(fabric, "lost", 5000);
        Array.ForEach([1, 4], place =>
        {
            if (conduct == (int)Conduct.Offline)
            {
                fabric.Homes.Drop(lost.Stripes[0].Id, place);
            }
            else
            {
                fabric.Homes[fabric.Home(lost.Stripes[0], place)] = (Conduct)conduct;
            }
        });
        Assert.Equal(lost.Stripes, Assert.Single(await FindAsync(fabric, bed)).Stripes);
    }

    [Fact]
    public async Task Too_few_shards_and_gaps_between_stripes_are_no_content()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        await using CatalogBed bed = await CatalogBed.OpenAsync(fabric.Vault);
        PutObject thin = await PutObject.WriteAsync(fabric, "thin", 5000);
        Array.ForEach([0, 2, 3], place => fabric.Homes.Drop(thin.Stripes[0].Id, place));
        PutObject holed = await PutObject.WriteAsync(fabric, "holed", 3 * Geometry.StripeBytes(Code));
        for (int place = 0; place < Code.N; place++)
        {
            fabric.Homes.Drop(holed.Stripes[1].Id, place);
        }

        Assert.Empty(await FindAsync(fabric, bed));
    }

    [Fact]
    public async Task Of_two_placings_of_a_stripe_the_one_with_more_shards_counts()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        await using CatalogBed bed = await CatalogBed.OpenAsync(fabric.Vault);
        PutObject lost = await PutObject.WriteAsync(fabric, "lost", 5000);
        (StripeToWrite again, _) = fabric.Stripe(fabric.Content(5000));
        StripeRef second = (await fabric.Writer(minHomeSeconds: 20).RunAsync(
            again with { Content = lost.Content, Ordinal = 0 }, Cancel)).Stripe;
        fabric.Homes.Drop(second.Id, 0);
        Assert.Equal(lost.Stripes, Assert.Single(await FindAsync(fabric, bed)).Stripes);
    }

    [Fact]
    public async Task Open_contents_are_found_dead_and_later_ones_are_not()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        await using CatalogBed bed = await CatalogBed.OpenAsync(fabric.Vault);
        PutObject open = await PutObject.WriteAsync(fabric, "open", 5000);
        Assert.True(await bed.Catalog.OpenContentAsync(open.Content, fabric.Vault, fabric.Tick, Cancel));
        PutObject dead = await PutObject.WriteAsync(fabric, "dead", 5000);
        await bed.Catalog.CondemnAsync(fabric.Vault, [dead.Content], fabric.Tick, Cancel);
        fabric.Tick = new Tick(6);
        await PutObject.WriteAsync(fabric, "later", 5000);
        Assert.Equal(open.Content, Assert.Single(await FindAsync(fabric, bed, new Tick(5))).Content);
    }

    private static async Task<List<FoundContent>> FindAsync(PathFixture fabric, CatalogBed bed, Tick? until = null)
    {
        var found = new List<FoundContent>();
        var find = new FindContents(fabric.Homes, fabric, bed.Catalog);
        await foreach (FoundContent content in find.RunAsync(until ?? fabric.Tick, Cancel))
        {
            found.Add(content);
        }

        return found;
    }
}
