using System.Buffers;

namespace ZeroStor.Contracts.Links;

/// <summary>Where links receive into: counted buffers of the process's pool. Thread-safe.</summary>
internal sealed class LinkBlocks : MemoryPool<byte>
{
    /// <summary>A message with a piece of a stripe or a shard fits into what a block has left behind a few
    /// short ones; a size that the pool has, so that nothing is wasted.</summary>
    public const int BlockBytes = 320 * 1024;

    /// <summary>The most that a message around a piece or a shard takes: content and its seals, and around
    /// them the sums of all shards and a sealed manifest.</summary>
    public const int LongMessageBytes = Geometry.MaxPieceBytes + (24 * 1024);

    /// <summary>Less room than this is not worth a call.</summary>
    public const int LeastReceiveBytes = 16 * 1024;

    private LinkBlocks()
    {
    }

    public static new LinkBlocks Shared { get; } = new();

    public override int MaxBufferSize => BlockBytes;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1) =>
        new Block(BufferPool.Shared.Rent(Math.Max(minBufferSize, 0)));

    protected override void Dispose(bool disposing)
    {
    }

    private sealed class Block(SharedBuffer buffer) : IMemoryOwner<byte>
    {
        private SharedBuffer? _buffer = buffer;

        public Memory<byte> Memory => _buffer?.Memory ?? default;

        public void Dispose() => Interlocked.Exchange(ref _buffer, null)?.Release();
    }
}
