using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

public sealed class StageTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(Stage.PieceBytes)]
    [InlineData((2 * Stage.PieceBytes) + 4099)]
    public void What_is_laid_lies_one_behind_the_other_in_aligned_pieces(int total)
    {
        var pool = new BufferPool();
        var stage = new Stage(pool);
        byte[] expected = new byte[total];
        var random = new Random(total);
        for (int at = 0; at < total;)
        {
            Span<byte> next = expected.AsSpan(at, Math.Min(random.Next(0, 300_000), total - at));
            at += next.Length;
            if (random.Next(3) > 0)
            {
                random.NextBytes(next);
                stage.Add(next);
            }
            else
            {
                stage.AddZeros(next.Length);
            }
        }

        List<ReadOnlyMemory<byte>> pieces = stage.Pieces();
        Assert.Equal(expected, pieces.SelectMany(p => p.ToArray()).ToArray());
        Assert.All(pieces.SkipLast(1), p => Assert.Equal(Stage.PieceBytes, p.Length));
        Assert.All(pieces, p => AssertAligned(p, BufferPool.AlignmentBytes));
    }

    [Fact]
    public void What_is_large_is_taken_from_where_it_lies_in_whole_blocks()
    {
        var random = new Random(3);
        var pool = new BufferPool();
        for (int round = 0; round < 200; round++)
        {
            var stage = new Stage(pool);
            var expected = new List<byte>();
            var lent = new List<SharedBuffer>();
            for (int i = 0; i < 6; i++)
            {
                byte[] copied = new byte[random.Next(3000)];
                random.NextBytes(copied);
                stage.Add(copied);
                expected.AddRange(copied);
                SharedBuffer buffer = pool.Rent(40_000);
                lent.Add(buffer);
                BufferSlice slice = buffer.Slice(random.Next(2000), random.Next(30_000));
                random.NextBytes(slice.Span);
                int before = expected.Count;
                stage.AddAsItLies(slice);
                expected.AddRange(new byte[(slice.Offset - before) & (RecordFormat.BlockBytes - 1)]);
                expected.AddRange(slice.Span);
                Assert.Equal(expected.Count, stage.Bytes);

                // A byte that is not of the whole blocks was copied: it is not looked at again.
                slice.Span[..Math.Min(slice.Length, RecordFormat.ToBlock(slice.Offset))].Clear();
            }

            stage.AddZeros(RecordFormat.ToBlock(stage.Bytes));
            expected.AddRange(new byte[RecordFormat.ToBlock(expected.Count)]);
            List<ReadOnlyMemory<byte>> pieces = stage.Pieces();
            Assert.Equal(expected, [.. pieces.SelectMany(p => p.ToArray())]);
            Assert.All(pieces, p => AssertAligned(p, RecordFormat.BlockBytes));
            Assert.All(pieces, p => Assert.Equal(0, p.Length % RecordFormat.BlockBytes));
            Assert.Equal(
                lent.Count(b => pieces.Any(p => b.Memory.Span.Overlaps(p.Span))),
                pieces.Count(p => lent.Any(b => b.Memory.Span.Overlaps(p.Span))));
            stage.Release();
            lent.ForEach(b => b.Release());
        }
    }

    [Fact]
    public void Zeros_are_laid_over_what_the_memory_held_before()
    {
        var pool = new BufferPool();
        var stage = new Stage(pool);
        stage.Add(Enumerable.Repeat((byte)7, 5000).ToArray());
        stage.Release();
        stage.AddZeros(5000);
        Assert.Equal(new byte[5000], Assert.Single(stage.Pieces()).ToArray());
    }

    [Fact]
    public void Its_memory_goes_back_and_nothing_is_laid_any_more()
    {
        var pool = new BufferPool();
        var stage = new Stage(pool);
        SharedBuffer only = pool.Rent(Stage.PieceBytes);
        only.Release();
        stage.Add([1, 2, 3]);
        Assert.NotSame(only, pool.Rent(Stage.PieceBytes));
        stage.Release();
        Assert.Empty(stage.Pieces());
        Assert.Same(only, pool.Rent(Stage.PieceBytes));
    }

    private static void AssertAligned(ReadOnlyMemory<byte> piece, int alignmentBytes)
    {
        using System.Buffers.MemoryHandle pin = piece.Pin();
        unsafe
        {
            Assert.Equal(0u, (nuint)pin.Pointer % (nuint)alignmentBytes);
        }
    }
}
