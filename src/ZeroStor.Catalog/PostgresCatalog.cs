namespace ZeroStor.Catalog;

/// <summary>The catalog of many silos: a PostgreSQL database, version 14 or later. Connections go to the
/// server itself, or through a pooler that gives each its own session: statements are prepared.</summary>
public static class PostgresCatalog
{
    /// <summary>Opens the catalog, making the tables that it lacks. The database must be there, in UTF-8,
    /// empty or a catalog.</summary>
    /// <param name="connectionString">As Npgsql knows it:
    /// <c>Host=...;Database=...;Username=...;Password=...</c>. Several hosts may be named; the primary is
    /// taken.</param>
    /// <param name="entropy">Gives a new catalog its FabricId.</param>
    /// <param name="time">For time-outs, and for when a script was applied.</param>
    /// <param name="options">Null: the defaults.</param>
    /// <exception cref="ZeroStorException">InvalidArgument: no connection string, a user, password or
    /// database that the server does not take, a database of something else or of another version of
    /// ZeroStor, one that may lose what it acknowledged. Unavailable: the server cannot be reached, or is a
    /// standby.</exception>
    public static Task<SqlCatalog> OpenAsync(
        string connectionString,
        IEntropy entropy,
        TimeProvider time,
        CatalogOptions? options = null,
        CancellationToken cancel = default)
    {
        options ??= new CatalogOptions();
        return SqlCatalog.OpenAsync(
            new PostgresDatabase(connectionString, options), entropy, time, options, cancel);
    }
}
