using Microsoft.Extensions.Time.Testing;
using ZeroStor.Contracts.Doors;
using ZeroStor.Grains;

namespace ZeroStor.Cluster.Tests;

public sealed class PutSlotsTests
{
    [Fact]
    public void Pieces_that_overlap_and_leave_a_gap_make_no_stripe_though_their_lengths_add_up()
    {
        int given = 0;
        using (var stripe = new StripePieces(4 * Geometry.SegmentBytes, () => given++))
        {
            stripe.Add(0, BufferPool.Shared.RentSlice(2 * Geometry.SegmentBytes));
            stripe.Add(Geometry.SegmentBytes, BufferPool.Shared.RentSlice(2 * Geometry.SegmentBytes));
            Assert.False(stripe.IsComplete);
        }

        Assert.Equal(1, given);
    }

    [Fact]
    public async Task A_stripe_is_written_once_however_often_it_is_asked_for_until_it_failed()
    {
        using PutSlot slot = Slot();
        var writing = new TaskCompletionSource<StripeWritten>();
        Task<StripeWritten> first = slot.WriteOnceAsync(3, () => writing.Task, out bool isFirst);
        Assert.True(isFirst);
        Task<StripeWritten> again = slot.WriteOnceAsync(3, () => throw new InvalidOperationException(), out isFirst);
        Assert.False(isFirst);
        var written = new StripeWritten { Stripe = default, Missing = 0 };
        writing.SetResult(written);
        Assert.Same(written, await first);
        Assert.Same(written, await again);
        Assert.Same(
            written, await slot.WriteOnceAsync(3, () => throw new InvalidOperationException(), out isFirst));

        await Assert.ThrowsAsync<ZeroStorException>(() => slot.WriteOnceAsync(
            4, () => throw new ZeroStorException(ErrorKind.Busy, "full"), out _));
        Assert.Same(written, await slot.WriteOnceAsync(4, () => Task.FromResult(written), out isFirst));
        Assert.True(isFirst);
    }

    [Fact]
    public async Task Only_stripes_that_a_client_may_ask_for_are_remembered()
    {
        using PutSlot slot = Slot();
        var written = new StripeWritten { Stripe = default, Missing = 0 };
        for (int ordinal = 0; ordinal < 100; ordinal++)
        {
            await slot.WriteOnceAsync(ordinal, () => Task.FromResult(written), out _);
        }

        await slot.WriteOnceAsync(100 - StripeDoor.StripesInFlight, () => Task.FromResult(written), out bool isFirst);
        Assert.False(isFirst);
        await slot.WriteOnceAsync(0, () => Task.FromResult(written), out isFirst);
        Assert.True(isFirst);
    }

    private static PutSlot Slot() =>
        new(1, null!, default, null!, new MemoryBudget(1_000_000), new FakeTimeProvider());
}
