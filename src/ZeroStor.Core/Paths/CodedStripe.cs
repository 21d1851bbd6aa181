using System.Collections.Immutable;
using ZeroStor.Erasure;
using ZeroStor.Sealing;

namespace ZeroStor.Paths;

/// <summary>A stripe sealed and coded in one rented buffer: k data shards, which are consecutive slices of
/// the sealed bytes, then m parity shards, with the sums of all n. Disposing gives up its count of the
/// buffer; orders that are under way keep their own.
/// <para>Segments are compressed where that pays and sealed, straight from the content to where they belong
/// in the data shards (<see cref="StripeSealer"/>), and a data shard is summed as soon as it is whole, while
/// it is in the cache. Parity is coded in a second pass: adding each segment to all parity shards as it is
/// sealed would read and write those k times.</para></summary>
internal sealed class CodedStripe : IDisposable
{
    private readonly Code _code;
    private readonly SharedBuffer _buffer;
    private readonly Sum128[] _sums;
    private int _shardBytes;
    private int _summed;
    private ImmutableArray<RecordExtension> _extensions;

    private CodedStripe(Code code, SealId seal, int contentBytes)
    {
        (_code, Seal, ContentBytes) = (code, seal, contentBytes);
        _sums = new Sum128[code.N];
        _buffer = BufferPool.Shared.Rent(
            Geometry.ShardBytes(code, Geometry.PlainSealedBytes(contentBytes)) * code.N);
    }

    public SealId Seal { get; }

    public int ContentBytes { get; }

    public int SealedBytes { get; private set; }

    public Sum128 SumsDigest { get; private set; }

    /// <exception cref="ZeroStorException">InvalidArgument: sealed bytes that are not so many as the content
    /// comes to.</exception>
    public static CodedStripe Make(StripeToWrite stripe, SealId seal)
    {
        int partBytes = 0;
        foreach (ReadOnlyMemory<byte> part in stripe.Parts)
        {
            partBytes += part.Length;
        }

        int contentBytes = stripe.Sealed?.ContentBytes ?? partBytes;
        if (stripe.Sealed is not null && !StripeOpener.IsSealedLength(contentBytes, partBytes))
        {
            throw ZeroStorException.Invalid(
                $"{partBytes} sealed bytes are not what {contentBytes} bytes of content come to: those are at most "
                + $"{Geometry.PlainSealedBytes(contentBytes)}.");
        }

        var coded = new CodedStripe(stripe.Code, seal, contentBytes);
        try
        {
            if (stripe.Sealed is null)
            {
                coded.SealIn(stripe);
            }
            else
            {
                coded.CopyIn(stripe, partBytes);
            }

            coded.AddParity();
            coded._extensions = coded.ExtensionsFor(stripe);
            return coded;
        }
        catch
        {
            coded.Dispose();
            throw;
        }
    }

    /// <summary>The order that brings shard <paramref name="place"/> to its home.</summary>
    public ShardAppend Order(
        StripeToWrite stripe, StripeId id, PlacementGroup group, int place, DiskEntry home, Tick now) => new()
        {
            To = new DiskAddress(home.Id, home.Claim),
            Epoch = group.Epoch,
            Header = new ShardHeader
            {
                Stripe = id,
                Content = stripe.Content,
                Vault = stripe.Vault,
                Seal = Seal,
                Group = group.Id,
                Place = (byte)place,
                Code = stripe.Code,
                Ordinal = (uint)stripe.Ordinal,
                ContentBytes = ContentBytes,
                SealedBytes = SealedBytes,
                ShardBytes = _shardBytes,
                Tick = now,
                ShardSum = _sums[place],
                SumsDigest = SumsDigest,
            },
            Extensions = place <= stripe.Code.M ? _extensions : [],
            Payload = Shard(place),
        };

    /// <summary>The bytes of one shard, for as long as this is not disposed, or as they are held.</summary>
    public BufferSlice Shard(int place) => _buffer.Slice(place * _shardBytes, _shardBytes);

    public Sum128 SumOf(int place) => _sums[place];

    public void Dispose() => _buffer.Release();

    private void SealIn(StripeToWrite stripe)
    {
        using var sealer = new StripeSealer(
            stripe.Key!, Seal, stripe.Ordinal, stripe.Parts, stripe.Compression, _buffer.Memory);
        Lay(sealer.SealedBytes);
        while (sealer.Next(out int sealedSoFar))
        {
            SumWhole(sealedSoFar);
        }
    }

    private void CopyIn(StripeToWrite stripe, int sealedBytes)
    {
        Lay(sealedBytes);
        int filledBytes = 0;
        foreach (ReadOnlyMemory<byte> part in stripe.Parts)
        {
            part.Span.CopyTo(_buffer.Span[filledBytes..]);
            filledBytes += part.Length;
            SumWhole(filledBytes);
        }
    }

    private void Lay(int sealedBytes)
    {
        SealedBytes = sealedBytes;
        _shardBytes = Geometry.ShardBytes(_code, sealedBytes);
    }

    // Sums the data shards that are whole and not summed yet.
    private void SumWhole(int filledBytes)
    {
        for (; _summed < _code.K && (_summed + 1) * _shardBytes <= filledBytes; _summed++)
        {
            _sums[_summed] = Sum128.Of(Shard(_summed).Span);
        }
    }

    private void AddParity()
    {
        _buffer.Span[SealedBytes..(_shardBytes * _code.K)].Clear();
        SumWhole(_shardBytes * _code.K);
        var data = new ReadOnlyMemory<byte>[_code.K];
        for (int place = 0; place < _code.K; place++)
        {
            data[place] = Shard(place).Memory;
        }

        var parity = new Memory<byte>[_code.M];
        for (int place = 0; place < _code.M; place++)
        {
            parity[place] = Shard(_code.K + place).Memory;
        }

        ReedSolomon.For(_code).Encode(data, parity);
        for (int place = _code.K; place < _code.N; place++)
        {
            _sums[place] = Sum128.Of(Shard(place).Span);
        }

        SumsDigest = Sum128.Digest(_sums);
    }

    // The first m+1 places say what all n sums must be, so one of them is left whichever m are lost.
    private ImmutableArray<RecordExtension> ExtensionsFor(StripeToWrite stripe)
    {
        RecordExtension sums = ShardSums.ToExtension(_sums);
        return stripe.SealedManifest.IsEmpty
            ? [sums]
            : [sums, new RecordExtension(ExtensionType.Manifest, stripe.SealedManifest)];
    }
}
