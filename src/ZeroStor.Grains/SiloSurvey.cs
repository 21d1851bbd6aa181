using System.Collections.Immutable;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Doors;
using ZeroStor.Contracts.Inner;
using ZeroStor.Paths;

namespace ZeroStor.Grains;

/// <summary>Asks all silos that are there what they counted and how they are, at the same time and with little
/// patience: a survey is for people who wait for it, and one silo that hangs must not keep it from them.
/// Thread-safe.</summary>
internal sealed class SiloSurvey(
    SiloWatch silos,
    Counters counters,
    HomeHealth health,
    FabricKey key,
    ILocalSiloDetails self,
    IGrainFactory grains)
{
    /// <summary>A silo or disk that has not told of itself by then is shown as it was last known.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    // Of the process, not of the silo: several silos may share it.
    private static readonly UInt128 Process = Id128.Random(SystemEntropy.Instance);

    /// <summary>What this silo tells.</summary>
    public SiloReport Own() => new()
    {
        Counters = counters.Snapshot(),
        WrongShards = counters.WrongShards(),
        ResidentBytes = Environment.WorkingSet,
        GetP99 = health.Gets.P99,
        Processor = new ProcessorUse(Process, Environment.CpuUsage.TotalTime),
        MasterKey = key.Current.Id,
        NextMasterKey = key.Next?.Id,
    };

    public async Task<SiloReports> AskAsync(CancellationToken cancel)
    {
        (string Silo, SiloReport? Report)[] answers = await Task.WhenAll(silos.There.Select(async silo => (
            silo,
            silo == self.Name
                ? Own()
                : await WithinPatienceAsync(
                    () => grains.GetGrain<ISiloGrain>(silo).ReportAsync(cancel), cancel))));
        return new SiloReports(answers.ToImmutableDictionary(a => a.Silo, a => a.Report, StringComparer.Ordinal));
    }

    /// <summary>The answer; null where asking failed, or none came in time.</summary>
    public static async Task<T?> WithinPatienceAsync<T>(Func<Task<T>> ask, CancellationToken cancel)
        where T : class
    {
        try
        {
            return await ask().WaitAsync(Patience, cancel);
        }
        catch (Exception e) when (e is ZeroStorException or TimeoutException or OrleansException)
        {
            return null;
        }
    }
}

/// <summary>What the silos that are there told of themselves.</summary>
/// <param name="Answers">By the silo's name; null of one that did not answer.</param>
internal sealed record SiloReports(ImmutableDictionary<string, SiloReport?> Answers)
{
    private IEnumerable<SiloReport> Told => Answers.Values.OfType<SiloReport>();

    /// <summary>Silos that did not answer.</summary>
    public ImmutableArray<string> Silent =>
        [.. Answers.Where(a => a.Value is null).Select(a => a.Key).Order(StringComparer.Ordinal)];

    /// <summary>Summed over the silos.</summary>
    public ImmutableSortedDictionary<string, long> Counters => Told
        .SelectMany(r => r.Counters)
        .GroupBy(c => c.Key, StringComparer.Ordinal)
        .ToImmutableSortedDictionary(g => g.Key, g => g.Sum(c => c.Value), StringComparer.Ordinal);

    /// <summary>The slowest silo's.</summary>
    public TimeSpan GetP99 => Told.Select(r => r.GetP99).DefaultIfEmpty().Max();

    public long WrongShards(DiskId disk) => Told.Sum(r => r.WrongShards.GetValueOrDefault(disk));
}
