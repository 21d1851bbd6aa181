using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

public sealed class DiskScrubTests
{
    private const int InputOutputError = 5;
    private const int ExtensionBytes = RecordFormat.ExtensionHeadBytes + 30;

    // A record each time: then it can be told which are read, and when. ScrubReaderTests read many at once.
    private static readonly DiskOptions Options = DiskBed.Small with
    {
        VolumeBytes = 50_000, ScrubPageShards = 7, ScrubWindowBytes = 1,
    };

    private static Throttle Unlimited => new(TimeProvider.System);

    [Fact]
    public async Task Every_flipped_byte_is_found_and_every_good_shard_is_left()
    {
        await using var bed = new DiskBed(Options) { LeavesDamage = true };
        int recordBytes = RecordFormat.HeaderBytes + ExtensionBytes + 60;
        TestShard[] good = await PutManyAsync(bed, recordBytes);
        TestShard[] bad = await PutManyAsync(bed, recordBytes);
        for (int i = 0; i < bad.Length; i++)
        {
            Damage(bed, bad[i], i);
        }

        long liveBytes = bed.Disk.Report().LiveBytes;
        Assert.Equal(
            new ScrubTally(2 * recordBytes, liveBytes, recordBytes),
            await bed.Disk.ScrubAsync(Unlimited, DiskBed.Cancel));
        Assert.Equal(recordBytes, bed.Disk.BadRecords);
        Assert.Equal(recordBytes, bed.Disk.Digests().Sum(d => d.Count));
        Assert.Equal(
            good.Select(g => g.Header.Stripe).Order(),
            bed.Disk.List(DiskBed.Group, default, 10_000).Select(e => e.Stripe));
        await bed.AssertHoldsAsync(good);

        // What is known is not found again; what repair writes anew is whole.
        Assert.Equal(
            new ScrubTally(recordBytes, liveBytes / 2, 0), await bed.Disk.ScrubAsync(Unlimited, DiskBed.Cancel));
        await bed.PutAsync(bad[0]);
        ScrubTally last = await bed.Disk.ScrubAsync(Unlimited, DiskBed.Cancel);
        Assert.Equal((recordBytes + 1, 0), (last.Shards, last.Bad));
        Assert.Equal(last, bed.Disk.ScrubProgress);
    }

    [Fact]
    public async Task Shards_are_read_once_in_the_order_in_which_they_lie()
    {
        await using var bed = new DiskBed(Options with { ScrubPageShards = 30 }) { LeavesDamage = true };

        // Footers list by name, and the index takes up what these leave from the end: neither has the order of
        // the disk.
        TestShard[] dead = await PutManyAsync(bed, 30);
        await bed.Disk.ReclaimAsync([.. dead.Select(d => d.Header.Content)], DiskBed.Cancel);
        var shards = new List<TestShard>();
        for (int i = 0; i < 30; i++)
        {
            shards.Add(await bed.PutNewAsync(5000));
        }

        shards.ForEach(s => Damage(bed, s, 300));
        using var cancel = new CancellationTokenSource();
        var volumes = new List<string>();
        bed.Files.Before = (call, path) =>
        {
            if (call == FileCall.Read)
            {
                // The first read of each volume here is of its footer.
                volumes.Add(path);
                if (volumes.Count - volumes.Distinct().Count() == 20)
                {
                    cancel.Cancel();
                }
            }

            return 0;
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => bed.Disk.ScrubAsync(Unlimited, cancel.Token));
        bed.Files.Before = (_, _) => 0;
        Assert.Equal(volumes.Order(StringComparer.Ordinal), volumes);
        Assert.Equal(20, volumes.Count - volumes.Distinct().Count());
        Assert.True(volumes.Distinct().Count() > 1);
        Assert.Equal((20, 20), (bed.Disk.ScrubProgress.Shards, bed.Disk.ScrubProgress.Bad));
        Assert.Equal(
            shards[20..].Select(s => s.Header.Stripe).Order(),
            bed.Disk.List(DiskBed.Group, default, 100).Select(e => e.Stripe));
    }

    [Fact]
    public async Task What_is_dropped_moved_or_appended_meanwhile_is_passed_over()
    {
        await using var bed = new DiskBed(Options);
        TestShard first = await bed.PutNewAsync(5000);
        TestShard moved = await bed.PutNewAsync(5000);
        TestShard dropped = await bed.PutNewAsync(45_000);
        TestShard last = await bed.PutNewAsync(5000);

        // The footer of the first volume is read, and then its first shard.
        using var read = new HeldRead(bed, which: 2);
        Task<ScrubTally> scrub = bed.Disk.ScrubAsync(Unlimited, DiskBed.Cancel);
        read.WaitReached();
        await bed.Disk.ReclaimAsync([dropped.Header.Content], DiskBed.Cancel);
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        Assert.DoesNotContain(bed.VolumeFiles(), f => f.EndsWith("00000001.vol", StringComparison.Ordinal));
        TestShard appended = await bed.PutNewAsync(5000);
        read.GoOn();
        ScrubTally tally = await scrub;
        Assert.Equal((2, 0), (tally.Shards, tally.Bad));
        tally = await bed.Disk.ScrubAsync(Unlimited, DiskBed.Cancel);
        Assert.Equal((4, 0), (tally.Shards, tally.Bad));
        await bed.AssertHoldsAsync([first, moved, last, appended]);
    }

