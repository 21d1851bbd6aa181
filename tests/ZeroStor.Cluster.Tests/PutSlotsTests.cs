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
}
