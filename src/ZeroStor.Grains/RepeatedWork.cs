using Microsoft.Extensions.Logging;

namespace ZeroStor.Grains;

/// <summary>A background job of a grain: work that is done again and again, with a pause, until it is stopped. It is no
/// grain timer. Orleans lets an activation end only when none of its timers' callbacks runs, and hands it no calls
/// from the moment in which it shall end. The moment is not the grain's to choose: it comes when the silo dies that
/// had its entry of the directory. Then work that takes minutes would leave the grain without an answer, and
/// without a successor, for as long. Runs on the scheduler of whoever starts it.</summary>
internal sealed class RepeatedWork(Func<CancellationToken, Task> work, TimeSpan pause, TimeProvider time, ILogger log)
{
    private TaskCompletionSource _hurried = NewHurry();

    /// <summary>Ends the pause, or leaves out the next one.</summary>
    public void Hurry() => _hurried.TrySetResult();

    /// <summary>Goes on until it is cancelled; throws nothing.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        await Task.Yield();
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                await work(cancel);
            }
            catch (Exception e) when (e is ZeroStorException or OperationCanceledException)
            {
                log.SweepFailed(e.Message);
            }
#pragma warning disable CA1031 // What nobody foresaw must not end it: nobody would begin it again.
            catch (Exception e)
#pragma warning restore CA1031
            {
                log.SweepBroke(e);
            }

            await Task.WhenAny(Task.Delay(pause, time, cancel), _hurried.Task);
            if (_hurried.Task.IsCompleted)
            {
                _hurried = NewHurry();
            }
        }
    }

    private static TaskCompletionSource NewHurry() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
