using System.Collections.Concurrent;
using System.Data.Common;

namespace ZeroStor.Catalog;

/// <summary>Connections that read: each read sees one moment, no earlier than its beginning, and waits for no
/// writer. Thread-safe.</summary>
internal sealed class Readers(Database database, int count, Patience patience) : IAsyncDisposable
{
    private readonly SemaphoreSlim _slots = new(count);
    private readonly ConcurrentBag<Session> _idle = [];
    private volatile bool _isClosed;

    /// <exception cref="ZeroStorException">What <paramref name="read"/> throws; Unavailable.</exception>
    public Task<T> RunAsync<T>(Func<Session, Task<T>> read, CancellationToken cancel) => patience.WaitAsync(
        async limit =>
        {
            await _slots.WaitAsync(limit);

            // SQLite's calls block: they get a thread of their own, not their caller's, which may be a
            // grain's. Who stops waiting leaves the read behind; it gives its slot back when it ends.
            return await Task.Run(() => ReadAsync(read), CancellationToken.None).WaitAsync(limit);
        },
        $"The catalog {database.Name} has not answered a read in time: it is overloaded, so try again later.",
        cancel);

    /// <summary>To be called when no read runs any more.</summary>
    public async ValueTask DisposeAsync()
    {
        _isClosed = true;
        await CloseIdleAsync();
    }

    private async Task<T> ReadAsync<T>(Func<Session, Task<T>> read)
    {
        try
        {
            try
            {
                return await TryAsync(read);
            }
            catch (DbException error) when (database.MayPass(error))
            {
                // Where one connection is lost the others are: all begin anew.
                await CloseIdleAsync();
                return await TryAsync(read);
            }
        }
        catch (DbException error)
        {
            throw database.Explain(error);
        }
        finally
        {
            _slots.Release();
        }
    }

    private async Task<T> TryAsync<T>(Func<Session, Task<T>> read)
    {
        if (_isClosed)
        {
            throw new ZeroStorException(
                ErrorKind.Unavailable, $"The catalog {database.Name} is closed: open it again.");
        }

        if (!_idle.TryTake(out Session? session))
        {
            session = await database.OpenAsync(forWriting: false, CancellationToken.None);
        }

        bool isWhole = false;
        try
        {
            await session.ExecuteAsync("begin-read");
            try
            {
                T found = await read(session);
                await session.ExecuteAsync("rollback");
                isWhole = true;
                return found;
            }
            catch (ZeroStorException)
            {
                // Refused by what it read: the session is none the worse.
                await session.ExecuteAsync("rollback");
                isWhole = true;
                throw;
            }
        }
        finally
        {
            if (isWhole)
            {
                _idle.Add(session);
            }
            else
            {
                await session.DisposeAsync();
            }
        }
    }

    private async Task CloseIdleAsync()
    {
        while (_idle.TryTake(out Session? session))
        {
            await session.DisposeAsync();
        }
    }
}
