using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

/// <summary>Dropping single shards: what a delete does to a content, to one shard alone.</summary>
public sealed class DiskDropTests
{
    private static readonly DiskOptions SmallVolumes = DiskBed.Small with { VolumeBytes = 40_000 };

    [Fact]
    public async Task A_drop_takes_its_shard_and_nothing_else_of_stripe_or_content()
    {
        await using var bed = new DiskBed();
        TestShard victim = await bed.PutNewAsync();
        TestShard otherPlace = await bed.PutAsync(AtPlace(victim, 3));
        TestShard otherStripe = await bed.PutNewAsync(2000, victim.Header.Content);
        long live = bed.Disk.Report().LiveBytes;
        await bed.DropAsync(victim);
        await bed.AssertLacksAsync(victim);
        await bed.AssertHoldsAsync([otherPlace, otherStripe]);
        DiskReport report = bed.Disk.Report();
        Assert.Equal((2, live - RecordFormat.HeaderBytes - 1000), (report.Shards, report.LiveBytes));
        Assert.Equal(2, bed.Disk.Digests().Sum(d => d.Count));
        bed.Crash();
        await bed.AssertLacksAsync(victim);
        await bed.AssertHoldsAsync([otherPlace, otherStripe]);
        await bed.ReopenAsync();
        await bed.AssertLacksAsync(victim);
        Assert.Equal(2, bed.Disk.Report().Shards);
    }

    [Fact]
    public async Task What_is_not_there_is_dropped_at_no_cost()
    {
        await using var bed = new DiskBed();
        TestShard shard = await bed.PutNewAsync();
        TestShard dropped = await bed.PutNewAsync();
        await bed.DropAsync(dropped);
        int writes = bed.Files.Count(FileCall.Write);
        await bed.DropAsync(dropped, AtPlace(shard, 1), bed.NewShard());
        Assert.True((await bed.Disk.DropAsync([], DiskBed.Cancel)).IsDone);
        Assert.Equal(writes, bed.Files.Count(FileCall.Write));
        await bed.AssertHoldsAsync(shard);
    }

    [Fact]
    public async Task Any_number_of_shards_is_dropped_at_once()
    {
        await using var bed = new DiskBed();
        TestShard[] shards = [.. Enumerable.Range(0, 5000).Select(_ => bed.NewShard(0))];
        await bed.PutAsOneBatchAsync(shards[..20]);
        await bed.PutAsOneBatchAsync(shards[^20..]);
        await bed.DropAsync(shards);
        bed.Crash();

        // The plugs before the two batches.
        Assert.Equal(2, bed.Disk.Report().Shards);
    }

    [Fact]
    public async Task A_dropped_shard_that_is_appended_again_counts_again()
    {
        await using var bed = new DiskBed(SmallVolumes);
        TestShard shard = await bed.PutNewAsync(3000);
        TestShard[] keepVolumeOne = [await bed.PutNewAsync(30_000), await bed.PutNewAsync(20_000)];
        await bed.DropAsync(shard);
        await bed.PutAsync(shard);
        TestShard filler = await bed.PutNewAsync(50_000);
        await bed.PutNewAsync(100);

        // Volume 2, with the drop and the second record, is copied away; volume 1 has the first one still.
        await bed.Disk.ReclaimAsync([filler.Header.Content], DiskBed.Cancel);
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        Assert.Equal(["00000001.vol", "00000003.vol"], bed.VolumeFiles().Select(Path.GetFileName));
        await bed.AssertHoldsAsync(keepVolumeOne.Append(shard));
        bed.Crash();
        await bed.AssertHoldsAsync(keepVolumeOne.Append(shard));
        await bed.DropAsync(shard);
        bed.Crash();
        await bed.AssertLacksAsync(shard);
        await bed.AssertHoldsAsync(keepVolumeOne);
    }

