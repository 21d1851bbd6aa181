using System.Diagnostics.CodeAnalysis;

namespace ZeroStor.Volumes;

/// <summary>What waits for the writer of a disk, bounded in bytes and in number. An item counts until it is
/// answered, so what is being written counts too. It also knows whether a batch is being written, since that
/// decides what is worth waking for. Thread-safe; one thread at a time takes.</summary>
internal sealed class WriteQueue(DiskId disk, DiskOptions options)
{
    private readonly object _gate = new();
    private readonly Queue<WriteItem> _items = new();
    private long _bytes;
    private int _count;
    private bool _isClosed;
    private bool _isMarkDue;

    // Of what was not taken yet, what is to be copied.
    private long _waitingBytes;

    // Whoever takes has something laid already, or waits for nothing but the end of the writing.
    private bool _hasLaid;
    private bool _isAwaited;

    // It sleeps with something laid, and nothing more to lay.
    private bool _sleepsOnLaid;
    private volatile bool _isWriting;

    /// <summary>Whether a batch is being written.</summary>
    internal bool IsWriting => _isWriting;

    /// <summary>Whether who takes waits for the end of that before it goes on.</summary>
    internal bool IsAwaited
    {
        get
        {
            lock (_gate)
            {
                return _isAwaited && _isWriting;
            }
        }
    }

    // Whether who takes has something to do.
    private bool IsDue => _isClosed || _isMarkDue
        || (_isWriting
            ? !_isAwaited && _waitingBytes >= options.LayAheadBytes
            : _isAwaited || _hasLaid || _items.Count > 0);

    /// <summary>Whether who takes sleeps with a batch laid, and has nothing more to lay.</summary>
    internal bool SleepsOnLaid
    {
        get
        {
            lock (_gate)
            {
                return _sleepsOnLaid && !IsDue;
            }
        }
    }

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
            Monitor.Pulse(_gate);
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

            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Takes what still has room in a batch, when there is something to take, or when what was laid
    /// already can be written; false when the queue is closed and empty.</summary>
    /// <param name="items">Where it goes.</param>
    /// <param name="laidBytes">Of the batch that is being laid; 0 when there is none.</param>
    /// <param name="isMarkDue">Whether the durable length is to be repeated.</param>
    internal bool Take(Queue<WriteItem> items, long laidBytes, out bool isMarkDue)
    {
        lock (_gate)
        {
            _hasLaid = laidBytes > 0;
            while (!IsDue)
            {
                _sleepsOnLaid = _hasLaid;
                Monitor.Wait(_gate);
            }

            _sleepsOnLaid = false;
            laidBytes = _hasLaid ? laidBytes : 0;

            isMarkDue = _isMarkDue;
            _isMarkDue = false;
            while (laidBytes < options.BatchBytes && TryDequeue(out WriteItem? item))
            {
                laidBytes += item.Bytes;
                items.Enqueue(item);
            }

            return items.Count > 0 || !_isClosed;
        }
    }

    /// <summary>A batch is being written from now on. Called by who takes.</summary>
    internal void BeginWriting() => _isWriting = true;

    /// <summary>What the batch means for the contents of the disk is known to them. If who takes sleeps with the next
    /// one laid, that is written at once by who wrote this one: waking the other would cost the disk as long as a small
    /// write takes.</summary>
    /// <param name="takeLaid">Takes over what is laid, while who laid it sleeps; null: nothing is to be taken over.
    /// </param>
    /// <returns>What is being written now; null: nothing.</returns>
    internal WriteBatch? EndWriting(Func<WriteBatch?>? takeLaid)
    {
        lock (_gate)
        {
            if (SleepsOnLaid && takeLaid?.Invoke() is { } next)
            {
                _hasLaid = _sleepsOnLaid = false;
                return next;
            }

            _isWriting = false;
            PulseWhereDue();
            return null;
        }
    }

    /// <summary>Waits until no batch is being written. Called by who takes.</summary>
    internal void AwaitWritten()
    {
        lock (_gate)
        {
            _isAwaited = true;
            while (_isWriting)
            {
                Monitor.Wait(_gate);
            }

            _isAwaited = false;
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
        _waitingBytes += item.CopiedBytes;
        _bytes += item.Bytes;
        _count++;
        PulseWhereDue();
        return item.Answer;
    }

    private bool TryDequeue([MaybeNullWhen(false)] out WriteItem item)
    {
        bool isThere = _items.TryDequeue(out item);
        _waitingBytes -= item?.CopiedBytes ?? 0;
        return isThere;
    }

    private void PulseWhereDue()
    {
        if (IsDue)
        {
            Monitor.Pulse(_gate);
        }
    }

    private HomeAnswer Closed() =>
        new(ErrorKind.DiskOffline, $"Disk {disk} is being closed: ask the map who has it next.");
}
