using Microsoft.Extensions.Logging;
using Orleans.Placement;
using ZeroStor.Contracts.Doors;
using ZeroStor.Contracts.Inner;

namespace ZeroStor.Grains;

/// <summary>Keeps the fabric whole and clean, by two idempotent loops on timers: one restores what homes
/// lack, the other gives the space of the dead back. What they remember only saves work, so two of them are
/// merely slower.
/// </summary>
[PreferLocalPlacement]
internal sealed class RepairSchedulerGrain(
    Reclaimer reclaimer, Repairer repairer, ZeroStorOptions options, ILogger<RepairSchedulerGrain> log)
    : Grain, IRepairSchedulerGrain
{
    /// <summary>Between two rounds of sweep and repair: a sweep of digests is cheap, and a loss should not
    /// wait.
    /// </summary>
    private static readonly TimeSpan RepairPause = TimeSpan.FromSeconds(2);

    private IGrainTimer? _reclaim;
    private IGrainTimer? _repair;

    public Task WakeAsync()
    {
        // Four rounds a tick: an age given in ticks is kept to within a quarter of one.
        _reclaim ??= Repeat(reclaimer.RunAsync, TimeSpan.FromSeconds(options.TickSeconds / 4));
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
