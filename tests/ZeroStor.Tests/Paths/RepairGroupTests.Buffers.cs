using CsCheck;
using Microsoft.Extensions.Time.Testing;
using ZeroStor.Paths;

namespace ZeroStor.Tests.Paths;

/// <summary>Buffers come back and bytes pass the throttle, whatever happens.</summary>
public sealed partial class RepairGroupTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_cancelled_repair_ends_at_once_and_gives_every_buffer_back(bool whileReading)
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 200_000);
        fabric.Homes.Drop(standing.Id, 5);
        fabric.Homes.GivenOut = [];
        using var cancel = new CancellationTokenSource();
        int whole = 0;
        fabric.Homes.OnRead = order =>
        {
            if (order.Length > 0 && Interlocked.Increment(ref whole) == Code.K)
            {
                if (whileReading)
                {
                    fabric.Homes[order.To.Disk] = Conduct.Silent;
                }
                else
                {
                    fabric.Homes[fabric.Home(standing.Ref, 5)] = Conduct.Silent;
                }

                cancel.CancelAfter(0);
            }
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => fabric.Repair().RunAsync(standing.Group, cancel.Token));
        await AssertAllGivenBackAsync(fabric);
        Assert.Equal(5, fabric.Homes.ShardsOf(standing.Id));
    }

    [Fact]
    public async Task A_repair_gives_every_buffer_back_whatever_it_met()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 200_000);
        Standing other = await WriteIntoAsync(fabric, standing.Group);
        fabric.Homes.GivenOut = [];
        fabric.Homes.Drop(standing.Id, 5);
        fabric.Homes.Rot(fabric.Home(standing.Ref, 1), standing.Id, 1);
        Array.ForEach([0, 1, 2], p => fabric.Homes.Drop(other.Id, p));
        fabric.Homes[fabric.Home(standing.Ref, 2)] = Conduct.Lying;
        await fabric.Repair().RunAsync(standing.Group, Cancel);
        Assert.True(fabric.Homes.GivenOut.Count(s => s.Length > 0) >= 4);
        await AssertAllGivenBackAsync(fabric);
    }

    [Fact]
    public async Task A_shard_that_comes_after_its_time_is_given_back()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 200_000);
        fabric.Homes.Drop(standing.Id, 5);
        fabric.Homes.GivenOut = [];
        using var asked = new SemaphoreSlim(0);
        using var late = new ManualResetEventSlim();
        fabric.Homes.OnRead = order =>
        {
            if (order.Length > 0 && order.Place == 0)
            {
                asked.Release();
                late.Wait(Cancel);
            }
        };
        var time = new FakeTimeProvider();
        Task<RepairTally> running = fabric.Repair(time).RunAsync(standing.Group, Cancel);
        await asked.WaitAsync(Cancel);
        time.Advance(TimeSpan.FromSeconds(30));
        await running;
        int given = fabric.Homes.GivenOut.Count(s => s.Length > 0);
        late.Set();
        while (fabric.Homes.GivenOut.Count(s => s.Length > 0) == given)
        {
            Cancel.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        await AssertAllGivenBackAsync(fabric);
        Assert.Equal(0, (await fabric.Repair().RunAsync(standing.Group, Cancel)).ShardsLeft);
        standing.AssertWhole(fabric);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    public async Task Exactly_the_shard_bytes_that_are_read_and_written_pass_the_throttle(int more, bool isLeft)
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 100_000);
        fabric.Homes.Drop(standing.Id, 3);
        var time = new FakeTimeProvider();
        int bytes = standing.Records[0].Header.ShardBytes * (Code.K + 1);
        var throttle = new Throttle(time) { BytesPerSecond = bytes + more };
        time.Advance(TimeSpan.FromSeconds(1));
        RepairTally tally = await fabric.Repair(time, throttle: throttle).RunAsync(standing.Group, Cancel);
        Assert.Equal((1, bytes), (tally.ShardsRebuilt, tally.BytesRead + tally.BytesWritten));

        // The clock stood still, so what the bucket held at first is what was taken and what is left.
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        Task next = throttle.TakeAsync(1, enough.Token);
        Assert.Equal(isLeft, next.IsCompleted);
        await enough.CancelAsync();
        Assert.Equal(isLeft, await next.ContinueWith(t => t.IsCompletedSuccessfully, TaskScheduler.Default));
    }

    [Fact]
    public async Task A_throttled_repair_waits_and_goes_on_when_the_limit_is_lifted()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 100_000);
        fabric.Homes.Drop(standing.Id, 3);
        var time = new FakeTimeProvider();
        var throttle = new Throttle(time) { BytesPerSecond = 1 };
        Task<RepairTally> running = fabric.Repair(time, throttle: throttle).RunAsync(standing.Group, Cancel);
        for (int second = 0; second < 100; second++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.False(running.IsCompleted);
        Assert.Equal(5, fabric.Homes.ShardsOf(standing.Id));
        throttle.BytesPerSecond = 0;
        while (!running.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }

        Assert.Equal(1, (await running).ShardsRebuilt);
        standing.AssertWhole(fabric);
    }

    private static async Task AssertAllGivenBackAsync(PathFixture fabric)
    {
        // A read that was given up may end a moment later; one that leaks fails the test instead of hanging
        // it.
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        foreach (BufferSlice slice in fabric.Homes.GivenOut!.Where(s => s.Length > 0))
        {
            while (!IsReleased(slice))
            {
                patience.Token.ThrowIfCancellationRequested();
                await Task.Yield();
            }
        }
    }

    private static bool IsReleased(BufferSlice slice)
    {
        try
        {
            slice.Hold().Release();
            return false;
        }
        catch (InvalidOperationException)
        {
            return true;
        }
    }
}
