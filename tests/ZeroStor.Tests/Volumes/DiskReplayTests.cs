using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

public sealed class DiskReplayTests
{
    [Theory]
    [InlineData("cut")]
    [InlineData("zeros")]
    [InlineData("garbage")]
    [InlineData("hole")]
    public async Task A_batch_torn_anywhere_costs_only_itself_and_never_comes_back(string how)
    {
        await using var bed = new DiskBed();
        TestShard[] before = [await bed.PutNewAsync(), await bed.PutNewAsync(3000)];
        TestShard[] torn = [.. Enumerable.Range(0, 5).Select(i => bed.NewShard(700 + (i * 600)))];
        TestShard plug = await bed.PutAsOneBatchAsync(torn);
        (long start, long end) = await BoundsAsync(bed, torn);
        bed.Disk.Abandon();
        byte[] whole = await File.ReadAllBytesAsync(bed.VolumeFiles()[0], DiskBed.Cancel);
        string original = bed.Folder;
        for (long at = start; at <= end; at += 512)
        {
            bed.Folder = original;
            bed.Folder = bed.Clone();
            await File.WriteAllBytesAsync(bed.VolumeFiles()[0], Tear(whole, at, how), DiskBed.Cancel);
            await using Disk disk = bed.Open();
            bool[] held = [.. torn.Select(t => Holds(disk, t).Result)];
            Assert.All(before.Append(plug), b => Assert.True(Holds(disk, b).Result));

            // In order, up to the tear: nothing behind it, even where the bytes are there.
            Assert.Equal(held.TakeWhile(h => h).Count(), held.Count(h => h));
            int wholeOnes = torn.Count(t => disk.Locate(t.Header.Stripe, 0) is { } l && l.Offset + l.Length <= at);
            Assert.Equal(wholeOnes, held.Count(h => h));

            TestShard later = bed.NewShard();
            await AppendAsync(bed, disk, later);
            disk.Abandon();
            await using Disk again = bed.Open();
            Assert.Equal(held, torn.Select(t => Holds(again, t).Result));
            Assert.All(before.Append(plug).Append(later), b => Assert.True(Holds(again, b).Result));
        }

        bed.Folder = original;
    }

    [Fact]
    public async Task A_flipped_bit_below_the_durable_length_harms_at_most_its_own_shard()
    {
        await using var bed = new DiskBed { LeavesDamage = true };
        TestShard[] shards = [.. Enumerable.Range(0, 4).Select(i => bed.NewShard(150 + (i * 70)) with
        {
            Extensions = [new(ExtensionType.ShardSums, new byte[96])],
        })];
        await bed.PutAsOneBatchAsync(shards);
        (long start, long end) = await BoundsAsync(bed, shards);
        (long Start, long End)[] records = [.. shards.Select(s => bed.Disk.Locate(s.Header.Stripe, 0)!.Value)
            .Select(l => (l.Offset - RecordFormat.HeaderBytes - 102, l.Offset + l.Length))];
        await bed.Disk.DisposeAsync();
        string file = bed.VolumeFiles()[0];
        byte[] good = await File.ReadAllBytesAsync(file, DiskBed.Cancel);
        for (long at = start; at < end; at += 3)
        {
            byte[] bad = [.. good];
            bad[at] ^= (byte)(1 << (int)(at % 8));
            await File.WriteAllBytesAsync(file, bad, DiskBed.Cancel);
            await using Disk disk = bed.Open();
            bool[] held = [.. shards.Select(s => Holds(disk, s).Result)];

            // Every byte counts for its own record, and only the padding between records counts for none.
            Assert.Equal(records.Select(r => at < r.Start || at >= r.End), held);
            disk.Abandon();
        }
    }

    [Fact]
    public async Task Rot_in_the_last_batch_is_told_from_a_torn_tail_by_the_superblock()
    {
        await using var bed = new DiskBed { LeavesDamage = true };
        TestShard[] shards = [bed.NewShard(), bed.NewShard(), bed.NewShard()];
        await bed.PutAsOneBatchAsync(shards);
        Assert.True((await bed.Disk.MarkAsync()).IsDone);
        ShardLocation second = bed.Disk.Locate(shards[1].Header.Stripe, 0)!.Value;
        bed.Crash(() => Flip(bed, second.Offset - 100));

        // Without the mark, the third would have been cut off as part of a torn batch.
        await bed.AssertHoldsAsync([shards[0], shards[2]]);
        await bed.AssertLacksAsync(shards[1]);
        Assert.Equal(1, bed.Disk.BadRecords);
        await bed.PutAsync(shards[1]);
        bed.Crash();
        await bed.AssertHoldsAsync(shards);
    }

