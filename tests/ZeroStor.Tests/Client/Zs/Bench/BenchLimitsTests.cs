using ZeroStor.CommandLine.Bench;

namespace ZeroStor.Tests.Client.Zs.Bench;

public sealed class BenchLimitsTests
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void Puts_are_held_against_the_smaller_limit_and_gets_against_the_processors()
    {
        var code = new Code(4, 2);
        var slow = new BenchLimits(code, new DiskLimit(1.5, ""), Moment);
        Assert.Equal(new BenchLimit(1, "disks"), slow.Of(BenchOp.Put, 4096, Cancel));
        Assert.Equal("open", slow.Of(BenchOp.Get, 4096, Cancel).By);
        Assert.Equal("decode+open", slow.Of(BenchOp.GetDegraded, 4096, Cancel).By);
        var fast = new BenchLimits(code, new DiskLimit(1e15, ""), Moment);
        Assert.Equal("seal+code", fast.Of(BenchOp.Put, 4096, Cancel).By);
        var unknown = new BenchLimits(code, new DiskLimit(null, "it is far"), Moment);
        Assert.Equal("seal+code", unknown.Of(BenchOp.Put, 4096, Cancel).By);
        Assert.Null(unknown.DiskBytesPerSecond);
    }

    [Fact]
    public void A_limit_is_measured_once_for_all_objects_that_have_the_same_stripes()
    {
        var limits = new BenchLimits(new Code(4, 2), new DiskLimit(null, ""), Moment);
        double whole = limits.Coding(BenchOp.Get, 1 << 20, Cancel);
        Assert.True(whole > 0);
        Assert.Equal(whole, limits.Coding(BenchOp.Get, 64 << 20, Cancel));
    }

    [Theory]
    [InlineData("1+4", 1)]
    [InlineData("20+4", 4 << 20)]
    [InlineData("2+1", 65_537)]
    public void Every_code_and_stripe_can_be_measured(string code, int stripeBytes)
    {
        foreach (BenchOp op in Enum.GetValues<BenchOp>())
        {
            Assert.True(CodingLimit.Measure(op, Code.Parse(code), stripeBytes, Moment, Cancel) > 0);
        }
    }
}
