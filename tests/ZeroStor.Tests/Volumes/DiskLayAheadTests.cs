using System.Collections.Concurrent;
using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

/// <summary>While a batch is written and synced the next is laid; what it says of the disk must not be said
/// before the first is durable, nor at all when that fails.</summary>
public sealed class DiskLayAheadTests
{
    private const int InputOutputError = 5;

    // More than a step, so that laying it asks for room: that is how a test sees it.
    private const int LargeBytes = 70_000;

    // What is laid behind it is not as large, and is written when this is durable.
    private const int LargestBytes = 3 * LargeBytes;

    private static readonly DiskOptions Options = DiskBed.Small with
    {
        VolumeBytes = 1024 * 1024,
        LayAheadBytes = 1,
    };

    [Fact]
    public async Task What_waits_is_laid_while_a_batch_is_synced_and_written_when_that_is_durable()
    {
        await using var bed = new DiskBed(Options);
        await bed.PutNewAsync(10);
        TestShard[] shards = [bed.NewShard(LargestBytes), bed.NewShard(LargeBytes), bed.NewShard(10)];
        using var held = new HeldCall(bed, FileCall.Sync);
        Task<HomeAnswer> first = bed.AppendAsync(shards[0]);
        await held.Reached;
        int writes = bed.Files.Count(FileCall.Write);
        int syncs = bed.Files.Count(FileCall.Sync);
        Task<HomeAnswer>[] others = [bed.AppendAsync(shards[1]), bed.AppendAsync(shards[2])];
        await held.Laid;
        Assert.Equal(writes, bed.Files.Count(FileCall.Write));
        Assert.Equal(3, bed.Disk.Queued.Items);
        held.GoOn();
        Assert.All(await Task.WhenAll([first, .. others]), a => Assert.True(a.IsDone, a.Detail));
        Assert.Equal(writes + 1, bed.Files.Count(FileCall.Write));
        Assert.Equal(syncs + 1, bed.Files.Count(FileCall.Sync));
        bed.Crash();
        await bed.AssertHoldsAsync(shards);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(int.MaxValue)]
    public async Task What_waits_is_written_by_the_thread_that_wrote_the_one_before(int layAheadBytes)
    {
        await using var bed = new DiskBed(Options with { LayAheadBytes = layAheadBytes });
        await bed.PutNewAsync(10);
        TestShard[] shards =
            [bed.NewShard(LargestBytes), .. Enumerable.Range(0, 3).Select(_ => bed.NewShard(LargeBytes))];
        using var held = new HeldCall(bed, FileCall.Sync);
        Func<FileCall, string, int> before = bed.Files.Before;
        var writers = new ConcurrentBag<int>();
        bed.Files.Before = (call, path) =>
        {
            if (call == FileCall.Write)
            {
                writers.Add(Environment.CurrentManagedThreadId);
            }

            return before(call, path);
        };
        Task<HomeAnswer> first = bed.AppendAsync(shards[0]);
        await held.Reached;
        Task<HomeAnswer> second = bed.AppendAsync(shards[1]);
        await UntilAsync(() => bed.Disk.HasLaid || layAheadBytes > 1);
        Assert.Equal(layAheadBytes == 1, bed.Disk.HasLaid);
        held.GoOn();
        Assert.All(await Task.WhenAll(first, second), a => Assert.True(a.IsDone, a.Detail));
        Assert.Equal(2, writers.Count);
        Assert.Single(writers.Distinct());

        // Both threads go on.
        Assert.All(
            await Task.WhenAll(bed.AppendAsync(shards[2]), bed.AppendAsync(shards[3])),
            a => Assert.True(a.IsDone, a.Detail));
        bed.Crash();
        await bed.AssertHoldsAsync(shards);
    }

