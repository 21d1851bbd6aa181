using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

/// <summary>The background's pass: what is due of it, and where it goes on.</summary>
public sealed class DiskScrubPassTests
{
    private const int Shards = 40;
    private const uint PeriodTicks = 1000;

    private static readonly DiskOptions Options = DiskBed.Small with
    {
        VolumeBytes = 50_000, ScrubPageShards = 7, ScrubWindowBytes = 1,
    };

    private static Throttle Unlimited => new(TimeProvider.System);

    [Fact]
    public async Task At_any_moment_of_the_period_the_same_share_of_the_disk_is_read()
    {
        await using var bed = new DiskBed(Options);
        await PutAsync(bed, Shards);
        long readShards = (await GoOnAsync(bed)).Read.Shards;
        Assert.Equal(0, readShards);
        Assert.Equal((0u, new Tick(10)), (bed.Disk.ScrubPass.Volume, bed.Disk.ScrubPass.Began));
        bool isEnded = false;
        for (uint share = 1; share <= 9; share++)
        {
            await TickAsync(bed, share * PeriodTicks / 10);
            ScrubPart part = await GoOnAsync(bed);
            readShards += part.Read.Shards;
            isEnded |= part.IsEnded;

            // Within volumes the share is an estimate; and one record more is read than is due.
            Assert.InRange(readShards, (Shards * share / 10) - 1, (Shards * share / 10) + 3);
            Assert.InRange(bed.Disk.ScrubPass.Share, (share / 10.0) - 0.06, (share / 10.0) + 0.06);
            Assert.Equal(readShards, bed.Disk.ScrubProgress.Shards);

            // Nothing more is due in the same tick, but for what the estimate was short of.
            long moreShards = (await GoOnAsync(bed)).Read.Shards;
            Assert.InRange(moreShards, 0, 1);
            readShards += moreShards;
        }

        Assert.False(isEnded);
        await TickAsync(bed, PeriodTicks);
        ScrubPart last = await GoOnAsync(bed);
        Assert.Equal((Shards, true), (readShards + last.Read.Shards, last.IsEnded));
        Assert.Equal(new ScrubPass { LastEnded = new Tick(10 + PeriodTicks) }, bed.Disk.ScrubPass);
    }

    [Fact]
    public async Task A_pass_begins_when_the_last_one_began_a_period_ago()
    {
        await using var bed = new DiskBed(Options);
        await PutAsync(bed, 1);
        await GoOnAsync(bed);
        await TickAsync(bed, 1);
        ScrubPart all = await GoOnAsync(bed);
        Assert.Equal((1, true), (all.Read.Shards, all.IsEnded));

        // It is early, and there is time until the next.
        await TickAsync(bed, PeriodTicks - 1);
        Assert.Equal(0, (await GoOnAsync(bed)).Read.Shards);
        Assert.Equal(default, bed.Disk.ScrubPass.Began);
        await TickAsync(bed, PeriodTicks);
        Assert.Equal(0, (await GoOnAsync(bed)).Read.Shards);
        Assert.Equal(new Tick(10 + PeriodTicks), bed.Disk.ScrubPass.Began);
        await TickAsync(bed, PeriodTicks + 1);
        Assert.Equal(1, (await GoOnAsync(bed)).Read.Shards);
    }

    [Fact]
    public async Task Without_a_period_one_pass_follows_the_other()
    {
        await using var bed = new DiskBed(Options);
        await PutAsync(bed, Shards);
        for (int i = 0; i < 3; i++)
        {
            ScrubPart part = await bed.Disk.ScrubOnAsync(Unlimited, 0, DiskBed.Cancel);
            Assert.Equal((Shards, true), (part.Read.Shards, part.IsEnded));
        }
    }