    [Fact]
    public async Task Appends_reclaims_and_compactions_meanwhile_raise_no_false_alarm()
    {
        await using var bed = new DiskBed(Options);
        var living = new List<TestShard>();
        Task churn = Task.Run(
            async () =>
            {
                for (int round = 0; round < 25; round++)
                {
                    TestShard[] put = await PutManyAsync(bed, 20, 3000);
                    living.AddRange(put[..4]);
                    await bed.Disk.ReclaimAsync([.. put[4..].Select(d => d.Header.Content)], DiskBed.Cancel);
                    await bed.Disk.CompactAsync(DiskBed.Cancel);
                }
            },
            DiskBed.Cancel);
        do
        {
            Assert.Equal(0, (await bed.Disk.ScrubAsync(Unlimited, DiskBed.Cancel)).Bad);
        }
        while (!churn.IsCompleted);
        await churn;
        Assert.Equal(100, (await bed.Disk.ScrubAsync(Unlimited, DiskBed.Cancel)).Shards);
        Assert.Equal(0, bed.Disk.BadRecords);
        await bed.AssertHoldsAsync(living);
    }

    [Fact]
    public async Task Disks_that_share_a_pace_keep_to_it_together()
    {
        await using var one = new DiskBed(Options, seed: 1);
        await using var other = new DiskBed(Options, seed: 2);
        await PutManyAsync(one, 10, 5000);
        await PutManyAsync(other, 10, 5000);
        var pace = new Throttle(one.Time) { BytesPerSecond = 10_000 };
        DateTimeOffset began = one.Time.GetUtcNow();
        Task<ScrubTally>[] scrubs = [.. new[] { one, other }.Select(b => b.Disk.ScrubAsync(pace, DiskBed.Cancel))];
        Assert.Equal(ScrubTally.Zero, one.Disk.ScrubProgress);
        while (!scrubs.All(s => s.IsCompleted))
        {
            one.Time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }

        ScrubTally[] tallies = await Task.WhenAll(scrubs);
        Assert.All(tallies, t => Assert.Equal((10, 0), (t.Shards, t.Bad)));

        // The last shard is paid for by nobody who waits.
        long paidBytes = tallies.Sum(t => t.Bytes) - (tallies[0].Bytes / 10);
        Assert.True((one.Time.GetUtcNow() - began).TotalSeconds >= paidBytes / 10_000.0);
    }

    [Fact]
    public async Task A_scrub_that_waits_for_its_pace_is_cancelled_at_once_and_another_may_begin()
    {
        await using var bed = new DiskBed(Options);
        await PutManyAsync(bed, 10);
        using var cancel = new CancellationTokenSource();
        Task scrub = bed.Disk.ScrubAsync(new Throttle(bed.Time) { BytesPerSecond = 1 }, cancel.Token);
        var refused = await Assert.ThrowsAsync<ZeroStorException>(
            () => bed.Disk.ScrubAsync(Unlimited, DiskBed.Cancel));
        Assert.Equal(ErrorKind.Busy, refused.Kind);
        await cancel.CancelAsync();
        var ended = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scrub);
        Assert.Equal(cancel.Token, ended.CancellationToken);
        Assert.Equal(10, (await bed.Disk.ScrubAsync(Unlimited, DiskBed.Cancel)).Shards);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Closing_ends_a_scrub(bool inOrder)
    {
        await using var bed = new DiskBed(Options);
        await PutManyAsync(bed, 10);
        Disk disk = bed.Disk;
        Task scrub = disk.ScrubAsync(new Throttle(bed.Time) { BytesPerSecond = 1 }, DiskBed.Cancel);
        if (inOrder)
        {
            await bed.ReopenAsync();
        }
        else
        {
            bed.Crash();
        }

        foreach (Task refused in (Task[])[scrub, disk.ScrubAsync(Unlimited, DiskBed.Cancel)])
        {
            Assert.Equal(
                ErrorKind.DiskOffline, (await Assert.ThrowsAsync<ZeroStorException>(() => refused)).Kind);
        }

        Assert.Equal(10, (await bed.Disk.ScrubAsync(Unlimited, DiskBed.Cancel)).Shards);
    }

