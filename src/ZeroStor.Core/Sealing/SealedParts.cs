namespace ZeroStor.Sealing;

/// <summary>Sealed bytes that lie in parts, one behind the other, as shards hold them; read forward, a
/// segment at a time. A segment within one part is read where it lies; one that goes across an end, as one of
/// each shard does, is joined in a rented buffer, which the next one takes again. The parts are the caller's
/// to keep.</summary>
internal ref struct SealedParts
{
    private readonly ReadOnlySpan<ReadOnlyMemory<byte>> _parts;
    private ReadOnlySpan<byte> _current;
    private int _next;
    private SharedBuffer? _joined;

    public SealedParts(ReadOnlySpan<byte> whole)
    {
        _current = whole;
        Length = whole.Length;
    }

    public SealedParts(ReadOnlySpan<ReadOnlyMemory<byte>> parts)
    {
        _parts = parts;
        foreach (ReadOnlyMemory<byte> part in parts)
        {
            Length += part.Length;
        }
    }

    /// <summary>Bytes of all parts.</summary>
    public int Length { get; }

    /// <summary>The next bytes, until they are asked for again.</summary>
    /// <param name="bytes">At most a sealed segment, and no more than are left.</param>
    public ReadOnlySpan<byte> Next(int bytes)
    {
        while (_current.IsEmpty && _next < _parts.Length)
        {
            _current = _parts[_next++].Span;
        }

        if (bytes > _current.Length)
        {
            return Join(bytes);
        }

        ReadOnlySpan<byte> next = _current[..bytes];
        _current = _current[bytes..];
        return next;
    }

    public void Dispose()
    {
        _joined?.Release();
        _joined = null;
    }

    private ReadOnlySpan<byte> Join(int bytes)
    {
        _joined ??= BufferPool.Shared.Rent(StripeCipher.SealedSegmentBytes);
        Span<byte> rest = _joined.Span[..bytes];
        while (!rest.IsEmpty)
        {
            if (_current.IsEmpty)
            {
                _current = _parts[_next++].Span;
            }

            int some = Math.Min(rest.Length, _current.Length);
            _current[..some].CopyTo(rest);
            _current = _current[some..];
            rest = rest[some..];
        }

        return _joined.Span[..bytes];
    }
}
