using CsCheck;
using ZeroStor.Erasure;
using ZeroStor.Paths;

namespace ZeroStor.Tests.Paths;

public sealed class ShardColumnsTests
{
    private static readonly Gen<Code> Codes = Gen.Select(Gen.Int[1, 8], Gen.Int[1, 4], (k, m) => new Code(k, m));

    [Fact]
    public void Any_range_comes_from_any_k_shards_in_parts_and_joined() =>
        Gen.Select(Codes, Gen.Int[1, 3000], Gen.Int[0, 3000], Gen.Int[1, 3000], Gen.Int[0, 1 << 30]).Sample(
            (code, stripeBytes, offset, bytes, seed) =>
            {
                offset %= stripeBytes;
                bytes = Math.Min(bytes, stripeBytes - offset);
                (byte[] whole, byte[][] shards) = Coded(code, stripeBytes, seed);
                int[] places = [.. Enumerable.Range(0, code.N)];
                new Random(seed).Shuffle(places);
                using var columns = new ShardColumns(code, stripeBytes, offset, bytes);
                foreach (int place in places[..code.K])
                {
                    Assert.False(columns.Has(place));
                    columns.Take(place, Rented(shards[place].AsSpan(columns.Offset, columns.Bytes)));
                }

                Assert.True(columns.IsEnough);
                if (!columns.HasWanted)
                {
                    columns.Rebuild();
                }

                byte[] expected = whole[offset..(offset + bytes)];
                Assert.Equal(expected, columns.Parts(offset, bytes).SelectMany(p => p.ToArray()));
                int inside = bytes / 3;
                Assert.Equal(
                    expected[inside..], columns.Parts(offset + inside, bytes - inside).SelectMany(p => p.ToArray()));
                BufferSlice joined = columns.Join(offset, bytes);
                Assert.True(expected.AsSpan().SequenceEqual(joined.Span));
                joined.Release();
            },
            iter: 500);

    [Fact]
    public void Of_one_data_shard_only_the_columns_of_the_range_are_wanted_and_of_several_whole_shards()
    {
        var code = new Code(4, 2);
        using var one = new ShardColumns(code, 400, 210, 20);
        Assert.Equal((2, 2, 10, 20), (one.First, one.Last, one.Offset, one.Bytes));
        using var two = new ShardColumns(code, 400, 190, 20);
        Assert.Equal((1, 2, 0, 100), (two.First, two.Last, two.Offset, two.Bytes));
        using var padded = new ShardColumns(code, 397, 0, 397);
        Assert.Equal((0, 3, 0, 100), (padded.First, padded.Last, padded.Offset, padded.Bytes));
    }

    [Fact]
    public void Parts_are_read_where_they_came_to()
    {
        var code = new Code(2, 1);
        using var columns = new ShardColumns(code, 20, 5, 10);
        BufferSlice[] came = [Rented(new byte[10]), Rented(new byte[10])];
        columns.Take(0, came[0]);
        columns.Take(1, came[1]);
        came[0].Span[5] = 7;
        came[1].Span[4] = 8;
        ReadOnlyMemory<byte>[] parts = columns.Parts(5, 10);
        Assert.Equal((7, 8), (parts[0].Span[0], parts[1].Span[4]));
    }

    [Fact]
    public void With_fewer_than_k_there_is_nothing()
    {
        var code = new Code(3, 2);
        using var columns = new ShardColumns(code, 30, 0, 30);
        columns.Take(4, Rented(new byte[10]));
        columns.Take(3, Rented(new byte[10]));
        Assert.False(columns.IsEnough);
        Assert.Equal(ErrorKind.TooFewShards, Assert.Throws<ZeroStorException>(columns.Rebuild).Kind);
    }

    [Fact]
    public void What_was_taken_is_given_back_once()
    {
        var pool = new BufferPool();
        BufferSlice[] came = [.. Enumerable.Range(0, 3).Select(_ => pool.RentSlice(10))];
        var columns = new ShardColumns(new Code(2, 1), 20, 0, 20);
        for (int place = 0; place < 3; place++)
        {
            columns.Take(place, came[place]);
        }

        BufferSlice joined = columns.Join(3, 4);
        columns.Dispose();
        columns.Dispose();
        joined.Release();
        foreach (BufferSlice slice in came)
        {
            Assert.Throws<InvalidOperationException>(slice.Release);
        }
    }

    private static (byte[] Whole, byte[][] Shards) Coded(Code code, int stripeBytes, int seed)
    {
        byte[] whole = new byte[stripeBytes];
        new SeededEntropy(seed).Fill(whole);
        int shardBytes = Geometry.ShardBytes(code, stripeBytes);
        byte[][] shards = [.. Enumerable.Range(0, code.N).Select(_ => new byte[shardBytes])];
        for (int at = 0; at < stripeBytes; at++)
        {
            shards[at / shardBytes][at % shardBytes] = whole[at];
        }

        ReadOnlyMemory<byte>[] data = [.. shards.Take(code.K).Select(s => (ReadOnlyMemory<byte>)s)];
        Memory<byte>[] parity = [.. shards.Skip(code.K).Select(s => (Memory<byte>)s)];
        ReedSolomon.For(code).Encode(data, parity);
        return (whole, shards);
    }

    private static BufferSlice Rented(ReadOnlySpan<byte> bytes)
    {
        BufferSlice slice = BufferPool.Shared.RentSlice(bytes.Length);
        bytes.CopyTo(slice.Span);
        return slice;
    }
}