    [Fact]
    public async Task Rot_before_a_later_batch_is_told_from_a_torn_tail_by_that_batch()
    {
        await using var bed = new DiskBed { LeavesDamage = true };
        TestShard[] shards = [bed.NewShard(), bed.NewShard(), bed.NewShard()];
        await bed.PutAsOneBatchAsync(shards);
        TestShard later = await bed.PutNewAsync();
        ShardLocation first = bed.Disk.Locate(shards[0].Header.Stripe, 0)!.Value;
        bed.Crash(() => Flip(bed, first.Offset - 100));
        await bed.AssertHoldsAsync([shards[1], shards[2], later]);
        await bed.AssertLacksAsync(shards[0]);
    }

    [Fact]
    public async Task The_mark_follows_the_clock_and_only_where_something_was_written()
    {
        await using var bed = new DiskBed();
        await bed.PutNewAsync();
        Assert.Equal(0, DurableBytes(bed));
        bed.Time.Advance(TimeSpan.FromSeconds(1));

        // The next append is taken after the mark was asked for.
        await bed.PutNewAsync();
        long marked = DurableBytes(bed);
        Assert.True(marked > Volume.HeaderBytes);
        ulong sequence = Disk.Peek(bed.Folder)!.Sequence;
        bed.Time.Advance(TimeSpan.FromSeconds(1));
        await bed.Disk.MarkAsync();
        bed.Time.Advance(TimeSpan.FromSeconds(5));
        await bed.Disk.MarkAsync();
        Assert.Equal(sequence + 1, Disk.Peek(bed.Folder)!.Sequence);
        Assert.True(DurableBytes(bed) > marked);
    }

    [Fact]
    public async Task Records_of_another_life_of_a_file_are_never_replayed()
    {
        await using var old = new DiskBed(seed: 5);
        TestShard[] ghosts = [await old.PutNewAsync(), await old.PutNewAsync(), await old.PutNewAsync()];
        old.Disk.Abandon();
        byte[] recycled = await File.ReadAllBytesAsync(old.VolumeFiles()[0], DiskBed.Cancel);

        await using var bed = new DiskBed(seed: 6);
        TestShard first = await bed.PutNewAsync();
        bed.Disk.Abandon();
        string file = bed.VolumeFiles()[0];
        byte[] mine = await File.ReadAllBytesAsync(file, DiskBed.Cancel);

        // Same number, same offsets, sound in themselves: only the generation is another.
        long tail = Volume.HeaderBytes + RecordFormat.BlockBytes;
        recycled.AsSpan((int)tail).CopyTo(mine.AsSpan((int)tail));
        await File.WriteAllBytesAsync(file, mine, DiskBed.Cancel);
        bed.Crash();
        await bed.AssertHoldsAsync(first);
        Assert.Equal(1, bed.Disk.Report().Shards);
        Assert.Equal(ErrorKind.NotFound, (await bed.ReadAsync(ghosts[1])).Kind);
    }

    [Fact]
    public async Task A_volume_of_another_disk_is_refused()
    {
        await using var other = new DiskBed(seed: 8);
        await other.PutNewAsync();
        await other.Disk.DisposeAsync();
        await using var bed = new DiskBed(seed: 9) { LeavesDamage = true };
        await bed.Disk.DisposeAsync();
        File.Copy(other.VolumeFiles()[0], Path.Combine(bed.Folder, "volumes", "00000001.vol"));
        Assert.Equal(ErrorKind.Corrupt, Assert.Throws<ZeroStorException>(() => bed.Open().Abandon()).Kind);
        File.Delete(Path.Combine(bed.Folder, "volumes", "00000001.vol"));
    }

    [Fact]
    public async Task One_damaged_volume_header_costs_nothing_and_two_cost_that_volume()
    {
        await using var bed = new DiskBed { LeavesDamage = true };
        TestShard shard = await bed.PutNewAsync();
        bed.Crash(() => Flip(bed, 50));
        await bed.AssertHoldsAsync(shard);
        Assert.Equal(0, bed.Disk.BadRecords);
        bed.Crash(() => Flip(bed, RecordFormat.BlockBytes + 50));
        await bed.AssertLacksAsync(shard);
        Assert.Equal(1, bed.Disk.BadRecords);
        TestShard next = await bed.PutNewAsync();
        bed.Crash();
        await bed.AssertHoldsAsync(next);
    }

    [Fact]
    public async Task A_volume_that_was_being_made_is_no_hindrance()
    {
        await using var bed = new DiskBed();
        TestShard shard = await bed.PutNewAsync();
        bed.Crash();
        bed.Crash(() => File.WriteAllBytes(Path.Combine(bed.Folder, "volumes", "00000002.vol"), new byte[5000]));
        TestShard next = await bed.PutNewAsync();
        bed.Crash();
        await bed.AssertHoldsAsync([shard, next]);
    }

