using System.Text;
using System.Text.Json;
using ZeroStor.CommandLine.Bench;

namespace ZeroStor.Tests.Client.Zs.Bench;

public sealed class BenchLineTests
{
    private static readonly BenchLine Line = new()
    {
        Op = BenchOp.GetDegraded,
        SizeBytes = 1 << 20,
        Concurrency = 8,
        Took = [.. Enumerable.Range(1, 200).Select(i => TimeSpan.FromMilliseconds(i))],
        Elapsed = TimeSpan.FromSeconds(2),
        SilosProcessor = TimeSpan.FromSeconds(1),
        ClientProcessor = TimeSpan.FromSeconds(0.5),
        Limit = new BenchLimit(1_048_576_000, "open"),
    };

    [Fact]
    public void A_line_stands_below_its_head()
    {
        Assert.Equal(
            "op              size at once      op/s     MB/s    p50 ms    p99 ms silos' CPU-s/GB client's"
                + " of limit",
            BenchLine.Head);
        Assert.Equal(
            "get-degraded    1MiB       8       100      105       100       198            4.77     2.38"
                + "    0.100",
            Line.ToString());
        BenchLine untold = Line with { SilosProcessor = null };
        Assert.Contains("   ?   ", untold.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 50, 1)]
    [InlineData(1, 99, 1)]
    [InlineData(2, 50, 1)]
    [InlineData(2, 99, 2)]
    [InlineData(100, 99, 99)]
    [InlineData(101, 99, 100)]
    public void A_percentile_is_the_time_that_so_many_of_a_hundred_took_at_most(
        int count, int percent, int expected)
    {
        BenchLine line = Line with
        {
            Took = [.. Enumerable.Range(1, count).Select(i => TimeSpan.FromMilliseconds(i))],
        };
        Assert.Equal(TimeSpan.FromMilliseconds(expected), line.Percentile(percent));
    }

    [Fact]
    public void A_line_has_the_shape_that_scripts_rely_on()
    {
        Assert.Equal(
            """
            {"op":"get-degraded","sizeBytes":1048576,"concurrency":8,"operations":200,"seconds":2,
            "opsPerSecond":100,"bytesPerSecond":104857600,"p50Milliseconds":100,"p99Milliseconds":198,
            "siloCpuSecondsPerGB":4.76837158203125,"clientCpuSecondsPerGB":2.384185791015625,
            "limitBytesPerSecond":1048576000,"limitedBy":"open","ofLimit":0.1}
            """.ReplaceLineEndings(""),
            Json(Line));
        Assert.Contains(
            "\"siloCpuSecondsPerGB\":null",
            Json(Line with { SilosProcessor = null }),
            StringComparison.Ordinal);
    }

    private static string Json(BenchLine line)
    {
        using var target = new MemoryStream();
        using (var writer = new Utf8JsonWriter(target))
        {
            writer.WriteStartObject();
            BenchLine.Write(writer, line);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(target.ToArray());
    }
}
