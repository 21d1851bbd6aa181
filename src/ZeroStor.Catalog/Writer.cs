using System.Data.Common;
using System.Threading.Channels;

namespace ZeroStor.Catalog;

/// <summary>The one writer of a catalog. Whatever queues while a transaction is being synced goes into the
/// next, so a sync is shared by all who wait for it. A transaction that fails is undone and every caller in
/// it is told; the next one begins on a new connection. One that lost its connection before it was committed,
/// or was ended to end a deadlock, is run again first, in parts. Thread-safe.</summary>
internal sealed class Writer : IAsyncDisposable
{
    /// <summary>Callers that may wait to be taken (and as many that are held back); whoever comes then waits
    /// for room. Several batches' worth, so that the loop never starves.</summary>
    private const int MaxQueued = 4096;

    /// <summary>Enough that a sync of some milliseconds costs an order little, few enough that a batch is
    /// decided and written in some ten milliseconds, which others' transactions can wait.</summary>
    private const int MaxBatch = 512;

    /// <summary>Manifests and pages that a batch holds before it is closed to more.</summary>
    private const long MaxBatchBytes = 16 * 1024 * 1024;

    /// <summary>A deadlock ends one of those who wait for each other, and the others go on: the next attempt
    /// goes through, unless as many others as this come in between. PostgreSQL takes a second to see a
    /// deadlock, so all attempts together end within the callers' patience.</summary>
    private const int MaxAttempts = 8;

    private readonly Database _database;
    private readonly Patience _patience;
    private readonly Channel<Work> _queue = Channel.CreateBounded<Work>(
        new BoundedChannelOptions(MaxQueued) { SingleReader = true });

    private readonly Task _loop;
    private Queue<Work> _heldBack = new();
    private Session? _session;

    public Writer(Database database, Patience patience)
    {
        _database = database;
        _patience = patience;
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Commits an order together with others.</summary>
    public Task<CommitAnswer> CommitAsync(CheckedOrder order, CancellationToken cancel) =>
        QueueAsync(new Commit(order), cancel);

    /// <summary>Runs a change of the tables. It may refuse by a <see cref="ZeroStorException"/>, which only
    /// its caller sees, but only before it has written anything, for it shares its transaction with
    /// others.</summary>
    public Task<T> RunAsync<T>(Func<Session, Task<T>> change, CancellationToken cancel) =>
        QueueAsync(new Change<T>(change), cancel);

    /// <summary>Ends when all that queued is written.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _loop;
        await CloseAsync();
    }

    private async Task<T> QueueAsync<T>(Work<T> work, CancellationToken cancel)
    {
        try
        {
            return await _patience.WaitAsync(
                async patience =>
                {
                    await _queue.Writer.WriteAsync(work, patience);
                    return await work.Outcome.WaitAsync(patience);
                },
                $"The catalog {_database.Name} has not answered in time, and the change may be made or not: "
                + "say it again.",
                cancel);
        }
        catch (ChannelClosedException error)
        {
            throw new ZeroStorException(
                ErrorKind.Unavailable, $"The catalog {_database.Name} is closed: open it again.", error);
        }
        finally
        {
            work.Abandon();
        }
    }

    private async Task RunAsync()
    {
        var batch = new List<Work>(MaxBatch);
        while (_heldBack.Count > 0 || await _queue.Reader.WaitToReadAsync())
        {
            Take(batch);
            await RunBatchAsync(batch);
            batch.Clear();
        }
    }

    /// <summary>Takes what queued, in order. An order whose key is in the batch already is held back for the
    /// next one, where it comes first.</summary>
    private void Take(List<Work> batch)
    {
        var keys = new HashSet<(VaultId, string)>();
        long bytes = 0;
        Queue<Work> earlier = _heldBack;
        _heldBack = new Queue<Work>();
        while (batch.Count < MaxBatch && bytes < MaxBatchBytes && _heldBack.Count < MaxQueued
            && (earlier.TryDequeue(out Work? work) || _queue.Reader.TryRead(out work)))
        {
            if (work.IsAbandoned)
            {
                continue;
            }

            if (work is Commit commit && !keys.Add(commit.Order.Key))
            {
                _heldBack.Enqueue(work);
                continue;
            }

            bytes += work.Bytes;
            batch.Add(work);
        }

        while (earlier.TryDequeue(out Work? work))
        {
            _heldBack.Enqueue(work);
        }
    }

    private async Task RunBatchAsync(List<Work> batch)
    {
        if (batch.Count == 0)
        {
            return;
        }

        if (await TryBatchAsync(batch, isLast: false))
        {
            return;
        }

        // Orders take what they lock in one order, the same everywhere, and so does each change; but changes
        // that share a transaction do not. Each on its own, they wait for no one who waits for them.
        IEnumerable<IReadOnlyList<Work>> parts = batch.Where(w => w is not Commit).Select(w => new[] { w });
        parts = parts.Append([.. batch.OfType<Commit>()]).Where(p => p.Count > 0);
        foreach (IReadOnlyList<Work> part in parts)
        {
            for (int attempt = 2; !await TryBatchAsync(part, isLast: attempt == MaxAttempts); attempt++)
            {
            }
        }
    }

