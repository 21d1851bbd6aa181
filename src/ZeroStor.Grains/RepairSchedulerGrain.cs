using Microsoft.Extensions.Logging;
using Orleans.Placement;
using ZeroStor.Contracts.Doors;
using ZeroStor.Contracts.Inner;

namespace ZeroStor.Grains;

/// <summary>Keeps the fabric whole and clean, by three idempotent loops: one restores what homes lack, one gives
/// the space of the dead back, one compares disks with the catalog. What they remember only saves work, so two of
/// them are merely slower. They end when the activation ends: another one, of whichever silo asks first, goes
/// on.</summary>
[PreferLocalPlacement]
internal sealed class RepairSchedulerGrain(
    Reclaimer reclaimer,
    Repairer repairer,
    CensusTaker census,
    Adopter adopter,
    ZeroStorOptions options,
    TimeProvider time,
    ILogger<RepairSchedulerGrain> log)
    : Grain, IRepairSchedulerGrain, IDisposable
{
    /// <summary>Between two rounds of sweep and repair: a sweep of digests is cheap, and a loss should not
    /// wait.
    /// </summary>
    private static readonly TimeSpan RepairPause = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _stop = new();

    // Four rounds a tick: an age given in ticks is kept to within a quarter of one.
    private readonly RepeatedWork _reclaim = new(reclaimer.RunAsync, QuarterTick(options), time, log);
    private readonly RepeatedWork _census = new(census.RunAsync, QuarterTick(options), time, log);
    private readonly RepeatedWork _repair = new(repairer.RunAsync, RepairPause, time, log);
    private Task? _running;

    public Task WakeAsync()
    {
        _running ??= Task.WhenAll(
            _reclaim.RunAsync(_stop.Token), _census.RunAsync(_stop.Token), _repair.RunAsync(_stop.Token));
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        if (_running is { } running)
        {
            await running.WaitAsync(cancellationToken);
        }
    }

    public void Dispose() => _stop.Dispose();

    public Task<RepairProgress> ProgressAsync(bool hurry)
    {
        if (hurry)
        {
            repairer.Hurry();
            _repair.Hurry();
        }

        return Task.FromResult(repairer.Progress);
    }

    public Task<CensusProgress> CensusAsync(bool begin)
    {
        if (begin)
        {
            census.Ask();
            _census.Hurry();
        }

        return Task.FromResult(census.Progress);
    }

    public Task<AdoptProgress> AdoptAsync(AdoptStep step, CancellationToken cancel) =>
        adopter.RunAsync(step, cancel);

    private static TimeSpan QuarterTick(ZeroStorOptions options) => TimeSpan.FromSeconds(options.TickSeconds / 4);
}
