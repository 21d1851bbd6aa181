namespace ZeroStor.Volumes;

/// <summary>What waits for the writer of a disk, bounded in bytes and in number. An item counts until it is
/// answered, so what is being written counts too. Thread-safe; one thread takes.</summary>
internal sealed class WriteQueue(DiskId disk, DiskOptions options)
{
    private readonly object _gate = new();
    private readonly Queue<WriteItem> _items = new();
    private long _bytes;
    private int _count;
    private bool _isClosed;
    private bool _isMarkDue;

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
            while (dropsWaiting && _items.TryDequeue(out WriteItem? item))
            {
                Finish(item, Closed());
            }

            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Waits for work and takes a batch's worth; false when the queue is closed and empty.</summary>
    internal bool Take(Queue<WriteItem> items, out bool isMarkDue)
    {
        lock (_gate)
        {
            while (_items.Count == 0 && !_isClosed && !_isMarkDue)
            {
                Monitor.Wait(_gate);
            }

            isMarkDue = _isMarkDue;
            _isMarkDue = false;
            long bytes = 0;
            while (bytes < options.BatchBytes && _items.TryDequeue(out WriteItem? item))
            {
                bytes += item.Bytes;
                items.Enqueue(item);
            }

            return items.Count > 0 || !_isClosed;
        }
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
        _bytes += item.Bytes;
        _count++;
        Monitor.Pulse(_gate);
        return item.Answer;
    }

    private HomeAnswer Closed() =>
        new(ErrorKind.DiskOffline, $"Disk {disk} is being closed: ask the map who has it next.");
}
