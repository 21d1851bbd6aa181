using System.Buffers;
using System.IO.Pipelines;
using ZeroStor.S3.Hosting;

namespace ZeroStor.Tests.S3;

public sealed class WireMemoryTests
{
    [Fact]
    public void A_block_is_given_back_once_however_often_it_is_disposed()
    {
        using var memory = new WireMemory();
        IMemoryOwner<byte> block = memory.Rent(4096);
        Assert.Equal(memory.MaxBufferSize, block.Memory.Length);
        block.Dispose();
        block.Dispose();
        Assert.Throws<ObjectDisposedException>(() => block.Memory);
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Rent(memory.MaxBufferSize + 1));
    }

    [Fact]
    public async Task A_pipe_of_it_takes_a_block_at_a_time_and_carries_what_is_written()
    {
        using var memory = new WireMemory();
        var pipe = new Pipe(new PipeOptions(memory, minimumSegmentSize: 4096, pauseWriterThreshold: 0));
        byte[] sent = new byte[200_000];
        new Random(1).NextBytes(sent);
        int given = 0;
        for (int at = 0; at < sent.Length; at += given)
        {
            Memory<byte> room = pipe.Writer.GetMemory(2048);
            given = Math.Min(room.Length, sent.Length - at);
            Assert.Equal(Math.Min(memory.MaxBufferSize, sent.Length - at), given);
            sent.AsMemory(at, given).CopyTo(room);
            pipe.Writer.Advance(given);
            await pipe.Writer.FlushAsync(TestContext.Current.CancellationToken);
        }

        await pipe.Writer.CompleteAsync();
        ReadResult read = await pipe.Reader.ReadAsync(TestContext.Current.CancellationToken);
        Assert.Equal(sent, read.Buffer.ToArray());
        await pipe.Reader.CompleteAsync();
    }
}
