using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using ZeroStor.Paths;
using ZeroStor.Volumes;

namespace ZeroStor.Benchmarks;

/// <summary>What storing costs with a code, and with copies, on the same way to the same disks.</summary>
internal static class CopiesBenchmark
{
    internal static readonly Verb Verb = new(
        "copies",
        "[--folder DIR] [--mib N] [--rounds N] [--json]",
        """
        Stores N MiB (128) of content, which is sealed in stripes of 4 MiB, on 24 disks in a folder below DIR (the system's
        for temporary files): coded 20+4, a shard a disk; and as 3 and as 5 copies of the same sealed bytes, in records of
        the length that shards have, each copy on disks of its own. All are summed once, appended and synced by the same
        disks, four stripes at a time; what is compared is the code and the number of bytes, and nothing else. In turn, in
        each of N rounds (7); prints medians of the processor seconds of this process, the system's on its behalf among
        them, and the bytes written, for a GB of content; with --json an array of
        {scheme, cpuSecondsPerGb, writtenBytesPerGb, secondsPerGb, cpuOfCode, bytesOfCode}. Wants some 12 GiB for the while.
        """,
        Run);

    private static readonly int[] Copies = [3, 5];
    private static readonly JsonSerializerOptions Json =
        new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true };

    private static void Run(Options options)
    {
        int rounds = options.Number("--rounds", 7);
        int stripes = Math.Max(
            BenchStripes.Count, (int)(((long)options.Number("--mib", 128) << 20) / BenchStripes.StripeBytes));
        string root = Path.Combine(
            options.Text("--folder", Path.GetTempPath()), $"zs-copies-{Environment.ProcessId}");
        Directory.CreateDirectory(root);
        try
        {
            Scheme[] schemes = [new Scheme(copies: 0), .. Copies.Select(copies => new Scheme(copies))];
            MeasureAsync(root, schemes, stripes, rounds).GetAwaiter().GetResult();
            Tell(options, schemes);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static async Task MeasureAsync(string root, Scheme[] schemes, int stripes, int rounds)
    {
        var written = new WrittenBytes();
        using var content = new BenchStripes(piece => RandomNumberGenerator.Fill(piece));
        BenchDisk[] disks =
        [
            .. Enumerable.Range(0, BenchStripes.Code.N)
                .Select(_ => new BenchDisk(root, new DiskOptions { Observer = written })),
        ];

        // The first round warms the code up.
        for (int round = 0; round <= rounds; round++)
        {
            foreach (Scheme scheme in schemes)
            {
                long bytes = written.Total;
                TimeSpan cpu = Environment.CpuUsage.TotalTime;
                long began = TimeProvider.System.GetTimestamp();
                await StoreAsync(content, disks, scheme, stripes);
                scheme.Note(
                    (Environment.CpuUsage.TotalTime - cpu).TotalSeconds,
                    written.Total - bytes,
                    TimeProvider.System.GetElapsedTime(began).TotalSeconds,
                    (long)stripes * BenchStripes.StripeBytes / 1e9,
                    isKept: round > 0);
            }
        }

        foreach (BenchDisk disk in disks)
        {
            await disk.DisposeAsync();
        }
    }

    // As many lanes as a put has stripes under way.
    private static Task StoreAsync(BenchStripes content, BenchDisk[] disks, Scheme scheme, int stripes)
    {
        int next = -1;
        return Task.WhenAll(Enumerable.Range(0, BenchStripes.Count).Select(lane => Task.Run(async () =>
        {
            for (int i = Interlocked.Increment(ref next); i < stripes; i = Interlocked.Increment(ref next))
            {
                if (scheme.Copies == 0)
                {
                    using CodedStripe coded = content.Make(lane);
                    await AppendAsync(disks, scheme.Records(i), coded.Shard, coded.SumOf);
                }
                else
                {
                    using UncodedStripe uncoded = content.MakeUncoded(lane);
                    await AppendAsync(disks, scheme.Records(i), uncoded.Shard, uncoded.SumOf);
                }
            }
        })));
    }

    private static Task AppendAsync(
        BenchDisk[] disks,
        IEnumerable<(int Shard, int Disk)> records,
        Func<int, BufferSlice> shard,
        Func<int, Sum128> sum) => Task.WhenAll(records.Select(async record =>
        {
            BenchDisk disk = disks[record.Disk];
            BufferSlice payload = shard(record.Shard);
            HomeAnswer answer = await disk.Open.AppendAsync(
                disk.NewShard(payload, sum(record.Shard)), [], payload, CancellationToken.None);
            if (!answer.IsDone)
            {
                throw new ZeroStorException(answer.Kind, answer.Detail);
            }
        }));

    private static void Tell(Options options, Scheme[] schemes)
    {
        Row[] rows = [.. schemes.Select(s => RowOf(s, schemes[0]))];
        if (options.Has("--json"))
        {
            Console.WriteLine(JsonSerializer.Serialize(rows, Json));
            return;
        }

        Console.WriteLine($"{"",-9} {"CPU-s/GB",9} {"of 20+4",8} {"bytes/GB",15} {"of 20+4",8} {"seconds/GB",11}");
        foreach (Row row in rows)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{row.Scheme,-9} {row.CpuSecondsPerGb,9:f3} {row.CpuOfCode,8:f2} {row.WrittenBytesPerGb,15:n0} "
                + $"{row.BytesOfCode,8:f2} {row.SecondsPerGb,11:f2}"));
        }
    }

    private static Row RowOf(Scheme scheme, Scheme code) => new(
        scheme.Name,
        scheme.CpuSecondsPerGb,
        scheme.BytesPerGb,
        scheme.SecondsPerGb,
        scheme.CpuSecondsPerGb / code.CpuSecondsPerGb,
        scheme.BytesPerGb / code.BytesPerGb);

    private sealed record Row(
        string Scheme,
        double CpuSecondsPerGb,
        double WrittenBytesPerGb,
        double SecondsPerGb,
        double CpuOfCode,
        double BytesOfCode);

    /// <summary>One way to store a stripe, and what it took.</summary>
    /// <param name="copies">So many copies; 0: the code.</param>
    private sealed class Scheme(int copies)
    {
        private readonly List<double> _cpuSecondsPerGb = [];
        private readonly List<double> _bytesPerGb = [];
        private readonly List<double> _secondsPerGb = [];

        internal int Copies => copies;

        internal string Name => copies == 0 ? BenchStripes.Code.ToString() : $"{copies} copies";

        internal double CpuSecondsPerGb => Median.Of(_cpuSecondsPerGb);

        internal double BytesPerGb => Median.Of(_bytesPerGb);

        internal double SecondsPerGb => Median.Of(_secondsPerGb);

        internal void Note(double cpuSeconds, long bytes, double seconds, double gb, bool isKept)
        {
            if (isKept)
            {
                _cpuSecondsPerGb.Add(cpuSeconds / gb);
                _bytesPerGb.Add(bytes / gb);
                _secondsPerGb.Add(seconds / gb);
            }
        }

        /// <summary>Which shards of a stripe go to which disk: all to one each; of copies the data shards, a shard's
        /// to disks that are not each other's.</summary>
        internal IEnumerable<(int Shard, int Disk)> Records(int stripe)
        {
            int disks = BenchStripes.Code.N;
            int shards = copies == 0 ? BenchStripes.Code.N : BenchStripes.Code.K;
            return
                from shard in Enumerable.Range(0, shards)
                from copy in Enumerable.Range(0, Math.Max(1, copies))
                select (shard, (stripe + (shard * Math.Max(1, copies)) + copy) % disks);
        }
    }

    private sealed class WrittenBytes : IDiskObserver
    {
        private long _total;

        internal long Total => Volatile.Read(ref _total);

        public void Synced(DiskId disk, long bytes, TimeSpan sync) => Interlocked.Add(ref _total, bytes);
    }
}
