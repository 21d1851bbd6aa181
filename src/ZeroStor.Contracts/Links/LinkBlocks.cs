using System.Buffers;

namespace ZeroStor.Contracts.Links;

/// <summary>Where links receive into: counted buffers of the process's pool. What is read out of a message is spans of
/// them; whoever wants to keep long ones holds the block instead of copying. Thread-safe.</summary>
internal sealed class LinkBlocks : MemoryPool<byte>
{
    /// <summary>Holding a block for less would keep much memory for little.</summary>
    public const int WorthHoldingBytes = 128 * 1024;

    /// <summary>A message with a piece of a stripe or a shard fits into what a block has left behind a few
    /// short ones; a size that the pool has, so that nothing is wasted.</summary>
    public const int BlockBytes = 320 * 1024;

    /// <summary>The most that a message around a piece or a shard takes: content and its seals, and around
    /// them the sums of all shards and a sealed manifest.</summary>
    public const int LongMessageBytes = Geometry.MaxPieceBytes + (24 * 1024);

    /// <summary>Less room than this is not worth a call.</summary>
    public const int LeastReceiveBytes = 16 * 1024;

    // Those that links have bytes in: as many as links are receiving just now.
    private readonly List<SharedBuffer> _live = [];

    private LinkBlocks()
    {
    }

    public static new LinkBlocks Shared { get; } = new();

    public override int MaxBufferSize => BlockBytes;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        SharedBuffer buffer = BufferPool.Shared.Rent(Math.Max(minBufferSize, 0));
        lock (_live)
        {
            _live.Add(buffer);
        }

        return new Block(this, buffer);
    }

    /// <summary>Holds the block that these bytes lie in: they stay as they are until the slice is released, as a link
    /// writes behind what it received and nowhere else. False where they lie in none.</summary>
    /// <param name="bytes">Read out of what a link still has.</param>
    public bool TryHold(ReadOnlySpan<byte> bytes, out BufferSlice slice)
    {
        lock (_live)
        {
            foreach (SharedBuffer block in _live)
            {
                // Blocks are pinned: what lies in one lies there for good.
                if (block.Span.Overlaps(bytes, out int offset) && offset >= 0 && offset + bytes.Length <= block.Capacity)
                {
                    slice = block.Hold().Slice(offset, bytes.Length);
                    return true;
                }
            }
        }

        slice = default;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
    }

    private void Return(SharedBuffer buffer)
    {
        lock (_live)
        {
            _live.Remove(buffer);
        }

        buffer.Release();
    }

    private sealed class Block(LinkBlocks owner, SharedBuffer buffer) : IMemoryOwner<byte>
    {
        private SharedBuffer? _buffer = buffer;

        public Memory<byte> Memory => _buffer?.Memory ?? default;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _buffer, null) is { } buffer)
            {
                owner.Return(buffer);
            }
        }
    }
}
