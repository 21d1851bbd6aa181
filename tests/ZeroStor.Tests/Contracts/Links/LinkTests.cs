using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using ZeroStor.Contracts.Links;

namespace ZeroStor.Tests.Contracts.Links;

public sealed class LinkTests : IAsyncLifetime
{
    private LinkPair _link = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private ConnectionContext Near => _link.Near;

    private ConnectionContext Far => _link.Far;

    public async ValueTask InitializeAsync() => _link = await LinkPair.OpenAsync(Cancel);

    public ValueTask DisposeAsync() => _link.DisposeAsync();

    [Theory]
    [InlineData(1)]
    [InlineData(300)]
    [InlineData(256 * 1024)]
    [InlineData(LinkBlocks.BlockBytes)]
    [InlineData((5 * 1024 * 1024) + 1)]
    public async Task What_was_written_arrives_as_it_was_in_both_directions(int bytes)
    {
        byte[] sent = Bytes(bytes);
        foreach ((ConnectionContext from, ConnectionContext to) in new[] { (Near, Far), (Far, Near) })
        {
            Task sending = SendAsync(from, sent);
            Assert.Equal(sent, await ReceiveAsync(to, bytes));
            await sending;
        }
    }

    [Fact]
    public async Task Many_messages_before_one_flush_arrive_in_order()
    {
        int[] sizes = [17, 256 * 1024, 4096, 1, 300 * 1024, 5, 700 * 1024, 64];
        byte[] sent = Bytes(sizes.Sum());
        int at = 0;
        foreach (int size in sizes)
        {
            Near.Transport!.Output.Write(sent.AsSpan(at, size));
            at += size;
        }

        Assert.Equal(sent.Length, Near.Transport!.Output.UnflushedBytes);
        Task<FlushResult> flushing = Near.Transport.Output.FlushAsync(Cancel).AsTask();
        Assert.Equal(sent, await ReceiveAsync(Far, sent.Length));
        Assert.False((await flushing).IsCompleted);
        Assert.Equal(0, Near.Transport.Output.UnflushedBytes);
    }

    [Fact]
    public async Task A_reader_that_wants_more_than_came_is_given_more()
    {
        byte[] sent = Bytes(1000);
        await SendAsync(Near, sent[..400]);
        PipeReader reader = Far.Transport!.Input;
        ReadResult first = await reader.ReadAtLeastAsync(400, Cancel);
        reader.AdvanceTo(first.Buffer.GetPosition(100), first.Buffer.End);
        await SendAsync(Near, sent[400..]);
        ReadResult second = await reader.ReadAtLeastAsync(900, Cancel);
        Assert.Equal(sent[100..], second.Buffer.ToArray());
    }

    [Fact]
    public async Task When_one_end_is_closed_the_other_hears_of_it_reading_and_writing()
    {
        await Near.DisposeAsync();
        Assert.True(await IsOverAsync(Far.Transport!.Input.ReadAsync(Cancel).AsTask()));
        FlushResult flush;
        do
        {
            Far.Transport!.Output.Write(Bytes(1));
            flush = await Far.Transport.Output.FlushAsync(Cancel);
        }
        while (!flush.IsCompleted);
    }

    [Fact]
    public async Task Aborting_ends_who_reads_and_tells_that_the_link_is_closed()
    {
        Task<ReadResult> reading = Near.Transport!.Input.ReadAsync(Cancel).AsTask();
        var closed = new TaskCompletionSource();
        await using CancellationTokenRegistration told = Near.ConnectionClosed.Register(closed.SetResult);
        Near.Abort();
        Near.Abort();
        await closed.Task.WaitAsync(Cancel);
        Assert.True(await IsOverAsync(reading));
    }

    [Fact]
    public async Task A_read_that_is_cancelled_ends_without_bytes_and_the_next_goes_on()
    {
        PipeReader reader = Far.Transport!.Input;
        Task<ReadResult> reading = reader.ReadAsync(Cancel).AsTask();
        reader.CancelPendingRead();
        ReadResult none = await reading;
        Assert.True(none.IsCanceled);
        reader.AdvanceTo(none.Buffer.End);
        byte[] sent = Bytes(10);
        await SendAsync(Near, sent);
        Assert.Equal(sent, await ReceiveAsync(Far, 10));
    }

    [Fact]
    public async Task A_listener_that_was_unbound_takes_nobody_in_any_more()
    {
        Task<ConnectionContext?> waiting = _link.Listener.AcceptAsync(Cancel).AsTask();
        await _link.Listener.UnbindAsync(Cancel);
        Assert.Null(await waiting);
        Assert.Null(await _link.Listener.AcceptAsync(Cancel));
    }

    [Fact]
    public void An_address_that_is_taken_is_refused() =>
        Assert.Throws<AddressInUseException>(() => new LinkListener(_link.Listener.EndPoint));

    // The end of a stream, or that it was broken off: which of them comes first is the system's to decide.
    private static async Task<bool> IsOverAsync(Task<ReadResult> reading)
    {
        try
        {
            return (await reading).IsCompleted;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return true;
        }
    }

    private static byte[] Bytes(int count)
    {
        byte[] bytes = new byte[count];
        new SeededEntropy(count).Fill(bytes);
        return bytes;
    }

    private static async Task SendAsync(ConnectionContext link, byte[] bytes)
    {
        link.Transport!.Output.Write(bytes);
        await link.Transport.Output.FlushAsync(Cancel);
    }

    private static async Task<byte[]> ReceiveAsync(ConnectionContext link, int bytes)
    {
        PipeReader reader = link.Transport!.Input;
        ReadResult read = await reader.ReadAtLeastAsync(bytes, Cancel);
        byte[] came = read.Buffer.ToArray();
        reader.AdvanceTo(read.Buffer.End);
        return came;
    }
}
