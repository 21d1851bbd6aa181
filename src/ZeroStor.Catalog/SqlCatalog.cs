using System.Collections.Immutable;

namespace ZeroStor.Catalog;

/// <summary>The catalog in a SQL database. Writes queue for one writer, which puts all that waits into one
/// transaction and answers when that is durable; reads go beside it, each in a snapshot that holds everything
/// acknowledged before it began. What is right rests on the transactions alone: other catalogs, in this
/// process or another, may work on the same database.
/// <para>Every tick that comes with an order counts as the catalog's own where that is later.</para>
/// <para>Errors beyond those of <see cref="ICatalog"/>: InvalidArgument for keys, names and manifests that
/// are none; DiskFull when the database cannot grow, and nothing of the change is kept; Corrupt when the
/// database is damaged.</para>
/// Thread-safe.</summary>
public sealed partial class SqlCatalog : ICatalog, IAsyncDisposable
{
    private readonly Database _database;
    private readonly IEntropy _entropy;
    private readonly TimeProvider _time;
    private readonly Writer _writer;
    private readonly Readers _readers;

    private SqlCatalog(Database database, IEntropy entropy, TimeProvider time, CatalogOptions options)
    {
        _database = database;
        _entropy = entropy;
        _time = time;
        var patience = new Patience(options.Patience, time);
        _writer = new Writer(database, patience);
        _readers = new Readers(database, options.Readers, patience);
    }

    /// <summary>What people know the database by. No secret is in it.</summary>
    public string Name => _database.Name;

    /// <summary>The scripts that opening it applied; none where the tables were those of this version
    /// already.</summary>
    public ImmutableArray<string> AppliedScripts { get; private set; } = [];

    /// <summary>For Orleans' own providers on the same database. It may hold a password.</summary>
    public string ConnectionString => _database.ConnectionString;

    /// <summary>The name by which Orleans' providers know the kind of database.</summary>
    public string Invariant => _database.Invariant;

    /// <summary>Whether several silos can share the database: Orleans' membership and reminders are in it as
    /// well.</summary>
    public bool IsShared => _database.IsShared;

