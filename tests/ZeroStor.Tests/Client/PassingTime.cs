using Microsoft.Extensions.Time.Testing;

namespace ZeroStor.Tests.Client;

/// <summary>Lets a clock go on until something holds, without overtaking the work that it lets happen.</summary>
internal static class PassingTime
{
    /// <summary>Runs a test whose work and whose <see cref="AdvanceAsync"/> take turns: what can go on goes on
    /// before time passes, unless it went to the pool. Without it, a test in which a time-out matters passes its hours
    /// while another thread waits for a processor.</summary>
    public static Task InTurnsAsync(Func<Task> test) => Task.Factory.StartNew(
        test,
        CancellationToken.None,
        TaskCreationOptions.None,
        new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler).Unwrap();

    /// <summary>Lets time pass, step by step, until something holds.</summary>
    /// <param name="time">Is advanced.</param>
    /// <param name="holds">Until then.</param>
    /// <param name="stepSeconds">Small where work that is done meanwhile must not be overtaken by its time-out.
    /// </param>
    /// <returns>How much that took at most.</returns>
    public static async Task<TimeSpan> AdvanceAsync(
        this FakeTimeProvider time, Func<bool> holds, double stepSeconds = 1)
    {
        long since = time.GetTimestamp();
        while (!holds())
        {
            time.Advance(TimeSpan.FromSeconds(stepSeconds));
            await Task.Yield();
        }

        return time.GetElapsedTime(since);
    }
}