    [Fact]
    public async Task A_dropped_shard_stays_dead_through_crashes_and_compactions_and_its_kin_alive()
    {
        await using var bed = new DiskBed(SmallVolumes);
        TestShard victim = await bed.PutNewAsync(3000);
        TestShard[] kin =
        [
            await bed.PutAsync(AtPlace(victim, 5)),
            await bed.PutNewAsync(3000, victim.Header.Content),
        ];
        TestShard keepsVolumeOne = await bed.PutNewAsync(40_000);
        await bed.DropAsync(victim);
        for (int round = 2; round < 6; round++)
        {
            // The record of the drop is copied on from volume to volume.
            TestShard filler = await bed.PutNewAsync(50_000);
            await bed.PutNewAsync(10);
            await bed.Disk.ReclaimAsync([filler.Header.Content], DiskBed.Cancel);
            await bed.Disk.CompactAsync(DiskBed.Cancel);
            Assert.DoesNotContain($"0000000{round}.vol", bed.VolumeFiles().Select(Path.GetFileName));
            bed.Crash();
            await bed.AssertLacksAsync(victim);
            await bed.AssertHoldsAsync(kin.Append(keepsVolumeOne));
        }

        // At last the volume goes in which the victim lay, and its kin moves.
        await bed.DropAsync(keepsVolumeOne);
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        Assert.DoesNotContain("00000001.vol", bed.VolumeFiles().Select(Path.GetFileName));
        bed.Crash();
        await bed.AssertLacksAsync(victim);
        await bed.AssertHoldsAsync(kin);
    }

    [Fact]
    public async Task A_shard_known_to_be_damaged_is_dropped_too()
    {
        await using var bed = new DiskBed { LeavesDamage = true };
        TestShard shard = await bed.PutNewAsync();
        ShardLocation at = bed.Disk.Locate(shard.Header.Stripe, 0)!.Value;
        using (FileStream file = File.OpenWrite(bed.VolumeFiles()[0]))
        {
            file.Position = at.Offset;
            file.Write(new byte[10]);
        }

        Assert.Equal(ErrorKind.Corrupt, (await bed.ReadAsync(shard)).Kind);
        await bed.DropAsync(shard);
        await bed.AssertLacksAsync(shard);
        bed.Crash();
        await bed.AssertLacksAsync(shard);
    }

