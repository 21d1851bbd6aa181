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
        Assert.All(pieces, AssertAligned);
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

    private static void AssertAligned(ReadOnlyMemory<byte> piece)
    {
        using System.Buffers.MemoryHandle pin = piece.Pin();
        unsafe
        {
            Assert.Equal(0u, (nuint)pin.Pointer % BufferPool.AlignmentBytes);
        }
    }
}