    [Fact]
    public async Task What_is_as_large_as_what_is_synced_is_written_meanwhile_and_answered_when_it_is_synced_too()
    {
        await using var bed = new DiskBed(Options);
        await bed.PutNewAsync(10);
        TestShard[] shards = [bed.NewShard(LargeBytes), bed.NewShard(LargeBytes)];
        using var held = new HeldCall(bed, FileCall.Sync);
        Task<HomeAnswer> first = bed.AppendAsync(shards[0]);
        await held.Reached;
        int writes = bed.Files.Count(FileCall.Write);
        int syncs = bed.Files.Count(FileCall.Sync);
        Task<HomeAnswer> second = bed.AppendAsync(shards[1]);
        await UntilAsync(() => bed.Files.Count(FileCall.Write) > writes);
        Assert.False(first.IsCompleted || second.IsCompleted);
        Assert.Equal(syncs, bed.Files.Count(FileCall.Sync));
        held.GoOn();
        Assert.All(await Task.WhenAll(first, second), a => Assert.True(a.IsDone, a.Detail));
        Assert.Equal(syncs + 1, bed.Files.Count(FileCall.Sync));
        bed.Crash();
        await bed.AssertHoldsAsync(shards);
    }

    [Fact]
    public async Task What_was_written_while_the_one_before_failed_to_be_synced_is_refused()
    {
        await using var bed = new DiskBed(Options);
        TestShard before = await bed.PutNewAsync(10);
        using var held = new HeldCall(bed, FileCall.Sync, InputOutputError);
        Task<HomeAnswer> first = bed.AppendAsync(bed.NewShard(LargeBytes));
        await held.Reached;
        int writes = bed.Files.Count(FileCall.Write);
        Task<HomeAnswer> second = bed.AppendAsync(bed.NewShard(LargeBytes));
        await UntilAsync(() => bed.Files.Count(FileCall.Write) > writes);
        int syncs = bed.Files.Count(FileCall.Sync);
        held.GoOn();
        Assert.Equal(ErrorKind.DiskFailed, (await first).Kind);
        Assert.Equal(await first, await second);
        Assert.Equal(syncs, bed.Files.Count(FileCall.Sync));
        Assert.Equal(DiskState.ReadOnly, bed.Disk.State);
        Assert.Equal(1, bed.Disk.Report().Shards);
        await bed.AssertHoldsAsync(before);
    }

    [Fact]
    public async Task What_found_no_room_while_the_one_before_was_synced_leaves_that_as_it_is()
    {
        await using var bed = new DiskBed(Options);
        TestShard[] shards = [await bed.PutNewAsync(10), bed.NewShard(LargeBytes), bed.NewShard(LargeBytes)];
        using var held = new HeldCall(bed, FileCall.Sync);
        Task<HomeAnswer> first = bed.AppendAsync(shards[1]);
        await held.Reached;
        Func<FileCall, string, int> before = bed.Files.Before;
        int isMet = 0;
        bed.Files.Before = (call, path) => call == FileCall.Write && Interlocked.Exchange(ref isMet, 1) == 0
            ? OsFile.NoSpace
            : before(call, path);
        Assert.Equal(ErrorKind.DiskFull, (await bed.AppendAsync(shards[2])).Kind);
        Assert.False(first.IsCompleted);
        held.GoOn();
        Assert.True((await first).IsDone);
        Assert.Equal(DiskState.Up, bed.Disk.State);
        await bed.PutAsync(shards[2]);
        bed.Crash();
        await bed.AssertHoldsAsync(shards);
        Assert.Equal(3, bed.Disk.Report().Shards);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(int.MaxValue)]
    public async Task What_is_durable_is_answered_while_the_next_is_on_its_way(int answerAsideCount)
    {
        await using var bed = new DiskBed(Options with { AnswerAsideCount = answerAsideCount });
        await bed.PutNewAsync(10);
        TestShard[] shards = [bed.NewShard(LargestBytes), bed.NewShard(LargeBytes)];
        using var held = new HeldCall(bed, FileCall.Sync);
        Task<HomeAnswer> first = bed.AppendAsync(shards[0]);
        await held.Reached;
        Func<FileCall, string, int> before = bed.Files.Before;
        using var goOn = new ManualResetEventSlim();
        bed.Files.Before = (call, path) =>
        {
            if (call == FileCall.Write)
            {
                goOn.Wait(DiskBed.Cancel);
            }

            return before(call, path);
        };
        Task<HomeAnswer> second = bed.AppendAsync(shards[1]);
        await held.Laid;
        held.GoOn();
        Assert.True((await first).IsDone);
        await bed.AssertHoldsAsync(shards[0]);
        Assert.False(second.IsCompleted);
        goOn.Set();
        Assert.True((await second).IsDone);
        bed.Crash();
        await bed.AssertHoldsAsync(shards);
    }

