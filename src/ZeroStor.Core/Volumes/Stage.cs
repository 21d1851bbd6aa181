namespace ZeroStor.Volumes;

/// <summary>Bytes laid one behind the other in memory that is aligned as devices want it, so that they are
/// written as they lie. Large ones are not copied, but taken from where they are as far as they are whole blocks. Used
/// by one thread at a time.</summary>
internal sealed class Stage(BufferPool pool)
{
    /// <summary>Of a piece: so large that a batch has few of them, so small that a lone record holds little.
    /// </summary>
    internal const int PieceBytes = 1024 * 1024;

    private readonly List<SharedBuffer> _buffers = [];
    private readonly List<ReadOnlyMemory<byte>> _pieces = [];

    // In the last buffer: the piece that is being laid.
    private int _from = PieceBytes;
    private int _to = PieceBytes;

    /// <summary>What was laid so far.</summary>
    internal long Bytes { get; private set; }

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

    /// <summary>Adds bytes that stay where they are, and as they are, until this is released; before them so many zeros
    /// that they begin as far behind a whole block as they do in memory.</summary>
    internal void AddAsItLies(BufferSlice bytes)
    {
        AddZeros(RecordFormat.ToBlock(Bytes - bytes.Offset));
        int ahead = Math.Min(RecordFormat.ToBlock(bytes.Offset), bytes.Length);
        int blocks = (bytes.Length - ahead) / RecordFormat.BlockBytes * RecordFormat.BlockBytes;
        Add(bytes.Span[..ahead]);
        if (blocks > 0)
        {
            EndPiece();
            _pieces.Add(bytes.Memory.Slice(ahead, blocks));
            Bytes += blocks;
        }

        Add(bytes.Span[(ahead + blocks)..]);
    }

    /// <summary>What was laid so far. Good until it is released.</summary>
    internal List<ReadOnlyMemory<byte>> Pieces()
    {
        EndPiece();
        return [.. _pieces];
    }

    /// <summary>Gives the memory back; what is laid afterwards begins anew.</summary>
    internal void Release()
    {
        _buffers.ForEach(b => b.Release());
        _buffers.Clear();
        _pieces.Clear();
        _from = _to = PieceBytes;
        Bytes = 0;
    }

    // What comes next, as far as it fits into one piece.
    private Span<byte> Next(int bytes)
    {
        if (_to == PieceBytes)
        {
            EndPiece();
            _buffers.Add(pool.Rent(PieceBytes));
            _from = _to = 0;
        }

        Span<byte> next = _buffers[^1].Span.Slice(_to, Math.Min(bytes, PieceBytes - _to));
        _to += next.Length;
        Bytes += next.Length;
        return next;
    }

    private void EndPiece()
    {
        if (_to > _from)
        {
            _pieces.Add(_buffers[^1].Memory[_from.._to]);
            _from = _to;
        }
    }
}
