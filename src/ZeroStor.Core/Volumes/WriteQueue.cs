using System.Diagnostics.CodeAnalysis;

namespace ZeroStor.Volumes;

/// <summary>What waits for the writer of a disk, bounded in bytes and in number. An item counts until it is
/// answered, so what is being written counts too. It also gives the turn to lay to one of the writer's threads at a
/// time, and knows which batch is being written, which is being synced, and which ones were and still are to be answered,
/// since that decides what is worth waking for. Thread-safe.</summary>
internal sealed class WriteQueue(DiskId disk, DiskOptions options)
{
    private readonly object _gate = new();
    private readonly Queue<WriteItem> _items = new();
    private readonly Queue<WrittenBatch> _written = new();
    private long _bytes;
    private int _count;
    private bool _isClosed;
    private bool _isMarkDue;

    // Of what was not taken yet; and of that, what is to be copied.
    private long _waitingBytes;
    private long _waitingCopiedBytes;

    // Somebody has the turn; somebody waits for nothing but the end of the writing.
    private bool _isLaying;
    private bool _isAwaited;

    // What who had the turn last left: a batch, and items behind it.
    private long _laidBytes;
    private bool _hasLeft;

    // At most one batch is on its way to the device, and at most one before it waits for its sync.
    private bool _isWriting;
    private WriteBatch? _synced;

    /// <summary>Whether who lays waits for what is under way before it goes on.</summary>
    internal bool IsAwaited
    {
        get
        {
            lock (_gate)
            {
                return _isAwaited && IsUnderWay;
            }
        }
    }

    /// <summary>Whether a batch is laid, and nothing is to be done but to write it.</summary>
    internal bool HasLaid
    {
        get
        {
            lock (_gate)
            {
                return !_isLaying && _laidBytes > 0 && _items.Count == 0;
            }
        }
    }

    private bool IsUnderWay => _isWriting || _synced is not null;

    private bool IsEmpty => _items.Count == 0 && _laidBytes == 0 && !_hasLeft && _written.Count == 0;

    // Whether there is something to do for who gets the turn.
    private bool IsDue => _isClosed || _isMarkDue || _hasLeft || _written.Count > 0
        || (IsUnderWay
            ? _waitingCopiedBytes >= options.LayAheadBytes || MayWriteAhead(_laidBytes + _waitingBytes)
            : !IsEmpty);

    // Whether a batch of so much goes to the device while the one before it is synced. A smaller one waits for more to
    // join it: it takes a sync of its own.
    private bool MayWriteAhead(long bytes) =>
        !_isWriting && _synced is { } before && bytes >= Math.Max(before.Bytes, options.LayAheadBytes);

    /// <summary>What waits or is being written now.</summary>
    internal (int Items, long Bytes) Depth
    {
        get
        {
            lock (_gate)
            {
                return (_count, _bytes);
            }
        }
    }

    /// <summary>Queues an append, if there is room; else answers it at once.</summary>
    internal Task<HomeAnswer> Append(AppendItem item)
    {
        lock (_gate)
        {
            // One append is always let in, so that none is too large for ever.
            bool isFull = _count >= options.QueueCount
                || (_count > 0 && _bytes + item.Bytes > options.QueueBytes);
            if (!isFull)
            {
                return Add(item);
            }
        }

        item.Complete(new HomeAnswer(
            ErrorKind.Busy, $"Disk {disk} has its queue full: try again a little later."));
        return item.Answer;
    }

    /// <summary>Queues what a disk asks of itself, or its owner one at a time: never refused for want of
    /// room. </summary>
    internal Task<HomeAnswer> Ask(WriteItem item)
    {
        lock (_gate)
        {
            return Add(item);
        }
    }

    /// <summary>Wakes the writer to repeat the durable length.</summary>
    internal void AskForMark()
    {
        lock (_gate)
        {
            _isMarkDue = true;
            PulseWhereDue();
        }
    }

