namespace ZeroStor.Volumes;

/// <summary>Bytes laid one behind the other in memory that is aligned as devices want it, so that they are
/// written as they lie. Used by one thread at a time.</summary>
internal sealed class Stage(BufferPool pool)
{
    /// <summary>Of a piece: so large that a batch has few of them, so small that a lone record holds little.
    /// </summary>
    internal const int PieceBytes = 1024 * 1024;

    private readonly List<SharedBuffer> _buffers = [];
    private int _roomBytes;

    internal void Add(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            Span<byte> target = Next(bytes.Length);
            bytes[..target.Length].CopyTo(target);
            bytes = bytes[target.Length..];
        }
    }

    internal void AddZeros(int bytes)
    {
        while (bytes > 0)
        {
            Span<byte> target = Next(bytes);
            target.Clear();
            bytes -= target.Length;
        }
    }

    /// <summary>What was laid so far: full pieces, and a last one. Good until it is released.</summary>
    internal List<ReadOnlyMemory<byte>> Pieces()
    {
        var pieces = new List<ReadOnlyMemory<byte>>();
        foreach (SharedBuffer buffer in _buffers)
        {
            bool isLast = pieces.Count + 1 == _buffers.Count;
            pieces.Add(buffer.Memory[..(isLast ? PieceBytes - _roomBytes : PieceBytes)]);
        }

        return pieces;
    }

    /// <summary>Gives the memory back; what is laid afterwards begins anew.</summary>
    internal void Release()
    {
        _buffers.ForEach(b => b.Release());
        _buffers.Clear();
        _roomBytes = 0;
    }

    // What comes next, as far as it fits into one piece.
    private Span<byte> Next(int bytes)
    {
        if (_roomBytes == 0)
        {
            _buffers.Add(pool.Rent(PieceBytes));
            _roomBytes = PieceBytes;
        }

        Span<byte> next = _buffers[^1].Span.Slice(PieceBytes - _roomBytes, Math.Min(bytes, _roomBytes));
        _roomBytes -= next.Length;
        return next;
    }
}
