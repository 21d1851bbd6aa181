using System.Buffers;
using Microsoft.AspNetCore.Connections;

namespace ZeroStor.S3.Hosting;

/// <summary>The memory that the web server reads sockets into and writes them from: blocks of 64 KiB from
/// <see cref="BufferPool"/>. With blocks of a page, which are what it takes by itself, each read of a socket gets four
/// kilobytes, and at half a gigabyte a second the calls alone take half a processor. A connection that waits holds
/// none. Thread-safe.</summary>
internal sealed class WireMemory : MemoryPool<byte>
{
    private const int BlockBytes = 64 * 1024;

    public override int MaxBufferSize => BlockBytes;

    /// <exception cref="ArgumentOutOfRangeException">More than a block is wanted.</exception>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
        return new Block(BufferPool.Shared.Rent(BlockBytes));
    }

    protected override void Dispose(bool disposing)
    {
        // The blocks belong to whoever rented them, and the pool behind them to the process.
    }

    internal sealed class Factory : IMemoryPoolFactory<byte>
    {
        public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => new WireMemory();
    }

    private sealed class Block(SharedBuffer buffer) : IMemoryOwner<byte>
    {
        private SharedBuffer? _buffer = buffer;

        public Memory<byte> Memory =>
            (_buffer ?? throw new ObjectDisposedException(nameof(Block))).Memory[..BlockBytes];

        public void Dispose() => Interlocked.Exchange(ref _buffer, null)?.Release();
    }
}
