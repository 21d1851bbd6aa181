using System.Collections.Immutable;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.CommandLine.Bench;

/// <summary>What the processes of all silos, and this one, had used of processors at a moment. Silos of one
/// process are counted once.</summary>
/// <param name="Silos">By process; null where an active silo did not answer.</param>
/// <param name="Client">Of this process.</param>
internal sealed record ProcessorTimes(ImmutableDictionary<UInt128, TimeSpan>? Silos, TimeSpan Client)
{
    public static async Task<ProcessorTimes> ReadAsync(ZeroStorClient client, CancellationToken cancel) =>
        Of(await client.ListSilosAsync(cancel), Environment.CpuUsage.TotalTime);

    public static ProcessorTimes Of(ImmutableArray<SiloDetails> silos, TimeSpan client)
    {
        bool isSilent = silos.Any(s => s.Status.State == "active" && s.Processor is null);
        return new ProcessorTimes(
            isSilent
                ? null
                : silos.Select(s => s.Processor).OfType<ProcessorUse>()
                    .GroupBy(u => u.Process)
                    .ToImmutableDictionary(g => g.Key, g => g.Max(u => u.Time)),
            client);
    }

    /// <summary>What silos used since <paramref name="before"/>; null where that cannot be told. Of a process
    /// that has come since, all it used counts.</summary>
    public TimeSpan? SilosSince(ProcessorTimes before) => Silos is null || before.Silos is null
        ? null
        : TimeSpan.FromTicks(Silos.Sum(s => (s.Value - before.Silos.GetValueOrDefault(s.Key)).Ticks));

    public TimeSpan ClientSince(ProcessorTimes before) => Client - before.Client;
}
