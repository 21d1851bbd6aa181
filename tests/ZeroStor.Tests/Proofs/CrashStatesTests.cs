namespace ZeroStor.Tests.Proofs;

/// <summary>One disk, crashed everywhere.</summary>
public sealed class CrashStatesTests
{
    private const int Orders = 3;
    private const int LeastStates = 100_000;

    [Fact]
    public async Task A_crash_after_any_call_in_any_state_loses_and_shows_nothing_it_must_not()
    {
        var states = new CrashStates(Defect.None, await CrashStart.LifeBeforeAsync(Defect.None));

        // At once, because each waits for its disk's writer most of the time.
        await Task.WhenAll((await CrashStart.AllAsync()).Select(start => Task.Run(async () =>
        {
            for (int orders = 0; orders <= Orders; orders++)
            {
                await states.ProveAsync(start, orders);
            }
        })));
        TestContext.Current.TestOutputHelper!.WriteLine($"{states.Count} states");
        Assert.InRange(states.Count, LeastStates, int.MaxValue);
    }
}
