using CsCheck;
using ZeroStor.Client;

namespace ZeroStor.Tests.Client;

public sealed class ByteRangeTests
{
    [Theory]
    [InlineData("0-0", 10, 0, 1)]
    [InlineData("2-5", 10, 2, 4)]
    [InlineData("2-", 10, 2, 8)]
    [InlineData("2-99", 10, 2, 8)]
    [InlineData("-3", 10, 7, 3)]
    [InlineData("-30", 10, 0, 10)]
    [InlineData("-3", 0, 0, 0)]
    public void A_range_is_what_HTTP_means_by_it(string text, long size, long offset, long length) =>
        Assert.Equal((offset, length), ByteRange.Parse(text).Resolve(size));

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("5")]
    [InlineData("5-2")]
    [InlineData("-0")]
    [InlineData("a-b")]
    [InlineData("1-2-3")]
    [InlineData("--3")]
    [InlineData("+1-3")]
    [InlineData(" 1-3")]
    [InlineData("99999999999999999999-")]
    public void What_is_no_range_is_refused(string text) =>
        Assert.Equal(
            ErrorKind.InvalidArgument, Assert.Throws<ZeroStorException>(() => ByteRange.Parse(text)).Kind);

    [Theory]
    [InlineData("10-", 10)]
    [InlineData("10-20", 10)]
    [InlineData("0-", 0)]
    public void A_range_behind_the_end_is_refused_by_the_size(string text, long size)
    {
        ZeroStorException failure = Assert.Throws<ZeroStorException>(
            () => ByteRange.Parse(text).Resolve(size));
        Assert.Equal(ErrorKind.InvalidArgument, failure.Kind);
        Assert.Contains($"{size} bytes", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_range_reads_what_it_shows() =>
        Gen.Select(Gen.Long[0, long.MaxValue], Gen.Long[1, long.MaxValue]).Sample(
        (a, b) =>
        {
            foreach (ByteRange range in new[]
            {
                ByteRange.From(a), ByteRange.Between(Math.Min(a, b), Math.Max(a, b)), ByteRange.Suffix(b),
            })
            {
                Assert.Equal(range, ByteRange.Parse(range.ToString()));
            }
        });

    [Fact]
    public void What_no_object_has_is_refused_where_it_is_said()
    {
        Assert.Throws<ZeroStorException>(() => ByteRange.From(-1));
        Assert.Throws<ZeroStorException>(() => ByteRange.Suffix(0));
        Assert.Throws<ZeroStorException>(() => ByteRange.OfLength(0, 0));
        Assert.Throws<ZeroStorException>(() => ByteRange.OfLength(long.MaxValue, 2));
    }
}
