using ZeroStor.Paths;
using ZeroStor.Sealing;

namespace ZeroStor.Benchmarks;

/// <summary>A stripe sealed and cut into slices as a code's data shards are, each summed, without parity: what
/// is stored as copies.</summary>
internal sealed class UncodedStripe : IDisposable
{
    private readonly SharedBuffer _buffer;
    private readonly int _shardBytes;
    private readonly Sum128[] _sums;

    internal UncodedStripe(StripeToWrite stripe, SealId seal)
    {
        int contentBytes = stripe.Parts.Sum(p => p.Length);
        int sealedBytes = Geometry.PlainSealedBytes(contentBytes);
        _shardBytes = Geometry.ShardBytes(stripe.Code, sealedBytes);
        _buffer = BufferPool.Shared.Rent(_shardBytes * stripe.Code.K);
        _sums = new Sum128[stripe.Code.K];
        using StripeCipher cipher = stripe.Key!.ForStripe(seal, stripe.Ordinal);
        int segment = 0;
        int filledBytes = 0;
        foreach (ReadOnlyMemory<byte> part in stripe.Parts)
        {
            int bytes = Geometry.PlainSealedBytes(part.Length);
            cipher.Seal(contentBytes, segment, part.Span, _buffer.Span.Slice(filledBytes, bytes));
            segment += Geometry.SegmentCount(part.Length);
            filledBytes += bytes;
        }

        _buffer.Span[sealedBytes..(_shardBytes * stripe.Code.K)].Clear();
        for (int place = 0; place < stripe.Code.K; place++)
        {
            _sums[place] = Sum128.Of(Shard(place).Span);
        }
    }

    internal BufferSlice Shard(int place) => _buffer.Slice(place * _shardBytes, _shardBytes);

    internal Sum128 SumOf(int place) => _sums[place];

    public void Dispose() => _buffer.Release();
}
