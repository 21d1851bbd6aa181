using System.Collections.Immutable;

namespace ZeroStor.Grains;

/// <summary>The pieces of one stripe, as they come, and the memory that was taken for all of it.</summary>
/// <param name="stripeBytes">What all pieces come to.</param>
/// <param name="taken">Memory for these, and for what is made of them.</param>
/// <param name="giveBack">Takes it back, in parts.</param>
internal sealed class StripePieces(int stripeBytes, long taken, Action<long> giveBack) : IDisposable
{
    private long _taken = taken;

    private readonly SortedDictionary<int, BufferSlice> _pieces = [];

    public int StripeBytes => stripeBytes;

    public int HeldBytes { get; private set; }

    /// <summary>Whether the pieces cover the stripe, each byte once.</summary>
    public bool IsComplete
    {
        get
        {
            int end = 0;
            foreach ((int offset, BufferSlice piece) in _pieces)
            {
                if (offset != end)
                {
                    return false;
                }

                end += piece.Length;
            }

            return end == stripeBytes;
        }
    }

    public Action? WhenDisposed { get; set; }

    /// <summary>The content in order.</summary>
    public ImmutableArray<ReadOnlyMemory<byte>> Parts => [.. _pieces.Values.Select(p => (ReadOnlyMemory<byte>)p.Memory)];

    /// <summary>A piece that came before replaces nothing: a repeated call brings the same bytes.</summary>
    public void Add(int offset, BufferSlice bytes)
    {
        if (_pieces.TryAdd(offset, bytes))
        {
            HeldBytes += bytes.Length;
        }
        else
        {
            bytes.Release();
        }
    }

    /// <summary>Gives the pieces and their memory back: what was made of them stands elsewhere.</summary>
    public void Release()
    {
        foreach (BufferSlice piece in _pieces.Values)
        {
            piece.Release();
        }

        _pieces.Clear();
        GiveBack(Math.Min(_taken, stripeBytes));
    }

    public void Dispose()
    {
        Release();
        GiveBack(_taken);
        WhenDisposed?.Invoke();
    }

    private void GiveBack(long bytes)
    {
        if (bytes > 0)
        {
            _taken -= bytes;
            giveBack(bytes);
        }
    }
}
