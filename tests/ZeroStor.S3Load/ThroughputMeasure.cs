using System.CommandLine;
using System.IO.Hashing;
using System.Text.Json;
using ZeroStor.Client;
using ZeroStor.Load;

namespace ZeroStor.S3Load;

/// <summary>Puts and gets through S3 against the same through the SDK, in turns within one run, so that what
/// the machine does besides meets both. A put that brings no checksum is told its MD5, which takes as much of a processor
/// as half a put: it is held against the SDK's put as it is, and told beside one whose caller makes the MD5.</summary>
internal static class ThroughputMeasure
{
    private const string VaultName = "throughput";

    private const double AskedRatio = 0.75;

    private static readonly Option<string> Bytes = new("--bytes") { DefaultValueFactory = _ => "64MiB" };

    private static readonly Option<int> Concurrency = new("--concurrency") { DefaultValueFactory = _ => 8 };

    private static readonly Option<int> Rounds = new("--rounds") { DefaultValueFactory = _ => 7 };

    private static readonly Option<int> Each = new("--each")
    {
        Description = "Objects that each of them moves in a round", DefaultValueFactory = _ => 2,
    };

    private static readonly Option<string> Gateway = new("--gateway")
    {
        Description = "Where the same silo answers the SDK: HOST:PORT[,HOST:PORT...]",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("ZS_GATEWAY") ?? "127.0.0.1:30000",
    };

    private static readonly Option<double> Asked = new("--ratio")
    {
        Description = "Of the SDK's throughput, that S3 must reach", DefaultValueFactory = _ => AskedRatio,
    };

    public static Command Make() => Verb.Make(
        "throughput",
        "Puts and gets through S3, with a checksum as AWS's SDKs send it, and without one, for which the ETag is an MD5;"
        + " and the same through the SDK on the same fabric, also where who puts makes the MD5 that S3 would.",
        [Bytes, Concurrency, Rounds, Each, Gateway, Asked],
        RunAsync);

    private static async Task<bool> RunAsync(Run run, CancellationToken cancel)
    {
        await using ZeroStorClient client = await ZeroStorClient.ConnectAsync(
            options =>
            {
                foreach (string gateway in run.Parsed.GetValue(Gateway)!.Split(','))
                {
                    options.Gateways.Add(gateway);
                }
            },
            cancel);
        byte[] content = new byte[Sizes.Parse(run.Parsed.GetValue(Bytes)!)];
        new Content((ulong)run.Seed, content.Length).Fill(0, content);
        string checksum = Convert.ToBase64String([.. Crc32.Hash(content).Reverse()]);
        using var s3 = new S3Mover(run.Target, VaultName, content, checksum);
        using var bare = new S3Mover(run.Target, VaultName, content, checksum: null);
        var sdk = new SdkMover(client.Vault(VaultName), content);
        await s3.MakeBucketAsync(cancel);
        Turn[] turns =
        [
            new("put", "s3", s3.PutAsync), new("put", "sdk", sdk.PutAsync),
            new("put", "s3-md5", bare.PutAsync), new("put", "sdk-md5", sdk.PutWithMd5Async),
            new("get", "s3", s3.GetAsync), new("get", "sdk", sdk.GetAsync),
        ];
        (int rounds, int concurrency, int each) = (
            run.Parsed.GetValue(Rounds), run.Parsed.GetValue(Concurrency), run.Parsed.GetValue(Each));
        for (int round = 0; round <= rounds; round++)
        {
            foreach (Turn turn in turns)
            {
                // The first round compiles.
                await turn.RunAsync(run, content.Length, concurrency, each, isCounted: round > 0, cancel);
            }
        }

        await client.RemoveVaultAsync(VaultName, withContent: true, cancel);
        double put = turns[0].Median / turns[1].Median;
        double withMd5 = turns[2].Median / turns[1].Median;
        double get = turns[4].Median / turns[5].Median;
        run.Tell(w =>
        {
            w.WriteNumber("bytes", content.Length);
            w.WriteNumber("rounds", rounds);
            Array.ForEach(turns, t => t.Write(w));
            w.WriteNumber("putRatio", Math.Round(put, 3));
            w.WriteNumber("putWithMd5Ratio", Math.Round(withMd5, 3));
            w.WriteNumber("putWithMd5OnBothSidesRatio", Math.Round(turns[2].Median / turns[3].Median, 3));
            w.WriteNumber("getRatio", Math.Round(get, 3));
        });
        return Math.Min(Math.Min(put, withMd5), get) >= run.Parsed.GetValue(Asked);
    }

    /// <summary>One operation one way, and what its rounds came to.</summary>
    private sealed class Turn(string operation, string way, Func<int, CancellationToken, Task> moveAsync)
    {
        private readonly List<double> _bytesPerSecond = [];
        private TimeSpan _silo;
        private TimeSpan _client;
        private double _gigabytes;

        public double Median => _bytesPerSecond.Order().ElementAt(_bytesPerSecond.Count / 2);

        public async Task RunAsync(
            Run run, long bytes, int concurrency, int each, bool isCounted, CancellationToken cancel)
        {
            TimeSpan silo = run.Silo?.Processor ?? default;
            TimeSpan client = Environment.CpuUsage.TotalTime;
            long began = TimeProvider.System.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, concurrency).Select(mover => Task.Run(
                async () =>
                {
                    for (int i = 0; i < each; i++)
                    {
                        await moveAsync((mover * each) + i, cancel);
                    }
                },
                cancel)));
            TimeSpan took = TimeProvider.System.GetElapsedTime(began);
            if (isCounted)
            {
                long moved = bytes * concurrency * each;
                _bytesPerSecond.Add(moved / took.TotalSeconds);
                _silo += (run.Silo?.Processor ?? default) - silo;
                _client += Environment.CpuUsage.TotalTime - client;
                _gigabytes += moved / 1e9;
            }
        }

        public void Write(Utf8JsonWriter w)
        {
            w.WriteStartObject($"{operation} {way}");
            w.WriteNumber("megabytesPerSecond", Math.Round(Median / 1e6, 1));
            w.WriteNumber("least", Math.Round(_bytesPerSecond.Min() / 1e6, 1));
            w.WriteNumber("most", Math.Round(_bytesPerSecond.Max() / 1e6, 1));
            w.WriteNumber("siloCpuSecondsPerGB", Math.Round(_silo.TotalSeconds / _gigabytes, 2));
            w.WriteNumber("clientCpuSecondsPerGB", Math.Round(_client.TotalSeconds / _gigabytes, 2));
            w.WriteEndObject();
        }
    }
}