    /// <summary>Takes nothing more in; what waits is still taken out, unless it is dropped.</summary>
    internal void Close(bool dropsWaiting)
    {
        lock (_gate)
        {
            _isClosed = true;
            while (dropsWaiting && TryDequeue(out WriteItem? item))
            {
                Finish(item, Closed());
            }

            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Waits until there is something to lay or to write and nobody else has the turn, and takes what still has
    /// room in the batch that is being laid; false when the queue is closed and empty.</summary>
    /// <param name="items">Where it goes.</param>
    /// <param name="hasTurn">Whether who calls has the turn already.</param>
    /// <param name="mayWrite">Whether the batch can be written: with all that was queued by the time when the one before
    /// it was synced, or while that is done, where it is as large.</param>
    /// <param name="isMarkDue">Whether the durable length is to be repeated.</param>
    internal bool Take(Queue<WriteItem> items, bool hasTurn, out bool mayWrite, out bool isMarkDue)
    {
        lock (_gate)
        {
            _isLaying = _isLaying && !hasTurn;
            while (_isLaying || !IsDue)
            {
                Monitor.Wait(_gate);
            }

            mayWrite = !IsUnderWay;
            isMarkDue = _isMarkDue;
            _isMarkDue = false;
            if (_isClosed && IsEmpty)
            {
                // Whoever waits for the turn ends too.
                Monitor.PulseAll(_gate);
                return false;
            }

            _isLaying = true;
            long bytes = _laidBytes;
            while (!_hasLeft && bytes < options.BatchBytes && TryDequeue(out WriteItem? item))
            {
                items.Enqueue(item);
                bytes += item.Bytes;
            }

            mayWrite |= MayWriteAhead(bytes) || (_isClosed && _items.Count == 0);
            return true;
        }
    }

    /// <summary>Notes what stands when who has the turn is about to give it up.</summary>
    /// <param name="laidBytes">Of the batch that is being laid; 0 when there is none.</param>
    /// <param name="hasLeft">Whether items that were taken are still to be laid.</param>
    internal void Leave(long laidBytes, bool hasLeft)
    {
        lock (_gate)
        {
            (_laidBytes, _hasLeft) = (laidBytes, hasLeft);
        }
    }

    /// <summary>A batch is being written from now on, by who had the turn.</summary>
    /// <param name="hasLeft">Whether items that were taken are still to be laid.</param>
    internal void BeginWriting(bool hasLeft)
    {
        lock (_gate)
        {
            (_laidBytes, _hasLeft) = (0, hasLeft);
            (_isLaying, _isWriting) = (false, true);
            PulseWhereDue();
        }
    }

    /// <summary>The batch that was being written has only to be synced; waits until the one before it is.</summary>
    internal void BeginSyncing(WriteBatch batch)
    {
        lock (_gate)
        {
            while (_synced is not null)
            {
                Monitor.Wait(_gate);
            }

            (_isWriting, _synced) = (false, batch);
            PulseWhereAwaited();
            PulseWhereDue();
        }
    }

    /// <summary>A batch is durable, or it failed. Who wrote it has the turn next unless somebody has it: waking another
    /// would cost the disk as long as a small write takes.</summary>
    /// <returns>Whether it has the turn.</returns>
    internal bool EndWriting(WrittenBatch written)
    {
        lock (_gate)
        {
            _written.Enqueue(written);
            if (ReferenceEquals(_synced, written.Batch))
            {
                _synced = null;
            }
            else
            {
                _isWriting = false;
            }

            PulseWhereAwaited();
            bool hasTurn = !_isLaying;
            _isLaying = true;
            return hasTurn;
        }
    }

    /// <summary>Waits until no batch is on its way to the device; one may still be synced. Called by who has the turn.
    /// </summary>
    internal void AwaitWritten() => Await(() => _isWriting);

    /// <summary>Waits until no batch is being written or synced. Called by who has the turn.</summary>
    internal void AwaitSynced() => Await(() => IsUnderWay);

    /// <summary>The first that was written of those that are still to be answered. Called by who has the turn.
    /// </summary>
    internal bool TryTakeWritten(out WrittenBatch written)
    {
        lock (_gate)
        {
            return _written.TryDequeue(out written);
        }
    }

    /// <summary>Whether a batch that is still to be answered could not be written: what is laid behind it has no place.
    /// </summary>
    internal bool HasFailed
    {
        get
        {
            lock (_gate)
            {
                return _written.Any(w => !w.Answer.IsDone);
            }
        }
    }

    /// <summary>Answers all that joined a batch.</summary>
    internal void Finish(List<WriteItem> items, HomeAnswer answer)
    {
        lock (_gate)
        {
            items.ForEach(i => _bytes -= i.Bytes);
            _count -= items.Count;
        }

        items.ForEach(i => i.Complete(answer));
    }

    internal void Finish(WriteItem item, HomeAnswer answer)
    {
        lock (_gate)
        {
            _bytes -= item.Bytes;
            _count--;
        }

        item.Complete(answer);
    }

    private Task<HomeAnswer> Add(WriteItem item)
    {
        if (_isClosed)
        {
            item.Complete(Closed());
            return item.Answer;
        }

        _items.Enqueue(item);
        _waitingBytes += item.Bytes;
        _waitingCopiedBytes += item.CopiedBytes;
        _bytes += item.Bytes;
        _count++;
        PulseWhereDue();
        return item.Answer;
    }

    private bool TryDequeue([MaybeNullWhen(false)] out WriteItem item)
    {
        bool isThere = _items.TryDequeue(out item);
        _waitingBytes -= item?.Bytes ?? 0;
        _waitingCopiedBytes -= item?.CopiedBytes ?? 0;
        return isThere;
    }

    private void Await(Func<bool> isBusy)
    {
        lock (_gate)
        {
            _isAwaited = true;
            while (isBusy())
            {
                Monitor.Wait(_gate);
            }

            _isAwaited = false;
        }
    }

    // Either who has the turn waits for what is under way, or who wrote a batch for the sync of the one before.
    private void PulseWhereAwaited()
    {
        if (_isAwaited || _isWriting)
        {
            Monitor.PulseAll(_gate);
        }
    }

    private void PulseWhereDue()
    {
        if (IsDue && !_isLaying)
        {
            Monitor.Pulse(_gate);
        }
    }

    private HomeAnswer Closed() =>
        new(ErrorKind.DiskOffline, $"Disk {disk} is being closed: ask the map who has it next.");
}

/// <summary>A batch, and what those that joined it are to be answered: done when it is durable.</summary>
internal readonly record struct WrittenBatch(WriteBatch Batch, HomeAnswer Answer);
