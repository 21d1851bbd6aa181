using System.CommandLine;
using ZeroStor.Client;

namespace ZeroStor.CommandLine.Bench;

/// <summary><c>zs bench</c>: what a running fabric does in a second, and what that is of what could
/// be.</summary>
internal static class BenchVerb
{
    private static readonly Option<string> Sizes = new("--sizes")
    {
        Description = "Sizes of objects: whole numbers of B, KiB, MiB or GiB (powers of 1,024)",
        HelpName = "4KiB,1MiB,64MiB",
        DefaultValueFactory = _ => "4KiB,1MiB,64MiB",
    };

    private static readonly Option<string> Concurrency = new("--concurrency")
    {
        Description = "How many operations are under way at once; each holds up to 16 MiB here",
        HelpName = "1,8",
        DefaultValueFactory = _ => "1,8",
    };

    private static readonly Option<string> Ops = new("--ops")
    {
        Description = "What is measured; get-degraded gets while as many homes of each stripe as its code "
            + "can lose are passed over",
        HelpName = "put,get,get-degraded",
        DefaultValueFactory = _ => "put,get,get-degraded",
    };

    private static readonly Option<double> Seconds = new("--seconds")
    {
        Description = "How long each line is measured; it is warmed up for as long before, a second at most",
        HelpName = "S",
        DefaultValueFactory = _ => 5,
    };

    private static readonly Option<string> VaultOption = new("--vault")
    {
        Description = "Where the objects are put, below zs-bench/",
        HelpName = "V",
        DefaultValueFactory = _ => "default",
    };

    public static Command Make() => Verb.Make("bench", """
        Measures puts and gets of a running fabric, end to end, beside the limit of this machine.

        A line for each operation, size and concurrency:

          op/s, MB/s        finished in a second; MB is 1,000,000 bytes of content, GB 1,000 MB
          p50 ms, p99 ms    half of them, 99 of a hundred, took at most so many milliseconds
          silos' CPU-s/GB   seconds of processor time that the processes of all silos used for a GB of
                            content, whatever else they did meanwhile; ? where a silo does not tell
          client's          the same of zs itself
          of limit          MB/s divided by the limit measured in the same run

        The limit of puts is the smaller of two: what all processors of this machine seal and code of such
        stripes when they do nothing else, and what synced direct writes of 1 MiB bring to the folders of all
        disks at once, parity counted out. The second is measured only where all disks are on this machine and
        zs may write there; its files have no name, and are gone with it. The limit of gets is what the
        processors open of such stripes, of degraded ones what they rebuild and open: what is got, 256 MiB of
        each size or 1,000 objects, lies in the cache of the system after the warm-up.

        What it put it removes, also after Ctrl-C; its space comes free as that of every removed object does,
        some 15 minutes later. What was killed leaves objects behind, which zs rm V/zs-bench -r removes.

          zs bench
          zs bench --sizes 64MiB --concurrency 8 --ops put --seconds 20
          zs bench --sizes 4KiB --ops get,get-degraded --vault photos --json
        """, [Sizes, Concurrency, Ops, Seconds, VaultOption], RunAsync);

    private static async Task RunAsync(Verb verb)
    {
        BenchPlan plan = BenchPlan.Parse(
            verb.Arguments.GetValue(Sizes)!,
            verb.Arguments.GetValue(Concurrency)!,
            verb.Arguments.GetValue(Ops)!,
            verb.Arguments.GetValue(Seconds));
        string vault = VaultName.Check(verb.Arguments.GetValue(VaultOption)!);
        await using ZeroStorClient client = await verb.ConnectAsync();
        await BenchRun.RunAsync(client, vault, plan, verb.Output, verb.Cancel);
    }
}
