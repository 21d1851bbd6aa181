using Microsoft.Extensions.Time.Testing;

namespace ZeroStor.Tests;

public sealed class ThrottleTests
{
    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void Without_a_limit_nobody_waits()
    {
        var throttle = new Throttle(_time);
        for (int i = 0; i < 100; i++)
        {
            Assert.True(throttle.TakeAsync(long.MaxValue / 2, Cancel).IsCompletedSuccessfully);
        }
    }

    [Fact]
    public async Task Over_time_the_rate_holds_whatever_the_sizes()
    {
        var throttle = new Throttle(_time) { BytesPerSecond = 1000 };
        int[] sizes = [1, 700, 5000, 20, 999, 3000, 1];
        Task taking = TakeAllAsync(throttle, sizes);
        double seconds = await AdvanceUntilAsync(taking);

        // The last is paid for by nobody who waits.
        double owed = sizes[..^1].Sum() / 1000.0;
        Assert.InRange(seconds, owed, owed + (0.5 * sizes.Length));
    }

    [Fact]
    public async Task A_rest_saves_up_one_second_and_no_more()
    {
        var throttle = new Throttle(_time) { BytesPerSecond = 1000 };
        _time.Advance(TimeSpan.FromHours(1));
        Assert.True(throttle.TakeAsync(999, Cancel).IsCompletedSuccessfully);
        Assert.True(throttle.TakeAsync(1, Cancel).IsCompletedSuccessfully);
        Assert.Equal(1000, throttle.TakenBytes);
        Task next = throttle.TakeAsync(1, Cancel);
        Assert.False(next.IsCompleted);
        Assert.InRange(await AdvanceUntilAsync(next), 0, 0.02);
    }

    [Fact]
    public async Task A_raised_limit_is_felt_by_who_waits_already()
    {
        var throttle = new Throttle(_time) { BytesPerSecond = 10 };
        _time.Advance(TimeSpan.FromSeconds(1));
        await throttle.TakeAsync(100_000, Cancel);
        Task waiting = throttle.TakeAsync(1, Cancel);
        throttle.BytesPerSecond = 1_000_000;
        Assert.InRange(await AdvanceUntilAsync(waiting), 0, 1);
    }

    [Fact]
    public async Task A_lifted_limit_lets_all_go()
    {
        var throttle = new Throttle(_time) { BytesPerSecond = 1 };
        _time.Advance(TimeSpan.FromSeconds(1));
        await throttle.TakeAsync(100_000, Cancel);
        Task waiting = Task.WhenAll(Enumerable.Range(0, 8).Select(_ => throttle.TakeAsync(100, Cancel)));
        throttle.BytesPerSecond = 0;
        Assert.InRange(await AdvanceUntilAsync(waiting), 0, 1);
    }

    [Fact]
    public async Task Who_is_cancelled_has_taken_nothing()
    {
        var throttle = new Throttle(_time) { BytesPerSecond = 1000 };
        using var cancel = new CancellationTokenSource();
        Task waiting = throttle.TakeAsync(1_000_000, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        _time.Advance(TimeSpan.FromMilliseconds(10));
        Assert.True(throttle.TakeAsync(1, Cancel).IsCompletedSuccessfully);
    }

    [Fact]
    public void A_negative_limit_is_refused() => Assert.Throws<ArgumentOutOfRangeException>(
        () => new Throttle(_time) { BytesPerSecond = -1 });

    private static async Task TakeAllAsync(Throttle throttle, int[] sizes)
    {
        foreach (int size in sizes)
        {
            await throttle.TakeAsync(size, Cancel);
        }
    }

    private async Task<double> AdvanceUntilAsync(Task task)
    {
        DateTimeOffset began = _time.GetUtcNow();
        while (!task.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }

        await task;
        return (_time.GetUtcNow() - began).TotalSeconds;
    }
}
