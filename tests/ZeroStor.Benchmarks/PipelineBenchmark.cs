using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;

namespace ZeroStor.Benchmarks;

/// <summary>What the processor spends on a stripe's way in and out; against AES-GCM alone over as much.</summary>
internal static class PipelineBenchmark
{
    internal static readonly Verb Verb = new(
        "pipeline",
        "[--gib N] [--rounds N] [--json]",
        """
        Takes stripes of 4 MiB of incompressible content, coded 20+4, through what the product does with them in memory:
          write        sample the segments and find that none compresses, seal them, code the parity, sum the 24 shards
          write-off    the same in a vault without compression: what it takes less is what the samples take
          open         check the sums of the 20 data shards, open the segments
          open-4-lost  check the sums of 16 data and 4 parity shards, rebuild 4 data shards, open
          write-text, open-text  the same of lines of text, which are compressed
        N GiB (10) of each, in N rounds (20) in turn with AES-256-GCM alone: one object, over the same 64 KiB again and
        again, which is as fast as it gets. Four stripes take turns, so content comes from beyond the second-level cache,
        as in life. Everything is per second of processor time of this process. Prints medians of the rounds, the ratio to
        AES-GCM of the same run, and what all rounds allocated on the heap for a MiB of content; with --json an array of
        {op, gbPerCpuSecond, rawAesGcmGbPerCpuSecond, ratio, cpuSecondsPerGb, allocatedBytesPerMib, gen2Collections}.
        Asked of write, open and open-4-lost are ratios of 0.70, 0.78 and 0.60, under 1 KiB allocated for a MiB, no gen-2
        collection, and under 2 % for the samples.
        """,
        Run);