    [Fact]
    public async Task Within_one_batch_the_order_of_orders_counts()
    {
        await using var bed = new DiskBed();
        TestShard stored = await bed.PutNewAsync();
        TestShard dropped = bed.NewShard();
        TestShard again = bed.NewShard();
        TestShard thrice = bed.NewShard();
        TestShard content = bed.NewShard();
        TestShard reclaimed = bed.NewShard();
        int syncs = bed.Files.Count(FileCall.Sync);
        await bed.AsOneBatchAsync(
            () => bed.AppendAsync(dropped),
            () => bed.AppendAsync(again),
            () => bed.AppendAsync(content),
            () => bed.AppendAsync(reclaimed),
            () => bed.AppendAsync(thrice),
            () => Drop(bed, thrice),
            () => bed.AppendAsync(thrice),
            () => Drop(bed, dropped, again, stored),
            () => bed.Disk.ReclaimAsync(
                [content.Header.Content, reclaimed.Header.Content], DiskBed.Cancel).AsTask(),
            () => Drop(bed, thrice),
            () => bed.AppendAsync(again),
            () => bed.AppendAsync(again),
            () => bed.AppendAsync(stored),
            () => bed.AppendAsync(content));

        // One for the plug before it, one for all of it.
        Assert.Equal(syncs + 2, bed.Files.Count(FileCall.Sync));
        for (int life = 0; life < 2; life++)
        {
            await bed.AssertLacksAsync(dropped);
            await bed.AssertLacksAsync(reclaimed);
            await bed.AssertLacksAsync(thrice);
            await bed.AssertHoldsAsync([again, stored, content]);
            Assert.Equal(4, bed.Disk.Report().Shards);
            bed.Crash();
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_copy_and_a_drop_in_one_batch_leave_the_shard_dead(bool isDropFirst)
    {
        await using var bed = new DiskBed();
        TestShard victim = await bed.PutNewAsync();
        TestShard stays = await bed.PutAsync(AtPlace(victim, 1));
        bed.Disk.Abandon();
        using (var superblock = SuperblockFile.Open(bed.Files, bed.Folder, FileUse.ReadWrite))
        {
            DiskContents contents = DiskReplay.Run(bed.Files, bed.Folder, superblock, bed.Options).Contents;
            var writer = new DiskWriter(
                bed.Files,
                bed.Folder,
                bed.Options,
                superblock,
                contents,
                new DiskHealth(DiskBed.Id),
                bed.Entropy,
                bed.Time,
                bed.Pool,
                active: null,
                lastVolume: 1,
                () => default);
            WriteItem copy = CopyAll(bed, contents);
            var drop = new DropItem([victim.Header.Name], () => null, DiskBed.Cancel);
            int writes = 0;
            await bed.AsOneBatchAsync(
                () => writer.Queue.Append(AppendItem.Make(
                    new ShardAppendParts(bed.NewShard(0).Header, [], default),
                    bed.Pool,
                    bed.Options.InPlaceBytes,
                    DiskBed.Cancel)),
                [
                    () => writer.Queue.Ask(isDropFirst ? drop : copy),
                    () => writer.Queue.Ask(isDropFirst ? copy : drop),
                    () =>
                    {
                        writes = bed.Files.Count(FileCall.Write);
                        return Task.FromResult(HomeAnswer.Done);
                    },
                ]);

            // The plug, which was held up while its volume was made, and one for both.
            Assert.Equal(writes + 2, bed.Files.Count(FileCall.Write));
            await writer.AbandonAsync();
            contents.Volumes().ToList().ForEach(v => v.Unpin());
        }

        bed.Crash();
        await bed.AssertLacksAsync(victim);
        await bed.AssertHoldsAsync(stays);
        Assert.EndsWith("2.vol", bed.Disk.Locate(stays.Header.Stripe, 1)!.Value.File, StringComparison.Ordinal);
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        Assert.DoesNotContain("00000001.vol", bed.VolumeFiles().Select(Path.GetFileName));
        bed.Crash();
        await bed.AssertLacksAsync(victim);
        await bed.AssertHoldsAsync(stays);
    }

    [Fact]
    public async Task A_drop_that_cannot_be_synced_drops_nothing()
    {
        await using var bed = new DiskBed();
        TestShard shard = await bed.PutNewAsync();
        bed.Files.Before = (call, _) => call == FileCall.Sync ? 5 : 0;
        Assert.Equal(ErrorKind.DiskFailed, (await Drop(bed, shard)).Kind);
        bed.Files.Before = (_, _) => 0;
        await bed.AssertHoldsAsync(shard);
        Assert.Equal(ErrorKind.DiskFailed, (await Drop(bed, shard)).Kind);
    }

    [Fact]
    public async Task A_disk_without_room_for_appends_still_drops()
    {
        await using var bed = new DiskBed();
        TestShard shard = await bed.PutNewAsync(bed.Options.GrowBytes - 10_000);
        bed.Files.FreeBytesTold = bed.Options.GrowBytes;
        Assert.Equal(ErrorKind.DiskFull, (await bed.AppendAsync(bed.NewShard(20_000))).Kind);
        await bed.DropAsync(shard);
        await bed.AssertLacksAsync(shard);
    }

    private static Task<HomeAnswer> Drop(DiskBed bed, params TestShard[] shards) =>
        bed.Disk.DropAsync([.. shards.Select(s => s.Header.Name)], DiskBed.Cancel).AsTask();

    private static TestShard AtPlace(TestShard shard, byte place) =>
        shard with { Header = shard.Header with { Place = place } };

    // What compaction makes of a volume.
    private static CopyItem CopyAll(DiskBed bed, DiskContents contents)
    {
        Volume volume = contents.Volumes()[0];
        List<LiveRecord> live = contents.LiveRecords(volume.Number);
        var records = new List<CopiedRecord>();
        foreach (LiveRecord record in live)
        {
            byte[] bytes = new byte[record.RecordBytes];
            volume.File.Read(bytes, record.Position.Offset);
            Assert.True(RecordFormat.TryRead(bytes, volume.Generation, record.Position, out RecordHeader header));
            records.Add(new CopiedRecord(header, record.Position, bytes));
        }

        return new CopyItem(bed.Pool.RentSlice(1), records);
    }
}
