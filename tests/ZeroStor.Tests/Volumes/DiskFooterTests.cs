using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

/// <summary>Footers of sealed volumes in the life of a disk.</summary>
public sealed class DiskFooterTests
{
    private static readonly DiskOptions Options = DiskBed.Small with { VolumeBytes = 20_000 };
    private static readonly DiskOptions Wide = DiskBed.Small with { VolumeBytes = 40_000 };

    [Fact]
    public async Task A_sealed_volume_is_opened_by_its_footer_alone()
    {
        await using var bed = new DiskBed(DiskBed.Small);
        TestShard[] shards = [.. Enumerable.Range(0, 300).Select(_ => bed.NewShard(500))];
        await bed.PutAsOneBatchAsync(shards);
        TestShard[] more = [await bed.PutNewAsync(60_000), await bed.PutNewAsync(10)];
        Assert.Equal(2, bed.VolumeFiles().Length);
        var digests = bed.Disk.Digests();
        await bed.Disk.DisposeAsync();
        int reads = 0;
        bed.Files.Before = (call, path) =>
        {
            reads += call == FileCall.Read && path.EndsWith("1.vol", StringComparison.Ordinal) ? 1 : 0;
            return 0;
        };
        await bed.ReopenAsync();

        // Its header, the last block, what is no shard, the shards.
        Assert.Equal(4, reads);
        Assert.Equal(digests, bed.Disk.Digests());
        reads = 0;
        await bed.AssertHoldsAsync(shards);
        Assert.Equal(shards.Length, reads);
        await bed.AssertHoldsAsync(more);
    }

    [Theory]
    [InlineData("last block")]
    [InlineData("first block")]
    [InlineData("cut")]
    [InlineData("cut to one block")]
    [InlineData("gone")]
    [InlineData("another life")]
    [InlineData("garbage")]
    public async Task A_damaged_footer_costs_a_scan_and_is_written_anew(string how)
    {
        bool isNothingLeft = how is "garbage" or "another life";
        await using var bed = new DiskBed(Wide, seed: 2) { LeavesDamage = isNothingLeft };
        (List<TestShard> living, TestShard dead) = await FillAsync(bed);
        await bed.Disk.DisposeAsync();
        string file = bed.VolumeFiles()[0];
        byte[] good = await File.ReadAllBytesAsync(file, DiskBed.Cancel);
        await File.WriteAllBytesAsync(file, await SpoilAsync(good, how), DiskBed.Cancel);
        await bed.ReopenAsync();
        await bed.AssertHoldsAsync(living);
        await bed.AssertLacksAsync(dead);
        Assert.Equal(living.Count, bed.Disk.Report().Shards);

        // Without any of its blocks there is no telling that it was there.
        Assert.Equal(how is "gone" ? 0 : 1, bed.Disk.BadRecords);
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        await bed.AssertHoldsAsync(living);
        await bed.ReopenAsync();
        Assert.Equal(0, bed.Disk.BadRecords);
        await bed.AssertHoldsAsync(living);
        await bed.AssertLacksAsync(dead);
        byte[] again = await File.ReadAllBytesAsync(file, DiskBed.Cancel);
        bool isEndKnown = !isNothingLeft && how is not "gone";
        Assert.Equal(isEndKnown, again.AsSpan().SequenceEqual(good));
    }

    [Fact]
    public async Task A_footer_that_rots_while_the_disk_is_open_costs_nothing()
    {
        await using var bed = new DiskBed(Wide) { LeavesDamage = true };
        (List<TestShard> living, _) = await FillAsync(bed);
        byte[] bytes = await File.ReadAllBytesAsync(bed.VolumeFiles()[0], DiskBed.Cancel);
        bytes.AsSpan(bytes.Length - (2 * RecordFormat.BlockBytes)).Clear();
        await File.WriteAllBytesAsync(bed.VolumeFiles()[0], bytes, DiskBed.Cancel);
        ShardName[] expected = [.. living.Select(s => s.Header.Name).OrderBy(n => n.Stripe)];
        Assert.Equal(
            expected,
            bed.Disk.List(DiskBed.Group, default, 100).Select(e => new ShardName(e.Stripe, e.Place)));
        await bed.AssertHoldsAsync(living);
        ContentId[] contents = [.. living.Select(s => s.Header.Content)];
        Assert.Equal(living.Count, bed.Disk.Held(contents, default, 100).Length);
        Assert.True((await bed.Disk.ReclaimAsync([living[0].Header.Content], DiskBed.Cancel)).IsDone);
        await bed.AssertLacksAsync(living[0]);
        await bed.ReopenAsync();
        await bed.AssertLacksAsync(living[0]);
        await bed.AssertHoldsAsync(living.Skip(1));
    }

