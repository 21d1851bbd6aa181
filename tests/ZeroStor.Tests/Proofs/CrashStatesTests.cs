using System.Diagnostics;

namespace ZeroStor.Tests.Proofs;

/// <summary>One disk, crashed everywhere.</summary>
public sealed class CrashStatesTests
{
    [Fact]
    public async Task A_crash_after_any_call_in_any_state_loses_and_shows_nothing_it_must_not()
    {
        var states = new CrashStates(Defect.None, await CrashStart.LifeBeforeAsync(Defect.None));
        CrashStart[] starts =
            [await CrashStart.EmptyAsync(), await CrashStart.InUseAsync(), await CrashStart.HalfDeadAsync()];
        int max = int.Parse(Environment.GetEnvironmentVariable("MAXO") ?? "3");
        foreach (CrashStart start in starts)
        {
            for (int orders = 0; orders <= max; orders++)
            {
                long began = Stopwatch.GetTimestamp();
                await states.ProveAsync(start, orders);
                TestContext.Current.TestOutputHelper!.WriteLine(
                    $"{start.Name}, {orders} orders: {states.Count} {Stopwatch.GetElapsedTime(began)}");
            }
        }

        Assert.True(states.Count >= 100_000, $"Only {states.Count} states.");
    }
}
