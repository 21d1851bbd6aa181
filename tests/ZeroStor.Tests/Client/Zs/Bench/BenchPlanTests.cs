using ZeroStor.CommandLine.Bench;

namespace ZeroStor.Tests.Client.Zs.Bench;

public sealed class BenchPlanTests
{
    [Fact]
    public void A_plan_is_what_was_written_and_puts_come_before_gets()
    {
        BenchPlan plan = BenchPlan.Parse(
            "4KiB, 1mib,64MiB,4096,1GiB,7", "8,1,8", "get-degraded,get,put", 0.25);
        Assert.Equal([4096, 1 << 20, 64 << 20, 1 << 30, 7], plan.SizesBytes);
        Assert.Equal([8, 1], plan.Concurrencies);
        Assert.Equal([BenchOp.Put, BenchOp.Get, BenchOp.GetDegraded], plan.Ops);
        Assert.Equal(TimeSpan.FromSeconds(0.25), plan.Time);
        Assert.Equal(TimeSpan.FromSeconds(0.25), plan.WarmUp);
        Assert.Equal(TimeSpan.FromSeconds(1), (plan with { Time = TimeSpan.FromSeconds(60) }).WarmUp);
    }

    [Theory]
    [InlineData(1, "1B")]
    [InlineData(1023, "1023B")]
    [InlineData(4096, "4KiB")]
    [InlineData(1536 * 1024, "1536KiB")]
    [InlineData(64 << 20, "64MiB")]
    [InlineData(BenchPlan.MaxSizeBytes, "16GiB")]
    public void A_size_is_told_as_it_is_written(long sizeBytes, string text)
    {
        Assert.Equal(text, BenchPlan.NameOf(sizeBytes));
        Assert.Equal([sizeBytes], BenchPlan.Parse(text, "1", "put", 1).SizesBytes);
    }

    [Theory]
    [InlineData("", "1", "put", 1, "--sizes")]
    [InlineData("4K", "1", "put", 1, "'4K'")]
    [InlineData("0KiB", "1", "put", 1, "'0KiB'")]
    [InlineData("-1", "1", "put", 1, "'-1'")]
    [InlineData("1.5MiB", "1", "put", 1, "'1.5MiB'")]
    [InlineData("MiB", "1", "put", 1, "'MiB'")]
    [InlineData("17GiB", "1", "put", 1, "16GiB")]
    [InlineData("9999999999999999GiB", "1", "put", 1, "16GiB")]
    [InlineData("4KiB", "", "put", 1, "--concurrency")]
    [InlineData("4KiB", "0", "put", 1, "'0'")]
    [InlineData("4KiB", "257", "put", 1, "256")]
    [InlineData("4KiB", "1", ",", 1, "--ops")]
    [InlineData("4KiB", "1", "delete", 1, "get-degraded")]
    [InlineData("4KiB", "1", "put", 0, "--seconds")]
    [InlineData("4KiB", "1", "put", 3601, "3600")]
    [InlineData("4KiB", "1", "put", double.NaN, "--seconds")]
    public void What_cannot_be_measured_is_refused_with_what_would_be_right(
        string sizes, string concurrency, string ops, double seconds, string told)
    {
        ZeroStorException refusal = Assert.Throws<ZeroStorException>(
            () => BenchPlan.Parse(sizes, concurrency, ops, seconds));
        Assert.Equal(ErrorKind.InvalidArgument, refusal.Kind);
        Assert.Contains(told, refusal.Message, StringComparison.Ordinal);
    }
}
