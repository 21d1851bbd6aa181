using System.Diagnostics;
using System.Globalization;
using ZeroStor.Volumes;

namespace ZeroStor.Benchmarks;

/// <summary>How many appends a disk makes durable a second; against one thread that writes as many bytes at
/// once and syncs: at the end of a file, as whoever appends must, and into blocks that are written already.
/// </summary>
internal static class AppendBenchmark
{
    internal static readonly Verb Verb = new(
        "append",
        "[--folder DIR] [--seconds S] [--rounds N] [--kib K] [--writers W]",
        """
        Appends shards of 4 KiB and of 210 KiB to a disk in a folder below DIR (the system's for temporary
        files), with 1, 32 and 256 writers that each wait until their append is synced, for S seconds (1) in
        each of N rounds (5). After each round one thread writes the same records in batches of the size that
        the disk's had on average, each in one call, aligned and past the page cache where that is offered,
        and syncs each batch: for S seconds at the end of a file that grows so, and for S seconds into a file
        whose blocks are all written. Prints medians, the ratios, and where the disk's time went. With K or W
        only that payload, or so many writers. Wants some 20 GiB for the while.
        """,
        Run);

    // So long that its blocks are not the ones that the device wrote a moment ago.
    private const long RawBytes = 2L << 30;

    // 256 writers of the larger payload find room at once; by default half of them would hear Busy.
    private const long QueueBytes = 64L << 20;

    private static readonly int[] Payloads = [4 * 1024, 210 * 1024];
    private static readonly int[] Writers = [1, 32, 256];

    private static void Run(Options options)
    {
        var seconds = TimeSpan.FromSeconds(options.Number("--seconds", 1));
        int rounds = options.Number("--rounds", 5);
        string root = Path.Combine(
            options.Text("--folder", Path.GetTempPath()), $"zs-append-{Environment.ProcessId}");
        Directory.CreateDirectory(root);
        try
        {
            using RawFile raw = RawFile.Create(Path.Combine(root, "raw"), RawBytes);
            string how = raw.IsDirect ? "direct" : "through the page cache";
            Say($"raw writes are {how}; medians of {rounds} rounds");
            int kib = options.Number("--kib", 0);
            int only = options.Number("--writers", 0);
            foreach (int payloadBytes in kib > 0 ? [kib * 1024] : Payloads)
            {
                foreach (int writers in only > 0 ? [only] : Writers)
                {
                    Compare(root, raw, payloadBytes, writers, rounds, seconds);
                }
            }
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static void Compare(
        string root, RawFile raw, int payloadBytes, int writers, int rounds, TimeSpan seconds)
    {
        // One disk for all rounds, as in life: what is removed keeps the device busy afterwards.
        var observer = new Observer();
        var options = new DiskOptions { Observer = observer, QueueBytes = QueueBytes };
        var used = new BenchDisk(root, options);
        string grownPath = Path.Combine(root, "grown");
        using RawFile grown = RawFile.CreateEmpty(grownPath);
        long grownBytes = 0;
        var disks = new List<Round>();
        var ends = new List<double>();
        var raws = new List<double>();

        // The first round warms the code up.
        for (int i = 0; i <= rounds; i++)
        {
            Round round = AppendAsync(used, observer, payloadBytes, writers, seconds).GetAwaiter().GetResult();
            disks.Add(round);
            ends.Add(WriteRaw(grown, round, seconds, ref grownBytes, long.MaxValue));
            long at = 0;
            raws.Add(WriteRaw(raw, round, seconds, ref at, RawBytes));
        }

        used.DisposeAsync().AsTask().GetAwaiter().GetResult();
        File.Delete(grownPath);
        disks.RemoveAt(0);
        ends.RemoveAt(0);
        raws.RemoveAt(0);
        double disk = Median.Of(disks.Select(r => r.AppendsPerSecond));
        double end = Median.Of(ends);
        double limit = Median.Of(raws);
        double batch = Median.Of(disks.Select(r => r.BatchBytes));
        double sync = Median.Of(disks.Select(r => r.SyncShare));
        double cpu = Median.Of(disks.Select(r => r.CpuMicroseconds));
        double recordBytes = disks[0].RecordBytes;
        Say($"{payloadBytes / 1024,3} KiB, {writers,3} writers: {disk:n0} appends/s, {disk * recordBytes / 1e6:n0} MB/s");
        Say($"  raw at a file's end {end:n0} appends/s, ratio {disk / end:f2}");
        Say($"  raw over written blocks {limit:n0} appends/s, ratio {disk / limit:f2}");
        Say($"  a batch {batch / 1024:n0} KiB, syncing {sync:p0} of the time, {cpu:f1} us of CPU an append");
    }

    private static async Task<Round> AppendAsync(
        BenchDisk disk, Observer observer, int payloadBytes, int writers, TimeSpan seconds)
    {
        observer.Reset();
        BufferSlice payload = BenchDisk.RentPayload(payloadBytes);
        Sum128 sum = Sum128.Of(payload.Span);
        TimeSpan cpu = Process.GetCurrentProcess().TotalProcessorTime;
        var watch = Stopwatch.StartNew();
        long[] counts = await Task.WhenAll(Enumerable.Range(0, writers).Select(
            _ => Task.Run(() => disk.AppendAsync(payload, sum, () => watch.Elapsed < seconds))));
        double elapsed = watch.Elapsed.TotalSeconds;
        cpu = Process.GetCurrentProcess().TotalProcessorTime - cpu;
        payload.Release();
        return new Round
        {
            AppendsPerSecond = counts.Sum() / elapsed,
            RecordBytes = observer.Bytes / (double)counts.Sum(),
            BatchBytes = observer.Bytes / (double)observer.Syncs,
            SyncShare = observer.Time.TotalSeconds / elapsed,
            CpuMicroseconds = cpu.TotalMicroseconds / counts.Sum(),
        };
    }

    // Records a second; from here on, and from the front again where it would pass the limit.
    private static double WriteRaw(RawFile raw, Round like, TimeSpan seconds, ref long at, long limit)
    {
        int batchBytes = (int)RecordFormat.AlignBlock((long)like.BatchBytes);
        BufferSlice batch = BenchDisk.RentPayload(batchBytes);
        long batches = 0;
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < seconds)
        {
            at = at > limit - batchBytes ? 0 : at;
            raw.Write(batch.Span, at);
            raw.Sync();
            batches++;
            at += batchBytes;
        }

        double elapsed = watch.Elapsed.TotalSeconds;
        batch.Release();
        return batches * like.BatchBytes / like.RecordBytes / elapsed;
    }

    private static void Say(FormattableString line) =>
        Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    private sealed record Round
    {
        internal required double AppendsPerSecond { get; init; }

        internal required double RecordBytes { get; init; }

        internal required double BatchBytes { get; init; }

        internal required double SyncShare { get; init; }

        internal required double CpuMicroseconds { get; init; }
    }

    private sealed class Observer : IDiskObserver
    {
        internal long Bytes { get; private set; }

        internal long Syncs { get; private set; }

        internal TimeSpan Time { get; private set; }

        internal void Reset() => (Bytes, Syncs, Time) = (0, 0, TimeSpan.Zero);

        public void Synced(DiskId disk, long bytes, TimeSpan sync)
        {
            Bytes += bytes;
            Syncs++;
            Time += sync;
        }
    }
}