    [Fact]
    public async Task What_is_overdue_goes_no_faster_than_the_pace()
    {
        await using var bed = new DiskBed(Options);
        await PutAsync(bed, Shards);
        await GoOnAsync(bed);
        await TickAsync(bed, 5 * PeriodTicks);
        var pace = new Throttle(bed.Time) { BytesPerSecond = 10_000 };
        DateTimeOffset began = bed.Time.GetUtcNow();
        Task<ScrubPart> part = bed.Disk.ScrubOnAsync(pace, PeriodTicks, DiskBed.Cancel);
        while (!part.IsCompleted)
        {
            bed.Time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }

        Assert.True((await part).IsEnded);
        long bytes = bed.Disk.Report().LiveBytes;
        Assert.True((bed.Time.GetUtcNow() - began).TotalSeconds >= (bytes - (bytes / Shards)) / 10_000.0);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_restart_goes_on_where_the_superblock_says(bool inOrder)
    {
        await using var bed = new DiskBed(Options);
        await PutAsync(bed, Shards);
        await GoOnAsync(bed);
        await TickAsync(bed, PeriodTicks / 2);
        long readShards = (await GoOnAsync(bed)).Read.Shards;
        Assert.InRange(readShards, Shards / 3, Shards * 2 / 3);
        ScrubPass stood = bed.Disk.ScrubPass;
        if (inOrder)
        {
            await bed.ReopenAsync();
        }
        else
        {
            // What is not marked yet is lost by a kill, and read again.
            await TickAsync(bed, (PeriodTicks / 2) + 1);
            bed.Crash();
        }

        Assert.Equal(stood, bed.Disk.ScrubPass);
        await TickAsync(bed, PeriodTicks);
        ScrubPart rest = await GoOnAsync(bed);
        Assert.Equal((Shards, true), (readShards + rest.Read.Shards, rest.IsEnded));
        Assert.Equal(rest.Read, bed.Disk.ScrubProgress);
        Tick ended = bed.Disk.ScrubPass.LastEnded;
        await bed.ReopenAsync();
        Assert.Equal(new ScrubPass { LastEnded = ended }, bed.Disk.ScrubPass);
    }

    [Fact]
    public async Task Where_it_stands_costs_no_sync_of_its_own()
    {
        await using var bed = new DiskBed(Options);
        await PutAsync(bed, Shards);
        int syncs = bed.Files.Count(FileCall.Sync);
        await bed.Disk.ScrubOnAsync(Unlimited, 0, DiskBed.Cancel);
        Assert.Equal(syncs, bed.Files.Count(FileCall.Sync));
        await bed.Disk.MarkAsync();
        Assert.Equal(syncs + 1, bed.Files.Count(FileCall.Sync));
        bed.Crash();
        Assert.Equal(new Tick(10), bed.Disk.ScrubPass.LastEnded);
    }

    [Fact]
    public async Task What_comes_meanwhile_is_left_to_the_next_pass()
    {
        await using var bed = new DiskBed(Options);
        await PutAsync(bed, Shards);
        await GoOnAsync(bed);
        await TickAsync(bed, PeriodTicks / 2);
        long readShards = (await GoOnAsync(bed)).Read.Shards;
        await PutAsync(bed, Shards);
        await bed.ReopenAsync();
        await TickAsync(bed, PeriodTicks);
        ScrubPart rest = await GoOnAsync(bed);
        Assert.Equal((Shards, true), (readShards + rest.Read.Shards, rest.IsEnded));
        ScrubPart next = await bed.Disk.ScrubOnAsync(Unlimited, 0, DiskBed.Cancel);
        Assert.Equal((2 * Shards, true), (next.Read.Shards, next.IsEnded));
    }

    [Fact]
    public async Task An_asked_for_scrub_that_read_everything_is_a_pass()
    {
        await using var bed = new DiskBed(Options);
        await PutAsync(bed, Shards);
        await GoOnAsync(bed);
        await TickAsync(bed, PeriodTicks / 2);
        await GoOnAsync(bed);
        await bed.Disk.ScrubAsync(Unlimited, DiskBed.Cancel);
        Assert.Equal(new ScrubPass { LastEnded = new Tick(10 + (PeriodTicks / 2)) }, bed.Disk.ScrubPass);
        await TickAsync(bed, PeriodTicks);
        Assert.Equal(0, (await GoOnAsync(bed)).Read.Shards);
    }

    [Fact]
    public async Task Damage_that_was_found_and_not_repaired_is_found_again_after_a_restart()
    {
        await using var bed = new DiskBed(Options) { LeavesDamage = true };
        TestShard[] shards = await PutAsync(bed, Shards);
        Damage(bed, shards[3]);
        Damage(bed, shards[5]);
        await GoOnAsync(bed);
        await TickAsync(bed, PeriodTicks / 2);
        long readShards = (await GoOnAsync(bed)).Read.Shards;
        Assert.Equal(2, bed.Disk.ScrubProgress.Bad);

        // Repair wrote one of them anew, and did not come to the other.
        await bed.PutAsync(shards[3]);
        await bed.ReopenAsync();
        await TickAsync(bed, PeriodTicks);
        ScrubPart rest = await GoOnAsync(bed);
        Assert.Equal((Shards - 5, 1), (rest.Read.Shards, rest.Read.Bad));
        Assert.True(readShards > 5);
        await bed.PutAsync(shards[5]);
        Assert.Equal(0, (await bed.Disk.ScrubAsync(Unlimited, DiskBed.Cancel)).Bad);
    }

    [Fact]
    public async Task A_pass_that_is_cancelled_goes_on_behind_what_it_read()
    {
        await using var bed = new DiskBed(Options);
        await PutAsync(bed, Shards);
        using var cancel = new CancellationTokenSource();
        int reads = 0;
        bed.Files.Before = (call, _) =>
        {
            if (call == FileCall.Read && ++reads == 20)
            {
                cancel.Cancel();
            }

            return 0;
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => bed.Disk.ScrubOnAsync(Unlimited, 0, cancel.Token));
        bed.Files.Before = (_, _) => 0;
        long readShards = bed.Disk.ScrubProgress.Shards;
        Assert.InRange(readShards, 5, 20);
        ScrubPart rest = await bed.Disk.ScrubOnAsync(Unlimited, 0, DiskBed.Cancel);
        Assert.Equal((Shards, true), (readShards + rest.Read.Shards, rest.IsEnded));
        Assert.Equal(Shards, bed.Disk.ScrubProgress.Shards);
    }

    [Fact]
    public async Task An_empty_disk_has_its_pass_behind_it_at_once()
    {
        await using var bed = new DiskBed(Options);
        await bed.Disk.NoteTickAsync(new Tick(3), DiskBed.Cancel);
        Assert.True((await GoOnAsync(bed)).IsEnded);
        Assert.Equal(new ScrubPass { LastEnded = new Tick(3) }, bed.Disk.ScrubPass);
    }

    private static Task<ScrubPart> GoOnAsync(DiskBed bed) =>
        bed.Disk.ScrubOnAsync(Unlimited, PeriodTicks, DiskBed.Cancel);

    // So many after those that shards are put with.
    private static async Task TickAsync(DiskBed bed, uint after) =>
        Assert.True((await bed.Disk.NoteTickAsync(new Tick(10 + after), DiskBed.Cancel)).IsDone);

    private static async Task<TestShard[]> PutAsync(DiskBed bed, int count)
    {
        var shards = new List<TestShard>();
        for (int i = 0; i < count; i++)
        {
            shards.Add(await bed.PutNewAsync(3000));
        }

        return [.. shards];
    }

    private static void Damage(DiskBed bed, TestShard shard)
    {
        ShardLocation location = bed.Disk.Locate(shard.Header.Stripe, shard.Header.Place)!.Value;
        using FileStream file = File.Open(Path.Combine(bed.Folder, location.File), FileMode.Open);
        file.Position = location.Offset + 100;
        int value = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(value ^ 4));
    }
}
