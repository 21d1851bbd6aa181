using CsCheck;
using ZeroStor.Load;

namespace ZeroStor.Tests.Load;

/// <summary>The load program's own eyes: bytes that a position tells, and a comparison that sees every difference.
/// </summary>
public sealed class ContentTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void Pieces_are_the_same_bytes_as_the_whole() =>
        (from seed in Gen.ULong
         from bytes in Gen.Int[0, 5000]
         from word in Gen.Int[0, 600]
         select (seed, bytes, position: word * 8))
        .Where(t => t.position < t.bytes)
        .Sample(t =>
        {
            var content = new Content(t.seed, t.bytes);
            byte[] whole = new byte[t.bytes];
            content.Fill(0, whole);
            byte[] piece = new byte[t.bytes - t.position];
            content.Fill(t.position, piece);
            return piece.AsSpan().SequenceEqual(whole.AsSpan(t.position));
        });

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(256 * 1024)]
    [InlineData((256 * 1024 * 3) + 5)]
    public async Task What_was_put_is_equal_and_nothing_else_is(int bytes)
    {
        var content = new Content(7, bytes);
        using var put = new MemoryStream();
        await content.Open().CopyToAsync(put, 1000, Cancel);
        byte[] right = put.ToArray();
        Assert.Equal(bytes, right.Length);
        Assert.True(await content.EqualsAsync(new MemoryStream(right), Cancel));
        Assert.False(await content.EqualsAsync(new MemoryStream([.. right, 0]), Cancel));
        if (bytes == 0)
        {
            return;
        }

        Assert.False(await content.EqualsAsync(new MemoryStream(right[..^1]), Cancel));
        Assert.False(await (content with { Seed = 8 }).EqualsAsync(new MemoryStream(right), Cancel));
        foreach (int at in new[] { 0, bytes / 2, bytes - 1 })
        {
            byte[] wrong = [.. right];
            wrong[at] ^= 1;
            Assert.False(await content.EqualsAsync(new MemoryStream(wrong), Cancel));
        }
    }

    [Fact]
    public void Ten_thousand_sizes_are_about_four_gibibytes()
    {
        var random = new Random(1);
        long[] sizes = [.. Enumerable.Range(0, 10_000).Select(_ => new Sizes(0).Next(random))];
        Assert.InRange(sizes.Min(), 1024, 4096);
        Assert.InRange(sizes.Max(), 16L << 20, 64L << 20);
        Assert.InRange(sizes.Sum(), 3L << 30, 5L << 30);
    }
}
