using Microsoft.Extensions.Time.Testing;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Doors;
using ZeroStor.Grains;
using ZeroStor.Sealing;

namespace ZeroStor.Cluster.Tests;

public sealed class PutSlotsTests
{
    [Fact]
    public void Pieces_that_overlap_and_leave_a_gap_make_no_stripe_though_their_lengths_add_up()
    {
        long given = 0;
        using (var stripe = new StripePieces(4 * Geometry.SegmentBytes, 1000, bytes => given += bytes))
        {
            stripe.Add(0, BufferPool.Shared.RentSlice(2 * Geometry.SegmentBytes));
            stripe.Add(Geometry.SegmentBytes, BufferPool.Shared.RentSlice(2 * Geometry.SegmentBytes));
            Assert.False(stripe.IsComplete);
        }

        Assert.Equal(1000, given);
    }

    [Fact]
    public void A_stripe_that_was_coded_gives_back_the_memory_of_its_pieces_and_the_rest_when_it_is_written()
    {
        long given = 0;
        BufferSlice piece = BufferPool.Shared.RentSlice(1000);
        piece.Hold();
        using (var stripe = new StripePieces(1000, 2200, bytes => given += bytes))
        {
            stripe.Add(0, piece);
            Assert.Equal(0, given);
            stripe.Release();
            Assert.Equal(1000, given);
            piece.Release();
            Assert.Throws<InvalidOperationException>(piece.Release);
        }

        Assert.Equal(2200, given);
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

    [Fact]
    public async Task The_pieces_of_a_stripe_wait_for_its_memory_together_and_take_it_once()
    {
        var budget = new MemoryBudget(NeededBytes);
        await budget.TakeAsync(NeededBytes, Cancel);
        using PutSlot slot = Slot(budget, new FakeTimeProvider());
        Task adding = Task.WhenAll(slot.AddAsync(Piece(0), Cancel), slot.AddAsync(Piece(1), Cancel));
        Assert.Equal(1, budget.Waiting);
        budget.Give(NeededBytes);
        await adding;
        using (StripePieces pieces = slot.Complete(0))
        {
            Assert.True(pieces.IsComplete);
            Assert.Equal(NeededBytes, budget.Taken);
        }

        Assert.Equal(0, budget.Taken);
    }

    [Fact]
    public async Task Who_found_no_memory_in_time_is_told_so_and_may_come_again()
    {
        var time = new FakeTimeProvider();
        var budget = new MemoryBudget(NeededBytes);
        await budget.TakeAsync(NeededBytes, Cancel);
        using PutSlot slot = Slot(budget, time);
        Task[] adding = [slot.AddAsync(Piece(0), Cancel), slot.AddAsync(Piece(1), Cancel)];
        time.Advance(TimeSpan.FromSeconds(15));
        foreach (Task refused in adding)
        {
            Assert.Equal(ErrorKind.Busy, (await Assert.ThrowsAsync<ZeroStorException>(() => refused)).Kind);
        }

        budget.Give(NeededBytes);
        await slot.AddAsync(Piece(0), Cancel);
        Assert.Equal(NeededBytes, budget.Taken);
    }

    [Fact]
    public async Task A_caller_that_gives_up_takes_no_memory_from_the_other_pieces()
    {
        var budget = new MemoryBudget(NeededBytes);
        await budget.TakeAsync(NeededBytes, Cancel);
        using PutSlot slot = Slot(budget, new FakeTimeProvider());
        using var stop = new CancellationTokenSource();
        Task first = slot.AddAsync(Piece(0), stop.Token);
        Task second = slot.AddAsync(Piece(1), Cancel);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        budget.Give(NeededBytes);
        await second;
        await slot.AddAsync(Piece(0), Cancel);
        using StripePieces pieces = slot.Complete(0);
        Assert.True(pieces.IsComplete);
    }

    [Fact]
    public async Task A_put_that_is_closed_while_it_waits_for_memory_keeps_none()
    {
        var budget = new MemoryBudget(NeededBytes);
        await budget.TakeAsync(NeededBytes, Cancel);
        PutSlot slot = Slot(budget, new FakeTimeProvider());
        Task adding = slot.AddAsync(Piece(0), Cancel);
        slot.Dispose();
        budget.Give(NeededBytes);
        Assert.Equal(
            ErrorKind.NotFound, (await Assert.ThrowsAsync<ZeroStorException>(() => adding)).Kind);
        Assert.Equal(0, budget.Taken);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    // Of a stripe of two sealed segments, coded 2+1.
    private static readonly int PieceBytes = Geometry.PlainSealedBytes(Geometry.SegmentBytes);

    private static readonly long NeededBytes = (2 * PieceBytes) + (3 * PieceBytes);

    private static PutPiece Piece(int index) => new()
    {
        Put = 1,
        Ordinal = 0,
        StripeBytes = 2 * PieceBytes,
        Offset = index * PieceBytes,
        Bytes = new Parcel(BufferPool.Shared.RentSlice(PieceBytes)),
    };

    // Of a vault whose owner seals, so that there is no key to be made.
    private static PutSlot Slot(MemoryBudget budget, TimeProvider time)
    {
        var info = new VaultInfo
        {
            Name = "v",
            Id = new VaultId(1),
            Code = new Code(2, 1),
            Spread = Spread.Disk,
            WriteFloor = 3,
            Partitions = 1,
            Custody = Custody.Owner,
        };
        return new PutSlot(1, new OpenVault(info, default, null, [], 0), default, null, budget, time);
    }

    private static PutSlot Slot() =>
        new(1, null!, default, null!, new MemoryBudget(1_000_000), new FakeTimeProvider());
}
