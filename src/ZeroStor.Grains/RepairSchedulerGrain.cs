using Microsoft.Extensions.Logging;
using Orleans.Placement;
using ZeroStor.Contracts.Doors;
using ZeroStor.Contracts.Inner;

namespace ZeroStor.Grains;

/// <summary>Keeps the fabric whole and clean, by three idempotent loops on timers: one restores what homes
/// lack, one gives the space of the dead back, one compares disks with the catalog. What they remember only
/// saves work, so two of them are merely slower.</summary>
[PreferLocalPlacement]
internal sealed class RepairSchedulerGrain(
    Reclaimer reclaimer,
    Repairer repairer,
    CensusTaker census,
    Adopter adopter,
    ZeroStorOptions options,
    ILogger<RepairSchedulerGrain> log)
    : Grain, IRepairSchedulerGrain
{
    /// <summary>Between two rounds of sweep and repair: a sweep of digests is cheap, and a loss should not
    /// wait.
    /// </summary>
    private static readonly TimeSpan RepairPause = TimeSpan.FromSeconds(2);

    private TimeSpan QuarterTick => TimeSpan.FromSeconds(options.TickSeconds / 4);

    private IGrainTimer? _reclaim;
    private IGrainTimer? _repair;
    private IGrainTimer? _census;

    public Task WakeAsync()
    {
        // Four rounds a tick: an age given in ticks is kept to within a quarter of one.
        _reclaim ??= Repeat(reclaimer.RunAsync, QuarterTick);
        _census ??= Repeat(census.RunAsync, QuarterTick);
        _repair ??= Repeat(repairer.RunAsync, RepairPause);
        return Task.CompletedTask;
    }

    public Task<RepairProgress> ProgressAsync(bool hurry)
    {
        if (hurry)
        {
            repairer.Hurry();
            _repair?.Change(TimeSpan.Zero, RepairPause);
        }

        return Task.FromResult(repairer.Progress);
    }

    public Task<CensusProgress> CensusAsync(bool begin)
    {
        if (begin)
        {
            census.Ask();
            _census?.Change(TimeSpan.Zero, QuarterTick);
        }

        return Task.FromResult(census.Progress);
    }

    public Task<AdoptProgress> AdoptAsync(AdoptStep step, CancellationToken cancel) =>
        adopter.RunAsync(step, cancel);

    // Interleaved: a long repair must keep neither the other loop nor those who ask how it stands waiting.
    private IGrainTimer Repeat(Func<CancellationToken, Task> work, TimeSpan pause) => this.RegisterGrainTimer(
        async cancel =>
        {
            try
            {
                await work(cancel);
            }
            catch (Exception e) when (e is ZeroStorException or OperationCanceledException)
            {
                log.SweepFailed(e.Message);
            }
        },
        new GrainTimerCreationOptions(TimeSpan.Zero, pause) { KeepAlive = true, Interleave = true });
}
