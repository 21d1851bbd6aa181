using CsCheck;

namespace ZeroStor.Tests;

public sealed class GeometryTests
{
    private static readonly Gen<Code> Codes =
        Gen.Select(Gen.Int[1, Code.MaxK], Gen.Int[1, Code.MaxM], (k, m) => new Code(k, m));

    [Theory]
    [InlineData(1, 256 * 1024)]
    [InlineData(4, 1024 * 1024)]
    [InlineData(15, 15 * 256 * 1024)]
    [InlineData(16, 4 * 1024 * 1024)]
    [InlineData(20, 4 * 1024 * 1024)]
    [InlineData(128, 4 * 1024 * 1024)]
    public void A_stripe_holds_4_MiB_or_256_KiB_a_data_shard(int k, int stripeBytes) =>
        Assert.Equal(stripeBytes, Geometry.StripeBytes(new Code(k, 1)));

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(1, 1, 17)]
    [InlineData(65_536, 1, 65_552)]
    [InlineData(65_537, 2, 65_569)]
    [InlineData(4 * 1024 * 1024, 64, (4 * 1024 * 1024) + 1024)]
    public void Each_segment_adds_a_tag(int contentBytes, int segments, int sealedBytes)
    {
        Assert.Equal(segments, Geometry.SegmentCount(contentBytes));
        Assert.Equal(sealedBytes, Geometry.PlainSealedBytes(contentBytes));
    }

    [Fact]
    public void Data_shards_hold_the_sealed_bytes_with_less_than_a_shards_worth_of_padding() =>
        Gen.Select(Codes, Gen.Int[1, Geometry.PlainSealedBytes(Geometry.MaxStripeBytes)]).Sample(
            (code, sealedBytes) =>
            {
                int shardBytes = Geometry.ShardBytes(code, sealedBytes);
                Assert.True((long)shardBytes * code.K >= sealedBytes);
                Assert.True((long)(shardBytes - 1) * code.K < sealedBytes);
            });

    [Fact]
    public void No_shard_of_any_code_is_longer_than_260_KiB()
    {
        for (int k = 1; k <= Code.MaxK; k++)
        {
            var code = new Code(k, 1);
            int shardBytes = Geometry.ShardBytes(code, Geometry.PlainSealedBytes(Geometry.StripeBytes(code)));
            Assert.InRange(shardBytes, 1, 260 * 1024);
        }
    }

    [Fact]
    public void Stripes_hold_the_content_and_none_is_empty() =>
        Gen.Select(Codes, Gen.Long[1, 1L << 48]).Sample((code, contentBytes) =>
        {
            long stripes = Geometry.StripeCount(code, contentBytes);
            Assert.True(stripes * Geometry.StripeBytes(code) >= contentBytes);
            Assert.True((stripes - 1) * Geometry.StripeBytes(code) < contentBytes);
        });

    [Fact]
    public void A_content_of_no_bytes_has_no_stripe() =>
        Assert.Equal(0, Geometry.StripeCount(Code.Default, 0));

    [Fact]
    public void A_content_of_more_stripes_than_can_be_counted_is_never_miscounted()
    {
        long most = (long)int.MaxValue * Geometry.MaxStripeBytes;
        Assert.Equal(int.MaxValue, Geometry.StripeCount(Code.Default, most));
        Assert.Throws<OverflowException>(() => Geometry.StripeCount(Code.Default, most + 1));
        Assert.Throws<OverflowException>(() => Geometry.StripeCount(Code.Default, long.MaxValue));
    }
}
