namespace ZeroStor.Tests;

public sealed class IdsTests
{
    private static readonly SeededEntropy Entropy = new(1);

    [Fact]
    public void A_stripe_id_tells_its_tick()
    {
        StripeId id = StripeId.New(new Tick(123_456), Entropy);
        Assert.Equal(new Tick(123_456), id.Written);
        Assert.NotEqual(id, StripeId.New(new Tick(123_456), Entropy));
    }

    [Fact]
    public void Bytes_sort_as_values_do()
    {
        byte[] early = Id128.ToBytes(ContentId.New(new Tick(9), Entropy).Value);
        byte[] late = Id128.ToBytes(ContentId.New(new Tick(10), Entropy).Value);
        Assert.True(early.AsSpan().SequenceCompareTo(late) < 0);
    }

    [Fact]
    public void Hexadecimal_goes_both_ways_and_nonsense_is_refused()
    {
        VersionId id = VersionId.New(Entropy);
        Assert.Equal(id, VersionId.Parse(id.ToString()));
        Assert.Equal(ErrorKind.InvalidArgument, Assert.Throws<ZeroStorException>(() => VersionId.Parse("xyz")).Kind);
    }

    [Theory]
    [InlineData("20+4", 20, 4)]
    [InlineData("1+1", 1, 1)]
    [InlineData("128+32", 128, 32)]
    public void Codes_are_read(string text, int k, int m) => Assert.Equal(new Code(k, m), Code.Parse(text));

    [Theory]
    [InlineData("0+4")]
    [InlineData("300+1")]
    [InlineData("4+0")]
    [InlineData("4+33")]
    [InlineData("x")]
    [InlineData("20")]
    [InlineData("20+4+1")]
    [InlineData("-1+4")]
    [InlineData("99999999999+1")]
    public void Other_codes_are_refused_in_a_sentence(string text) =>
        Assert.Equal(ErrorKind.InvalidArgument, Assert.Throws<ZeroStorException>(() => Code.Parse(text)).Kind);
}