    [Fact]
    public async Task Without_room_a_volume_is_sealed_without_a_footer_and_given_one_later()
    {
        await using var bed = new DiskBed(Options);
        TestShard first = await bed.PutNewAsync(3000);
        TestShard[] shards = [first, await bed.PutNewAsync(9000)];
        long length = 0;

        // Room for what is appended, as the step is there already, and for a footer but for the reserve.
        bed.Files.AfterWrite = path =>
        {
            length = new FileInfo(path).Length;
            return OsFile.NoSpace;
        };
        TestShard next = await bed.PutNewAsync(100);
        Assert.Equal(bed.Options.GrowBytes, length);
        long end = new FileInfo(bed.VolumeFiles()[0]).Length;
        Assert.InRange(end, 21_000, 22_000);
        await bed.ReopenAsync();
        await bed.AssertHoldsAsync(shards.Append(next));
        Assert.Equal(0, bed.Disk.BadRecords);
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        Assert.Equal(
            RecordFormat.AlignBlock(end) + (2 * RecordFormat.BlockBytes),
            new FileInfo(bed.VolumeFiles()[0]).Length);
        bed.Crash();
        await bed.AssertHoldsAsync(shards.Append(next));
    }

    [Fact]
    public async Task A_footer_leaves_the_step_that_deletes_and_compaction_may_need()
    {
        await using var bed = new DiskBed(DiskBed.Small with { GrowBytes = 4096, VolumeBytes = 12_000 });
        TestShard shard = await bed.PutNewAsync(3000);
        bed.Files.FreeBytesTold = (3 * 4096) - 1;
        Assert.Equal(ErrorKind.DiskFull, (await bed.AppendAsync(bed.NewShard())).Kind);
        Assert.Equal(Volume.HeaderBytes + 3216, new FileInfo(bed.VolumeFiles()[0]).Length);
        bed.Files.FreeBytesTold = 4 * 4096;
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        Assert.Equal(Volume.HeaderBytes + (3 * 4096), new FileInfo(bed.VolumeFiles()[0]).Length);
        bed.Files.FreeBytesTold = null;
        await bed.ReopenAsync();
        await bed.AssertHoldsAsync(shard);
    }

    [Fact]
    public async Task A_footer_whose_sync_fails_ends_the_writing()
    {
        await using var bed = new DiskBed(Options);
        TestShard[] shards = [await bed.PutNewAsync(3000), await bed.PutNewAsync(9000)];
        bed.Files.Before = (call, _) => call == FileCall.Sync ? 5 : 0;
        Assert.Equal(ErrorKind.DiskFailed, (await bed.AppendAsync(bed.NewShard())).Kind);
        bed.Files.Before = (_, _) => 0;
        Assert.Equal(DiskState.ReadOnly, bed.Disk.State);
        await bed.AssertHoldsAsync(shards);
        await bed.ReopenAsync();
        await bed.AssertHoldsAsync(shards);
        await bed.PutNewAsync();
    }

    [Fact]
    public async Task A_footer_that_was_never_synced_is_synced_before_it_is_believed()
    {
        var memory = new MemoryFiles(3);
        await using var bed = new DiskBed(Options, memory: memory);
        TestShard[] shards = [await bed.PutNewAsync(3000), await bed.PutNewAsync(9000)];
        bed.Files.Before = (call, _) => call == FileCall.Sync ? 5 : 0;
        Assert.Equal(ErrorKind.DiskFailed, (await bed.AppendAsync(bed.NewShard())).Kind);
        bed.Files.Before = (_, _) => 0;

        // The process ends and the power stays on: the footer is there and nobody has synced it.
        bed.Crash();
        int syncs = bed.Files.Count(FileCall.Sync);
        Assert.True(syncs > 0);
        TestShard next = await bed.PutNewAsync(100);
        bed.CutPower();
        Assert.Equal(0, bed.Disk.BadRecords);
        await bed.AssertHoldsAsync(shards.Append(next));
    }

