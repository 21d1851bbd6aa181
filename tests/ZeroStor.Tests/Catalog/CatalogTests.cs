using System.Collections.Immutable;
using System.Data.Common;
using ZeroStor.Catalog;

namespace ZeroStor.Tests.Catalog;

/// <summary>What every catalog must do, whatever database holds it: the contract of <see cref="ICatalog"/>,
/// sentence by sentence. A database's own tests derive from this and say how it is opened.</summary>
public abstract partial class CatalogTests : IAsyncLifetime
{
    private const int WrappedKeyBytes = 60;

    private protected static readonly SeededEntropy Entropy = new(7);

    internal static readonly VaultId Vault = VaultId.New(Entropy);

    // What most tests call now: late enough that there are contents too old for it.
    private protected static readonly Tick Now = new(5_000);

    private SqlCatalog? _catalog;
    private string _where = "";

    private protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private protected SqlCatalog Catalog => _catalog!;

    /// <summary>Where the test's database is.</summary>
    private protected string Where => _where;

    /// <summary>How many random sequences of calls a run makes; each takes a new database.</summary>
    private protected abstract int Sequences { get; }

    public async ValueTask InitializeAsync()
    {
        _where = await MakeFirstAsync();
        _catalog = await OpenAsync();
        Assert.True(await Catalog.AddVaultAsync(new VaultEntry("vault", Vault, new ClassId(1)), Cancel));
    }

    public async ValueTask DisposeAsync()
    {
        if (_catalog is not null)
        {
            await Catalog.DisposeAsync();
            await RemoveAsync();
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Makes the test's own empty database; where it is.</summary>
    private protected abstract Task<string> MakeFirstAsync();

    /// <summary>Makes another.</summary>
    private protected abstract Task<string> MakeEmptyAsync();

    private protected abstract Task<SqlCatalog> OpenAsync(string where, CatalogOptions? options = null);

    /// <summary>A connection that knows nothing of catalogs.</summary>
    private protected abstract Task<DbConnection> ConnectAsync(string where);

    /// <summary>Removes all databases of the test.</summary>
    private protected abstract ValueTask RemoveAsync();

    /// <summary>Opens the test's database once more.</summary>
    private protected Task<SqlCatalog> OpenAsync(CatalogOptions? options = null) => OpenAsync(_where, options);

    private protected async Task<SqlCatalog> OpenEmptyAsync() => await OpenAsync(await MakeEmptyAsync());

    private protected async Task ReopenAsync()
    {
        await Catalog.DisposeAsync();
        _catalog = await OpenAsync();
    }

    private protected static ContentId NewContent(Tick? begun = null) => ContentId.New(begun ?? Now, Entropy);

    /// <summary>A put of one stripe that names its own content and, for a copy, others.</summary>
    internal static CommitOrder Put(
        string key, ContentId? content = null, string? etag = null, params ContentId[] copied)
    {
        ContentId own = content ?? NewContent();
        return Naming(key, own, etag, [own, .. copied]);
    }

    /// <summary>A copy: a put that names only contents of others.</summary>
    private protected static CommitOrder Copy(string key, params ContentId[] copied) =>
        Naming(key, NewContent(), null, copied);

    private protected static CommitOrder Delete(string key, ContentId? content = null) => new()
    {
        Kind = CommitKind.Delete,
        Vault = Vault,
        Key = key,
        Content = content ?? NewContent(),
        Now = Now,
        Modified = DateTimeOffset.UnixEpoch,
    };

    private protected static Manifest ManifestOf(params ContentId[] named) => new()
    {
        Version = VersionId.New(Entropy),
        Size = 1_000L * named.Length,
        ContentType = "application/octet-stream",
        Contents = [.. named.Select(ContentOf)],
        Extents = [.. named.Select((_, i) => new Extent(i, 0, 1_000))],
    };

    private protected async Task<CommitAnswer> AppliedAsync(CommitOrder order)
    {
        CommitAnswer answer = await Catalog.CommitAsync(order, Cancel);
        Assert.Equal("", answer.Detail);
        Assert.Equal(ErrorKind.None, answer.Kind);
        return answer;
    }

    private protected async Task<CommitAnswer> RefusedAsync(ErrorKind kind, CommitOrder order)
    {
        CommitAnswer answer = await Catalog.CommitAsync(order, Cancel);
        Assert.Equal(kind, answer.Kind);
        Assert.NotEqual("", answer.Detail);
        return answer;
    }

    /// <summary>Runs a statement past the catalog; its first column.</summary>
    private protected async Task<object?[]> RunAsync(string sql, byte[]? bytes = null, string? where = null)
    {
        await using DbConnection connection = await ConnectAsync(where ?? _where);
        await using DbCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // The tests' own text.
        command.CommandText = sql;
#pragma warning restore CA2100
        if (bytes is not null)
        {
            DbParameter parameter = command.CreateParameter();
            parameter.ParameterName = "@bytes";
            parameter.Value = bytes;
            command.Parameters.Add(parameter);
        }

        var values = new List<object?>();
        await using DbDataReader reader = await command.ExecuteReaderAsync(Cancel);
        while (await reader.ReadAsync(Cancel))
        {
            values.Add(reader.GetValue(0));
        }

        return [.. values];
    }

    private protected async Task<VersionRow?> HeadAsync(string key) =>
        Assert.Single(await Catalog.HeadAsync(Vault, [key], Cancel));

    private protected async Task<ImmutableArray<DeadContent>> DeadAsync() =>
        await Catalog.ListDeadAsync(default, new Tick(uint.MaxValue), 1_000, Cancel);

    private protected static async Task<ZeroStorException> ThrowsAsync(ErrorKind kind, Func<Task> call)
    {
        ZeroStorException error = await Assert.ThrowsAsync<ZeroStorException>(call);
        Assert.Equal(kind, error.Kind);
        Assert.EndsWith(".", error.Message, StringComparison.Ordinal);
        return error;
    }

    private static CommitOrder Naming(string key, ContentId own, string? etag, ContentId[] named) => new()
    {
        Kind = CommitKind.Put,
        Vault = Vault,
        Key = key,
        Content = own,
        Now = Now,
        Modified = DateTimeOffset.FromUnixTimeMilliseconds(1_790_000_000_123),
        Manifest = ManifestOf(named).Encode(),
        ETag = etag,
    };

    private static ContentRef ContentOf(ContentId id)
    {
        byte[] key = new byte[WrappedKeyBytes];
        Entropy.Fill(key);
        StripeId stripe = StripeId.New(Now, Entropy);
        return new ContentRef
        {
            Id = id,
            WrappedKey = [.. key],
            Code = Code.Default,
            Bytes = 1_000,
            Stripes =
            [
                new StripeRef(
                    stripe,
                    new GroupId(77),
                    new SealId(stripe.Value),
                    1_000,
                    Geometry.PlainSealedBytes(1_000),
                    Sum128.Of(key)),
            ],
        };
    }
}
