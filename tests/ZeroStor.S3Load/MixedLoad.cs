using System.CommandLine;
using Amazon.S3;

namespace ZeroStor.S3Load;

/// <summary>Many clients at once, each with AWS's own SDK, mixing all that clients do, against a model of the
/// truth.</summary>
internal static class MixedLoad
{
    private static readonly Option<int> Clients = new("--clients") { DefaultValueFactory = _ => 256 };

    private static readonly Option<int> Seconds = new("--seconds") { DefaultValueFactory = _ => 60 };

    public static Command Make() => Verb.Make(
        "mixed",
        "Clients that put, get, list, delete and upload at once; every answer is held against a model.",
        [Clients, Seconds],
        RunAsync);

    private static async Task<bool> RunAsync(Run run, CancellationToken cancel)
    {
        int clients = run.Parsed.GetValue(Clients);
        var length = TimeSpan.FromSeconds(run.Parsed.GetValue(Seconds));
        string bucket = $"mixed-{run.Seed}";
        using AmazonS3Client first = run.Target.Connect();
        await first.PutBucketAsync(bucket, cancel);
        var tally = new MixedTally();
        MixedKeys[] keys = [.. Enumerable.Range(0, clients).Select(i => new MixedKeys(i))];
        AmazonS3Client[] connections = [.. keys.Select(_ => run.Target.Connect())];
        MixedClient[] all =
            [.. connections.Select((s3, i) => new MixedClient(s3, bucket, keys, i, run.Seed, tally))];

        long began = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(all.Select(c => Task.Run(() => c.WorkAsync(length, cancel), cancel)));
        TimeSpan took = TimeProvider.System.GetElapsedTime(began);
        int operations = tally.Operations;
        await Task.WhenAll(all.Select(c => Task.Run(() => c.CheckAllAsync(cancel), cancel)));
        foreach (AmazonS3Client connection in connections)
        {
            connection.Dispose();
        }

        run.Tell(w =>
        {
            w.WriteNumber("clients", clients);
            w.WriteNumber("seconds", Math.Round(took.TotalSeconds, 1));
            w.WriteNumber("operations", operations);
            w.WriteNumber("opsPerSecond", Math.Round(operations / took.TotalSeconds, 1));
            tally.Write(w);
        });
        return tally.IsRight;
    }
}
