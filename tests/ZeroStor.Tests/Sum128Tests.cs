using CsCheck;

namespace ZeroStor.Tests;

public sealed class Sum128Tests
{
    // From the sanity vectors of xxHash 0.8 (Cyan4973/xxHash, BSD-2-Clause): no bytes, seed 0.
    [Fact]
    public void It_is_XXH128_as_its_authors_write_it() =>
        Assert.Equal("99aa06d3014798d86001c324468d497f", Sum128.Of([]).ToString());

    [Fact]
    public void It_is_written_as_it_is_printed_and_read_back() => Gen.Byte.Array[0, 100].Sample(data =>
    {
        Sum128 sum = Sum128.Of(data);
        byte[] bytes = new byte[Sum128.Bytes];
        sum.Write(bytes);
        Assert.Equal(sum.ToString(), Convert.ToHexStringLower(bytes));
        Assert.Equal(sum, Sum128.Read(bytes));
    });

    [Fact]
    public void Any_flipped_bit_changes_it() => Gen.Byte.Array[1, 300].Sample(data =>
    {
        Sum128 before = Sum128.Of(data);
        for (int bit = 0; bit < data.Length * 8; bit++)
        {
            data[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.NotEqual(before, Sum128.Of(data));
            data[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    });

    [Fact]
    public void A_digest_is_the_sum_of_the_sums_in_their_order()
    {
        Sum128[] sums = [Sum128.Of([1]), Sum128.Of([2]), Sum128.Of([3])];
        byte[] bytes = [.. sums.SelectMany(s => Convert.FromHexString(s.ToString()))];
        Assert.Equal(Sum128.Of(bytes), Sum128.Digest(sums));
        Assert.NotEqual(Sum128.Digest(sums), Sum128.Digest([sums[1], sums[0], sums[2]]));
        Assert.NotEqual(Sum128.Digest(sums), Sum128.Digest(sums.AsSpan(0, 2)));
    }

    [Fact]
    public void A_digest_takes_as_many_sums_as_any_code_has()
    {
        var sums = new Sum128[Code.MaxK + Code.MaxM];
        Sum128 before = Sum128.Digest(sums);
        sums[^1] = new Sum128(0, 1);
        Assert.NotEqual(before, Sum128.Digest(sums));
    }
}
