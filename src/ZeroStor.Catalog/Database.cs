using System.Data.Common;

namespace ZeroStor.Catalog;

/// <summary>What differs from one kind of database to the next: its SQL text, how a connection is made, and
/// what its errors mean. All else of the catalog is one code path. Thread-safe.</summary>
internal abstract class Database
{
    /// <summary>What people know the database by, for messages.</summary>
    public abstract string Name { get; }

    /// <summary>For Orleans' providers, which open connections of their own.</summary>
    public abstract string ConnectionString { get; }

    public abstract SqlText Sql { get; }

    public abstract Task<DbConnection> ConnectAsync(bool forWriting, CancellationToken cancel);

    /// <summary>The error as the closed set knows it, in one sentence.</summary>
    public abstract ZeroStorException Explain(DbException error);

    public async Task<Session> OpenAsync(bool forWriting, CancellationToken cancel) =>
        new(await ConnectAsync(forWriting, cancel), Sql);
}
