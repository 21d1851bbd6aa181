using Microsoft.Data.Sqlite;
using ZeroStor.Catalog;
using ZeroStor.Paths;

namespace ZeroStor.Tests.Paths;

/// <summary>A real catalog in a temporary folder, with one vault, beside a fabric in memory.</summary>
internal sealed class CatalogBed : IAsyncDisposable
{
    public required SqlCatalog Catalog { get; init; }

    public required DirectoryInfo Folder { get; init; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<CatalogBed> OpenAsync(VaultId vault)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("zerostor-paths-");
        SqlCatalog catalog = await SqliteCatalog.OpenAsync(
            Path.Combine(folder.FullName, "catalog.db"), new SeededEntropy(3), TimeProvider.System);
        Assert.True(await catalog.AddVaultAsync(new VaultEntry("vault", vault, new ClassId(1)), Cancel));
        return new CatalogBed { Catalog = catalog, Folder = folder };
    }

    public async ValueTask DisposeAsync()
    {
        await Catalog.DisposeAsync();
        SqliteConnection.ClearAllPools();
        Folder.Delete(recursive: true);
    }
}

/// <summary>An object of a fabric in memory: what was put, and what the catalog may know of it.</summary>
internal sealed record PutObject(
    PathFixture Fabric, string Key, ContentId Content, byte[] WrappedKey, StripeRef[] Stripes, int Bytes)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public Manifest Manifest => ManifestOf(Stripes);

    /// <summary>Writes all stripes of an object; commits nothing.</summary>
    public static async Task<PutObject> WriteAsync(PathFixture fabric, string key, int bytes)
    {
        ContentId content = ContentId.New(fabric.Tick, fabric.Entropy);
        using var contentKey = fabric.Keys.NewContentKey(content, fabric.Entropy, out byte[] wrapped);
        int stripeBytes = Geometry.StripeBytes(fabric.Code);
        var put = new PutObject(
            fabric, key, content, wrapped, new StripeRef[Geometry.StripeCount(fabric.Code, bytes)], bytes);
        for (int ordinal = 0; ordinal < put.Stripes.Length; ordinal++)
        {
            bool isLast = ordinal == put.Stripes.Length - 1;
            byte[] piece = fabric.Content(isLast ? bytes - (ordinal * stripeBytes) : stripeBytes);
            (StripeToWrite stripe, _) = fabric.Stripe(piece);
            stripe = stripe with
            {
                Content = content,
                Key = contentKey,
                Ordinal = ordinal,
                SealedManifest = isLast ? put.SealedDraft() : default,
            };
            put.Stripes[ordinal] = (await fabric.Writer(minHomeSeconds: 20).RunAsync(stripe, Cancel)).Stripe;
        }

        return put;
    }

    /// <summary>The shards of a stripe, each at its home.</summary>
    public StoredShard[] Records(int ordinal) =>
    [
        .. Enumerable.Range(0, Fabric.Code.N)
            .Select(p => Fabric.Homes.Stored(Fabric.Home(Stripes[ordinal], p), Stripes[ordinal].Id, p)!),
    ];

    public async Task CommitAsync(ICatalog catalog)
    {
        CommitAnswer answer = await catalog.CommitAsync(Order(), Cancel);
        Assert.Equal((ErrorKind.None, ""), (answer.Kind, answer.Detail));
    }

    public CommitOrder Order()
    {
        bool isPaged = Stripes.Length > Geometry.MaxInlineStripes;
        return new CommitOrder
        {
            Kind = CommitKind.Put,
            Vault = Fabric.Vault,
            Key = Key,
            Content = Content,
            Now = Fabric.Tick,
            Modified = DateTimeOffset.UnixEpoch,
            Manifest = ManifestOf(isPaged ? [] : Stripes).Encode(),
            Pages = isPaged
                ?
                [
                    .. Stripes.Chunk(Geometry.StripesPerPage)
                        .Select((page, i) => (i, Manifest.EncodePage(Fabric.Code, page))),
                ]
                : [],
        };
    }

    private byte[] SealedDraft() => Fabric.Keys.SealManifest(
        Content, new CommitDraft(Key, DateTimeOffset.UnixEpoch, ManifestOf([])).Encode(), Fabric.Entropy);

    private Manifest ManifestOf(StripeRef[] stripes) => new()
    {
        Version = new VersionId(Content.Value),
        Size = Bytes,
        Contents =
        [
            new ContentRef
            {
                Id = Content, WrappedKey = [.. WrappedKey], Code = Fabric.Code, Bytes = Bytes, Stripes = [.. stripes],
            },
        ],
        Extents = [new Extent(0, 0, Bytes)],
    };
}
