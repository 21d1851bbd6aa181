using System.Diagnostics;
using System.Globalization;
using ZeroStor.Volumes;

namespace ZeroStor.Benchmarks;

/// <summary>How fast a disk reads all its shards again and checks them; against one thread that reads the
/// same files one behind the other.</summary>
internal static class ScrubBenchmark
{
    internal static readonly Verb Verb = new(
        "scrub",
        "[--folder DIR] [--gib N] [--payload BYTES] [--rounds N]",
        """
        Fills a disk in a folder below DIR (the system's for temporary files) with N GiB (4) of shards of so
        many bytes (215040), scrubs it at full speed, and reads its volumes' files from their beginnings to
        their ends by calls of the same size, aligned and past the page cache where that is offered; in turns,
        so many rounds (5). Prints medians of both and their ratio.
        """,
        Run);

    private const int Writers = 32;

    private static void Run(Options options)
    {
        long bytes = (long)options.Number("--gib", 4) << 30;
        int payloadBytes = options.Number("--payload", 210 * 1024);
        int rounds = options.Number("--rounds", 5);
        string root = Path.Combine(
            options.Text("--folder", Path.GetTempPath()), $"zs-scrub-{Environment.ProcessId}");
        Directory.CreateDirectory(root);
        try
        {
            RunAsync(root, bytes, payloadBytes, rounds).GetAwaiter().GetResult();
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static async Task RunAsync(string root, long bytes, int payloadBytes, int rounds)
    {
        var options = new DiskOptions();
        await using var disk = new BenchDisk(root, options);
        await FillAsync(disk, bytes, payloadBytes);
        await disk.ReopenAsync();
        string[] files = Directory.GetFiles(Path.Combine(disk.Folder, DiskFolder.VolumesName));
        using (RawFile first = RawFile.Open(files[0]))
        {
            string how = first.IsDirect ? "direct" : "through the page cache";
            Say($"raw reads are {how}, {options.ScrubWindowBytes >> 10} KiB each; medians of {rounds} rounds");
        }

        var scrubs = new List<double>();
        var raws = new List<double>();
        var cpus = new List<double>();
        await ScrubAsync(disk);
        for (int i = 0; i < rounds; i++)
        {
            (double scrub, double cpu) = await ScrubAsync(disk);
            scrubs.Add(scrub);
            cpus.Add(cpu);
            raws.Add(ReadRaw(files, options.ScrubWindowBytes));
        }

        double ratio = Median.Of(scrubs) / Median.Of(raws);
        Say($"{payloadBytes} bytes a shard: scrub {Median.Of(scrubs) / 1e6:n0} MB/s, {Median.Of(cpus):f2} s of CPU a GB");
        Say($"  raw {Median.Of(raws) / 1e6:n0} MB/s, ratio {ratio:f2}");
    }

    private static async Task FillAsync(BenchDisk disk, long bytes, int payloadBytes)
    {
        BufferSlice payload = BenchDisk.RentPayload(payloadBytes);
        Sum128 sum = Sum128.Of(payload.Span);
        long left = bytes;
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => Task.Run(
            () => disk.AppendAsync(payload, sum, () => Interlocked.Add(ref left, -payloadBytes) >= 0))));
        payload.Release();
    }

    private static async Task<(double BytesPerSecond, double CpuPerGigabyte)> ScrubAsync(BenchDisk disk)
    {
        TimeSpan cpu = Process.GetCurrentProcess().TotalProcessorTime;
        var watch = Stopwatch.StartNew();
        ScrubTally tally = await disk.Open.ScrubAsync(
            new Throttle(TimeProvider.System), CancellationToken.None);
        double elapsed = watch.Elapsed.TotalSeconds;
        cpu = Process.GetCurrentProcess().TotalProcessorTime - cpu;
        return tally.Bad == 0
            ? (tally.Bytes / elapsed, cpu.TotalSeconds / (tally.Bytes / 1e9))
            : throw ZeroStorException.Corrupt($"{tally.Bad} shards that were just written are damaged.");
    }

    private static double ReadRaw(string[] files, int bytesAtOnce)
    {
        long bytes = 0;
        var watch = Stopwatch.StartNew();
        foreach (string path in files.Order(StringComparer.Ordinal))
        {
            using RawFile file = RawFile.Open(path);
            bytes += file.ReadAll(bytesAtOnce);
        }

        return bytes / watch.Elapsed.TotalSeconds;
    }

    private static void Say(FormattableString line) =>
        Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