    [Fact]
    public async Task A_volume_that_a_kill_left_behind_gets_its_footer_with_the_next_compaction()
    {
        await using var bed = new DiskBed();
        TestShard[] shards = [await bed.PutNewAsync(4000), await bed.PutNewAsync(4000)];
        bed.Crash();
        long end = new FileInfo(bed.VolumeFiles()[0]).Length;
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        Assert.Equal(
            RecordFormat.AlignBlock(end) + (2 * RecordFormat.BlockBytes),
            new FileInfo(bed.VolumeFiles()[0]).Length);
        bed.Crash();
        await bed.AssertHoldsAsync(shards);
        Assert.Equal(0, bed.Disk.BadRecords);
    }

    [Fact]
    public async Task What_was_found_damaged_before_the_sealing_is_known_to_be_after_it()
    {
        await using var bed = new DiskBed(Options) { LeavesDamage = true };
        TestShard bad = await bed.PutNewAsync(3000);
        TestShard good = await bed.PutNewAsync(9000);
        ShardLocation at = bed.Disk.Locate(bad.Header.Stripe, 0)!.Value;
        using (FileStream file = File.OpenWrite(bed.VolumeFiles()[0]))
        {
            file.Position = at.Offset;
            file.Write(new byte[100]);
        }

        Assert.Equal(ErrorKind.Corrupt, (await bed.ReadAsync(bad)).Kind);
        await bed.PutNewAsync();
        await bed.ReopenAsync();
        Assert.Equal(ErrorKind.Corrupt, (await bed.ReadAsync(bad)).Kind);
        Assert.Equal(2, bed.Disk.Report().Shards);
        await bed.PutAsync(bad);
        await bed.AssertHoldsAsync([bad, good]);
        bed.Crash();
        await bed.AssertHoldsAsync([bad, good]);
    }

    [Fact]
    public async Task Deletes_in_a_footer_go_on_killing()
    {
        await using var bed = new DiskBed(Options);
        TestShard stays = await bed.PutNewAsync(3000);
        TestShard victim = await bed.PutNewAsync(3000);
        TestShard dropped = await bed.PutAsync(bed.NewShard(500, content: stays.Header.Content));

        // The deletes stand in volume 2, which gets a footer too.
        await bed.PutNewAsync(3000);
        await bed.Disk.ReclaimAsync([victim.Header.Content], DiskBed.Cancel);
        await bed.DropAsync(dropped);
        await bed.PutNewAsync(3000);
        Assert.Equal(3, bed.VolumeFiles().Length);
        for (int life = 0; life < 3; life++)
        {
            await bed.ReopenAsync();
            await bed.AssertLacksAsync(victim);
            await bed.AssertLacksAsync(dropped);
            await bed.AssertHoldsAsync(stays);
        }

        await bed.PutAsync(dropped);
        await bed.ReopenAsync();
        await bed.AssertHoldsAsync(dropped);
    }

    // A first volume with a footer, in which one shard is dead, and a second without.
    private static async Task<(List<TestShard> Living, TestShard Dead)> FillAsync(DiskBed bed)
    {
        TestShard dead = await bed.PutNewAsync(1000);
        var living = new List<TestShard> { await bed.PutNewAsync(3500) };
        await bed.Disk.ReclaimAsync([dead.Header.Content], DiskBed.Cancel);
        while (bed.VolumeFiles().Length < 2)
        {
            living.Add(await bed.PutNewAsync(3500));
        }

        return (living, dead);
    }

    private static async Task<byte[]> SpoilAsync(byte[] good, string how)
    {
        byte[] bad = [.. good];
        switch (how)
        {
            case "last block":
                bad[^1] ^= 1;
                return bad;
            case "first block":
                bad[^8000] ^= 1;
                return bad;
            case "cut":
                return bad[..^1];
            case "cut to one block":
                return bad[..^RecordFormat.BlockBytes];
            case "gone":
                return bad[..^(2 * RecordFormat.BlockBytes)];
            case "another life":
                await using (var other = new DiskBed(Wide, seed: 5))
                {
                    await FillAsync(other);
                    byte[] theirs = await File.ReadAllBytesAsync(other.VolumeFiles()[0], DiskBed.Cancel);
                    Assert.Equal(bad.Length, theirs.Length);
                    theirs.AsSpan(bad.Length - (2 * RecordFormat.BlockBytes))
                        .CopyTo(bad.AsSpan(bad.Length - (2 * RecordFormat.BlockBytes)));
                }

                return bad;
            default:
                new Random(1).NextBytes(bad.AsSpan(bad.Length - (2 * RecordFormat.BlockBytes)));
                return bad;
        }
    }
}
