using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.CommandLine;

/// <summary><c>zs repair</c>: hurries what the fabric does by itself, and tells how it stands.</summary>
internal static class RepairVerb
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private static readonly Option<bool> Wait = new("--wait")
    {
        Description = "End when every stripe has all its shards",
    };

    private static readonly Option<double> Timeout = MakeTimeout();

    public static Command Make() => Verb.Make("repair", """
        Repairs at once and at full speed what homes lack. The fabric does so by itself, at a rate that readers do
        not notice.

          zs repair
          zs repair --wait --timeout 600
        """, [Wait, Timeout], RunAsync);

    private static async Task RunAsync(Verb verb)
    {
        TimeSpan timeout = ReadTimeout(verb, Timeout);
        await using ZeroStorClient client = await verb.ConnectAsync();
        RepairProgress begun = await client.RepairAsync(hurry: true, verb.Cancel);
        (FabricStatus status, RepairProgress now) = verb.Arguments.GetValue(Wait)
            ? await UntilWholeAsync(verb.Output, client, begun, timeout, verb.Cancel)
            : (await client.StatusAsync(verb.Cancel), await client.RepairAsync(hurry: false, verb.Cancel));
        Tell(verb.Output, begun, now, status);
        if (verb.Arguments.GetValue(Wait))
        {
            DemandWhole(status);
        }
    }

    /// <summary>How long a verb with <c>--wait</c> waits.</summary>
    internal static Option<double> MakeTimeout() => new("--timeout")
    {
        Description = "With --wait: give up after so many seconds, with exit code 1",
        HelpName = "SECONDS",
        DefaultValueFactory = _ => 3600,
    };

    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    internal static TimeSpan ReadTimeout(Verb verb, Option<double> option) =>
        verb.Arguments.GetValue(option) is var seconds and > 0 and < 1e9
            ? TimeSpan.FromSeconds(seconds)
            : throw ZeroStorException.Invalid("--timeout takes a number of seconds above 0.");

    /// <summary>Hurries repair until every stripe has all its shards and no group is under repair, or the
    /// time is over.</summary>
    internal static async Task<(FabricStatus Status, RepairProgress Repair)> UntilWholeAsync(
        Output output, ZeroStorClient client, RepairProgress begun, TimeSpan timeout, CancellationToken cancel)
    {
        long started = TimeProvider.System.GetTimestamp();
        RepairProgress now = begun;
        using Bar? bar = output.ProgressTowards(
            "repair",
            () => Volatile.Read(ref now) is { Round.BytesToDo: { } left } seen
                ? seen.BytesWritten - begun.BytesWritten + left
                : null,
            () => Volatile.Read(ref now).BytesWritten - begun.BytesWritten);
        while (true)
        {
            FabricStatus status = await client.StatusAsync(cancel);
            Volatile.Write(ref now, await client.RepairAsync(hurry: true, cancel));
            bool isWhole = status.Ledger.Whole == status.Ledger.Stripes && now.GroupsToRepair == 0;
            if (isWhole || TimeProvider.System.GetElapsedTime(started) > timeout)
            {
                return (status, now);
            }

            await Task.Delay(Pause, cancel);
        }
    }

    /// <summary>Ends a verb that waited with failure where stripes lack shards still.</summary>
    /// <exception cref="ZeroStorException">PolicyUnsatisfiable.</exception>
    internal static void DemandWhole(FabricStatus status)
    {
        if (status.Ledger.Whole < status.Ledger.Stripes)
        {
            throw new ZeroStorException(
                ErrorKind.PolicyUnsatisfiable,
                $"{status.Ledger.Stripes - status.Ledger.Whole} of {status.Ledger.Stripes} stripes still "
                + "lack shards: see zs status.");
        }
    }

    private static void Tell(Output output, RepairProgress begun, RepairProgress now, FabricStatus status)
    {
        long shards = now.ShardsRebuilt + now.ShardsCopied - begun.ShardsRebuilt - begun.ShardsCopied;
        long written = now.BytesWritten - begun.BytesWritten;
        double bytesPerSecond = PerSecond(written, now.Busy - begun.Busy);
        double totalPerSecond = PerSecond(now.BytesWritten, now.Busy);
        output.Line($"ledger {status.Ledger.Whole} of {status.Ledger.Stripes} stripes whole");
        output.Line($"groups {now.GroupsToRepair} to repair");
        output.Line(
            $"shards {shards} restored, {Text.Bytes(written)}, {Text.Bytes((long)bytesPerSecond)}/s; "
            + $"{now.ShardsLeft} left");
        output.Line($"to do  {ToDo(now.Round)}");
        output.Line(
            $"so far {now.ShardsRebuilt + now.ShardsCopied} restored, {Text.Bytes(now.BytesWritten)}, "
            + $"{Text.Bytes(totalPerSecond)}/s; {now.ShardsRead} read for it, {Text.Bytes(now.BytesRead)}");
        output.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"gets   p99 {now.GetP99.TotalMilliseconds:0.0} ms; stripes repaired at once {now.StripesAtOnce}"));
        output.Json(w =>
        {
            w.WriteNumber("stripes", status.Ledger.Stripes);
            w.WriteNumber("whole", status.Ledger.Whole);
            w.WriteNumber("groupsToRepair", now.GroupsToRepair);
            w.WriteNumber("shardsRestored", shards);
            w.WriteNumber("shardsLeft", now.ShardsLeft);
            w.WriteNumber("bytesWritten", written);
            w.WriteNumber("bytesPerSecond", bytesPerSecond);
            w.WriteNumber("totalShardsRestored", now.ShardsRebuilt + now.ShardsCopied);
            w.WriteNumber("totalShardsRebuilt", now.ShardsRebuilt);
            w.WriteNumber("totalShardsCopied", now.ShardsCopied);
            w.WriteNumber("totalShardsRead", now.ShardsRead);
            w.WriteNumber("totalBytesRead", now.BytesRead);
            w.WriteNumber("totalBytesWritten", now.BytesWritten);
            w.WriteNumber("totalBytesPerSecond", totalPerSecond);
            w.WriteNumber("getP99Milliseconds", now.GetP99.TotalMilliseconds);
            w.WriteNumber("stripesAtOnce", now.StripesAtOnce);
            Write(w, now.Round);
        });
    }

    /// <summary>What a round still has to do, and how long that takes.</summary>
    internal static string ToDo(RepairRound? round) => round switch
    {
        null => "nothing is being repaired now",
        { TimeLeft: { } left, BytesToDo: { } bytes } =>
            $"{round.ShardsToDo} shards, {Text.Bytes(bytes)}, at {Text.Bytes(round.BytesPerSecond)}/s, "
            + $"{Text.Duration(left)} left",
        { BytesToDo: { } bytes } =>
            $"{round.ShardsToDo} shards, {Text.Bytes(bytes)}; how long that takes cannot be told yet",
        _ => $"{round.ShardsToDo} shards; how long that takes cannot be told yet",
    };

    internal static void Write(Utf8JsonWriter w, RepairRound? round)
    {
        if (round is null)
        {
            w.WriteNull("round");
            return;
        }

        w.WriteStartObject("round");
        w.WriteNumber("shardsRestored", round.ShardsRestored);
        w.WriteNumber("bytesRestored", round.BytesRestored);
        w.WriteNumber("shardsToDo", round.ShardsToDo);
        Write(w, "bytesToDo", round.BytesToDo);
        w.WriteNumber("bytesPerSecond", round.BytesPerSecond);
        Write(w, "secondsLeft", round.TimeLeft?.TotalSeconds);
        w.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter w, string name, double? number)
    {
        if (number is { } known)
        {
            w.WriteNumber(name, known);
        }
        else
        {
            w.WriteNull(name);
        }
    }

    private static double PerSecond(long bytes, TimeSpan time) =>
        time > TimeSpan.Zero ? bytes / time.TotalSeconds : 0;
}
