using System.Collections.Immutable;
using ZeroStor.Erasure;
using ZeroStor.Sealing;

namespace ZeroStor.Paths;

/// <summary>A stripe sealed and coded in one rented buffer: k data shards, which are consecutive slices of
/// the sealed bytes, then m parity shards, with the sums of all n. Disposing gives up its count of the
/// buffer; orders that are under way keep their own.</summary>
internal sealed class CodedStripe : IDisposable
{
    private readonly SharedBuffer _buffer;
    private readonly Sum128[] _sums;
    private readonly int _shardBytes;

    private CodedStripe(SharedBuffer buffer, Sum128[] sums, int shardBytes, int contentBytes, int sealedBytes)
    {
        _buffer = buffer;
        _sums = sums;
        _shardBytes = shardBytes;
        ContentBytes = contentBytes;
        SealedBytes = sealedBytes;
        SumsDigest = Sum128.Digest(sums);
    }

    public SealId Seal { get; private init; }

    public int ContentBytes { get; }

    public int SealedBytes { get; }

    public Sum128 SumsDigest { get; }

    public static CodedStripe Make(StripeToWrite stripe, SealId seal)
    {
        int partBytes = stripe.Parts.Sum(p => p.Length);
        int contentBytes = stripe.Sealed?.ContentBytes ?? partBytes;
        int sealedBytes = Geometry.PlainSealedBytes(contentBytes);
        if (stripe.Sealed is not null && partBytes != sealedBytes)
        {
            throw ZeroStorException.Invalid(
                $"{partBytes} sealed bytes are not what {contentBytes} bytes of content come to: {sealedBytes} are.");
        }

        int shardBytes = Geometry.ShardBytes(stripe.Code, sealedBytes);
        SharedBuffer buffer = BufferPool.Shared.Rent(shardBytes * stripe.Code.N);
        try
        {
            if (stripe.Sealed is null)
            {
                SealParts(stripe, seal, contentBytes, buffer.Span[..sealedBytes]);
            }
            else
            {
                CopyParts(stripe, buffer.Span[..sealedBytes]);
            }

            buffer.Span[sealedBytes..(shardBytes * stripe.Code.K)].Clear();
            Sum128[] sums = CodeAndSum(stripe.Code, buffer, shardBytes);
            return new CodedStripe(buffer, sums, shardBytes, contentBytes, sealedBytes) { Seal = seal };
        }
        catch
        {
            buffer.Release();
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
            Extensions = place <= stripe.Code.M ? Extensions(stripe) : [],
            Payload = _buffer.Slice(place * _shardBytes, _shardBytes),
        };

    public void Dispose() => _buffer.Release();

    private static void SealParts(StripeToWrite stripe, SealId seal, int contentBytes, Span<byte> sealedBytes)
    {
        using StripeCipher cipher = stripe.Key!.ForStripe(seal, stripe.Ordinal);
        int segment = 0;
        foreach (ReadOnlyMemory<byte> part in stripe.Parts)
        {
            int bytes = Geometry.PlainSealedBytes(part.Length);
            cipher.Seal(contentBytes, segment, part.Span, sealedBytes[..bytes]);
            sealedBytes = sealedBytes[bytes..];
            segment += Geometry.SegmentCount(part.Length);
        }
    }

    private static void CopyParts(StripeToWrite stripe, Span<byte> sealedBytes)
    {
        foreach (ReadOnlyMemory<byte> part in stripe.Parts)
        {
            part.Span.CopyTo(sealedBytes);
            sealedBytes = sealedBytes[part.Length..];
        }
    }

    private static Sum128[] CodeAndSum(Code code, SharedBuffer buffer, int shardBytes)
    {
        var shards = new Memory<byte>[code.N];
        for (int place = 0; place < code.N; place++)
        {
            shards[place] = buffer.Memory.Slice(place * shardBytes, shardBytes);
        }

        var readable = Array.ConvertAll(shards, s => (ReadOnlyMemory<byte>)s);
        ReedSolomon.For(code).Encode(readable.AsSpan(0, code.K), shards.AsSpan(code.K));
        var sums = new Sum128[code.N];
        ShardSums.Compute(readable, sums);
        return sums;
    }

    // The first m+1 places say what all n sums must be, so one of them is left whichever m are lost.
    private ImmutableArray<RecordExtension> Extensions(StripeToWrite stripe)
    {
        RecordExtension sums = ShardSums.ToExtension(_sums);
        return stripe.SealedManifest.IsEmpty
            ? [sums]
            : [sums, new RecordExtension(ExtensionType.Manifest, stripe.SealedManifest)];
    }
}
