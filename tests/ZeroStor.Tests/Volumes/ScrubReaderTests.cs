using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

public sealed class ScrubReaderTests
{
    private const int InputOutputError = 5;

    private static readonly DiskOptions Options = DiskBed.Small with { VolumeBytes = 100_000 };

    private static Throttle Unlimited => new(TimeProvider.System);

    [Fact]
    public void A_window_takes_what_lies_close_together_within_its_bytes_and_one_shard_at_least()
    {
        // Record bytes, and where they lie.
        List<HeldShard> shards =
            [At(8192, 5000), At(13_192, 800), At(16_384, 4096), At(90_112, 4096), At(94_208, 8)];
        Assert.Equal([3, 2], Windows(shards, 1 << 20));
        Assert.Equal([3, 2], Windows(shards, 12_288));

        // The second record ends in the second block, the third begins in the third.
        Assert.Equal([2, 1, 2], Windows(shards, 12_287));
        Assert.Equal([1, 1, 1, 1, 1], Windows(shards, 1));
        Assert.Equal(12_288, ScrubReader.WindowBytes(shards[..3]));
        Assert.Equal(8192, ScrubReader.WindowBytes(shards[..1]));

        // What lies between is read through while it is short of a trip's worth.
        Assert.Equal([2], Windows([At(8192, 4096), At(12_288 + 65_528, 8)], 1 << 20));
        Assert.Equal([1, 1], Windows([At(8192, 4096), At(12_288 + 65_536, 8)], 1 << 20));
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(20_000, true)]
    [InlineData(1 << 20, true)]
    [InlineData(1 << 20, false)]
    public async Task Whatever_is_read_at_once_just_what_is_damaged_is_marked(int windowBytes, bool isDirect)
    {
        DiskOptions options = Options with { ScrubWindowBytes = windowBytes };
        await using var bed = new DiskBed(options, isBuffered: !isDirect) { LeavesDamage = true };
        TestShard[] shards = await PutAsync(bed, 60);
        TestShard[] bad = [.. shards.Where((_, i) => i % 7 == 3)];
        for (int i = 0; i < bad.Length; i++)
        {
            Damage(bed, bad[i], (i * 397) % (RecordFormat.HeaderBytes + bad[i].Payload.Length));
        }

        long liveBytes = bed.Disk.Report().LiveBytes;
        Assert.Equal(
            new ScrubTally(60, liveBytes, bad.Length), await bed.Disk.ScrubAsync(Unlimited, DiskBed.Cancel));
        Assert.Equal(
            shards.Except(bad).Select(s => s.Header.Stripe).Order(),
            bed.Disk.List(DiskBed.Group, default, 100).Select(e => e.Stripe));
        await bed.AssertHoldsAsync(shards.Except(bad));
        Assert.Equal(0, (await bed.Disk.ScrubAsync(Unlimited, DiskBed.Cancel)).Bad);
    }

    [Fact]
    public async Task Volumes_are_read_in_windows_and_dead_stretches_are_left_out()
    {
        await using var bed = new DiskBed(Options with { VolumeBytes = 1 << 20 });
        TestShard[] shards = await PutAsync(bed, 100);
        Assert.Equal(1, await ReadsOfScrubAsync(bed));
        await bed.Disk.ReclaimAsync([.. shards[10..90].Select(s => s.Header.Content)], DiskBed.Cancel);
        Assert.Equal(2, await ReadsOfScrubAsync(bed));
        bed.Options = bed.Options with { ScrubWindowBytes = 10_000 };
        await bed.ReopenAsync();
        Assert.InRange(await ReadsOfScrubAsync(bed), 6, 12);
        await bed.AssertHoldsAsync(shards[..10]);
    }

