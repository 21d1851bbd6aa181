namespace ZeroStor.Catalog;

/// <summary>The embedded catalog: one SQLite file in the data folder. It serves one silo; a second process on
/// the same file is slower, never wrong.</summary>
public static class SqliteCatalog
{
    /// <summary>Opens the catalog, making the file (readable by its owner only) and the tables that it lacks.
    /// </summary>
    /// <param name="path">The file; its folder must exist and be on a local disk, for SQLite's locks and
    /// shared memory work nowhere else.</param>
    /// <param name="entropy">Gives a new catalog its FabricId.</param>
    /// <param name="time">For time-outs, and for when a script was applied.</param>
    /// <param name="options">Null: the defaults.</param>
    /// <exception cref="ZeroStorException">Corrupt: not a SQLite database. InvalidArgument: a database of
    /// something else, or of another version of ZeroStor. Unavailable: the file cannot be opened.</exception>
    public static async Task<SqlCatalog> OpenAsync(
        string path,
        IEntropy entropy,
        TimeProvider time,
        CatalogOptions? options = null,
        CancellationToken cancel = default)
    {
        options ??= new CatalogOptions();
        var database = new SqliteDatabase(path, options);
        database.MakeFile();
        var catalog = new SqlCatalog(database, entropy, time, options);
        try
        {
            await catalog.MigrateAsync(cancel);
            return catalog;
        }
        catch
        {
            await catalog.DisposeAsync();
            throw;
        }
    }
}

/// <summary>What a catalog may use and how long it waits.</summary>
public sealed record CatalogOptions
{
    /// <summary>How long a caller waits, in the queue and for the database, before it is told Unavailable.
    /// </summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a transaction waits for another process (or Orleans' own connections) to end its
    /// own. Far below <see cref="Patience"/>, so that whoever queues behind it is still there.</summary>
    public TimeSpan LockPatience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Reads at once. Each has a connection with a cache of its own; more than the machine has cores
    /// gain nothing, for what is read is nearly always in memory.</summary>
    public int Readers { get; init; } = Math.Clamp(Environment.ProcessorCount, 2, 16);

    /// <summary>How large the database may grow, in its own pages; null: as large as the disk. A test's way
    /// to fill it.</summary>
    internal int? MaxPages { get; init; }
}
