namespace ZeroStor.Cluster.Tests;

/// <summary>The same bytes several times, one after the other.</summary>
internal sealed class RepeatedStream(byte[] content, int times) : ReadOnlyStream
{
    private long _position;

    public override int Read(Span<byte> buffer)
    {
        long left = ((long)content.Length * times) - _position;
        int at = (int)(_position % content.Length);
        int bytes = (int)Math.Min(Math.Min(buffer.Length, left), content.Length - at);
        content.AsSpan(at, bytes).CopyTo(buffer);
        _position += bytes;
        return bytes;
    }
}

/// <summary>Zeros, until it cancels its own reader.</summary>
internal sealed class CancellingStream(long after, CancellationTokenSource cancel) : ReadOnlyStream
{
    private long _read;

    public override int Read(Span<byte> buffer)
    {
        _read += buffer.Length;
        if (_read > after)
        {
            cancel.Cancel();
        }

        buffer.Clear();
        return buffer.Length;
    }
}

/// <summary>Zeros, and something that happens on the way.</summary>
internal sealed class EventfulStream(long bytes, Func<Task> halfway) : ReadOnlyStream
{
    private long _read;
    private bool _happened;

    public override int Read(Span<byte> buffer)
    {
        int now = (int)Math.Min(buffer.Length, bytes - _read);
        buffer[..now].Clear();
        _read += now;
        return now;
    }

    public override async ValueTask<int> ReadAsync(
        Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!_happened && _read >= bytes / 2)
        {
            _happened = true;
            await halfway();
        }

        return Read(buffer.Span);
    }
}

/// <summary>What a stream that can only be read has to say no to.</summary>
internal abstract class ReadOnlyStream : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public abstract override int Read(Span<byte> buffer);

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(Read(buffer.Span));

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