    [Fact]
    public async Task A_disk_that_vanishes_is_not_taken_for_rot()
    {
        await using var bed = new DiskBed(Options);
        await PutManyAsync(bed, 10);
        using var read = new HeldRead(bed);
        Task scrub = bed.Disk.ScrubAsync(Unlimited, DiskBed.Cancel);
        read.WaitReached();
        Directory.Move(bed.Folder, bed.Folder + "-away");
        Assert.False(bed.Disk.CheckFolder());
        Directory.Move(bed.Folder + "-away", bed.Folder);
        read.GoOn();
        Assert.Equal(ErrorKind.DiskOffline, (await Assert.ThrowsAsync<ZeroStorException>(() => scrub)).Kind);
        Assert.Equal(new ScrubTally(1, bed.Disk.ScrubProgress.Bytes, 0), bed.Disk.ScrubProgress);
        Assert.Equal(0, bed.Disk.BadRecords);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(10)]
    [InlineData(RecordFormat.HeaderBytes + 10)]
    [InlineData(RecordFormat.HeaderBytes + ExtensionBytes + 10)]
    public async Task Every_buffer_comes_back_whatever_is_found(int? damagedAt)
    {
        await using var bed = new DiskBed(Options) { LeavesDamage = true };
        TestShard shard = (await PutManyAsync(bed, 1, 30_000))[0];
        if (damagedAt is { } at)
        {
            Damage(bed, shard, at);
        }

        SharedBuffer next = bed.Pool.Rent(30_000);
        next.Release();
        ScrubTally tally = await bed.Disk.ScrubAsync(Unlimited, DiskBed.Cancel);
        Assert.Equal((1, damagedAt is null ? 0 : 1), (tally.Shards, tally.Bad));
        Assert.Same(next, bed.Pool.Rent(30_000));
    }

    [Fact]
    public async Task What_the_device_cannot_read_is_bad_and_its_buffer_comes_back()
    {
        await using var bed = new DiskBed(Options);
        await bed.PutNewAsync(30_000);
        SharedBuffer next = bed.Pool.Rent(30_000);
        next.Release();
        bed.Files.Before = (call, _) => call == FileCall.Read ? InputOutputError : 0;
        Assert.Equal(1, (await bed.Disk.ScrubAsync(Unlimited, DiskBed.Cancel)).Bad);
        bed.Files.Before = (_, _) => 0;
        Assert.Same(next, bed.Pool.Rent(30_000));
        Assert.Empty(bed.Disk.Digests());
    }

    [Fact]
    public async Task An_empty_disk_is_scrubbed_at_once()
    {
        await using var bed = new DiskBed(Options);
        Assert.Equal(ScrubTally.Zero, await bed.Disk.ScrubAsync(Unlimited, DiskBed.Cancel));
    }

    private static async Task<TestShard[]> PutManyAsync(DiskBed bed, int count, int payloadBytes = 60)
    {
        TestShard[] shards = [.. Enumerable.Range(0, count).Select(_ => bed.NewShard(payloadBytes) with
        {
            Extensions = [new(ExtensionType.ShardSums, new byte[ExtensionBytes - RecordFormat.ExtensionHeadBytes])],
        })];
        return await Task.WhenAll(shards.Select(bed.PutAsync));
    }

    // Flips one bit, at so many bytes from the record's start.
    private static void Damage(DiskBed bed, TestShard shard, int at)
    {
        ShardLocation location = bed.Disk.Locate(shard.Header.Stripe, shard.Header.Place)!.Value;
        int payloadOffset = RecordFormat.HeaderBytes + RecordFormat.ExtensionBytes(shard.Extensions);
        using FileStream file = File.Open(Path.Combine(bed.Folder, location.File), FileMode.Open);
        file.Position = location.Offset - payloadOffset + at;
        int value = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(value ^ (1 << (at % 8))));
    }

    /// <summary>Holds up the first read from now on until it may go on.</summary>
    private sealed class HeldRead : IDisposable
    {
        private readonly ManualResetEventSlim _reached = new();
        private readonly ManualResetEventSlim _goOn = new();
        private int _reads;

        internal HeldRead(DiskBed bed, int which = 1) => bed.Files.Before = (call, _) =>
        {
            if (call == FileCall.Read && Interlocked.Increment(ref _reads) == which)
            {
                _reached.Set();
                _goOn.Wait(DiskBed.Cancel);
            }

            return 0;
        };

        internal void WaitReached() => _reached.Wait(DiskBed.Cancel);

        internal void GoOn() => _goOn.Set();

        public void Dispose()
        {
            _reached.Dispose();
            _goOn.Dispose();
        }
    }
}