    /// <summary>Runs a batch in one transaction and tells all who wait; false when nothing of it was made,
    /// none was told, and it may go through when it is run again.</summary>
    private async Task<bool> TryBatchAsync(IReadOnlyList<Work> batch, bool isLast)
    {
        bool mayRunAgain = false;
        try
        {
            _session ??= await _database.OpenAsync(forWriting: true, CancellationToken.None);
            mayRunAgain = !isLast;
            await _session.ExecuteAsync("begin-write");
            foreach (Work work in batch)
            {
                await work.RunAsync(_session);
            }

            await CommitOrdersAsync(_session, batch);
            mayRunAgain = false;
            await _session.CommitAsync();
        }
#pragma warning disable CA1031 // Whatever it was, those who wait are told, and the loop goes on.
        catch (Exception error)
#pragma warning restore CA1031
        {
            // Closing undoes what was begun. A commit whose sync failed may be found done at the next
            // opening: that is why callers are told to repeat themselves, and why repeating is harmless.
            await CloseAsync();
            if (mayRunAgain && error is DbException passing && _database.MayPass(passing))
            {
                return false;
            }

            Exception told = error is DbException failed ? _database.Explain(failed) : error;
            foreach (Work work in batch)
            {
                work.Fail(told);
            }

            return true;
        }

        foreach (Work work in batch)
        {
            work.Tell();
        }

        return true;
    }

    private static async Task CommitOrdersAsync(Session session, IReadOnlyList<Work> batch)
    {
        Commit[] commits = [.. batch.OfType<Commit>().Order(ByKey.Instance)];
        if (commits.Length == 0)
        {
            return;
        }

        var answers = await CommitBatch.RunAsync(session, [.. commits.Select(c => c.Order)]);
        for (int i = 0; i < commits.Length; i++)
        {
            commits[i].Decided(answers[i].Answer, answers[i].Error);
        }
    }

    private async Task CloseAsync()
    {
        Session? session = _session;
        _session = null;
        if (session is not null)
        {
            try
            {
                await session.DisposeAsync();
            }
            catch (DbException)
            {
                // It is of no more use either way, and what made it so has been told.
            }
        }
    }

    private sealed class ByKey : IComparer<Commit>
    {
        public static readonly ByKey Instance = new();

        public int Compare(Commit? x, Commit? y)
        {
            int vaults = x!.Order.Key.Vault.Value.CompareTo(y!.Order.Key.Vault.Value);
            return vaults != 0 ? vaults : ObjectKey.Compare(x.Order.Key.Key, y.Order.Key.Key);
        }
    }

    /// <summary>Something that waits to be written. What came of it is told after the transaction is durable.
    /// </summary>
    private abstract class Work
    {
        private volatile bool _isAbandoned;

        /// <summary>Nobody waits for it any more: it is left undone if it is not begun.</summary>
        public bool IsAbandoned => _isAbandoned;

        public void Abandon() => _isAbandoned = true;

        /// <summary>What it adds to the database, where that may be much.</summary>
        public virtual long Bytes => 0;

        public abstract Task RunAsync(Session session);

        public abstract void Tell();

        public abstract void Fail(Exception error);
    }

    private abstract class Work<T> : Work
    {
        // Callers go on in threads of their own, never in the loop.
        private readonly TaskCompletionSource<T> _outcome =
            new(TaskCreationOptions.RunContinuationsAsynchronously);

        private T? _answer;
        private ZeroStorException? _refusal;

        public Task<T> Outcome => _outcome.Task;

        public override void Tell()
        {
            if (_refusal is not null)
            {
                Fail(_refusal);
            }
            else
            {
                _outcome.TrySetResult(_answer!);
            }
        }

        public override void Fail(Exception error) => _outcome.TrySetException(error);

        public void Decided(T? answer, ZeroStorException? refusal)
        {
            _answer = answer;
            _refusal = refusal;
        }
    }

    private sealed class Change<T>(Func<Session, Task<T>> change) : Work<T>
    {
        public override async Task RunAsync(Session session)
        {
            try
            {
                Decided(await change(session), null);
            }
            catch (ZeroStorException refusal)
            {
                Decided(default, refusal);
            }
        }
    }

    private sealed class Commit(CheckedOrder order) : Work<CommitAnswer>
    {
        public CheckedOrder Order => order;

        public override long Bytes { get; } =
            order.Order.Manifest.Length + order.Order.Pages.Sum(p => (long)p.Bytes.Length);

        // All orders of a batch are decided together, after the changes.
        public override Task RunAsync(Session session) => Task.CompletedTask;
    }
}
