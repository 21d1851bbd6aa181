using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using ZeroStor.Erasure;

namespace ZeroStor.Benchmarks;

/// <summary>How fast each path of the codec is, beside ISA-L in the same process. Competitors take turns in
/// every round, so whatever else the machine does meets all of them.</summary>
internal static class CodecBenchmark
{
    internal static readonly Verb Verb = new(
        "codec",
        "[--json] [--op NAME] [--code K+M] [--kib N] [--threads N] [--path NAME] [--rounds N] [--ms N]",
        $"""
        Codes stripes of 20+4, 16+4, 10+4 and 4+2 with shards of 4, 64, 256 and 1024 KiB on one and on two
        threads: encode computes the parity, reconstruct1 to reconstruct4 so many lost data shards, with the
        matrix at hand. Path 'best' is the codec as this machine runs it, the others are its kernels by name.
        Each takes turns with ec_encode_data of ISA-L (apt-get install -y {Libisal.Package}), given the same
        coefficients; what both write is compared first, and a difference ends the run. Prints medians of N
        rounds (7) of so many milliseconds (20), in GB/s: 1e9 bytes of the k data shards a second, of all
        threads together. The shards of a thread lie in one buffer of the pool, as a stripe's do, but each
        {CodecCase.StaggerBytes} bytes farther from the one before than it is long. --json prints an array;
        the other options pick rows.
        """,
        Run);

    private static readonly Code[] Codes = [new(20, 4), new(16, 4), new(10, 4), new(4, 2)];
    private static readonly int[] ShardKib = [4, 64, 256, 1024];
    private static readonly int[] ThreadCounts = [1, 2];
    private const int MaxLost = 4;

    // Small stripes are coded several times between two looks at the clock.
    private const int BytesPerLook = 1024 * 1024;

