using ZeroStor.Contracts;
using ZeroStor.Paths;
using ZeroStor.Sealing;

namespace ZeroStor.Benchmarks;

/// <summary>Whole stripes of one content, as many as a put has under way, in pieces as they come to a
/// coordinator. What is done to them is what the product does; nothing of it is done here.</summary>
internal sealed class BenchStripes : IDisposable
{
    internal static readonly Code Code = new(20, 4);

    // More than a second-level cache holds, as in life.
    internal const int Count = 4;

    private readonly ContentKey _key;
    private readonly BufferSlice[] _pieces;
    private readonly StripeToWrite[] _writes = new StripeToWrite[Count];
    private readonly StripeToWrite[] _uncompressed = new StripeToWrite[Count];
    private readonly CodedStripe[] _coded = new CodedStripe[Count];
    private readonly StripeToRead[] _reads = new StripeToRead[Count];

    /// <param name="fill">Makes the content of a piece.</param>
    internal BenchStripes(Action<Span<byte>> fill)
    {
        var vault = new VaultId(1);
        IEntropy entropy = SystemEntropy.Instance;
        using PrivateKeys own = PrivateKeys.Generate(vault, suite: null, entropy);
        using VaultKeys keys = KeyRing.Create(own, Custody.Fabric, new Tick(1), entropy).Unlock(own);
        var content = ContentId.New(new Tick(1), entropy);
        _key = keys.NewContentKey(content, entropy, out _);
        int piecesPerStripe = StripeBytes / Geometry.MaxPieceBytes;
        _pieces = new BufferSlice[Count * piecesPerStripe];
        for (int i = 0; i < _pieces.Length; i++)
        {
            _pieces[i] = BufferPool.Shared.RentSlice(Geometry.MaxPieceBytes);
            fill(_pieces[i].Span);
        }

        for (int i = 0; i < Count; i++)
        {
            _writes[i] = new StripeToWrite
            {
                Vault = vault,
                Content = content,
                Key = _key,
                Class = new ClassId(1),
                Code = Code,
                WriteFloor = Code.DefaultWriteFloor,
                Ordinal = i,
                Parts = [.. _pieces
                    .Skip(i * piecesPerStripe)
                    .Take(piecesPerStripe)
                    .Select(p => (ReadOnlyMemory<byte>)p.Memory)],
            };
            _uncompressed[i] = _writes[i] with { Compression = Compression.Off };
            CodedStripe coded = Make(i);
            _coded[i] = coded;
            _reads[i] = new StripeToRead
            {
                Vault = vault,
                Content = content,
                Key = _key,
                Code = Code,
                Ordinal = i,
                Stripe = new StripeRef(
                    new StripeId(coded.Seal.Value), new GroupId(1), coded.Seal, coded.ContentBytes,
                    coded.SealedBytes, coded.SumsDigest),
                Offset = 0,
                Length = coded.ContentBytes,
            };
            Check(i);
        }
    }

    internal static int StripeBytes => Geometry.StripeBytes(Code);

    /// <summary>Sealed bytes for each of content.</summary>
    internal double SealedPart => _coded.Average(c => c.SealedBytes / (double)c.ContentBytes);

    /// <summary>Seals, codes and sums a stripe under a fresh name, as is due to whatever is sealed again.
    /// </summary>
    internal CodedStripe Make(int stripe) =>
        CodedStripe.Make(_writes[stripe], SealId.New(SystemEntropy.Instance));

    /// <summary>As <see cref="Make"/>, in a vault that does not compress.</summary>
    internal CodedStripe MakeUncompressed(int stripe) =>
        CodedStripe.Make(_uncompressed[stripe], SealId.New(SystemEntropy.Instance));

    /// <summary>Seals and sums a stripe, and codes nothing.</summary>
    internal UncodedStripe MakeUncoded(int stripe) => new(_writes[stripe], SealId.New(SystemEntropy.Instance));

    /// <summary>Checks the sums of k shards, as their homes do, and opens the stripe from them.</summary>
    /// <param name="stripe">Which.</param>
    /// <param name="lost">So many of its data shards are not there; as many parity shards are.</param>
    internal BufferSlice Open(int stripe, int lost)
    {
        CodedStripe coded = _coded[stripe];
        using var columns = new ShardColumns(Code, coded.SealedBytes, 0, coded.SealedBytes);
        for (int place = lost; place < Code.K + lost; place++)
        {
            BufferSlice shard = coded.Shard(place);
            if (Sum128.Of(shard.Span) != coded.SumOf(place))
            {
                throw ZeroStorException.Corrupt($"Shard {place} does not have its sum.");
            }

            columns.Take(place, shard.Hold());
        }

        if (!columns.HasWanted)
        {
            columns.Rebuild();
        }

        using var opener = new StripeOpener(_key, _reads[stripe].Stripe, _reads[stripe].Ordinal);
        return ReadStripe.Open(_reads[stripe], opener, columns);
    }

    public void Dispose()
    {
        Array.ForEach(_coded, c => c.Dispose());
        Array.ForEach(_pieces, p => p.Release());
        _key.Dispose();
    }

    // What is measured must be right.
    private void Check(int stripe)
    {
        foreach (int lost in (int[])[0, Code.M])
        {
            BufferSlice opened = Open(stripe, lost);
            Span<byte> rest = opened.Span;
            foreach (ReadOnlyMemory<byte> part in _writes[stripe].Parts)
            {
                if (!rest[..part.Length].SequenceEqual(part.Span))
                {
                    throw ZeroStorException.Corrupt($"Stripe {stripe} opens to other bytes than were sealed.");
                }

                rest = rest[part.Length..];
            }

            opened.Release();
        }
    }
}
