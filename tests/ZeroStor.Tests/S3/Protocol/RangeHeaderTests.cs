using ZeroStor.S3.Errors;
using ZeroStor.S3.Protocol;

namespace ZeroStor.Tests.S3.Protocol;

public sealed class RangeHeaderTests
{
    [Theory]
    [InlineData("bytes=0-0", 0, 1)]
    [InlineData("bytes=0-9", 0, 10)]
    [InlineData("bytes=3-", 3, 7)]
    [InlineData("bytes=9-100", 9, 1)]
    [InlineData("bytes=-1", 9, 1)]
    [InlineData("bytes=-10", 0, 10)]
    [InlineData("bytes=-11", 0, 10)]
    [InlineData("Bytes= 2-3 ", 2, 2)]
    [InlineData("bytes=5-99999999999999999999999", 5, 5)]
    [InlineData("bytes=-99999999999999999999999", 0, 10)]
    public void A_range_of_ten_bytes(string header, long offset, long length) =>
        Assert.Equal((offset, length), RangeHeader.Parse(header)!.Value.Resolve(10));

    [Theory]
    [InlineData("bytes=10-")]
    [InlineData("bytes=10-20")]
    [InlineData("bytes=-0")]
    [InlineData("bytes=99999999999999999999999-")]
    public void What_holds_none_of_ten_bytes_is_refused(string header)
    {
        S3Exception refusal = Wire.Refuses(
            S3Error.InvalidRange, () => RangeHeader.Parse(header)!.Value.Resolve(10));
        Assert.Contains(refusal.Details, d => d is { Key: "ActualObjectSize", Value: "10" });
    }

    [Theory]
    [InlineData("bytes=0-")]
    [InlineData("bytes=-5")]
    public void No_range_is_in_nothing(string header) =>
        Wire.Refuses(S3Error.InvalidRange, () => RangeHeader.Parse(header)!.Value.Resolve(0));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("bytes")]
    [InlineData("bytes=")]
    [InlineData("bytes=-")]
    [InlineData("bytes=5")]
    [InlineData("bytes=3-2")]
    [InlineData("bytes=0-1,3-4")]
    [InlineData("bytes=a-b")]
    [InlineData("bytes=--1")]
    [InlineData("bytes=+1-2")]
    [InlineData("bytes=٣-٤")]
    [InlineData("items=0-1")]
    public void What_cannot_be_read_asks_for_everything(string? header) =>
        Assert.Null(RangeHeader.Parse(header));

    [Fact]
    public void A_copy_takes_a_range_that_is_there_from_end_to_end()
    {
        Assert.Equal((2, 3), RangeHeader.ParseCopy("bytes=2-4").ResolveCopy(5));
        Wire.Refuses(S3Error.InvalidArgument, () => RangeHeader.ParseCopy("bytes=2-4").ResolveCopy(4));
        foreach (string wrong in new[] { "bytes=2-", "bytes=-2", "2-4", "bytes=4-2", "bytes=0-1,2-3" })
        {
            Wire.Refuses(S3Error.InvalidArgument, () => RangeHeader.ParseCopy(wrong));
        }
    }
}
