using System.Data.Common;

namespace ZeroStor.Catalog;

/// <summary>What differs from one kind of database to the next: its SQL text, how a connection is made, and
/// what its errors mean. All else of the catalog is one code path. Thread-safe.</summary>
internal abstract class Database
{
    /// <summary>What people know the database by, for messages. No secret is in it.</summary>
    public abstract string Name { get; }

    /// <summary>For Orleans' providers, which open connections of their own. It may hold a
    /// password.</summary>
    public abstract string ConnectionString { get; }

    /// <summary>The name by which Orleans' providers know the kind of database.</summary>
    public abstract string Invariant { get; }

    /// <summary>Whether several silos can share it, so that Orleans' membership and reminders are in it as
    /// well.</summary>
    public abstract bool IsShared { get; }

    public abstract SqlText Sql { get; }

    public abstract Task<DbConnection> ConnectAsync(bool forWriting, CancellationToken cancel);

    /// <summary>The error as the closed set knows it, in one sentence.</summary>
    public abstract ZeroStorException Explain(DbException error);

    /// <summary>Whether what failed on an open connection, before it was committed, may go through when it is
    /// run again at once: the connection was lost, or the database chose it to end a deadlock.</summary>
    public virtual bool MayPass(DbException error) => false;

    /// <summary>Tells a parameter its type, where the database wants to know.</summary>
    public virtual void Declare(DbParameter parameter, string type)
    {
    }

    /// <summary>Has warnings of the database told to somebody.</summary>
    public virtual void Listen(DbConnection connection, Action<string> warned)
    {
    }

    /// <summary>See <see cref="FabricState.DatabaseId"/>.</summary>
    public virtual Task<string?> ReadIdAsync(Session session) => Task.FromResult<string?>(null);

    /// <exception cref="ZeroStorException">The database is not one that may hold a catalog.</exception>
    public async Task<Session> OpenAsync(bool forWriting, CancellationToken cancel)
    {
        var session = new Session(await ConnectAsync(forWriting, cancel), this, forWriting);
        try
        {
            await CheckAsync(session);
            return session;
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    /// <summary>Looks at a new connection.</summary>
    /// <exception cref="ZeroStorException">What stands against it.</exception>
    protected virtual Task CheckAsync(Session session) => Task.CompletedTask;
}