    /// <summary>Opens the catalog of a database and brings it to the tables of this version.</summary>
    internal static async Task<SqlCatalog> OpenAsync(
        Database database,
        IEntropy entropy,
        TimeProvider time,
        CatalogOptions options,
        CancellationToken cancel)
    {
        var catalog = new SqlCatalog(database, entropy, time, options);
        try
        {
            catalog.AppliedScripts = await catalog.MigrateAsync(cancel);
            return catalog;
        }
        catch
        {
            await catalog.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes the tables that this version knows and the database lacks, and the fabric's identity.
    /// Done at opening; again, it changes nothing.</summary>
    /// <returns>The names of the scripts that it applied.</returns>
    /// <exception cref="ZeroStorException">InvalidArgument: a database of something else, or of another
    /// version.</exception>
    public Task<ImmutableArray<string>> MigrateAsync(CancellationToken cancel) => _writer.RunAsync(
        session => Schema.ApplyAsync(session, _database, _entropy, _time.GetUtcNow()), cancel);

    public Task<FabricState> ReadFabricAsync(CancellationToken cancel) =>
        _readers.RunAsync(FabricTable.StateAsync, cancel);

    public Task<Tick> RaiseTickAsync(Tick from, CancellationToken cancel) =>
        _writer.RunAsync(session => FabricTable.RaiseTickAsync(session, from), cancel);

    public Task<FabricState> NoticeWentBackAsync(Tick seen, CancellationToken cancel) =>
        _writer.RunAsync(session => FabricTable.NoticeWentBackAsync(session, seen), cancel);

    public Task<bool> AdoptAsync(Tick wentBack, CancellationToken cancel) =>
        _writer.RunAsync(session => FabricTable.AdoptAsync(session, wentBack), cancel);

    public Task MarkCensusAsync(CensusMark census, CancellationToken cancel) => _writer.RunAsync(
        async session =>
        {
            await FabricTable.MarkCensusAsync(session, census);
            return true;
        },
        cancel);

    public Task<string> EnterMasterKeyAsync(string id, CancellationToken cancel) =>
        _writer.RunAsync(session => FabricTable.EnterMasterKeyAsync(session, id), cancel);

    public Task<string> ReplaceMasterKeyAsync(string was, string id, CancellationToken cancel) =>
        _writer.RunAsync(session => FabricTable.ReplaceMasterKeyAsync(session, was, id), cancel);

    public Task<FabricMap> ReadMapAsync(CancellationToken cancel) =>
        _readers.RunAsync(FabricTable.ReadMapAsync, cancel);

    public Task<bool> ChangeMapAsync(MapChange change, CancellationToken cancel) =>
        _writer.RunAsync(session => FabricTable.ChangeMapAsync(session, change), cancel);

    /// <inheritdoc/>
    /// <exception cref="ZeroStorException">InvalidArgument: see <see cref="VaultName"/>.</exception>
    public Task<bool> AddVaultAsync(VaultEntry vault, CancellationToken cancel)
    {
        VaultName.Check(vault.Name);
        return _writer.RunAsync(session => VaultTable.AddAsync(session, vault), cancel);
    }

    /// <inheritdoc/>
    /// <returns>Whether it was this call that removed it.</returns>
    public Task<bool> RemoveVaultAsync(VaultId vault, CancellationToken cancel) =>
        _writer.RunAsync(session => VaultTable.RemoveAsync(session, vault), cancel);

    public Task<VaultEntry?> FindVaultAsync(string name, CancellationToken cancel) =>
        _readers.RunAsync(session => VaultTable.FindAsync(session, name), cancel);

    public Task<ImmutableArray<VaultEntry>> ListVaultsAsync(CancellationToken cancel) =>
        _readers.RunAsync(VaultTable.ListAsync, cancel);

    /// <inheritdoc/>
    /// <remarks>A delete is answered with the version that it removed, or the mark that it made, and a seq of
    /// its own. </remarks>
    public Task<CommitAnswer> CommitAsync(CommitOrder order, CancellationToken cancel) =>
        _writer.CommitAsync(CheckedOrder.Of(order), cancel);

    public Task<ImmutableArray<VersionRow?>> HeadAsync(
        VaultId vault, IReadOnlyList<string> keys, CancellationToken cancel)
    {
        foreach (string key in keys)
        {
            ObjectKey.Check(key);
        }

        return _readers.RunAsync(session => VersionTable.HeadAsync(session, vault, keys), cancel);
    }

    public Task<Listing> ListAsync(ListQuery query, CancellationToken cancel)
    {
        Lister.Check(query);
        return _readers.RunAsync(session => new Lister(session, query).RunAsync(), cancel);
    }

    public Task<ImmutableArray<NamedVersion>> ScanAsync(
        VersionName after, int max, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(max);
        return _readers.RunAsync(session => VersionTable.ScanAsync(session, former: false, after, max), cancel);
    }

    /// <inheritdoc/>
    /// <returns>False also for a content without a row that is older than the catalog remembers.</returns>
    /// <exception cref="ZeroStorException">NotFound: the vault is no more. InvalidArgument: the content is of
    /// another vault.</exception>
    public Task<bool> OpenContentAsync(
        ContentId content, VaultId vault, Tick now, CancellationToken cancel) =>
        _writer.RunAsync(session => ContentTable.OpenAsync(session, content, vault, now), cancel);

    /// <inheritdoc/>
    /// <returns>False also for a content without a row: it was never opened, or it is forgotten.</returns>
    /// <exception cref="ZeroStorException">InvalidArgument: the content is committed, or the page too large.
    /// </exception>
    public Task<bool> WritePageAsync(
        ContentId content, int page, byte[] bytes, Tick now, CancellationToken cancel)
    {
        ContentTable.CheckPage(page, bytes);
        return _writer.RunAsync(
            session => ContentTable.WritePageAsync(session, content, page, bytes, now), cancel);
    }

    public Task<byte[]?> ReadPageAsync(ContentId content, int page, CancellationToken cancel) =>
        _readers.RunAsync(session => ContentTable.ReadPageAsync(session, content, page), cancel);

    public Task CondemnAsync(
        VaultId vault, IReadOnlyCollection<ContentId> contents, Tick now, CancellationToken cancel) =>
        _writer.RunAsync(session => ContentTable.CondemnAsync(session, vault, contents, now), cancel);

    public Task<int> CondemnIdleAsync(Tick before, Tick now, CancellationToken cancel) =>
        _writer.RunAsync(session => ContentTable.CondemnIdleAsync(session, before, now), cancel);

    public Task<ImmutableArray<DeadContent>> ListDeadAsync(
        ContentId after, Tick diedBy, int max, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(max);
        return _readers.RunAsync(session => ContentTable.ListDeadAsync(session, after, diedBy, max), cancel);
    }

    /// <inheritdoc/>
    /// <remarks>How old a row must be before it goes is the caller's to know: see the design on
    /// truth.</remarks>
    public Task ForgetAsync(IReadOnlyCollection<ContentId> dead, CancellationToken cancel) =>
        _writer.RunAsync(session => ContentTable.ForgetAsync(session, dead), cancel);

    public async Task<ImmutableArray<ContentState?>> StatesAsync(
        IReadOnlyList<ContentId> contents, CancellationToken cancel) =>
        [.. (await OwnersAsync(contents, cancel)).Select(o => o?.State)];

    public Task<ImmutableArray<ContentOwner?>> OwnersAsync(
        IReadOnlyList<ContentId> contents, CancellationToken cancel) => _readers.RunAsync(
        async session =>
        {
            Dictionary<ContentId, ContentRow> rows = await ContentTable.ReadAsync(session, contents);
            return contents
                .Select(c => rows.TryGetValue(c, out ContentRow? row)
                    ? new ContentOwner(row.Vault, row.State)
                    : default(ContentOwner?))
                .ToImmutableArray();
        },
        cancel);

    /// <inheritdoc/>
    /// <remarks>Goes through every row: for people who ask how things stand, not for a loop.</remarks>
    public Task<CatalogCounts> CountAsync(CancellationToken cancel) => _readers.RunAsync(
        async session =>
        {
            CatalogCounts? counts = null;
            await session.QueryAsync("count", row =>
            {
                counts = new CatalogCounts(
                    row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3));
                return false;
            });
            return counts!;
        },
        cancel);

    /// <summary>Ends when all that queued is written. Reads must have ended.</summary>
    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync();
        await _readers.DisposeAsync();
    }
}