    private static readonly JsonSerializerOptions Json =
        new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true };

    private static void Run(Options options)
    {
        bool isJson = options.Has("--json");
        if (!Libisal.IsThere)
        {
            Console.Error.WriteLine(
                $"libisal is not here, so these are our figures alone: apt-get install -y {Libisal.Package}");
        }

        Path[] paths = [.. Paths().Where(p => options.Text("--path", p.Name) == p.Name)];
        if (!isJson)
        {
            Console.WriteLine($"best is {Kernel.Best.Name}; medians, GB/s of data shards");
            Console.WriteLine(
                "op           code  shard KiB  threads  path       GB/s  libisal  ratio  asked");
        }

        WarmUp(paths);
        var rows = new List<Row>();
        foreach ((CodecOp op, int threads) in Asked(options))
        {
            foreach (Row row in Measure(op, threads, paths, options))
            {
                rows.Add(row);
                if (!isJson)
                {
                    Console.WriteLine(row.ToLine());
                }
            }
        }

        if (isJson)
        {
            Console.WriteLine(JsonSerializer.Serialize(rows, Json));
        }
    }

    // Until the compiler has seen often enough what is called often.
    private static void WarmUp(Path[] paths)
    {
        foreach (int lost in Enumerable.Repeat((int[])[0, 1], 3).SelectMany(each => each))
        {
            var op = new CodecOp(Code.Default, lost, ShardBytes: 1024);
            using var one = new CodecCase(op);
            foreach (Path path in paths)
            {
                ReedSolomon codec = path.CodecOf(op.Code);
                RateOf(c => c.Run(codec), [one], op, TimeSpan.FromMilliseconds(60));
            }
        }
    }

    private static IEnumerable<Path> Paths() => Kernel.All
        .Where(kernel => kernel.IsSupported)
        .Select(kernel => new Path(kernel.Name, code => new ReedSolomon(code, kernel)))
        .Prepend(new Path("best", ReedSolomon.For));

    private static IEnumerable<(CodecOp Op, int Threads)> Asked(Options options)
    {
        int kib = options.Number("--kib", 0), threads = options.Number("--threads", 0);
        return
            from count in ThreadCounts
            where threads == 0 || threads == count
            from code in Codes
            where options.Text("--code", code.ToString()) == code.ToString()
            from shardKib in ShardKib
            where kib == 0 || kib == shardKib
            from lost in Enumerable.Range(0, Math.Min(MaxLost, code.M) + 1)
            let op = new CodecOp(code, lost, shardKib * 1024)
            where options.Text("--op", op.Name) == op.Name
            select (op, count);
    }

    private static IEnumerable<Row> Measure(CodecOp op, int threads, Path[] paths, Options options)
    {
        int rounds = options.Number("--rounds", 7);
        var time = TimeSpan.FromMilliseconds(options.Number("--ms", 20));
        CodecCase[] cases = [.. Enumerable.Range(0, threads).Select(_ => new CodecCase(op))];
        ReedSolomon[] codecs = [.. paths.Select(p => p.CodecOf(op.Code))];
        for (int i = 0; i < paths.Length; i++)
        {
            Array.ForEach(cases, c => c.Check(codecs[i], paths[i].Name));
        }

        var peer = new List<double>();
        List<double>[] own = [.. paths.Select(_ => new List<double>())];

        // The first round warms the code up.
        for (int round = 0; round <= rounds; round++)
        {
            if (Libisal.IsThere)
            {
                peer.Add(RateOf(c => c.RunLibisal(), cases, op, time));
            }

            for (int i = 0; i < paths.Length; i++)
            {
                ReedSolomon codec = codecs[i];
                own[i].Add(RateOf(c => c.Run(codec), cases, op, time));
            }
        }

        Array.ForEach(cases, c => c.Dispose());
        double? limit = Libisal.IsThere ? Median.Of(peer.Skip(1)) : null;
        return paths.Select((path, i) => Row.Of(op, threads, path.Name, Median.Of(own[i].Skip(1)), limit));
    }

    // GB/s of all threads together, each with its own case.
    private static double RateOf(Action<CodecCase> run, CodecCase[] cases, CodecOp op, TimeSpan time)
    {
        if (cases.Length == 1)
        {
            return RateOf(run, cases[0], op, time);
        }

        using var start = new Barrier(cases.Length);
        double[] rates = new double[cases.Length];
        Thread[] threads =
        [
            .. cases.Select((c, i) => new Thread(() =>
            {
                start.SignalAndWait();
                rates[i] = RateOf(run, c, op, time);
            })),
        ];
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => t.Join());
        return rates.Sum();
    }

    private static double RateOf(Action<CodecCase> run, CodecCase one, CodecOp op, TimeSpan time)
    {
        int timesPerLook = (int)Math.Max(1, BytesPerLook / op.DataBytes);
        long times = 0;
        long began = Stopwatch.GetTimestamp();
        TimeSpan took;
        do
        {
            for (int i = 0; i < timesPerLook; i++)
            {
                run(one);
            }

            times += timesPerLook;
            took = Stopwatch.GetElapsedTime(began);
        }
        while (took < time);
        return times * op.DataBytes / took.TotalSeconds / 1e9;
    }

    private sealed record Path(string Name, Func<Code, ReedSolomon> CodecOf);

    /// <summary>A line of the table, in the form that --json prints.</summary>
    private sealed record Row(
        string Op,
        int K,
        int M,
        int ShardBytes,
        int Threads,
        string Path,
        double GbPerSecond,
        double? LibisalGbPerSecond,
        double? Ratio)
    {
        internal static Row Of(CodecOp op, int threads, string path, double own, double? peer) => new(
            op.Name,
            op.Code.K,
            op.Code.M,
            op.ShardBytes,
            threads,
            path,
            Math.Round(own, 2),
            peer is { } rate ? Math.Round(rate, 2) : null,
            peer is { } limit ? Math.Round(own / limit, 2) : null);

        internal string ToLine() => string.Create(
            CultureInfo.InvariantCulture,
            $"{Op,-12} {K}+{M,-3} {ShardBytes / 1024,8}  {Threads,7}  {Path,-9} {GbPerSecond,5:f1}  "
            + $"{LibisalGbPerSecond,7:f1}  {Ratio,5:f2}  {AskedRatio(),5:f1}");

        // What the codec is held to: on a processor with GFNI, and on one without.
        private double? AskedRatio()
        {
            bool isWhole = Op is "encode" or "reconstruct4";
            string path = Path == "best" && Kernel.Best.Name == "avx2" ? "avx2" : Path;
            return (path, K, M, ShardBytes / 1024) switch
            {
                ("best", 20, 4, 4 or 64) when isWhole => 2.8,
                ("best", 20, 4, 256 or 1024) when isWhole => 2.5,
                ("best", 4, 2, 64) when Op is "encode" or "reconstruct2" => 2.5,
                ("best", 20, 4, 1024) when Op == "reconstruct1" => 2.0,
                ("avx2", 20, 4, _) when isWhole => 1.2,
                _ => null,
            };
        }
    }
}
