using CsCheck;
using ZeroStor.Sealing;

namespace ZeroStor.Tests.Sealing;

public sealed class SegmentIndexTests
{
    private const int Segment = Geometry.SegmentBytes;

    [Fact]
    public void What_is_written_is_read_and_segments_lie_one_behind_the_other() =>
        Gen.Select(Gen.Int[Segment + 1, 20 * Segment], Gen.Int[0, 1 << 20]).Sample(
            (contentBytes, seed) =>
            {
                SegmentIndex index = Random(contentBytes, seed);
                byte[] written = new byte[SegmentIndex.BytesOf(contentBytes)];
                index.Write(written);
                int at = SegmentIndex.SealedBytesOf(contentBytes);
                Assert.Equal(written.Length + Geometry.SealTagBytes, at);
                for (int segment = 0; segment < index.Segments; segment++)
                {
                    Assert.Equal(at, index.StartOf(segment));
                    at += index[segment] + Geometry.SealTagBytes;
                }

                Assert.Equal(at, index.SealedBytes);
                var read = new SegmentIndex(contentBytes);
                Assert.True(read.TryRead(written, at));
                Assert.All(Enumerable.Range(0, index.Segments), s => Assert.Equal(index[s], read[s]));
                Assert.False(read.TryRead(written, at + 1));
                Assert.False(read.TryRead(written, at - 1));
            },
            iter: 300);

    [Theory]
    [InlineData(1)]
    [InlineData(Segment)]
    public void A_stripe_of_one_segment_has_no_index(int contentBytes)
    {
        Assert.Equal(0, SegmentIndex.BytesOf(contentBytes));
        Assert.Equal(0, SegmentIndex.SealedBytesOf(contentBytes));
        Assert.Equal(7 + Geometry.SealTagBytes, new SegmentIndex(contentBytes) { [0] = 7 }.SealedBytes);
    }

    [Fact]
    public void A_segment_longer_than_its_content_is_no_index()
    {
        var index = new SegmentIndex(Segment + 10) { [0] = Segment, [1] = 11 };
        byte[] written = new byte[4];
        index.Write(written);
        Assert.Equal("FFFF000A", Convert.ToHexString(written));
        Assert.False(new SegmentIndex(Segment + 10).TryRead(written, index.SealedBytes));
        Assert.True(new SegmentIndex(Segment + 11).TryRead(written, index.SealedBytes));
    }

    [Fact]
    public void A_segment_is_compressed_where_it_is_shorter_than_its_content()
    {
        var index = new SegmentIndex(Segment + 10) { [0] = Segment, [1] = 9 };
        Assert.False(index.IsCompressed(0));
        Assert.True(index.IsCompressed(1));
    }

    private static SegmentIndex Random(int contentBytes, int seed)
    {
        var random = new Random(seed);
        var index = new SegmentIndex(contentBytes);
        for (int segment = 0; segment < index.Segments; segment++)
        {
            index[segment] = random.Next(1, index.ContentOf(segment) + 1);
        }

        return index;
    }
}