    [Fact]
    public async Task What_was_laid_behind_a_batch_that_failed_is_refused_and_never_written()
    {
        await using var bed = new DiskBed(Options);
        TestShard before = await bed.PutNewAsync(10);
        (HomeAnswer first, HomeAnswer second, _) = await BehindAsync(bed, FileCall.Sync, InputOutputError);
        Assert.Equal(ErrorKind.DiskFailed, first.Kind);
        Assert.Equal(first, second);
        Assert.Equal(DiskState.ReadOnly, bed.Disk.State);
        await bed.AssertHoldsAsync(before);
        Assert.Equal(1, bed.Disk.Report().Shards);
        await bed.ReopenAsync();
        await bed.AssertHoldsAsync(before);
    }

    [Fact]
    public async Task What_was_laid_behind_a_batch_that_found_no_room_is_refused_with_it_and_leaves_no_trace()
    {
        await using var bed = new DiskBed(Options);
        TestShard before = await bed.PutNewAsync(10);
        byte[] bytes = await File.ReadAllBytesAsync(bed.VolumeFiles()[0], DiskBed.Cancel);
        (HomeAnswer first, HomeAnswer second, TestShard shard) =
            await BehindAsync(bed, FileCall.Write, OsFile.NoSpace);
        Assert.Equal(ErrorKind.DiskFull, first.Kind);
        Assert.Equal(first, second);
        Assert.Equal(DiskState.Up, bed.Disk.State);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(bed.VolumeFiles()[0], DiskBed.Cancel));
        await bed.PutAsync(shard);
        bed.Crash();
        await bed.AssertHoldsAsync([before, shard]);
        Assert.Equal(2, bed.Disk.Report().Shards);
    }

    [Fact]
    public async Task A_shard_that_is_being_written_is_not_written_again_and_other_bytes_are_refused()
    {
        await using var bed = new DiskBed(Options);
        await bed.PutNewAsync(10);
        TestShard shard = bed.NewShard(500);
        TestShard other = bed.NewShard(500);
        other = other with { Header = other.Header with { Stripe = shard.Header.Stripe } };
        using var held = new HeldCall(bed, FileCall.Sync);
        Task<HomeAnswer> first = bed.AppendAsync(shard);
        await held.Reached;
        int writes = bed.Files.Count(FileCall.Write);
        Task<HomeAnswer>[] others = [bed.AppendAsync(shard), bed.AppendAsync(other)];
        held.GoOn();
        Assert.True((await first).IsDone);
        Assert.True((await others[0]).IsDone);
        Assert.Equal(ErrorKind.Corrupt, (await others[1]).Kind);
        Assert.Equal(writes, bed.Files.Count(FileCall.Write));
        Assert.Equal(2, bed.Disk.Report().Shards);
        await bed.AssertHoldsAsync(shard);
    }

    [Fact]
    public async Task A_shard_whose_delete_is_being_written_lives_when_it_comes_again()
    {
        await using var bed = new DiskBed(Options);
        TestShard[] shards = [await bed.PutNewAsync(500), await bed.PutNewAsync(500)];
        using var held = new HeldCall(bed, FileCall.Sync);
        Task<HomeAnswer> drop = bed.Disk.DropAsync([.. shards.Select(s => s.Header.Name)], DiskBed.Cancel).AsTask();
        await held.Reached;
        Task<HomeAnswer> again = bed.AppendAsync(shards[0]);
        held.GoOn();
        Assert.All(await Task.WhenAll(drop, again), a => Assert.True(a.IsDone, a.Detail));
        for (int life = 0; life < 2; life++)
        {
            await bed.AssertHoldsAsync(shards[0]);
            await bed.AssertLacksAsync(shards[1]);
            bed.Crash();
        }
    }

    [Fact]
    public async Task A_delete_kills_what_is_being_written_and_what_is_laid_behind_it()
    {
        await using var bed = new DiskBed(Options);
        TestShard stays = await bed.PutNewAsync(10);
        TestShard[] shards = [bed.NewShard(LargeBytes), bed.NewShard(LargeBytes)];
        using var held = new HeldCall(bed, FileCall.Sync);
        Task<HomeAnswer> first = bed.AppendAsync(shards[0]);
        await held.Reached;
        Task<HomeAnswer> second = bed.AppendAsync(shards[1]);
        await held.Laid;
        Task<HomeAnswer> reclaim =
            bed.Disk.ReclaimAsync([.. shards.Select(s => s.Header.Content)], DiskBed.Cancel).AsTask();
        held.GoOn();
        Assert.All(await Task.WhenAll(first, second, reclaim), a => Assert.True(a.IsDone, a.Detail));
        for (int life = 0; life < 2; life++)
        {
            await bed.AssertHoldsAsync(stays);
            await bed.AssertLacksAsync(shards[0]);
            await bed.AssertLacksAsync(shards[1]);
            bed.Crash();
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_kills_waits_until_what_is_being_written_is_durable(bool isDrop)
    {
        await using var bed = new DiskBed(Options);
        TestShard[] shards = [await bed.PutNewAsync(10), bed.NewShard(500), bed.NewShard(500)];
        using var held = new HeldCall(bed, FileCall.Sync);
        Task<HomeAnswer> first = bed.AppendAsync(shards[1]);
        await held.Reached;
        Task<HomeAnswer> kill = isDrop
            ? bed.Disk.DropAsync([shards[1].Header.Name], DiskBed.Cancel).AsTask()
            : bed.Disk.ReclaimAsync([shards[1].Header.Content], DiskBed.Cancel).AsTask();

        // An order of no bytes wakes nobody while a batch is written: one behind it does.
        Task<HomeAnswer> second = bed.AppendAsync(shards[2]);
        await UntilAsync(() => bed.Disk.IsSettling || kill.IsCompleted);
        Assert.False(kill.IsCompleted, "The disk said that it holds no such shard while it was being written.");
        held.GoOn();
        Assert.All(await Task.WhenAll(first, kill, second), a => Assert.True(a.IsDone, a.Detail));
        for (int life = 0; life < 2; life++)
        {
            await bed.AssertHoldsAsync([shards[0], shards[2]]);
            await bed.AssertLacksAsync(shards[1]);
            bed.Crash();
        }
    }

    [Fact]
    public async Task What_waits_behind_a_batch_that_fills_its_volume_begins_the_next()
    {
        await using var bed = new DiskBed(Options with { VolumeBytes = LargeBytes });
        await bed.PutNewAsync(10);
        TestShard[] shards = [bed.NewShard(LargeBytes), bed.NewShard(LargeBytes)];
        using var held = new HeldCall(bed, FileCall.Sync);
        Task<HomeAnswer> first = bed.AppendAsync(shards[0]);
        await held.Reached;
        Task<HomeAnswer> second = bed.AppendAsync(shards[1]);
        Assert.Single(bed.VolumeFiles());
        held.GoOn();
        Assert.All(await Task.WhenAll(first, second), a => Assert.True(a.IsDone, a.Detail));
        Assert.Equal(2, bed.VolumeFiles().Length);
        bed.Crash();
        await bed.AssertHoldsAsync(shards);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_disk_that_ends_while_a_batch_is_synced_answers_for_what_is_laid_behind_it(bool inOrder)
    {
        await using var bed = new DiskBed(Options);
        await bed.PutNewAsync(10);
        TestShard[] shards = [bed.NewShard(LargeBytes), bed.NewShard(LargeBytes)];
        using var held = new HeldCall(bed, FileCall.Sync);
        Task<HomeAnswer> first = bed.AppendAsync(shards[0]);
        await held.Reached;
        Task<HomeAnswer> second = bed.AppendAsync(shards[1]);
        await held.Laid;
        Task end = inOrder ? bed.ReopenAsync() : Task.Run(() => bed.Crash(), DiskBed.Cancel);
        held.GoOn();
        await end;
        Assert.All(await Task.WhenAll(first, second), a => Assert.True(a.IsDone, a.Detail));
        await bed.AssertHoldsAsync(shards);
    }

    // A step for each of the two, and the reserve of two. While the first is written the file system has not
    // taken its room yet; while it is synced it has.
    [Theory]
    [InlineData(nameof(FileCall.Write), 0, ErrorKind.None)]
    [InlineData(nameof(FileCall.Write), -1, ErrorKind.DiskFull)]
    [InlineData(nameof(FileCall.Sync), 0, ErrorKind.None)]
    [InlineData(nameof(FileCall.Sync), -1, ErrorKind.DiskFull)]
    public async Task Room_that_a_batch_takes_while_another_is_laid_is_counted_once(
        string call, int moreBytes, ErrorKind expected)
    {
        await using var bed = new DiskBed(Options);
        await bed.PutNewAsync(10);
        long freeBytes = (4 * Options.GrowBytes) + moreBytes;
        bool isTaken = call == nameof(FileCall.Sync);
        using var held = new HeldCall(bed, Enum.Parse<FileCall>(call));
        bed.Files.FreeBytesTold = freeBytes;
        Task<HomeAnswer> first = bed.AppendAsync(bed.NewShard(LargeBytes));
        await held.Reached;
        bed.Files.FreeBytesTold = freeBytes - (isTaken ? Options.GrowBytes : 0);
        Task<HomeAnswer> second = bed.AppendAsync(bed.NewShard(LargeBytes));
        await held.Laid;
        bed.Files.FreeBytesTold = freeBytes - Options.GrowBytes;
        held.GoOn();
        Assert.True((await first).IsDone);
        Assert.Equal(expected, (await second).Kind);
        Assert.Equal(DiskState.Up, bed.Disk.State);
    }

    private static async Task UntilAsync(Func<bool> isSo)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!isSo())
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    // Two appends of which the second is laid while a call for the first is held up, which then fails so; the
    // answers, and the shard that the second brought.
    private static async Task<(HomeAnswer First, HomeAnswer Second, TestShard Shard)> BehindAsync(
        DiskBed bed, FileCall call, int errno)
    {
        using var held = new HeldCall(bed, call, errno);
        Task<HomeAnswer> first = bed.AppendAsync(bed.NewShard(LargestBytes));
        await held.Reached;
        TestShard shard = bed.NewShard(LargeBytes);
        Task<HomeAnswer> second = bed.AppendAsync(shard);
        await held.Laid;
        held.GoOn();
        return (await first, await second, shard);
    }

    /// <summary>Holds up the next such call of a volume until it is told to go on, and sees whether something
    /// is laid meanwhile.</summary>
    private sealed class HeldCall : IDisposable
    {
        private readonly DiskBed _bed;
        private readonly TaskCompletionSource _reached = NewSignal();
        private readonly TaskCompletionSource _laid = NewSignal();
        private readonly TaskCompletionSource _goOn = NewSignal();

        internal HeldCall(DiskBed bed, FileCall call, int errno = 0)
        {
            _bed = bed;
            bed.Files.Before = (met, path) =>
            {
                if (met == FileCall.Look && path == bed.Folder && Reached.IsCompleted)
                {
                    _laid.TrySetResult();
                }

                bool isIt = met == call
                    && path.EndsWith(".vol", StringComparison.Ordinal)
                    && _reached.TrySetResult();
                if (isIt)
                {
                    _goOn.Task.Wait();
                }

                return isIt ? errno : 0;
            };
        }

        internal Task Reached => _reached.Task;

        internal Task Laid => _laid.Task;

        internal void GoOn() => _goOn.TrySetResult();

        public void Dispose()
        {
            GoOn();
            _bed.Files.Before = (_, _) => 0;
        }

        private static TaskCompletionSource NewSignal() =>
            new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
