using System.CommandLine;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.CommandLine;

/// <summary><c>zs scrub</c>: reads shards again now, so that what has rotted is found and repaired.</summary>
internal static class ScrubVerb
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private static readonly Option<string[]> Disks = new("--disk")
    {
        Description = "Only this disk; repeatable",
        HelpName = "ID",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<bool> Wait = new("--wait")
    {
        Description = "End when all was read and what was found bad is repaired",
    };

    private static readonly Option<double> Timeout = RepairVerb.MakeTimeout();

    public static Command Make() => Verb.Make("scrub", """
        Reads all shards again now and at full speed, and has repaired what was found damaged. The fabric does
        so by itself all the time, at a rate that nobody notices. A scrub goes on in the silos when zs ends
        before it, with Ctrl-C too.

          zs scrub --wait
          zs scrub --disk 3 --disk 7
          zs scrub --wait --timeout 7200
        """, [Disks, Wait, Timeout], RunAsync);

    private static async Task RunAsync(Verb verb)
    {
        TimeSpan timeout = RepairVerb.ReadTimeout(verb, Timeout);
        DiskId[] disks = [.. (verb.Arguments.GetValue(Disks) ?? []).Select(DiskVerbs.ParseDisk)];
        bool wait = verb.Arguments.GetValue(Wait);
        await using ZeroStorClient client = await verb.ConnectAsync();
        RepairProgress before = await client.RepairAsync(hurry: false, verb.Cancel);
        long started = TimeProvider.System.GetTimestamp();
        ScrubProgress scrub = await client.BeginScrubAsync(disks, verb.Cancel);
        if (wait)
        {
            scrub = await UntilEndedAsync(verb, client, scrub, timeout);
        }

        TimeSpan read = TimeProvider.System.GetElapsedTime(started);
        (FabricStatus status, RepairProgress now) = wait
            ? await RepairVerb.UntilWholeAsync(
                verb.Output,
                client,
                before,
                timeout - TimeProvider.System.GetElapsedTime(started),
                verb.Cancel)
            : (await client.StatusAsync(verb.Cancel), before);
        Tell(verb.Output, scrub, read, Restored(now) - Restored(before), status);
        foreach (DiskScrub failed in scrub.Disks.Where(d => d.Failure.Length > 0))
        {
            verb.Output.Error(new Failure(nameof(ErrorKind.DiskOffline), failed.Failure, Exit.Failed));
        }

        if (wait && !scrub.IsEnded)
        {
            throw new ZeroStorException(
                ErrorKind.Busy,
                $"the scrub has not ended in {timeout.TotalSeconds} s, and goes on: see zs disk show");
        }

        if (wait)
        {
            RepairVerb.DemandWhole(status);
        }
    }

    private static async Task<ScrubProgress> UntilEndedAsync(
        Verb verb, ZeroStorClient client, ScrubProgress begun, TimeSpan timeout)
    {
        ScrubProgress scrub = begun;
        long started = TimeProvider.System.GetTimestamp();
        using (verb.Output.Progress("scrub", begun.TotalBytes, () => Volatile.Read(ref scrub).Bytes))
        {
            while (!scrub.IsEnded && TimeProvider.System.GetElapsedTime(started) <= timeout)
            {
                await Task.Delay(Pause, verb.Cancel);
                Volatile.Write(ref scrub, await client.ScrubProgressAsync(begun, verb.Cancel));
            }
        }

        return scrub;
    }

    private static void Tell(
        Output output, ScrubProgress scrub, TimeSpan read, long repaired, FabricStatus status)
    {
        bool isWhole = status.Ledger.Whole == status.Ledger.Stripes;
        double bytesPerSecond = scrub.Bytes / Math.Max(read.TotalSeconds, 0.001);
        output.Line(scrub.IsEnded
            ? $"scrub  {scrub.Shards} shards read on {scrub.Disks.Length} disks, {Text.Bytes(scrub.Bytes)}, "
                + $"{Text.Bytes(bytesPerSecond)}/s"
            : $"scrub  of {scrub.Disks.Length} disks begun, {Text.Bytes(scrub.TotalBytes)} to read");
        output.Line($"bad    {scrub.Bad} shards found damaged, {repaired} repaired");
        output.Line($"ledger {status.Ledger.Whole} of {status.Ledger.Stripes} stripes whole");
        output.Json(w =>
        {
            w.WriteNumber("shards", scrub.Shards);
            w.WriteNumber("bytes", scrub.Bytes);
            w.WriteNumber("bad", scrub.Bad);
            w.WriteNumber("repaired", repaired);
            w.WriteBoolean("whole", isWhole);
            w.WriteBoolean("ended", scrub.IsEnded);
        });
    }

    private static long Restored(RepairProgress repair) => repair.ShardsRebuilt + repair.ShardsCopied;
}
