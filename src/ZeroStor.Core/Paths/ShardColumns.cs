using ZeroStor.Erasure;

namespace ZeroStor.Paths;

/// <summary>Of a stripe's shards the columns that a range of its sealed bytes takes, as they come in: of its
/// one data shard those of the range, of several the whole shards. From any k of them the range is there; its
/// bytes are read where they came to, and none is copied but for who wants them joined. Owns what it takes
/// until disposed. Shards may be taken on several threads at once; nothing else may.</summary>
internal sealed class ShardColumns : IDisposable
{
    private readonly Code _code;
    private readonly int _shardBytes;
    private readonly BufferSlice?[] _columns;
    private int _count;

    /// <param name="code">The stripe's code.</param>
    /// <param name="stripeBytes">Sealed bytes of the whole stripe.</param>
    /// <param name="sealedOffset">Where the range begins in them.</param>
    /// <param name="sealedBytes">Bytes of the range, at least one.</param>
    public ShardColumns(Code code, int stripeBytes, int sealedOffset, int sealedBytes)
    {
        _code = code;
        _shardBytes = Geometry.ShardBytes(code, stripeBytes);
        First = sealedOffset / _shardBytes;
        Last = (sealedOffset + sealedBytes - 1) / _shardBytes;
        bool isOneShard = First == Last;
        Offset = isOneShard ? sealedOffset % _shardBytes : 0;
        Bytes = isOneShard ? sealedBytes : _shardBytes;
        _columns = new BufferSlice?[code.N];
    }

    /// <summary>The first data shard that the range touches.</summary>
    public int First { get; }

    /// <summary>The last one.</summary>
    public int Last { get; }

    /// <summary>The first column.</summary>
    public int Offset { get; }

    /// <summary>Columns, hence bytes of each shard.</summary>
    public int Bytes { get; }

    /// <summary>Shards that were taken.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Whether the data shards that the range touches are all there, so that none need be rebuilt.
    /// </summary>
    public bool HasWanted
    {
        get
        {
            for (int place = First; place <= Last; place++)
            {
                if (_columns[place] is null)
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>Whether the range can be read: as it is, or rebuilt.</summary>
    public bool IsEnough => HasWanted || Count >= _code.K;

    public bool Has(int place) => _columns[place] is not null;

    /// <summary>Takes the columns of one shard, and the count of them that its giver held.</summary>
    public void Take(int place, BufferSlice column)
    {
        _columns[place] = column;
        Interlocked.Increment(ref _count);
    }

    /// <summary>Rebuilds the data shards that the range touches and that did not come.</summary>
    /// <exception cref="ZeroStorException">TooFewShards.</exception>
    public void Rebuild()
    {
        var present = new ReadOnlyMemory<byte>[_code.N];
        var wanted = new Memory<byte>[_code.N];
        for (int place = 0; place < _code.N; place++)
        {
            present[place] = _columns[place]?.Memory ?? default;
        }

        for (int place = First; place <= Last; place++)
        {
            if (_columns[place] is null)
            {
                Take(place, BufferPool.Shared.RentSlice(Bytes));
                wanted[place] = _columns[place]!.Value.Memory;
            }
        }

        ReedSolomon.For(_code).Reconstruct(present, wanted);
    }

    /// <summary>So much of the range, in order, where it lies. The data shards that it touches are all there.
    /// </summary>
    /// <param name="sealedOffset">Where it begins in the stripe's sealed bytes.</param>
    /// <param name="sealedBytes">Its bytes, at least one.</param>
    public ReadOnlyMemory<byte>[] Parts(int sealedOffset, int sealedBytes)
    {
        int first = sealedOffset / _shardBytes;
        int last = (sealedOffset + sealedBytes - 1) / _shardBytes;
        var parts = new ReadOnlyMemory<byte>[last - first + 1];
        int left = sealedBytes;
        for (int place = first; place <= last; place++)
        {
            ReadOnlyMemory<byte> part = _columns[place]!.Value.Memory[SkipOf(place, sealedOffset)..];
            part = part[..Math.Min(part.Length, left)];
            parts[place - first] = part;
            left -= part.Length;
        }

        return parts;
    }

    /// <summary>As <see cref="Parts"/>, joined in one buffer, which the caller releases. What lies in one
    /// shard is not copied.</summary>
    public BufferSlice Join(int sealedOffset, int sealedBytes)
    {
        ReadOnlyMemory<byte>[] parts = Parts(sealedOffset, sealedBytes);
        if (parts.Length == 1)
        {
            int place = sealedOffset / _shardBytes;
            return _columns[place]!.Value.Slice(SkipOf(place, sealedOffset), sealedBytes).Hold();
        }

        BufferSlice whole = BufferPool.Shared.RentSlice(sealedBytes);
        Span<byte> target = whole.Span;
        foreach (ReadOnlyMemory<byte> part in parts)
        {
            part.Span.CopyTo(target);
            target = target[part.Length..];
        }

        return whole;
    }

    public void Dispose()
    {
        for (int place = 0; place < _columns.Length; place++)
        {
            _columns[place]?.Release();
            _columns[place] = null;
        }
    }

    private int SkipOf(int place, int sealedOffset) => Math.Max(0, sealedOffset - (place * _shardBytes) - Offset);
}
