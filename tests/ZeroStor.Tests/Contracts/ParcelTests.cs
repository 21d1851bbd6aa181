using System.Buffers;
using System.IO.Pipelines;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Links;
using ZeroStor.Tests.Contracts.Links;

namespace ZeroStor.Tests.Contracts;

/// <summary>Parcels that come over a link lie in the block that they were received in, as far as that is worth holding.
/// </summary>
public sealed class ParcelTests : IAsyncLifetime
{
    private readonly ServiceProvider _services =
        new ServiceCollection().AddSerializer(s => s.AddAssembly(typeof(Parcel).Assembly)).BuildServiceProvider();

    private LinkPair _link = null!;
    private Task _sending = Task.CompletedTask;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private Serializer<Parcel> Serializer => _services.GetRequiredService<Serializer<Parcel>>();

    public async ValueTask InitializeAsync() => _link = await LinkPair.OpenAsync(Cancel);

    public async ValueTask DisposeAsync()
    {
        await _link.DisposeAsync();
        await _services.DisposeAsync();
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1000, false)]
    [InlineData(LinkBlocks.WorthHoldingBytes - 1, false)]
    [InlineData(LinkBlocks.WorthHoldingBytes, true)]
    [InlineData(Geometry.MaxPieceBytes, true)]
    [InlineData(Geometry.MaxStripeBytes, false)]
    public async Task It_comes_as_it_was_sent_and_a_long_one_stays_where_it_was_received(int bytes, bool isHeld)
    {
        byte[] sent = Bytes(bytes, 1);
        int length = await SendAsync(sent);
        ReadResult read = await _link.Far.Transport!.Input.ReadAtLeastAsync(length, Cancel);
        BufferSlice taken = Serializer.Deserialize(read.Buffer)!.Take();
        Assert.Equal(isHeld, Lies(read.Buffer, taken));
        _link.Far.Transport.Input.AdvanceTo(read.Buffer.End);
        Assert.Equal(sent, taken.Span.ToArray());
        taken.Release();
    }

    [Fact]
    public async Task What_a_link_receives_afterwards_leaves_it_as_it_is()
    {
        var held = new List<(byte[] Sent, BufferSlice Taken)>();
        for (int i = 0; i < 40; i++)
        {
            // Some of them behind one another in a block.
            byte[] sent = Bytes(LinkBlocks.WorthHoldingBytes + (i * 100), i);
            int length = await SendAsync(sent);
            ReadResult read = await _link.Far.Transport!.Input.ReadAtLeastAsync(length, Cancel);
            held.Add((sent, Serializer.Deserialize(read.Buffer.Slice(0, length))!.Take()));
            _link.Far.Transport.Input.AdvanceTo(read.Buffer.GetPosition(length));
        }

        Assert.All(held, h => Assert.Equal(h.Sent, h.Taken.Span.ToArray()));
        held.ForEach(h => h.Taken.Release());
    }

    [Fact]
    public async Task Bytes_that_no_link_has_any_more_are_copied()
    {
        byte[] sent = Bytes(LinkBlocks.WorthHoldingBytes, 2);
        int length = await SendAsync(sent);
        ReadResult read = await _link.Far.Transport!.Input.ReadAtLeastAsync(length, Cancel);
        byte[] message = read.Buffer.ToArray();
        Assert.True(LinkBlocks.Shared.TryHold(read.Buffer.FirstSpan[..10], out BufferSlice slice));
        _link.Far.Transport.Input.AdvanceTo(read.Buffer.End);
        Assert.False(LinkBlocks.Shared.TryHold(slice.Span, out _));
        slice.Release();
        Assert.False(LinkBlocks.Shared.TryHold(message, out _));
        Assert.Equal(sent, Serializer.Deserialize(message)!.Take().Span.ToArray());
    }

    private static bool Lies(ReadOnlySequence<byte> read, BufferSlice taken)
    {
        foreach (ReadOnlyMemory<byte> part in read)
        {
            if (part.Span.Overlaps(taken.Span))
            {
                return true;
            }
        }

        return false;
    }

    private static byte[] Bytes(int count, int seed)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    // Returns how long the message is. A long one leaves while it is received.
    private async Task<int> SendAsync(byte[] content)
    {
        await _sending;
        BufferSlice slice = BufferPool.Shared.RentSlice(content.Length);
        content.CopyTo(slice.Span);
        byte[] message = Serializer.SerializeToArray(new Parcel(slice));
        _link.Near.Transport!.Output.Write(message);
        _sending = _link.Near.Transport.Output.FlushAsync(Cancel).AsTask();
        return message.Length;
    }
}
