using System.Collections.Immutable;
using System.Globalization;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.CommandLine.Bench;

/// <summary>A run of the benchmark: limits first, then line after line, each told when it ends. Whatever ends
/// the run, what it put is removed before.</summary>
internal sealed class BenchRun
{
    /// <summary>Gets go around so many bytes of objects, or objects, if that is fewer. The silos' machines
    /// have them in their caches after a warm-up, whichever line comes first: it is not the disks that are
    /// measured.</summary>
    private const long GotBytes = 256L * 1024 * 1024;

    private const int GotObjects = 1000;

    /// <summary>Of objects that are put to be got.</summary>
    private const int PutsAtOnce = 8;

    private readonly ZeroStorClient _client;
    private readonly BenchPlan _plan;
    private readonly Output _output;
    private readonly VaultInfo _vault;
    private readonly BenchLimits _limits;
    private readonly BenchObjects _objects;

    private BenchRun(
        ZeroStorClient client, BenchPlan plan, Output output, VaultInfo vault, BenchLimits limits)
    {
        (_client, _plan, _output, _vault, _limits) = (client, plan, output, vault, limits);
        _objects = new BenchObjects(client.Vault(vault.Name));
    }

    /// <exception cref="ZeroStorException">The first operation that failed: what came of the others says
    /// nothing.</exception>
    public static async Task RunAsync(
        ZeroStorClient client, string vaultName, BenchPlan plan, Output output, CancellationToken cancel)
    {
        VaultInfo vault = await client.Vault(vaultName).DescribeAsync(cancel);
        ImmutableArray<SiloDetails> silos = await client.ListSilosAsync(cancel);
        ImmutableArray<DiskStatus> disks = await client.ListDisksAsync(cancel);
        output.Notice("measuring what this machine could do");
        DiskLimit diskLimit = plan.Ops.Contains(BenchOp.Put)
            ? await Task.Run(() => DiskLimit.Measure(silos, disks, plan.LimitTime, cancel), cancel)
            : new DiskLimit(null, "nothing is put");
        var run = new BenchRun(
            client, plan, output, vault, new BenchLimits(vault.Code, diskLimit, plan.LimitTime));
        output.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"vault {vault.Name}, {vault.Code}; {disks.Count(d => d.State == "up")} disks up on "
            + $"{silos.Length} silos; {Environment.ProcessorCount} processors here"));
        ImmutableArray<BenchLine> lines = await run.MeasureAllAsync(cancel);
        output.Json(w => BenchReport.Write(w, vault, plan, run._limits, lines, cancel));
    }

    private async Task<ImmutableArray<BenchLine>> MeasureAllAsync(CancellationToken cancel)
    {
        var lines = ImmutableArray.CreateBuilder<BenchLine>();
        try
        {
            await TellLimitsAsync(cancel);
            _output.Line(BenchLine.Head);
            foreach ((long sizeBytes, BenchOp op, int concurrency) in
                from size in _plan.SizesBytes
                from op in _plan.Ops
                from concurrency in _plan.Concurrencies
                select (size, op, concurrency))
            {
                BenchLine line = await MeasureAsync(op, sizeBytes, concurrency, cancel);
                lines.Add(line);
                _output.Line(line.ToString());
            }
        }
        finally
        {
            await _objects.RemoveAsync(_output);
        }

        return lines.ToImmutable();
    }

    private async Task TellLimitsAsync(CancellationToken cancel)
    {
        foreach (long sizeBytes in _plan.SizesBytes)
        {
            _output.Line(await Task.Run(
                () => BenchReport.LimitsOf(_limits, _plan.Ops, sizeBytes, cancel), cancel));
        }

        if (_plan.Ops.Contains(BenchOp.Put))
        {
            _output.Line(BenchReport.DisksOf(_limits));
        }
    }

    private async Task<BenchLine> MeasureAsync(
        BenchOp op, long sizeBytes, int concurrency, CancellationToken cancel)
    {
        if (op != BenchOp.Put)
        {
            await PrepareAsync(sizeBytes, cancel);
        }

        long moved = 0;
        string label = $"{BenchPlan.NameOf(op)} {BenchPlan.NameOf(sizeBytes)}, {concurrency} at once";
        using Bar? bar = _output.Progress(label, null, () => Interlocked.Read(ref moved));
        await LoopAsync(_plan.WarmUp);
        ProcessorTimes before = await ProcessorTimes.ReadAsync(_client, cancel);
        long began = TimeProvider.System.GetTimestamp();
        List<TimeSpan> took = await LoopAsync(_plan.Time);
        TimeSpan elapsed = TimeProvider.System.GetElapsedTime(began);
        ProcessorTimes after = await ProcessorTimes.ReadAsync(_client, cancel);
        return new BenchLine
        {
            Op = op,
            SizeBytes = sizeBytes,
            Concurrency = concurrency,
            Took = [.. took.Order()],
            Elapsed = elapsed,
            SilosProcessor = after.SilosSince(before),
            ClientProcessor = after.ClientSince(before),
            Limit = _limits.Of(op, sizeBytes, cancel),
        };

        Task<List<TimeSpan>> LoopAsync(TimeSpan time) => BenchLoop.RunAsync(
            concurrency,
            time,
            async token =>
            {
                await OnceAsync(op, sizeBytes, token);
                Interlocked.Add(ref moved, sizeBytes);
            },
            cancel);
    }

    private Task OnceAsync(BenchOp op, long sizeBytes, CancellationToken cancel) => op switch
    {
        BenchOp.Put => _objects.PutAsync(sizeBytes, cancel),
        BenchOp.Get => _objects.GetAsync(sizeBytes, GotAmong(sizeBytes), absentHomes: 0, cancel),
        _ => _objects.GetAsync(sizeBytes, GotAmong(sizeBytes), _vault.Code.M, cancel),
    };

    private int GotAmong(long sizeBytes) =>
        (int)Math.Clamp(GotBytes / sizeBytes, _plan.Concurrencies.Max(), GotObjects);

    // What puts of this size left is got; where there is too little of it more is put.
    private async Task PrepareAsync(long sizeBytes, CancellationToken cancel)
    {
        int missing = GotAmong(sizeBytes) - _objects.Count(sizeBytes);
        if (missing <= 0)
        {
            return;
        }

        long put = 0;
        using Bar? bar = _output.Progress(
            $"putting {BenchPlan.NameOf(sizeBytes)} to get",
            missing * sizeBytes,
            () => Interlocked.Read(ref put));
        await Parallel.ForEachAsync(
            Enumerable.Range(0, missing),
            new ParallelOptions { MaxDegreeOfParallelism = PutsAtOnce, CancellationToken = cancel },
            async (_, token) =>
            {
                await _objects.PutAsync(sizeBytes, token);
                Interlocked.Add(ref put, sizeBytes);
            });
    }
}
