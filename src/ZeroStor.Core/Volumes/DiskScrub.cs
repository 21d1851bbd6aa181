namespace ZeroStor.Volumes;

/// <summary>How far a scrub came.</summary>
/// <param name="Shards">Records of shards read, bad ones among them.</param>
/// <param name="Bytes">What those records take on the disk.</param>
/// <param name="Bad">How many of them were damaged, and are marked now.</param>
public sealed record ScrubTally(long Shards, long Bytes, long Bad)
{
    public static readonly ScrubTally Zero = new(0, 0, 0);
}

/// <summary>Reads again, in the order in which they lie, the records of all shards that the disk holds when
/// it begins, each as a read of the whole shard would, so that rot is found while the other places of a
/// stripe are whole. What was appended or copied since was checked when it was written, and is left to the
/// next; so a scrub ends, however much comes in. Holds one shard in memory, and a page of names. Thread-safe;
/// one runs at a time.
/// </summary>
internal sealed class DiskScrub(
    DiskId disk, DiskOptions options, DiskContents contents, DiskReader reader)
    : IAsyncDisposable
{
    private readonly SemaphoreSlim _running = new(1);
    private readonly CancellationTokenSource _closing = new();
    private volatile ScrubTally _progress = ScrubTally.Zero;

    /// <summary>Of the scrub that runs, or of the last.</summary>
    internal ScrubTally Progress => _progress;

    internal async Task<ScrubTally> RunAsync(Throttle pace, CancellationToken cancel)
    {
        if (!await _running.WaitAsync(TimeSpan.Zero, cancel))
        {
            throw new ZeroStorException(
                ErrorKind.Busy, $"Disk {disk} is being scrubbed already: wait until that has ended.");
        }

        try
        {
            using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancel, _closing.Token);
            return await ReadAllAsync(pace, ends.Token);
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

    /// <summary>Ends the scrub that runs; none begins after it.</summary>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _running.WaitAsync();
        _closing.Dispose();
    }

    private async Task<ScrubTally> ReadAllAsync(Throttle pace, CancellationToken cancel)
    {
        _progress = ScrubTally.Zero;
        RecordPosition after = default;
        RecordPosition end = contents.End();
        while (true)
        {
            // It reads footers, and the caller's thread is not for that.
            RecordPosition behind = after;
            List<HeldShard> page = await Task.Run(
                () => contents.NextShards(behind, end, options.ScrubPageShards), cancel);
            if (page.Count == 0)
            {
                return _progress;
            }

            foreach (HeldShard shard in page)
            {
                await pace.TakeAsync(shard.RecordBytes, cancel);
                Count(shard, await reader.VerifyAsync(shard, cancel));
            }

            // A page that is not full ends its volume.
            RecordPosition last = page[^1].Position;
            after = page.Count < options.ScrubPageShards ? new RecordPosition(last.Volume + 1, 0) : last;
        }
    }

    private void Count(in HeldShard shard, HomeAnswer answer)
    {
        switch (answer.Kind)
        {
            case ErrorKind.None or ErrorKind.Corrupt:
                ScrubTally past = _progress;
                _progress = new ScrubTally(
                    past.Shards + 1,
                    past.Bytes + shard.RecordBytes,
                    past.Bad + (answer.IsDone ? 0 : 1));
                break;
            case ErrorKind.NotFound:
                break;
            default:
                throw new ZeroStorException(answer.Kind, answer.Detail);
        }
    }
}
