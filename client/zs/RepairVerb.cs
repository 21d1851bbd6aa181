using System.CommandLine;
using System.Globalization;
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

    private static readonly Option<double> Timeout = new("--timeout")
    {
        Description = "With --wait: give up after so many seconds, with exit code 1",
        HelpName = "SECONDS",
        DefaultValueFactory = _ => 3600,
    };

    public static Command Make() => Verb.Make("repair", """
        Repairs at once and at full speed what homes lack. The fabric does so by itself, at a rate that readers do
        not notice.

          zs repair
          zs repair --wait --timeout 600
        """, [Wait, Timeout], RunAsync);

    private static async Task RunAsync(Verb verb)
    {
        bool wait = verb.Arguments.GetValue(Wait);
        double seconds = verb.Arguments.GetValue(Timeout);
        if (seconds is not (> 0 and < 1e9))
        {
            throw ZeroStorException.Invalid("--timeout takes a number of seconds above 0.");
        }

        await using ZeroStorClient client = await verb.ConnectAsync();
        RepairProgress begun = await client.RepairAsync(hurry: true, verb.Cancel);
        RepairProgress now = begun;
        FabricStatus status = await client.StatusAsync(verb.Cancel);
        long started = TimeProvider.System.GetTimestamp();
        while (wait && status.Ledger.Whole < status.Ledger.Stripes)
        {
            if (TimeProvider.System.GetElapsedTime(started).TotalSeconds > seconds)
            {
                throw new ZeroStorException(
                    ErrorKind.Unavailable,
                    $"{status.Ledger.Stripes - status.Ledger.Whole} of {status.Ledger.Stripes} stripes still lack "
                    + "shards: see zs status.");
            }

            await Task.Delay(Pause, verb.Cancel);
            now = await client.RepairAsync(hurry: true, verb.Cancel);
            status = await client.StatusAsync(verb.Cancel);
        }

        Tell(verb.Output, begun, now, status);
    }

    private static void Tell(Output output, RepairProgress begun, RepairProgress now, FabricStatus status)
    {
        long shards = now.ShardsRebuilt + now.ShardsCopied - begun.ShardsRebuilt - begun.ShardsCopied;
        long written = now.BytesWritten - begun.BytesWritten;
        double busySeconds = (now.Busy - begun.Busy).TotalSeconds;
        double bytesPerSecond = busySeconds > 0 ? written / busySeconds : 0;
        output.Line($"ledger {status.Ledger.Whole} of {status.Ledger.Stripes} stripes whole");
        output.Line($"groups {now.GroupsToRepair} to repair");
        output.Line(
            $"shards {shards} restored, {Text.Bytes(written)}, {Text.Bytes((long)bytesPerSecond)}/s; "
            + $"{now.ShardsLeft} left");
        output.Line(string.Create(
            CultureInfo.InvariantCulture, $"gets   p99 {now.GetP99.TotalMilliseconds:0.0} ms"));
        output.Json(w =>
        {
            w.WriteNumber("stripes", status.Ledger.Stripes);
            w.WriteNumber("whole", status.Ledger.Whole);
            w.WriteNumber("groupsToRepair", now.GroupsToRepair);
            w.WriteNumber("shardsRestored", shards);
            w.WriteNumber("shardsLeft", now.ShardsLeft);
            w.WriteNumber("bytesWritten", written);
            w.WriteNumber("bytesPerSecond", bytesPerSecond);
            w.WriteNumber("getP99Milliseconds", now.GetP99.TotalMilliseconds);
        });
    }
}