    [Fact]
    public async Task A_window_that_the_device_does_not_give_costs_just_the_record_that_it_does_not_give()
    {
        await using var bed = new DiskBed(Options);
        TestShard[] shards = await PutAsync(bed, 10);
        int reads = 0;

        // The window, and then the third of its records.
        bed.Files.Before = (call, _) =>
            call == FileCall.Read && ++reads is 1 or 4 ? InputOutputError : 0;
        ScrubTally tally = await bed.Disk.ScrubAsync(Unlimited, DiskBed.Cancel);
        Assert.Equal((10, 1), (tally.Shards, tally.Bad));
        Assert.Equal(11, reads);
        bed.Files.Before = (_, _) => 0;
        Assert.Equal(
            shards.Where((_, i) => i != 2).Select(s => s.Header.Stripe).Order(),
            bed.Disk.List(DiskBed.Group, default, 100).Select(e => e.Stripe));
    }

    [Fact]
    public async Task A_volume_that_goes_while_it_is_read_is_no_error()
    {
        await using var bed = new DiskBed(Options);
        TestShard[] shards = await PutAsync(bed, 30);
        string first = bed.VolumeFiles()[0];
        using var reached = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        int reads = 0;
        bed.Files.Before = (call, path) =>
        {
            // Behind the footer, the window of the first volume.
            if (call == FileCall.Read && path == first && ++reads == 2)
            {
                reached.Set();
                goOn.Wait(DiskBed.Cancel);
            }

            return 0;
        };
        Task<ScrubTally> scrub = bed.Disk.ScrubAsync(Unlimited, DiskBed.Cancel);
        reached.Wait(DiskBed.Cancel);
        await bed.Disk.ReclaimAsync([.. shards.Select(s => s.Header.Content)], DiskBed.Cancel);
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        Assert.DoesNotContain(first, bed.VolumeFiles());
        goOn.Set();
        Assert.Equal(0, (await scrub).Bad);
        Assert.Equal(0, bed.Disk.BadRecords);
    }

    [Fact]
    public async Task A_record_longer_than_a_window_is_read_at_once_and_its_buffer_comes_back()
    {
        await using var bed = new DiskBed(Options with { VolumeBytes = 1 << 20, ScrubWindowBytes = 8192 });
        await bed.PutNewAsync(90_000);
        await bed.PutNewAsync(10);
        Assert.Equal(2, await ReadsOfScrubAsync(bed));
        SharedBuffer next = bed.Pool.Rent(94_208);
        next.Release();
        Assert.Equal(2, (await bed.Disk.ScrubAsync(Unlimited, DiskBed.Cancel)).Shards);
        Assert.Same(next, bed.Pool.Rent(94_208));
    }

    private static async Task<TestShard[]> PutAsync(DiskBed bed, int count)
    {
        var shards = new List<TestShard>();
        for (int i = 0; i < count; i++)
        {
            shards.Add(await bed.PutNewAsync(500 + (i * 31 % 3000)));
        }

        return [.. shards];
    }

    private static async Task<int> ReadsOfScrubAsync(DiskBed bed)
    {
        int before = bed.Files.Count(FileCall.Read);
        Assert.Equal(0, (await bed.Disk.ScrubAsync(Unlimited, DiskBed.Cancel)).Bad);
        return bed.Files.Count(FileCall.Read) - before;
    }

    private static void Damage(DiskBed bed, TestShard shard, int at)
    {
        ShardLocation location = bed.Disk.Locate(shard.Header.Stripe, shard.Header.Place)!.Value;
        using FileStream file = File.Open(Path.Combine(bed.Folder, location.File), FileMode.Open);
        file.Position = location.Offset - RecordFormat.HeaderBytes + at;
        int value = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(value ^ 4));
    }

    private static HeldShard At(long offset, int recordBytes) => new()
    {
        Stripe = new StripeId((UInt128)offset),
        Place = 0,
        Position = new RecordPosition(1, offset),
        RecordBytes = recordBytes,
    };

    private static List<int> Windows(List<HeldShard> shards, int maxBytes)
    {
        var counts = new List<int>();
        for (int next = 0; next < shards.Count; next += counts[^1])
        {
            counts.Add(ScrubReader.Window(shards, next, maxBytes).Count);
        }

        return counts;
    }
}
