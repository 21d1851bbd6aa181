using System.IO.Pipelines;
using ZeroStor.Contracts.Links;

namespace ZeroStor.Tests.Contracts.Links;

public sealed class LinkWriterTests
{
    [Fact]
    public void Whoever_writes_is_always_given_room_for_a_long_message()
    {
        using var writer = new LinkWriter(Stream.Null);
        for (int i = 0; i < 100; i++)
        {
            Assert.InRange(writer.GetMemory(4096).Length, LinkBlocks.LongMessageBytes, int.MaxValue);
            writer.Advance(1 + (i * 7919 % LinkBlocks.LongMessageBytes));
        }
    }

    [Fact]
    public void Short_messages_share_a_block()
    {
        using var writer = new LinkWriter(Stream.Null);
        Memory<byte> first = writer.GetMemory();
        writer.Advance(100);
        Assert.True(first.Span[100..].Overlaps(writer.GetMemory().Span, out int offset));
        Assert.Equal(0, offset);
    }

    [Fact]
    public void More_than_a_block_is_given_in_one_piece_to_who_asks()
    {
        using var writer = new LinkWriter(Stream.Null);
        Assert.InRange(writer.GetSpan(5_000_000).Length, 5_000_000, int.MaxValue);
    }

    [Fact]
    public void Nobody_advances_beyond_what_he_was_given()
    {
        using var writer = new LinkWriter(Stream.Null);
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Advance(1));
        int given = writer.GetMemory().Length;
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Advance(given + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Advance(-1));
    }

    [Fact]
    public async Task A_peer_that_is_gone_completes_a_flush_and_a_callers_own_token_cancels_it()
    {
        using var writer = new LinkWriter(new FailingStream());
        writer.GetSpan()[0] = 1;
        writer.Advance(1);
        Assert.True((await writer.FlushAsync(TestContext.Current.CancellationToken)).IsCompleted);
        using var over = new CancellationTokenSource();
        await over.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await writer.FlushAsync(over.Token));
    }

    [Fact]
    public async Task A_flush_that_a_slow_peer_holds_up_ends_when_it_is_cancelled()
    {
        using var writer = new LinkWriter(new StuckStream());
        writer.Advance(writer.GetMemory().Length);
        Task<FlushResult> flushing = writer.FlushAsync(TestContext.Current.CancellationToken).AsTask();
        Assert.False(flushing.IsCompleted);
        writer.CancelPendingFlush();
        Assert.True((await flushing).IsCanceled);
        Assert.True((await writer.FlushAsync(TestContext.Current.CancellationToken)).IsCanceled);
    }

    private sealed class StuckStream : MemoryStream
    {
        public override ValueTask WriteAsync(
            ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            new(Task.Delay(Timeout.Infinite, cancellationToken));
    }

    private sealed class FailingStream : MemoryStream
    {
        public override ValueTask WriteAsync(
            ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new IOException("reset");
        }
    }
}
