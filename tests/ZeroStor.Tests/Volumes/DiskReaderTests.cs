using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

public sealed class DiskReaderTests
{
    [Theory]
    [InlineData(0, 5000)]
    [InlineData(0, 4999)]
    [InlineData(1, 4999)]
    [InlineData(0, 10)]
    [InlineData(4990, 10)]
    [InlineData(5000, 0)]
    [InlineData(0, 0)]
    public async Task Any_range_is_read(int offset, int length)
    {
        await using var bed = new DiskBed();
        TestShard shard = bed.NewShard(5000) with
        {
            Extensions = [new(ExtensionType.ShardSums, new byte[] { 9, 8, 7 })],
        };
        await bed.PutAsync(shard);
        foreach (bool withExtensions in (bool[])[true, false])
        {
            ShardReadAnswer answer = await bed.Disk.ReadAsync(
                shard.Header.Stripe, 0, offset, length, withExtensions, DiskBed.Cancel);
            Assert.True(answer.IsDone, answer.Detail);
            Assert.Equal(shard.Header, answer.Header);
            Assert.Equal(shard.Payload[offset..(offset + length)], answer.Payload.Span.ToArray());
            Assert.Equal(withExtensions ? 1 : 0, answer.Extensions.Length);
            answer.Payload.Release();
        }
    }

    [Theory]
    [InlineData(0, 5001)]
    [InlineData(5000, 1)]
    [InlineData(int.MaxValue, int.MaxValue)]
    public async Task A_range_beyond_the_shard_is_refused(int offset, int length)
    {
        await using var bed = new DiskBed();
        TestShard shard = await bed.PutNewAsync(5000);
        ShardReadAnswer answer = await bed.ReadAsync(shard, offset, length);
        Assert.Equal(ErrorKind.InvalidArgument, answer.Kind);
        Assert.Equal(shard.Header, answer.Header);
        await bed.AssertHoldsAsync(shard);
    }

    [Fact]
    public async Task Where_a_shard_lies_can_be_asked()
    {
        await using var bed = new DiskBed();
        TestShard shard = await bed.PutNewAsync(5000);
        ShardLocation at = bed.Disk.Locate(shard.Header.Stripe, 0)!.Value;
        byte[] file = await File.ReadAllBytesAsync(Path.Combine(bed.Folder, at.File), DiskBed.Cancel);
        Assert.Equal(shard.Payload, file[(int)at.Offset..((int)at.Offset + at.Length)]);
        Assert.Null(bed.Disk.Locate(shard.Header.Stripe, 1));
    }

    [Fact]
    public async Task A_damaged_payload_is_refused_whole_is_missed_in_the_digests_and_can_be_written_anew()
    {
        await using var bed = new DiskBed { LeavesDamage = true };
        TestShard shard = await bed.PutNewAsync(5000);
        TestShard other = await bed.PutNewAsync();
        Damage(bed, shard, 100);
        Assert.Equal(2, bed.Disk.Digests().Single().Count);
        ShardReadAnswer answer = await bed.ReadAsync(shard);
        Assert.Equal(ErrorKind.Corrupt, answer.Kind);
        Assert.Equal(shard.Header, answer.Header);
        Assert.Equal(1, bed.Disk.BadRecords);
        Assert.Equal(1, bed.Disk.Digests().Single().Count);
        Assert.Equal(1, bed.Disk.Report().Shards);
        Assert.Single(bed.Disk.List(DiskBed.Group, default, 10));
        Assert.Equal(ErrorKind.Corrupt, (await bed.ReadAsync(shard, 0, 10)).Kind);

        await bed.PutAsync(shard);
        await bed.AssertHoldsAsync([shard, other]);
        Assert.Equal(2, bed.Disk.Digests().Single().Count);
        bed.Crash();
        await bed.AssertHoldsAsync([shard, other]);
    }

    [Fact]
    public async Task Damaged_extensions_are_refused_and_the_payload_beside_them_is_not()
    {
        await using var bed = new DiskBed { LeavesDamage = true };
        TestShard shard = bed.NewShard() with { Extensions = [new(ExtensionType.ShardSums, new byte[32])] };
        await bed.PutAsync(shard);
        Damage(bed, shard, -10);
        ShardReadAnswer answer = await bed.Disk.ReadAsync(shard.Header.Stripe, 0, 0, 1000, false, DiskBed.Cancel);
        Assert.Equal(shard.Payload, answer.Payload.Span.ToArray());
        answer.Payload.Release();
        Assert.Equal(ErrorKind.Corrupt, (await bed.ReadAsync(shard)).Kind);
    }

