using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using ZeroStor.Volumes;

namespace ZeroStor.Benchmarks;

/// <summary>How long a disk of many records takes to open, and what its index takes in memory; against
/// reading the bytes of the same footers one behind the other.</summary>
internal static class RestartBenchmark
{
    internal static readonly Verb Verb = new(
        "restart",
        "[--records N] [--runs N] [--folder PATH] [--scan yes]",
        """
        Builds a disk of N records (10000000) of a few bytes each in a folder below PATH (the system's for
        temporary files), opens it so many times (5), and prints the median seconds, records a second,
        bytes of memory a record, and how long reading the footers' bytes alone takes. With --scan yes once
        more without footers, by the header of every record, which is much slower. The folder is removed.
        Takes 320 bytes a record of disk.
        """,
        Run);

    private static void Run(Options options)
    {
        int records = options.Number("--records", 10_000_000);
        int runs = options.Number("--runs", 5);
        string root = Path.Combine(
            options.Text("--folder", Path.GetTempPath()), $"zs-restart-{Environment.ProcessId}");
        try
        {
            var watch = Stopwatch.StartNew();
            long footerBytes = FullDisk.Build(root, records);
            Say($"built {records:n0} records in {watch.Elapsed.TotalSeconds:f1} s");
            double read = Median.Of(Enumerable.Range(0, runs).Select(_ => ReadFooters(root)));
            Say($"read {footerBytes:n0} bytes of footers alone: {read:f2} s, {footerBytes / read / 1e6:n0} MB/s");
            Opening[] openings = [.. Enumerable.Range(0, runs).Select(_ => Open(root, records))];
            Tell("opened by footers", openings, records);
            Say($"that is {Median.Of(openings.Select(o => o.Seconds)) / read:f1} times the reading alone");
            if (options.Text("--scan", "no") == "yes")
            {
                FullDisk.CutFooters(root);
                Tell("opened by the header of every record", [Open(root, records)], records);
            }
        }
        finally
        {
            if (Directory.Exists(root))
            {
                Directory.Delete(root, recursive: true);
            }
        }
    }

    private static void Tell(string what, Opening[] openings, int records)
    {
        double seconds = Median.Of(openings.Select(o => o.Seconds));
        double index = Median.Of(openings.Select(o => o.IndexBytes)) / records;
        double managed = Median.Of(openings.Select(o => o.ManagedBytes)) / records;
        Say($"{what}: {seconds:f2} s, {records / seconds:n0} records/s");
        Say($"  a record takes {index:f1} bytes of index, {managed:f1} of all managed memory");
    }

    private static Opening Open(string root, int records)
    {
        long before = GC.GetTotalMemory(forceFullCollection: true);
        var watch = Stopwatch.StartNew();
        Disk disk = Disk.Open(root, new DiskOptions(), new SystemEntropy(), TimeProvider.System);
        double seconds = watch.Elapsed.TotalSeconds;
        long after = GC.GetTotalMemory(forceFullCollection: true);
        long held = disk.Report().Shards;
        long indexBytes = disk.IndexBytes;
        disk.DisposeAsync().AsTask().Wait();
        return held == records
            ? new Opening(seconds, indexBytes, after - before)
            : throw ZeroStorException.Corrupt($"The disk was given {records} records and holds {held}.");
    }

    private static double ReadFooters(string root)
    {
        byte[] buffer = new byte[1 << 20];
        var watch = Stopwatch.StartNew();
        foreach ((string path, long start) in FullDisk.Footers(root))
        {
            using FileStream file = File.OpenRead(path);
            file.Position = start;
            while (file.Read(buffer) > 0)
            {
            }
        }

        return watch.Elapsed.TotalSeconds;
    }

    private static void Say(FormattableString line) =>
        Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    private sealed record Opening(double Seconds, double IndexBytes, double ManagedBytes);

    private sealed class SystemEntropy : IEntropy
    {
        public void Fill(Span<byte> target) => RandomNumberGenerator.Fill(target);
    }
}
