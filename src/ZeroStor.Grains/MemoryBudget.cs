namespace ZeroStor.Grains;

/// <summary>Hands out a bounded number of bytes, first come, first served. Thread-safe.</summary>
internal sealed class MemoryBudget(long bytes)
{
    private readonly long _all = bytes;
    private readonly Lock _lock = new();
    private readonly LinkedList<(long Bytes, TaskCompletionSource Granted)> _waiting = new();
    private long _free = bytes;

    /// <summary>Bytes that are not free.</summary>
    public long Taken => _all - FreeBytes;

    /// <summary>Those who wait for theirs.</summary>
    public int Waiting
    {
        get
        {
            lock (_lock)
            {
                return _waiting.Count;
            }
        }
    }

    public long FreeBytes
    {
        get
        {
            lock (_lock)
            {
                return _free;
            }
        }
    }

    /// <summary>Takes <paramref name="wanted"/> bytes, or all of a smaller budget, as soon as those who came
    /// before have theirs. What is returned must be given back.</summary>
    public async Task<long> TakeAsync(long wanted, CancellationToken cancel)
    {
        wanted = Math.Min(wanted, _all);
        LinkedListNode<(long, TaskCompletionSource)> node;
        lock (_lock)
        {
            if (_waiting.Count == 0 && _free >= wanted)
            {
                _free -= wanted;
                return wanted;
            }

            node = _waiting.AddLast((wanted, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)));
        }

        using CancellationTokenRegistration given = cancel.Register(() => GiveUp(node));
        await node.ValueRef.Item2.Task;
        return wanted;
    }

    public void Give(long taken)
    {
        lock (_lock)
        {
            _free += taken;
            Grant();
        }
    }

    private void GiveUp(LinkedListNode<(long Bytes, TaskCompletionSource Granted)> node)
    {
        lock (_lock)
        {
            if (node.List is not null)
            {
                _waiting.Remove(node);
                node.ValueRef.Granted.TrySetCanceled();
                Grant();
            }
        }
    }

    private void Grant()
    {
        while (_waiting.First is { } next && next.ValueRef.Bytes <= _free)
        {
            _waiting.RemoveFirst();
            _free -= next.ValueRef.Bytes;
            next.ValueRef.Granted.TrySetResult();
        }
    }
}
