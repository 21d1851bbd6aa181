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
        return await SqlCatalog.OpenAsync(database, entropy, time, options, cancel);
    }
}
