namespace ZeroStor.Volumes;

/// <summary>How far a scrub came.</summary>
/// <param name="Shards">Records of shards read, bad ones among them.</param>
/// <param name="Bytes">What those records take on the disk.</param>
/// <param name="Bad">How many of them were damaged, and are marked now.</param>
public sealed record ScrubTally(long Shards, long Bytes, long Bad)
{
    public static readonly ScrubTally Zero = new(0, 0, 0);

    internal ScrubTally With(in HeldShard shard, bool isBad) =>
        new(Shards + 1, Bytes + shard.RecordBytes, Bad + (isBad ? 1 : 0));

    internal ScrubTally Plus(ScrubTally other) =>
        new(Shards + other.Shards, Bytes + other.Bytes, Bad + other.Bad);
}

/// <summary>A part of the background's pass.</summary>
/// <param name="Read">What was read in it.</param>
/// <param name="IsEnded">Whether the pass ended with it.</param>
public sealed record ScrubPart(ScrubTally Read, bool IsEnded);

/// <summary>Reads again, in the order in which they lie, the records of all shards that the disk holds when
/// it begins, so that rot is found while the other places of a stripe are whole. What was appended or copied
/// since was checked when it was written, and is left to the next; so a scrub ends, however much comes in. A
/// whole one is read in one go; the background's pass goes on a part at a time, as much as its period wants
/// by now, and beyond a restart. Holds two windows in memory, and a page of names. Thread-safe; one runs at a
/// time.</summary>
/// <param name="stand">Where the background's pass stood when the disk was opened.</param>
internal sealed class DiskScrub(
    DiskId disk, DiskOptions options, DiskContents contents, ScrubReader reader, ScrubStand stand)
    : IAsyncDisposable
{
    // So many damaged shards are remembered until they are repaired; a disk with more has lost its worth.
    private const int MaxUnrepaired = 1024;

    private readonly Lock _lock = new();
    private readonly Queue<HeldShard> _unrepaired = new();
    private readonly SemaphoreSlim _running = new(1);
    private readonly CancellationTokenSource _closing = new();
    private volatile ScrubTally _progress = ScrubTally.Zero;
    private ScrubTally _pass = ScrubTally.Zero;
    private ScrubStand _stand = stand;

    /// <summary>Of the scrub that runs, or of the last. The background's counts since its pass began, or
    /// since the disk was opened in the middle of it.</summary>
    internal ScrubTally Progress => _progress;

    /// <summary>What the superblock should say. Which records were found damaged is in memory alone, so until
    /// repair has written them anew a restart goes on no further than where the first of them lies.</summary>
    internal ScrubStand Kept
    {
        get
        {
            lock (_lock)
            {
                while (_unrepaired.TryPeek(out HeldShard met) && !contents.IsBad(met))
                {
                    _unrepaired.Dequeue();
                }

                return _stand.IsUnderWay && _unrepaired.TryPeek(out HeldShard bad)
                    ? _stand with { After = Before(bad.Position, _stand.After) }
                    : _stand;
            }
        }
    }

    internal ScrubPass Pass
    {
        get
        {
            ScrubStand now = Stand;
            return !now.IsUnderWay
                ? new ScrubPass { LastEnded = now.LastEnded }
                : new ScrubPass
                {
                    Volume = now.After.Volume,
                    Offset = now.After.Offset,
                    Share = contents.LiveBytesBefore(now.After)
                        / (double)Math.Max(1, contents.LiveBytesBefore(now.End)),
                    Began = now.Began,
                    LastEnded = now.LastEnded,
                };
        }
    }

    private ScrubStand Stand
    {
        get
        {
            lock (_lock)
            {
                return _stand;
            }
        }

        set
        {
            lock (_lock)
            {
                _stand = value;
            }
        }
    }

    /// <summary>Reads everything. The background's pass under way has nothing left to do then.</summary>
    internal Task<ScrubTally> RunAsync(Throttle pace, CancellationToken cancel) => AloneAsync(
        async ends =>
        {
            Tick began = contents.HighestTick;
            _progress = ScrubTally.Zero;
            await ReadAsync(
                default,
                contents.End(),
                long.MaxValue,
                pace,
                (_, read) => _progress = _progress.Plus(read),
                ends);
            EndPass(began);
            return _progress;
        },
        cancel);

    /// <summary>Goes on with the background's pass, or begins one where the last began a period ago, and
    /// reads as much as is due by now: at any moment of the period the same share of the disk as of the
    /// period.</summary>
    /// <param name="pace">Bytes a second; the period never makes it faster than this.</param>
    /// <param name="periodTicks">0: everything is due at once, and the next pass is when one has
    /// ended.</param>
    /// <param name="cancel">What was read until then need not be read again.</param>
    internal Task<ScrubPart> GoOnAsync(
        Throttle pace, uint periodTicks, CancellationToken cancel) => AloneAsync(
        async ends =>
        {
            if (!TryBeginPass(periodTicks))
            {
                return new ScrubPart(ScrubTally.Zero, false);
            }

            ScrubStand now = Stand;
            ScrubTally part = ScrubTally.Zero;
            _progress = _pass;
            bool isEnded = DueBytes(now, periodTicks) is { } dueBytes
                && await ReadAsync(now.After, now.End, dueBytes, pace, Passed, ends);
            if (isEnded)
            {
                EndPass(now.Began);
            }

            return new ScrubPart(part, isEnded);

            void Passed(RecordPosition after, ScrubTally read)
            {
                part = part.Plus(read);
                _progress = _pass = _pass.Plus(read);
                Stand = now with { After = after };
            }
        },
        cancel);

    /// <summary>Ends the scrub that runs; none begins after it.</summary>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _running.WaitAsync();
        _closing.Dispose();
    }

    private async Task<T> AloneAsync<T>(Func<CancellationToken, Task<T>> read, CancellationToken cancel)
    {
        if (!await _running.WaitAsync(TimeSpan.Zero, cancel))
        {
            throw new ZeroStorException(
                ErrorKind.Busy, $"Disk {disk} is being scrubbed already: wait until that has ended.");
        }

        try
        {
            using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancel, _closing.Token);
            return await read(ends.Token);
        }
        catch (OperationCanceledException)
        {
            cancel.ThrowIfCancellationRequested();
            throw new ZeroStorException(
                ErrorKind.DiskOffline, $"Disk {disk} was closed before its scrub ended: scrub it when it is back.");
        }
        finally
        {
            _running.Release();
        }
    }

    private bool TryBeginPass(uint periodTicks)
    {
        ScrubStand now = Stand;
        if (now.IsUnderWay)
        {
            return true;
        }

        Tick tick = contents.HighestTick;
        if (now.LastBegan != default && tick.Since(now.LastBegan) < periodTicks)
        {
            return false;
        }

        _pass = ScrubTally.Zero;
        Stand = now with { After = default, End = contents.End(), Began = tick };
        return true;
    }

    private void EndPass(Tick began) =>
        Stand = new ScrubStand { LastBegan = began, LastEnded = contents.HighestTick };

    // Null when nothing is. Who has passed everything may look for the end whenever he likes.
    private long? DueBytes(in ScrubStand now, uint periodTicks)
    {
        uint elapsedTicks = contents.HighestTick.Since(now.Began);
        if (elapsedTicks >= periodTicks)
        {
            return long.MaxValue;
        }

        long totalBytes = contents.LiveBytesBefore(now.End);
        long passedBytes = contents.LiveBytesBefore(now.After);
        long dueBytes = (long)(totalBytes * ((double)elapsedTicks / periodTicks)) - passedBytes;
        return dueBytes > 0 || passedBytes >= totalBytes ? dueBytes : null;
    }

    // False when what is due was read, and that was not everything. It reads all the time, and the caller's
    // thread is not for that.
    private Task<bool> ReadAsync(
        RecordPosition after,
        RecordPosition end,
        long dueBytes,
        Throttle pace,
        Action<RecordPosition, ScrubTally> passed,
        CancellationToken cancel) =>
        Task.Run(() => ReadHereAsync(after, end, dueBytes, pace, passed, cancel), cancel);

    private async Task<bool> ReadHereAsync(
        RecordPosition after,
        RecordPosition end,
        long dueBytes,
        Throttle pace,
        Action<RecordPosition, ScrubTally> passed,
        CancellationToken cancel)
    {
        // A window is checked while the next one is read.
        Task checking = Task.CompletedTask;
        try
        {
            while (true)
            {
                List<HeldShard> page = contents.NextShards(after, end, options.ScrubPageShards);
                if (page.Count == 0)
                {
                    return true;
                }

                for (int next = 0; next < page.Count;)
                {
                    if (dueBytes <= 0)
                    {
                        return false;
                    }

                    List<HeldShard> window = ScrubReader.Window(page, next, options.ScrubWindowBytes);
                    next += window.Count;

                    // A page that is not full ends its volume.
                    RecordPosition last = window[^1].Position;
                    after = next == page.Count && page.Count < options.ScrubPageShards
                        ? new RecordPosition(last.Volume + 1, 0)
                        : last;
                    dueBytes -= window.Sum(s => (long)s.RecordBytes);
                    await pace.TakeAsync(ScrubReader.WindowBytes(window), cancel);
                    ScrubWindow fetched = await reader.FetchAsync(window, cancel);
                    Task before = checking;
                    checking = CheckAsync(fetched, after, before, passed, cancel);
                    await before;
                }
            }
        }
        finally
        {
            await checking;
        }
    }

    private async Task CheckAsync(
        ScrubWindow fetched,
        RecordPosition after,
        Task before,
        Action<RecordPosition, ScrubTally> passed,
        CancellationToken cancel)
    {
        (ScrubTally read, List<HeldShard> bad) = await reader.CheckAsync(fetched, cancel);
        await before;
        Remember(bad);
        passed(after, read);
    }

    private void Remember(List<HeldShard> bad)
    {
        lock (_lock)
        {
            foreach (HeldShard shard in bad.OrderBy(b => b.Position).Take(MaxUnrepaired - _unrepaired.Count))
            {
                _unrepaired.Enqueue(shard);
            }
        }
    }

    private static RecordPosition Before(RecordPosition bad, RecordPosition after) =>
        after.CompareTo(bad) < 0 ? after : new RecordPosition(bad.Packed - 1);
}
