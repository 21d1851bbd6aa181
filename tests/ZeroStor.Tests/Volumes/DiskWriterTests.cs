using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

public sealed class DiskWriterTests
{
    private const int InputOutputError = 5;

    [Fact]
    public async Task Many_appends_share_a_sync()
    {
        // More pieces than one call of the system takes, some in buffers of their own.
        await using var bed = new DiskBed(new DiskOptions());
        TestShard[] shards = [.. Enumerable.Range(0, 1500).Select(i => bed.NewShard(2045 + (i % 7)))];
        await bed.PutAsOneBatchAsync(shards);

        // The volume's header, the plug that held the rest up, and the rest: once each.
        Assert.Equal(3, bed.Files.Count(FileCall.Sync) - 1);
        bed.Crash();
        await bed.AssertHoldsAsync(shards);
    }

    [Fact]
    public async Task Appends_from_many_threads_are_all_there_with_fewer_syncs_than_appends()
    {
        await using var bed = new DiskBed();
        int before = bed.Files.Count(FileCall.Sync);
        TestShard[][] shards = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            var mine = new List<TestShard>();
            for (int i = 0; i < 40; i++)
            {
                mine.Add(await bed.PutNewAsync(2500));
            }

            return mine.ToArray();
        })));
        Assert.True(bed.Files.Count(FileCall.Sync) - before < 8 * 40);
        bed.Crash();
        await bed.AssertHoldsAsync(shards.SelectMany(s => s));
    }

    [Fact]
    public async Task The_same_shard_again_is_done_and_costs_nothing()
    {
        await using var bed = new DiskBed();
        TestShard shard = await bed.PutNewAsync();
        bed.Files.FreeBytesTold = long.MaxValue;
        DiskReport once = bed.Disk.Report();
        await bed.PutAsync(shard);
        Assert.Equal(once, bed.Disk.Report());
        TestShard twin = bed.NewShard();
        await bed.PutAsOneBatchAsync(twin, twin, twin);
        Assert.Equal(3, bed.Disk.Report().Shards);
        await bed.AssertHoldsAsync(twin);
    }

    [Fact]
    public async Task Other_bytes_under_the_same_name_are_refused()
    {
        await using var bed = new DiskBed();
        TestShard shard = await bed.PutNewAsync();
        TestShard other = bed.NewShard();
        other = other with { Header = other.Header with { Stripe = shard.Header.Stripe } };
        Assert.Equal(ErrorKind.Corrupt, (await bed.AppendAsync(other)).Kind);
        await bed.AssertHoldsAsync(shard);
        await bed.PutAsync(shard with { Header = shard.Header with { Place = 1 } });
    }

    [Fact]
    public async Task Bytes_that_do_not_match_their_header_are_not_stored()
    {
        await using var bed = new DiskBed();
        TestShard shard = bed.NewShard();
        shard.Payload[5] ^= 1;
        Assert.Equal(ErrorKind.Corrupt, (await bed.AppendAsync(shard)).Kind);
        Assert.Equal(ErrorKind.Corrupt, (await bed.AppendAsync(shard with { Payload = new byte[999] })).Kind);
        await bed.AssertLacksAsync(shard);
    }

    [Fact]
    public async Task A_full_queue_says_busy_and_is_free_again_later()
    {
        await using var bed = new DiskBed(DiskBed.Small with { QueueCount = 3 });
        await WhileSyncHangsAsync(bed, async () =>
        {
            Task<HomeAnswer>[] waiting = [bed.AppendAsync(bed.NewShard()), bed.AppendAsync(bed.NewShard())];
            Assert.Equal(ErrorKind.Busy, (await bed.AppendAsync(bed.NewShard())).Kind);
            return waiting;
        });
        await bed.PutNewAsync();
    }

    [Fact]
    public async Task A_queue_is_full_by_bytes_too()
    {
        await using var bed = new DiskBed(DiskBed.Small with { QueueBytes = 10_000 });
        await bed.PutNewAsync(50_000);
        await WhileSyncHangsAsync(bed, async () =>
        {
            Task<HomeAnswer>[] waiting = [bed.AppendAsync(bed.NewShard(8000))];
            Assert.Equal(ErrorKind.Busy, (await bed.AppendAsync(bed.NewShard(2000))).Kind);
            return waiting;
        });
    }

    [Fact]
    public async Task A_cancelled_append_returns_at_once_and_its_bytes_when_the_writer_is_done()
    {
        await using var bed = new DiskBed(DiskBed.Small with { LayAheadBytes = int.MaxValue });
        TestShard shard = bed.NewShard(100_000);
        BufferSlice payload = bed.Pool.RentSlice(100_000);
        nint address = AddressOf(payload);
        shard.Payload.CopyTo(payload.Span);
        await WhileSyncHangsAsync(bed, async () =>
        {
            using var cancel = new CancellationTokenSource();
            ValueTask<HomeAnswer> append = bed.Disk.AppendAsync(shard.Header, [], payload, cancel.Token);
            payload.Release();
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await append);

            // Still held: the pool has to make another.
            Assert.NotEqual(address, AddressOf(bed.Pool.RentSlice(100_000)));
            return [];
        });
        await bed.PutNewAsync();
        Assert.Equal(address, AddressOf(bed.Pool.RentSlice(100_000)));
        await bed.AssertLacksAsync(shard);
    }

    [Fact]
    public async Task Every_buffer_comes_back_however_an_append_ends()
    {
        await using var bed = new DiskBed(DiskBed.Small with { QueueCount = 2 });
        const int bytes = 100_000;
        nint address = AddressOf(bed.Pool, bytes);
        await bed.PutNewAsync(bytes);
        Assert.Equal(address, AddressOf(bed.Pool, bytes));

        TestShard twice = await bed.PutNewAsync(bytes);
        await bed.PutAsync(twice);
        Assert.Equal(address, AddressOf(bed.Pool, bytes));

        ShardReadAnswer read = await bed.ReadAsync(twice, 0, bytes - 1);
        read.Payload.Release();
        await WhileSyncHangsAsync(bed, async () =>
        {
            Task<HomeAnswer> waits = bed.AppendAsync(bed.NewShard());
            Assert.Equal(ErrorKind.Busy, (await bed.AppendAsync(bed.NewShard(bytes))).Kind);
            Assert.Equal(address, AddressOf(bed.Pool, bytes));
            return [waits];
        });

        bed.Files.Before = (call, _) => call == FileCall.Write ? InputOutputError : 0;
        Assert.Equal(ErrorKind.DiskFailed, (await bed.AppendAsync(bed.NewShard(bytes))).Kind);
        Assert.Equal(address, AddressOf(bed.Pool, bytes));
        Assert.Equal(ErrorKind.DiskFailed, (await bed.AppendAsync(bed.NewShard(bytes))).Kind);
        Assert.Equal(address, AddressOf(bed.Pool, bytes));
        bed.Files.Before = (_, _) => 0;
    }

    [Theory]
    [InlineData(FileCall.Write)]
    [InlineData(FileCall.Sync)]
    [InlineData(FileCall.Open)]
    [InlineData(FileCall.SyncFolder)]
    public async Task A_failed_write_or_sync_ends_the_writing_and_not_the_reading(object failing)
    {
        await using var bed = new DiskBed(DiskBed.Small with { VolumeBytes = 10_000 });
        TestShard[] before = [await bed.PutNewAsync(), await bed.PutNewAsync()];
        bed.Files.Before = (call, _) => call == (FileCall)failing ? InputOutputError : 0;
        TestShard lost = bed.NewShard();
        HomeAnswer answer = await bed.AppendAsync(lost);
        Assert.Equal(ErrorKind.DiskFailed, answer.Kind);
        Assert.Contains("errno 5", answer.Detail, StringComparison.Ordinal);

        // The device works again, and is not asked: what it lost meanwhile it would not say.
        bed.Files.Before = (_, _) => 0;
        Assert.Equal(DiskState.ReadOnly, bed.Disk.State);
        int writes = bed.Files.Count(FileCall.Write);
        Assert.Equal(ErrorKind.DiskFailed, (await bed.AppendAsync(bed.NewShard())).Kind);
        Assert.Equal(ErrorKind.DiskFailed, (await bed.Disk.ReclaimAsync([before[0].Header.Content], DiskBed.Cancel)).Kind);
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        await bed.AssertHoldsAsync(before);
        await bed.AssertLacksAsync(lost);
        await bed.ReopenAsync();
        Assert.Equal(writes, bed.Files.Count(FileCall.Write) - 1);
        Assert.Equal(DiskState.Up, bed.Disk.State);
        await bed.AssertHoldsAsync(before);
        await bed.PutAsync(lost);
    }

    [Fact]
    public async Task A_hundredth_of_the_file_system_is_left_to_deletes_and_compaction()
    {
        await using var bed = new DiskBed();
        bed.Files.TotalBytesTold = 1000L * bed.Options.GrowBytes;
        await bed.ReopenAsync();
        bed.Files.FreeBytesTold = 11 * bed.Options.GrowBytes;
        TestShard first = await bed.PutNewAsync(bed.Options.GrowBytes - 10_000);
        bed.Files.FreeBytesTold = (11 * bed.Options.GrowBytes) - 1;
        Assert.Equal(ErrorKind.DiskFull, (await bed.AppendAsync(bed.NewShard(20_000))).Kind);
        Assert.True((await bed.Disk.ReclaimAsync([first.Header.Content], DiskBed.Cancel)).IsDone);
        await bed.AssertLacksAsync(first);
    }

    [Fact]
    public async Task Without_room_appends_are_refused_and_deletes_are_not()
    {
        await using var bed = new DiskBed();
        var shards = new List<TestShard>();
        bed.Files.FreeBytesTold = bed.Options.GrowBytes;
        Assert.Equal(ErrorKind.DiskFull, (await bed.AppendAsync(bed.NewShard())).Kind);
        Assert.Empty(bed.VolumeFiles());
        bed.Files.FreeBytesTold = null;
        shards.Add(await bed.PutNewAsync(20_000));

        // The step that is there already may be used to its end; only growing is refused.
        bed.Files.FreeBytesTold = (3 * bed.Options.GrowBytes) - 1;
        TestShard tooMuch = bed.NewShard(20_000);
        while ((await bed.AppendAsync(tooMuch)).Kind is ErrorKind.None)
        {
            shards.Add(tooMuch);
            tooMuch = bed.NewShard(20_000);
        }

        Assert.Equal(2, shards.Count);
        Assert.Equal(DiskState.Up, bed.Disk.State);
        ContentId[] contents = [.. shards.Skip(1).Select(s => s.Header.Content)];
        Assert.True((await bed.Disk.ReclaimAsync(contents, DiskBed.Cancel)).IsDone);
        bed.Files.FreeBytesTold = null;
        await bed.PutAsync(tooMuch);
        bed.Crash();
        await bed.AssertHoldsAsync([shards[0], tooMuch]);
        await bed.AssertLacksAsync(shards[1]);
    }

    [Fact]
    public async Task A_file_system_that_runs_full_while_growing_is_an_answer_and_leaves_no_trace()
    {
        await using var bed = new DiskBed();
        TestShard first = await bed.PutNewAsync();
        byte[] before = await File.ReadAllBytesAsync(bed.VolumeFiles()[0], DiskBed.Cancel);
        TestShard tooMuch = bed.NewShard(90_000);
        bed.Files.AfterWrite = _ => OsFile.NoSpace;
        Assert.Equal(ErrorKind.DiskFull, (await bed.AppendAsync(tooMuch)).Kind);
        Assert.Equal(DiskState.Up, bed.Disk.State);
        Assert.Equal(before, await File.ReadAllBytesAsync(bed.VolumeFiles()[0], DiskBed.Cancel));
        TestShard second = await bed.PutNewAsync(90_000);
        bed.Crash();
        await bed.AssertHoldsAsync([first, second]);
        await bed.AssertLacksAsync(tooMuch);
    }

    [Fact]
    public async Task A_volume_that_finds_no_room_to_begin_leaves_no_file()
    {
        await using var bed = new DiskBed();
        bed.Files.Before = (call, _) => call == FileCall.Write ? OsFile.QuotaExceeded : 0;
        Assert.Equal(ErrorKind.DiskFull, (await bed.AppendAsync(bed.NewShard())).Kind);
        bed.Files.Before = (_, _) => 0;
        Assert.Empty(bed.VolumeFiles());
        await bed.PutNewAsync();
    }

    [Theory]
    [InlineData("moved")]
    [InlineData("superblock replaced")]
    [InlineData("volume unlinked")]
    [InlineData("volume cut")]
    public async Task A_folder_that_vanished_acknowledges_nothing(string how)
    {
        await using var bed = new DiskBed { LeavesDamage = true };
        TestShard before = await bed.PutNewAsync();
        Assert.True(bed.Disk.CheckFolder());
        string superblock = Path.Combine(bed.Folder, "superblock");
        switch (how)
        {
            case "moved":
                Directory.Move(bed.Folder, bed.Folder + ".away");
                Directory.CreateDirectory(bed.Folder);
                break;
            case "superblock replaced":
                File.Copy(superblock, superblock + "2");
                File.Move(superblock + "2", superblock, overwrite: true);
                break;
            case "volume unlinked":
                File.Delete(bed.VolumeFiles()[0]);
                break;
            case "volume cut":
                using (FileStream file = File.OpenWrite(bed.VolumeFiles()[0]))
                {
                    file.SetLength(100);
                }

                break;
        }

        Assert.Equal(ErrorKind.DiskOffline, (await bed.AppendAsync(bed.NewShard())).Kind);
        Assert.Equal(DiskState.Missing, bed.Disk.State);
        Assert.Equal(ErrorKind.DiskOffline, (await bed.ReadAsync(before)).Kind);
        Assert.Equal(ErrorKind.DiskOffline, (await bed.AppendAsync(bed.NewShard())).Kind);
        Assert.Equal(ErrorKind.DiskOffline, (await bed.Disk.ReclaimAsync([], DiskBed.Cancel)).Kind);
        Assert.Equal(ErrorKind.DiskOffline, Assert.Throws<ZeroStorException>(() => bed.Disk.Digests()).Kind);
        Assert.False(bed.Disk.CheckFolder());
    }

    [Fact]
    public async Task A_stop_writes_what_was_queued()
    {
        await using var bed = new DiskBed();
        TestShard[] shards = [.. Enumerable.Range(0, 50).Select(_ => bed.NewShard())];
        Task<HomeAnswer>[] appends = [.. shards.Select(s => bed.AppendAsync(s))];
        await bed.ReopenAsync();
        Assert.All(await Task.WhenAll(appends), a => Assert.True(a.IsDone, a.Detail));
        await bed.AssertHoldsAsync(shards);
    }

    [Fact]
    public async Task Closed_disks_answer_that_they_are()
    {
        await using var bed = new DiskBed();
        TestShard shard = await bed.PutNewAsync();
        await bed.Disk.DisposeAsync();
        Assert.Equal(ErrorKind.DiskOffline, (await bed.AppendAsync(bed.NewShard())).Kind);
        Assert.Equal(ErrorKind.DiskOffline, (await bed.ReadAsync(shard)).Kind);
        Assert.False(bed.Disk.CheckFolder());
    }

    [Fact]
    public async Task An_empty_disk_costs_nothing_and_one_with_a_shard_one_step_until_it_is_trimmed()
    {
        await using var bed = new DiskBed();
        Assert.Empty(bed.VolumeFiles());
        await bed.PutNewAsync(100);
        Assert.Equal(bed.Options.GrowBytes, new FileInfo(bed.VolumeFiles()[0]).Length);
        await bed.Disk.DisposeAsync();
        Assert.InRange(new FileInfo(bed.VolumeFiles()[0]).Length, 1, Volume.HeaderBytes + 400);
    }

    [Fact]
    public async Task A_large_batch_grows_its_volume_by_itself_alone_and_a_small_one_goes_on_by_steps()
    {
        await using var bed = new DiskBed(DiskBed.Small with { LargeBatchBytes = 30_000 });
        await bed.PutNewAsync(40_000);
        long length = new FileInfo(bed.VolumeFiles()[0]).Length;
        Assert.InRange(length, Volume.HeaderBytes + 40_000, Volume.HeaderBytes + 40_000 + (2 * RecordFormat.BlockBytes));
        await bed.PutNewAsync(20_000);
        Assert.Equal(2 * bed.Options.GrowBytes, new FileInfo(bed.VolumeFiles()[0]).Length);
        await bed.PutNewAsync(35_000);
        Assert.Equal(2 * bed.Options.GrowBytes, new FileInfo(bed.VolumeFiles()[0]).Length);
    }

    [Fact]
    public async Task Default_shards_cost_less_than_1_6_percent_over_their_bytes()
    {
        const int shardBytes = 209_767;
        await using var bed = new DiskBed(new DiskOptions());
        for (int i = 0; i < 200; i++)
        {
            // One at a time is the dearest way: each begins a block of its own.
            await bed.PutAsync(bed.NewShard(shardBytes) with
            {
                Extensions = [new(ExtensionType.ShardSums, new byte[24 * Sum128.Bytes])],
            });
        }

        await bed.Disk.DisposeAsync();
        long blocks = bed.VolumeFiles().Append(Path.Combine(bed.Folder, "superblock"))
            .Sum(f => RecordFormat.AlignBlock(new FileInfo(f).Length));
        Assert.True(blocks < 200 * shardBytes * 1.016, $"{blocks} bytes for {200 * shardBytes}");
    }

    // Runs the action while a first append hangs in its sync, then waits for what the action left waiting.
    private static async Task WhileSyncHangsAsync(DiskBed bed, Func<Task<Task<HomeAnswer>[]>> action)
    {
        using var reached = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        bed.Files.Before = (call, path) =>
        {
            if (call == FileCall.Sync && path.EndsWith(".vol", StringComparison.Ordinal))
            {
                reached.Set();
                goOn.Wait(DiskBed.Cancel);
            }

            return 0;
        };
        Task<HomeAnswer> first = bed.AppendAsync(bed.NewShard(10));
        reached.Wait(DiskBed.Cancel);
        try
        {
            Task<HomeAnswer>[] waiting = await action();
            bed.Files.Before = (_, _) => 0;
            goOn.Set();
            Assert.All(await Task.WhenAll(waiting.Append(first)), a => Assert.True(a.IsDone, a.Detail));
        }
        finally
        {
            bed.Files.Before = (_, _) => 0;
            goOn.Set();
        }
    }

    // Pinned, so it tells buffers apart.
    private static unsafe nint AddressOf(BufferSlice slice) =>
        (nint)System.Runtime.CompilerServices.Unsafe.AsPointer(
            ref System.Runtime.InteropServices.MemoryMarshal.GetReference(slice.Span));

    // The buffer that the pool would give out next; it stays in the pool.
    private static nint AddressOf(BufferPool pool, int bytes)
    {
        BufferSlice slice = pool.RentSlice(bytes);
        nint address = AddressOf(slice);
        slice.Release();
        return address;
    }
}
