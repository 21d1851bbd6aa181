using System.IO.Pipelines;

namespace ZeroStor.Contracts.Links;

/// <summary>The sending end of a link. What is written lies in rented blocks until it is flushed; a flush
/// hands them to the socket and ends when that has taken all, so a slow peer holds up who writes instead of
/// filling memory. Whoever writes is always given room for a long message, so Orleans lays it out in place.
/// One caller at a time, but for <see cref="CancelPendingFlush"/>.</summary>
internal sealed class LinkWriter(Stream to) : PipeWriter, IDisposable
{
    private readonly CancellationTokenSource _closing = new();
    private readonly Queue<BufferSlice> _full = new();
    private SharedBuffer? _block;
    private int _written;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _full.Sum(f => (long)f.Length) + _written;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        int asked = Math.Max(sizeHint, LinkBlocks.LongMessageBytes);
        if (_block is null || _block.Capacity - _written < asked)
        {
            EndBlock();
            _block = BufferPool.Shared.Rent(Math.Max(sizeHint, LinkBlocks.BlockBytes));
        }

        return _block.Memory[_written..];
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, (_block?.Capacity ?? 0) - _written);
        _written += bytes;
    }

    /// <summary>Completed: the peer is gone. Cancelled: the link is being closed, and a part of what was
    /// written may have left.</summary>
    public override async ValueTask<FlushResult> FlushAsync(
        CancellationToken cancellationToken = default)
    {
        EndBlock();
        using CancellationTokenSource? either = cancellationToken.CanBeCanceled
            ? CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token)
            : null;
        try
        {
            while (_full.TryPeek(out BufferSlice full))
            {
                await to.WriteAsync(full.Memory, either?.Token ?? _closing.Token);
                _full.Dequeue().Release();
            }

            return new FlushResult(_closing.IsCancellationRequested, isCompleted: false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new FlushResult(isCanceled: true, isCompleted: false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return new FlushResult(isCanceled: false, isCompleted: true);
        }
    }

    /// <summary>Ends a flush that waits, and every later one: Orleans cancels when it closes a connection, and
    /// never else.</summary>
    public override void CancelPendingFlush() => _closing.Cancel();

    /// <summary>Gives up what was not flushed.</summary>
    public override void Complete(Exception? exception = null)
    {
        EndBlock();
        while (_full.TryDequeue(out BufferSlice full))
        {
            full.Release();
        }
    }

    /// <summary>When nobody writes any more.</summary>
    public void Dispose()
    {
        Complete();
        _closing.Dispose();
    }

    // A block that nothing was written into goes back at once.
    private void EndBlock()
    {
        if (_block is not { } block)
        {
            return;
        }

        if (_written > 0)
        {
            _full.Enqueue(block.Slice(0, _written));
        }
        else
        {
            block.Release();
        }

        _block = null;
        _written = 0;
    }
}
