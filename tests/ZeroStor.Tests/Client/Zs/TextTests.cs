using CsCheck;
using ZeroStor.CommandLine;

namespace ZeroStor.Tests.Client.Zs;

public sealed class TextTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(10737418240, "10.0 GiB")]
    public void Bytes_have_units(long bytes, string text) => Assert.Equal(text, Text.Bytes(bytes));

    [Theory]
    [InlineData(5, "0:05")]
    [InlineData(754, "12:34")]
    [InlineData(36000, "10:00:00")]
    [InlineData(100 * 3600, "100:00:00")]
    public void Durations_are_short(int seconds, string text) =>
        Assert.Equal(text, Text.Duration(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Progress_tells_share_rate_and_time_left() => Assert.Equal(
        "v/k  [#####...............]  25%  1.0 MiB of 4.0 MiB  512.0 KiB/s  0:06 left",
        Text.Progress("v/k", 1 << 20, 4 << 20, TimeSpan.FromSeconds(2), 100));

    [Fact]
    public void Progress_of_unknown_length_tells_rate_and_time() => Assert.Equal(
        "v/k  1.0 MiB  512.0 KiB/s  0:02", Text.Progress("v/k", 1 << 20, null, TimeSpan.FromSeconds(2), 100));

    [Fact]
    public void Progress_never_wraps() =>
        Gen.Select(
            Gen.Long[0, 1L << 45],
            Gen.Long[0, 1L << 45],
            Gen.Int[0, 1 << 20].Select(s => TimeSpan.FromSeconds(s)),
            Gen.Int[20, 120],
            Gen.Int[0, 60].Select(l => new string('k', l)))
            .Sample((done, total, elapsed, width, label) => Assert.InRange(
                Text.Progress(label, done, total, elapsed, width).Length, 1, width));
}