    [Fact]
    public async Task After_a_clean_stop_the_same_volume_goes_on_and_after_a_kill_another_begins()
    {
        await using var bed = new DiskBed();
        var shards = new List<TestShard> { await bed.PutNewAsync() };
        await bed.ReopenAsync();
        shards.Add(await bed.PutNewAsync());
        Assert.Single(bed.VolumeFiles());
        bed.Crash();
        shards.Add(await bed.PutNewAsync());
        Assert.Equal(2, bed.VolumeFiles().Length);
        await bed.ReopenAsync();
        await bed.AssertHoldsAsync(shards);
    }

    [Fact]
    public async Task A_superblock_that_lost_its_newest_slot_is_not_believed_to_be_clean()
    {
        await using var bed = new DiskBed();
        TestShard first = await bed.PutNewAsync();
        await bed.ReopenAsync();
        TestShard second = await bed.PutNewAsync();
        bed.Disk.Abandon();

        // Sequence 3 says "in use"; without it, 2 says "clean, so long".
        byte[] bytes = await File.ReadAllBytesAsync(Path.Combine(bed.Folder, "superblock"), DiskBed.Cancel);
        Superblock newest = Disk.Peek(bed.Folder)!;
        Assert.False(newest.IsClean);
        bytes[(int)(newest.Sequence % 2) * Superblock.SlotBytes] ^= 1;
        await File.WriteAllBytesAsync(Path.Combine(bed.Folder, "superblock"), bytes, DiskBed.Cancel);
        Assert.True(Disk.Peek(bed.Folder)!.IsClean);
        bed.Crash();
        await bed.AssertHoldsAsync([first, second]);
        await bed.PutNewAsync();
        Assert.Equal(2, bed.VolumeFiles().Length);
    }

    [Fact]
    public async Task What_the_device_cannot_read_is_kept_for_another_day()
    {
        await using var bed = new DiskBed();
        TestShard[] shards = [await bed.PutNewAsync(), await bed.PutNewAsync(), await bed.PutNewAsync()];
        bed.Disk.Abandon();
        int reads = 0;
        bed.Files.Before = (call, path) =>
            call == FileCall.Read && path.EndsWith(".vol", StringComparison.Ordinal) && ++reads is 2 or 3 ? 5 : 0;
        bed.Crash();
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        bed.Files.Before = (_, _) => 0;
        bed.Crash();
        await bed.AssertHoldsAsync(shards);
    }

    private static byte[] Tear(byte[] whole, long at, string how)
    {
        byte[] torn = how == "cut" ? whole[..(int)at] : [.. whole];
        Span<byte> tail = torn.AsSpan((int)at);
        switch (how)
        {
            case "zeros":
                tail.Clear();
                break;
            case "garbage":
                new Random(1).NextBytes(tail);
                break;
            case "hole":
                tail[..Math.Min(512, tail.Length)].Clear();
                break;
        }

        return torn;
    }

    private static void Flip(DiskBed bed, long at)
    {
        using FileStream file = File.Open(bed.VolumeFiles()[0], FileMode.Open);
        file.Position = at;
        int value = file.ReadByte();
        file.Position = at;
        file.WriteByte((byte)(value ^ 4));
    }

    private static async Task<(long Start, long End)> BoundsAsync(DiskBed bed, TestShard[] batch)
    {
        await bed.AssertHoldsAsync(batch);
        ShardLocation first = bed.Disk.Locate(batch[0].Header.Stripe, 0)!.Value;
        ShardLocation last = bed.Disk.Locate(batch[^1].Header.Stripe, 0)!.Value;
        return (first.Offset - (first.Offset % RecordFormat.BlockBytes), last.Offset + last.Length);
    }

    // True: whole and right. False: absent or refused. Never wrong.
    private static async Task<bool> Holds(Disk disk, TestShard shard)
    {
        ShardReadAnswer answer = await disk.ReadAsync(
            shard.Header.Stripe, shard.Header.Place, 0, shard.Payload.Length, true, DiskBed.Cancel);
        if (!answer.IsDone)
        {
            Assert.True(answer.Kind is ErrorKind.NotFound or ErrorKind.Corrupt, answer.Detail);
            return false;
        }

        Assert.Equal(shard.Header, answer.Header);
        Assert.Equal(shard.Payload, answer.Payload.Span.ToArray());
        Assert.Equal(
            shard.Extensions.Select(e => e.Value.ToArray()), answer.Extensions.Select(e => e.Value.ToArray()));
        answer.Payload.Release();
        return true;
    }

    private static async Task AppendAsync(DiskBed bed, Disk disk, TestShard shard)
    {
        BufferSlice payload = bed.Pool.RentSlice(shard.Payload.Length);
        shard.Payload.CopyTo(payload.Span);
        HomeAnswer answer = await disk.AppendAsync(shard.Header, shard.Extensions, payload, DiskBed.Cancel);
        Assert.True(answer.IsDone, answer.Detail);
        payload.Release();
    }

    private static long DurableBytes(DiskBed bed) => Disk.Peek(bed.Folder)!.DurableBytes;
}
