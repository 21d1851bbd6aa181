using ZeroStor.CommandLine.Bench;

namespace ZeroStor.Tests.Client.Zs.Bench;

public sealed class BenchLoopTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task So_many_are_under_way_at_once_and_each_does_one_at_least()
    {
        int underWay = 0;
        var allThere = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        List<TimeSpan> took = await BenchLoop.RunAsync(
            7,
            TimeSpan.FromTicks(1),
            async cancel =>
            {
                if (Interlocked.Increment(ref underWay) == 7)
                {
                    allThere.SetResult();
                }

                await allThere.Task.WaitAsync(cancel);
            },
            Cancel);
        Assert.Equal(7, took.Count);
    }

    [Fact]
    public async Task The_first_failure_ends_those_that_would_go_on_for_ever()
    {
        int begun = 0;
        await Assert.ThrowsAsync<InvalidOperationException>(() => BenchLoop.RunAsync(
            3,
            TimeSpan.FromHours(1),
            cancel => Interlocked.Increment(ref begun) == 3
                ? throw new InvalidOperationException()
                : Task.Delay(Timeout.Infinite, cancel),
            Cancel));
        Assert.Equal(3, begun);
    }
}
