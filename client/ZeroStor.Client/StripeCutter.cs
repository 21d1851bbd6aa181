using System.Collections.Immutable;
using ZeroStor.Sealing;

namespace ZeroStor.Client;

/// <summary>Where a put's bytes come from: fills as much of the target as it has at hand; 0 is the
/// end.</summary>
internal delegate ValueTask<int> ReadBytes(Memory<byte> target, CancellationToken cancel);

/// <summary>A stripe's content in pieces, each a counted buffer that this owns until <see cref="Dispose"/>: a
/// stripe that failed is sent again from here.</summary>
internal sealed class CutStripe(int ordinal, ImmutableArray<BufferSlice> pieces, bool isLast) : IDisposable
{
    /// <summary>Sealed bytes travel in pieces of as many as a piece of content comes to.</summary>
    public static readonly int SealedPieceBytes = Geometry.PlainSealedBytes(Geometry.MaxPieceBytes);

    public int Ordinal => ordinal;

    /// <summary>Names the sealing, where the pieces are sealed bytes; null: they are content.</summary>
    public SealId? Seal { get; private init; }

    /// <summary>Content in it.</summary>
    public int ContentBytes { get; private init; } = pieces.Sum(p => p.Length);

    public ImmutableArray<BufferSlice> Pieces => pieces;

    public bool IsLast => isLast;

    /// <summary>Bytes of all pieces.</summary>
    public int Bytes { get; } = pieces.Sum(p => p.Length);

    /// <summary>The stripe sealed for a content, compressed where that pays, in a buffer of its own.</summary>
    public CutStripe SealWith(ContentKey key, Compression compression, IEntropy entropy, BufferPool buffers)
    {
        SealId seal = SealId.New(entropy);
        SharedBuffer buffer = buffers.Rent(Geometry.PlainSealedBytes(Bytes));
        try
        {
            using var sealer = new StripeSealer(
                key,
                seal,
                ordinal,
                [.. pieces.Select(p => (ReadOnlyMemory<byte>)p.Memory)],
                compression,
                buffer.Memory);
            while (sealer.Next(out _))
            {
            }

            var sealedPieces = ImmutableArray.CreateBuilder<BufferSlice>();
            for (int at = 0; at < sealer.SealedBytes; at += SealedPieceBytes)
            {
                int bytes = Math.Min(SealedPieceBytes, sealer.SealedBytes - at);
                sealedPieces.Add(buffer.Slice(at, bytes).Hold());
            }

            return new CutStripe(ordinal, sealedPieces.ToImmutable(), isLast) { Seal = seal, ContentBytes = Bytes };
        }
        finally
        {
            buffer.Release();
        }
    }

    public void Dispose()
    {
        foreach (BufferSlice piece in pieces)
        {
            piece.Release();
        }
    }
}

/// <summary>Cuts bytes of unknown length into stripes of a code, straight into rented pieces (a whole stripe
/// is a whole number of pieces). It reads a little ahead: the last stripe is known as such when it is handed
/// out, for it carries the manifest. Not thread-safe.</summary>
internal sealed class StripeCutter(ReadBytes read, Code code, BufferPool buffers) : IDisposable
{
    private readonly int _piecesPerStripe = Geometry.StripeBytes(code) / Geometry.MaxPieceBytes;
    private SharedBuffer? _ahead;
    private int _aheadBytes;
    private bool _ended;
    private int _next;

    /// <summary>Bytes of all stripes handed out.</summary>
    public long TotalBytes { get; private set; }

    /// <summary>The next stripe; null behind the last. No bytes at all are no stripe.</summary>
    public async ValueTask<CutStripe?> NextAsync(CancellationToken cancel)
    {
        var pieces = ImmutableArray.CreateBuilder<BufferSlice>(_piecesPerStripe);
        try
        {
            while (pieces.Count < _piecesPerStripe && await FillAsync(Geometry.MaxPieceBytes, cancel))
            {
                pieces.Add(_ahead!.Slice(0, _aheadBytes));
                _ahead = null;
                _aheadBytes = 0;
            }

            await FillAsync(1, cancel);
        }
        catch
        {
            new CutStripe(_next, pieces.ToImmutable(), isLast: false).Dispose();
            throw;
        }

        if (pieces.Count == 0)
        {
            return null;
        }

        var stripe = new CutStripe(_next++, pieces.ToImmutable(), isLast: _aheadBytes == 0);
        TotalBytes += stripe.ContentBytes;
        return stripe;
    }

    public void Dispose()
    {
        _ahead?.Release();
        _ahead = null;
    }

    // Reads into the piece ahead until it has `enoughBytes` or the source ends; whether it has any.
    private async ValueTask<bool> FillAsync(int enoughBytes, CancellationToken cancel)
    {
        while (!_ended && _aheadBytes < enoughBytes)
        {
            _ahead ??= buffers.Rent(Geometry.MaxPieceBytes);
            int got = await read(_ahead.Memory[_aheadBytes..Geometry.MaxPieceBytes], cancel);
            _ended = got == 0;
            _aheadBytes += got;
        }

        return _aheadBytes > 0;
    }
}