    [Fact]
    public async Task A_record_that_is_another_one_is_never_given_out()
    {
        await using var bed = new DiskBed { LeavesDamage = true };
        TestShard first = await bed.PutNewAsync();
        TestShard second = await bed.PutNewAsync();

        // A misdirected write: the bytes are sound, the place is wrong.
        ShardLocation from = bed.Disk.Locate(first.Header.Stripe, 0)!.Value;
        ShardLocation to = bed.Disk.Locate(second.Header.Stripe, 0)!.Value;
        int bytes = RecordFormat.HeaderBytes + from.Length;
        using (FileStream file = File.Open(bed.VolumeFiles()[0], FileMode.Open))
        {
            byte[] record = new byte[bytes];
            file.Position = from.Offset - RecordFormat.HeaderBytes;
            file.ReadExactly(record);
            file.Position = to.Offset - RecordFormat.HeaderBytes;
            file.Write(record);
        }

        Assert.Equal(ErrorKind.Corrupt, (await bed.ReadAsync(second)).Kind);
        Assert.Equal(ErrorKind.Corrupt, (await bed.ReadAsync(second, 3, 5)).Kind);
        await bed.AssertHoldsAsync(first);
    }

    [Fact]
    public async Task What_the_device_cannot_read_is_corrupt_and_releases_its_buffer()
    {
        await using var bed = new DiskBed();
        TestShard shard = await bed.PutNewAsync(50_000);
        bed.Files.Before = (call, _) => call == FileCall.Read ? 5 : 0;
        Assert.Equal(ErrorKind.Corrupt, (await bed.ReadAsync(shard)).Kind);
        bed.Files.Before = (_, _) => 0;
        await bed.PutAsync(shard);
        await bed.AssertHoldsAsync(shard);
    }

    [Fact]
    public async Task Reads_are_bounded_in_number()
    {
        await using var bed = new DiskBed(DiskBed.Small with { ReadsAtOnce = 1, ReadsQueued = 2 });
        TestShard shard = await bed.PutNewAsync();
        using var reached = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        bed.Files.Before = (call, _) =>
        {
            if (call == FileCall.Read)
            {
                reached.Set();
                goOn.Wait(DiskBed.Cancel);
            }

            return 0;
        };
        Task<ShardReadAnswer> first = bed.ReadAsync(shard);
        reached.Wait(DiskBed.Cancel);
        Task<ShardReadAnswer> second = bed.ReadAsync(shard);
        Assert.Equal(ErrorKind.Busy, (await bed.ReadAsync(shard)).Kind);
        using var cancel = new CancellationTokenSource();
        await cancel.CancelAsync();
        goOn.Set();
        Assert.True((await first).IsDone);
        Assert.True((await second).IsDone);
        bed.Files.Before = (_, _) => 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await bed.Disk.ReadAsync(shard.Header.Stripe, 0, 0, 1, false, cancel.Token));
        await bed.AssertHoldsAsync(shard);
    }

    [Fact]
    public async Task A_reader_keeps_its_volume_while_compaction_unlinks_it()
    {
        await using var bed = new DiskBed(DiskBed.Small with { VolumeBytes = 50_000 });
        TestShard read = await bed.PutNewAsync(20_000);
        TestShard dead = await bed.PutNewAsync(40_000);
        await bed.PutNewAsync(20_000);
        using var reached = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        int reads = 0;
        bed.Files.Before = (call, _) =>
        {
            if (call == FileCall.Read && Interlocked.Increment(ref reads) == 1)
            {
                reached.Set();
                goOn.Wait(DiskBed.Cancel);
            }

            return 0;
        };
        Task<ShardReadAnswer> reading = bed.ReadAsync(read);
        reached.Wait(DiskBed.Cancel);
        await bed.Disk.ReclaimAsync([dead.Header.Content], DiskBed.Cancel);
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        Assert.DoesNotContain(bed.VolumeFiles(), f => f.EndsWith("00000001.vol", StringComparison.Ordinal));
        goOn.Set();
        ShardReadAnswer answer = await reading;
        Assert.Equal(read.Payload, answer.Payload.Span.ToArray());
        answer.Payload.Release();
        bed.Files.Before = (_, _) => 0;
        await bed.AssertHoldsAsync(read);
    }

    private static void Damage(DiskBed bed, TestShard shard, int at)
    {
        ShardLocation location = bed.Disk.Locate(shard.Header.Stripe, shard.Header.Place)!.Value;
        using FileStream file = File.Open(Path.Combine(bed.Folder, location.File), FileMode.Open);
        file.Position = location.Offset + at;
        int value = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(value ^ 1));
    }
}
