using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ZeroStor.Contracts.Inner;

namespace ZeroStor.Grains;

/// <summary>Sees to it that the repair scheduler runs somewhere: every silo wakes it again and again, so when the
/// silo that ran it is gone it comes up on another as soon as membership knows.</summary>
internal sealed class SchedulerWaker(IGrainFactory grains, TimeProvider time, ILogger<SchedulerWaker> log)
    : BackgroundService
{
    /// <summary>A scheduler that died is missed for this long at most, beyond what membership takes.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await WakeAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The silo stops.
        }
    }

    private async Task WakeAsync(CancellationToken cancel)
    {
        try
        {
            await grains.GetGrain<IRepairSchedulerGrain>(0).WakeAsync().WaitAsync(Pause, time, cancel);
        }
        catch (Exception e) when (e is not (OperationCanceledException or OutOfMemoryException))
        {
            // Whatever it was, it is tried again.
            log.SchedulerNotWoken(e.Message);
        }
    }
}
