using ZeroStor.Erasure;

namespace ZeroStor.Tests.Erasure;

public sealed class ShardSumsTests
{
    private static readonly Code Code = new(5, 3);
    private readonly Stripe _stripe = new(ReedSolomon.For(Code), 1000, new Random(7));
    private readonly Sum128[] _sums = new Sum128[Code.N];

    public ShardSumsTests() => ShardSums.Compute(_stripe.Memories(0, Code.N), _sums);

    [Fact]
    public void Each_shard_has_its_own_sum() =>
        Assert.Equal(_stripe.Shards.Select(shard => Sum128.Of(shard)), _sums);

    [Fact]
    public void A_record_carries_them_in_16_bytes_each()
    {
        RecordExtension extension = ShardSums.ToExtension(_sums);
        Assert.Equal(ExtensionType.ShardSums, extension.Type);
        Assert.Equal(ShardSums.ExtensionBytes(Code), extension.Value.Length);
        Assert.Equal(_sums[2].ToString(), Convert.ToHexStringLower(extension.Value.Span.Slice(2 * 16, 16)));

        var read = new Sum128[Code.N];
        Assert.True(ShardSums.TryRead(extension.Value.Span, Sum128.Digest(_sums), read));
        Assert.Equal(_sums, read);
    }

    [Fact]
    public void One_flipped_bit_anywhere_is_refused()
    {
        byte[] value = ShardSums.ToExtension(_sums).Value.ToArray();
        Sum128 digest = Sum128.Digest(_sums);
        var read = new Sum128[Code.N];
        for (int bit = 0; bit < value.Length * 8; bit++)
        {
            value[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(ShardSums.TryRead(value, digest, read));
            value[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.True(ShardSums.TryRead(value, digest, read));
        Assert.False(ShardSums.TryRead(value, digest with { Low = digest.Low ^ 1 }, read));
    }

    [Fact]
    public void Sums_in_another_order_or_number_are_refused()
    {
        Sum128 digest = Sum128.Digest(_sums);
        var read = new Sum128[Code.N];
        Sum128[] swapped = [_sums[1], _sums[0], .. _sums[2..]];
        Assert.False(ShardSums.TryRead(ShardSums.ToExtension(swapped).Value.Span, digest, read));
        ReadOnlyMemory<byte> value = ShardSums.ToExtension(_sums).Value;
        Assert.False(ShardSums.TryRead(value.Span[..^1], digest, read));
        Assert.False(ShardSums.TryRead([.. value.Span, 0], digest, read));
        Assert.False(ShardSums.TryRead([], digest, read));
        Assert.Throws<ArgumentException>(() => ShardSums.Compute(_stripe.Memories(0, 3), read));
    }

    [Fact]
    public void A_shard_rebuilt_from_a_wrong_one_does_not_match_its_sum()
    {
        _stripe.Shards[3][500] ^= 1;
        var rebuilt = new byte[1000];
        var wanted = new Memory<byte>[Code.N];
        wanted[0] = rebuilt;
        _stripe.Codec.Reconstruct(_stripe.Without([0]), wanted);
        Assert.NotEqual(_sums[0], Sum128.Of(rebuilt));

        _stripe.Codec.Reconstruct(_stripe.Without([0, 3]), wanted);
        Assert.Equal(_sums[0], Sum128.Of(rebuilt));
    }
}
