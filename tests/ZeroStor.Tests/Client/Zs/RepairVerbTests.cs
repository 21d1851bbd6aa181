using System.Text;
using System.Text.Json;
using ZeroStor.CommandLine;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Tests.Client.Zs;

public sealed class RepairVerbTests
{
    private static readonly RepairRound Known = new()
    {
        ShardsRestored = 4,
        BytesRestored = 4096,
        ShardsToDo = 30,
        BytesToDo = 30_720,
        BytesPerSecond = 1024,
        TimeLeft = TimeSpan.FromSeconds(30),
    };

    [Fact]
    public void What_is_to_do_is_told_with_the_time_it_takes_where_that_can_be_told()
    {
        Assert.Equal("30 shards, 30.0 KiB, at 1.0 KiB/s, 0:30 left", RepairVerb.ToDo(Known));
        Assert.Equal(
            "30 shards, 30.0 KiB; how long that takes cannot be told yet",
            RepairVerb.ToDo(Known with { TimeLeft = null }));
        Assert.Equal(
            "30 shards; how long that takes cannot be told yet",
            RepairVerb.ToDo(Known with { TimeLeft = null, BytesToDo = null }));
        Assert.Equal("nothing is being repaired now", RepairVerb.ToDo(null));
    }

    [Fact]
    public void A_round_has_the_shape_that_scripts_rely_on()
    {
        Assert.Equal(
            """
            {"round":{"shardsRestored":4,"bytesRestored":4096,"shardsToDo":30,"bytesToDo":30720,
            "bytesPerSecond":1024,"secondsLeft":30}}
            """.ReplaceLineEndings(""),
            Write(Known));
        Assert.Contains(
            "\"bytesToDo\":null,\"bytesPerSecond\":0,\"secondsLeft\":null",
            Write(Known with { TimeLeft = null, BytesToDo = null, BytesPerSecond = 0 }),
            StringComparison.Ordinal);
        Assert.Equal("""{"round":null}""", Write(null));
    }

    private static string Write(RepairRound? round)
    {
        using var target = new MemoryStream();
        using (var writer = new Utf8JsonWriter(target))
        {
            writer.WriteStartObject();
            RepairVerb.Write(writer, round);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(target.ToArray());
    }
}