    private const double MaxAllocatedBytesPerMib = 1024;
    private static readonly JsonSerializerOptions Json =
        new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true };

    private static void Run(Options options)
    {
        int rounds = options.Number("--rounds", 20);
        long bytesPerRound = ((long)options.Number("--gib", 10) << 30) / rounds;
        using var stripes = new BenchStripes(piece => RandomNumberGenerator.Fill(piece));
        var lines = new TextLines();
        using var text = new BenchStripes(lines.Fill);
        using var raw = new RawAesGcm();
        Measured seal = new("", raw.Seal, Geometry.SegmentBytes);
        Measured open = new("", raw.Open, Geometry.SegmentBytes);
        (Measured Op, Measured Raw, double Asked)[] ops =
        [
            (new("write", i => stripes.Make(i).Dispose()), seal, 0.70),
            (new("write-off", i => stripes.MakeUncompressed(i).Dispose()), seal, double.NaN),
            (new("open", i => stripes.Open(i, lost: 0).Release()), open, 0.78),
            (new("open-4-lost", i => stripes.Open(i, BenchStripes.Code.M).Release()), open, 0.60),
            (new("write-text", i => text.Make(i).Dispose()), seal, double.NaN),
            (new("open-text", i => text.Open(i, lost: 0).Release()), open, double.NaN),
        ];
        Measured[] all = [seal, .. ops.Select(o => o.Op), open];
        Array.ForEach(all, m => m.WarmUp());
        for (int round = 0; round < rounds; round++)
        {
            Array.ForEach(all, m => m.Round(bytesPerRound));
        }

        Row[] rows = [.. ops.Select(o => RowOf(o.Op, o.Raw))];
        if (options.Has("--json"))
        {
            Console.WriteLine(JsonSerializer.Serialize(rows, Json));
            return;
        }

        Say($"{"",-12} {"GB/CPU-s",9} {"AES-GCM",9} {"ratio",6} {"asked",6} {"CPU-s/GB",9} {"B/MiB",6} {"gen 2",6}");
        foreach ((Row row, double asked) in rows.Zip(ops.Select(o => o.Asked)))
        {
            string limit = double.IsNaN(asked) ? "" : asked.ToString("f2", CultureInfo.InvariantCulture);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{row.Op,-12} {row.GbPerCpuSecond,9:f2} {row.RawAesGcmGbPerCpuSecond,9:f2} {row.Ratio,6:f2} {limit,6} "
                + $"{row.CpuSecondsPerGb,9:f3} {row.AllocatedBytesPerMib,6:f0} {row.Gen2Collections,6}"));
        }

        double samples = (rows[0].CpuSecondsPerGb / rows[1].CpuSecondsPerGb) - 1;
        Say($"GB of content; at most {MaxAllocatedBytesPerMib} B/MiB and no gen-2 collection are asked");
        Say($"samples take {samples:p1} of a write that compresses nothing: at most 2 % are asked");
        Say($"text is sealed to {text.SealedPart:p1} of its length");
    }

    private static Row RowOf(Measured op, Measured raw) => new(
        op.Name,
        op.GbPerCpuSecond,
        raw.GbPerCpuSecond,
        op.GbPerCpuSecond / raw.GbPerCpuSecond,
        1 / op.GbPerCpuSecond,
        op.AllocatedBytesPerMib,
        op.Gen2Collections);

    private static void Say(FormattableString line) =>
        Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    private sealed record Row(
        string Op,
        double GbPerCpuSecond,
        double RawAesGcmGbPerCpuSecond,
        double Ratio,
        double CpuSecondsPerGb,
        double AllocatedBytesPerMib,
        int Gen2Collections);

    /// <summary>AES-256-GCM as .NET gives it, and nothing else.</summary>
    private sealed class RawAesGcm : IDisposable
    {
        private readonly AesGcm _cipher = new(RandomNumberGenerator.GetBytes(32), Geometry.SealTagBytes);
        private readonly byte[] _nonce = new byte[12];
        private readonly byte[] _tag = new byte[Geometry.SealTagBytes];
        private readonly BufferSlice _content = BenchDisk.RentPayload(Geometry.SegmentBytes);
        private readonly BufferSlice _ciphertext = BenchDisk.RentPayload(Geometry.SegmentBytes);

        internal RawAesGcm() => Seal(0);

        internal void Seal(int i) => _cipher.Encrypt(_nonce, _content.Span, _ciphertext.Span, _tag);

        internal void Open(int i) => _cipher.Decrypt(_nonce, _ciphertext.Span, _tag, _content.Span);

        public void Dispose()
        {
            _cipher.Dispose();
            _content.Release();
            _ciphertext.Release();
        }
    }

    /// <summary>Something that is done over and over, round by round, and what it took.</summary>
    /// <param name="name">What it is called.</param>
    /// <param name="once">Does it once, to one of the stripes.</param>
    /// <param name="bytesOnce">Content of that.</param>
    private sealed class Measured(string name, Action<int> once, int bytesOnce)
    {
        // So many times that the code is compiled as well as it will be.
        private const int WarmUpBytes = 1 << 30;

        private readonly List<double> _gbPerCpuSecond = [];
        private long _bytes;
        private long _allocated;

        internal Measured(string name, Action<int> once)
            : this(name, once, BenchStripes.StripeBytes)
        {
        }

        internal string Name => name;

        internal double GbPerCpuSecond => Median.Of(_gbPerCpuSecond);

        internal double AllocatedBytesPerMib => _allocated / (_bytes / (double)(1 << 20));

        internal int Gen2Collections { get; private set; }

        internal void WarmUp() => Do(WarmUpBytes);

        internal void Round(long bytes)
        {
            long allocated = GC.GetTotalAllocatedBytes(precise: true);
            int collections = GC.CollectionCount(2);
            TimeSpan began = Environment.CpuUsage.TotalTime;
            long done = Do(bytes);
            TimeSpan took = Environment.CpuUsage.TotalTime - began;
            _gbPerCpuSecond.Add(done / 1e9 / took.TotalSeconds);
            _bytes += done;
            _allocated += GC.GetTotalAllocatedBytes(precise: true) - allocated;
            Gen2Collections += GC.CollectionCount(2) - collections;
        }

        private long Do(long bytes)
        {
            long times = (bytes + bytesOnce - 1) / bytesOnce;
            for (long i = 0; i < times; i++)
            {
                once((int)(i % BenchStripes.Count));
            }

            return times * bytesOnce;
        }
    }
}
