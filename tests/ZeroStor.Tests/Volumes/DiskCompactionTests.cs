using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

public sealed class DiskCompactionTests
{
    [Fact]
    public async Task Reclaimed_room_comes_back()
    {
        await using var bed = new DiskBed();
        var dying = new List<TestShard>();
        var living = new List<TestShard>();
        for (int i = 0; i < 100; i++)
        {
            (i % 4 == 0 ? living : dying).Add(await bed.PutNewAsync(20_000));
        }

        long full = bed.Disk.Report().UsedBytes;
        await bed.Disk.ReclaimAsync([.. dying.Select(d => d.Header.Content)], DiskBed.Cancel);
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        await bed.AssertHoldsAsync(living);
        Assert.InRange(bed.Disk.Report().UsedBytes, 0, full / 2);
        Assert.Equal(bed.Disk.Report().UsedBytes, FileBytes(bed));
        Assert.Equal(25, bed.Disk.Report().Shards);
        bed.Crash();
        await bed.AssertHoldsAsync(living);
        Assert.Equal(ErrorKind.NotFound, (await bed.ReadAsync(dying[0])).Kind);
        Assert.Equal(25, bed.Disk.Report().Shards);
    }

    [Fact]
    public async Task A_disk_on_which_all_died_is_as_small_as_an_empty_one()
    {
        await using var bed = new DiskBed();
        var dying = new List<TestShard>();
        for (int i = 0; i < 40; i++)
        {
            dying.Add(await bed.PutNewAsync(20_000));
        }

        await bed.Disk.ReclaimAsync([.. dying.Select(d => d.Header.Content)], DiskBed.Cancel);
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        Assert.InRange(FileBytes(bed), 0, bed.Options.GrowBytes + Superblock.FileBytes);
        Assert.Equal(0, bed.Disk.Report().Shards);
        Assert.Empty(bed.Disk.Digests());
    }

    [Fact]
    public async Task The_active_volume_is_left_alone_until_much_of_it_is_dead()
    {
        await using var bed = new DiskBed();
        TestShard kept = await bed.PutNewAsync(60_000);
        TestShard dead = await bed.PutNewAsync(50_000);
        await bed.Disk.ReclaimAsync([dead.Header.Content], DiskBed.Cancel);
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        Assert.EndsWith("00000001.vol", Assert.Single(bed.VolumeFiles()), StringComparison.Ordinal);
        dead = await bed.PutNewAsync(50_000);
        await bed.Disk.ReclaimAsync([dead.Header.Content], DiskBed.Cancel);
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        Assert.EndsWith("00000002.vol", Assert.Single(bed.VolumeFiles()), StringComparison.Ordinal);
        await bed.AssertHoldsAsync(kept);
    }

    [Fact]
    public async Task Volume_numbers_are_never_given_twice()
    {
        await using var bed = new DiskBed(DiskBed.Small with { VolumeBytes = 20_000 });
        var seen = new HashSet<string>();
        for (int round = 0; round < 6; round++)
        {
            TestShard shard = await bed.PutNewAsync(20_000);
            Assert.All(bed.VolumeFiles(), f => Assert.True(seen.Add(f), f));
            await bed.Disk.ReclaimAsync([shard.Header.Content], DiskBed.Cancel);
            await bed.PutNewAsync(10, shard.Header.Content);
            seen.UnionWith(bed.VolumeFiles());
            await bed.Disk.ReclaimAsync([shard.Header.Content], DiskBed.Cancel);
            for (int i = 0; i < 3 && bed.VolumeFiles().Length > 0; i++)
            {
                bed.Crash();
                await bed.Disk.CompactAsync(DiskBed.Cancel);
            }

            Assert.Empty(bed.VolumeFiles());
        }
    }

    [Fact]
    public async Task The_highest_number_and_tick_outlive_the_only_volume_that_showed_them()
    {
        await using var bed = new DiskBed();
        TestShard shard = await bed.PutNewAsync(70_000, tick: 500);
        await bed.Disk.ReclaimAsync([shard.Header.Content], DiskBed.Cancel);
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        Assert.Empty(bed.VolumeFiles());
        bed.Crash();
        Assert.Equal(new Tick(500), bed.Disk.HighestTick);
        Assert.Equal(new Tick(500), bed.Disk.Report().HighestTick);
        await bed.PutNewAsync();
        Assert.EndsWith("00000002.vol", Assert.Single(bed.VolumeFiles()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_is_durably_gone_before_anything_else_is_done()
    {
        await using var bed = new DiskBed(DiskBed.Small with { VolumeBytes = 20_000 });
        TestShard[] dying = [await bed.PutNewAsync(20_000), await bed.PutNewAsync(20_000)];
        await bed.PutNewAsync();
        await bed.Disk.ReclaimAsync([.. dying.Select(d => d.Header.Content)], DiskBed.Cancel);
        var calls = new List<FileCall>();
        bed.Files.Before = (call, _) =>
        {
            calls.Add(call);
            return 0;
        };
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        bed.Files.Before = (_, _) => 0;
        int[] unlinks = [.. Enumerable.Range(0, calls.Count).Where(i => calls[i] == FileCall.Unlink)];
        Assert.Equal(2, unlinks.Length);
        Assert.All(unlinks, i => Assert.Equal(FileCall.SyncFolder, calls[i + 1]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_delete_names_the_volume_of_a_copy_that_a_crash_left_behind(bool isOfOneShard)
    {
        await using var bed = new DiskBed(DiskBed.Small with { VolumeBytes = 40_000, CopyBytes = 4000 });

        // Volume 1 is being compacted; the first chunk, the victim, is copied, and then the process dies.
        TestShard victim = await bed.PutNewAsync(3000);
        TestShard stays = await bed.PutNewAsync(10_000);
        TestShard dying = await bed.PutNewAsync(30_000);
        await bed.PutNewAsync(100);
        await bed.Disk.ReclaimAsync([dying.Header.Content], DiskBed.Cancel);
        int writes = 0;
        bed.Files.Before = (call, _) => call == FileCall.Write && ++writes > 1 ? 5 : 0;
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        bed.Files.Before = (_, _) => 0;
        bed.Crash();
        Assert.EndsWith("00000002.vol", bed.Disk.Locate(victim.Header.Stripe, 0)!.Value.File, StringComparison.Ordinal);
        Assert.EndsWith("00000001.vol", bed.Disk.Locate(stays.Header.Stripe, 0)!.Value.File, StringComparison.Ordinal);

        // The delete stands in volume 3. Volume 2, with the copy, goes; then volume 3 goes; volume 1, which
        // cannot be read for the moment, stays.
        await KillAsync(bed, victim, isOfOneShard);
        bed.Files.Before = (call, path) =>
            call == FileCall.Read && path.EndsWith("00000001.vol", StringComparison.Ordinal) ? 5 : 0;
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        bed.Files.Before = (_, _) => 0;
        Assert.Equal(["00000001.vol", "00000003.vol"], bed.VolumeFiles().Select(Path.GetFileName));
        TestShard filler = await bed.PutNewAsync(60_000);
        await bed.PutNewAsync(100);
        await bed.Disk.ReclaimAsync([filler.Header.Content], DiskBed.Cancel);
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        Assert.Equal(["00000001.vol", "00000004.vol"], bed.VolumeFiles().Select(Path.GetFileName));
        bed.Crash();
        await bed.AssertLacksAsync(victim);
        await bed.AssertHoldsAsync(stays);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_delete_is_kept_as_long_as_a_volume_with_its_target_and_no_longer(bool isOfOneShard)
    {
        await using var bed = new DiskBed(DiskBed.Small with { VolumeBytes = 40_000 });

        // Volume 1: mostly alive, with one victim. Volume 2: the delete, and much that dies.
        TestShard victim = bed.NewShard(3000);
        TestShard[] alive = [await bed.PutNewAsync(30_000), await bed.PutAsync(victim), await bed.PutNewAsync(10_000)];
        await KillAsync(bed, victim, isOfOneShard);
        TestShard filler = await bed.PutNewAsync(50_000);
        await bed.PutNewAsync(10_000);
        await bed.Disk.ReclaimAsync([filler.Header.Content], DiskBed.Cancel);
        Assert.Equal(3, bed.VolumeFiles().Length);
        await bed.Disk.CompactAsync(DiskBed.Cancel);

        // Volume 2 is gone, volume 1 is not, and the delete moved on.
        Assert.Equal(["00000001.vol", "00000003.vol"], bed.VolumeFiles().Select(Path.GetFileName));
        bed.Crash();
        await bed.AssertLacksAsync(victim);
        long live = bed.Disk.Report().LiveBytes;

        await bed.Disk.ReclaimAsync([alive[0].Header.Content, alive[2].Header.Content], DiskBed.Cancel);
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        Assert.DoesNotContain("00000001.vol", bed.VolumeFiles().Select(Path.GetFileName));
        long records = alive[0].Header.ShardBytes + alive[2].Header.ShardBytes;
        Assert.True(bed.Disk.Report().LiveBytes < live - records - RecordFormat.HeaderBytes);
        bed.Crash();
        await bed.AssertLacksAsync(victim);
        Assert.Equal(1, bed.Disk.Report().Shards);
    }

    [Fact]
    public async Task A_shard_written_after_a_delete_of_its_content_lives_and_stays_alive()
    {
        await using var bed = new DiskBed(DiskBed.Small with { VolumeBytes = 20_000 });
        TestShard first = await bed.PutNewAsync(15_000);
        TestShard keepsVolumeOne = await bed.PutNewAsync(20_000);
        await bed.Disk.ReclaimAsync([first.Header.Content], DiskBed.Cancel);
        TestShard second = await bed.PutNewAsync(9000, first.Header.Content);
        TestShard dying = await bed.PutNewAsync(30_000);
        await bed.PutNewAsync(1000);
        await bed.Disk.ReclaimAsync([dying.Header.Content], DiskBed.Cancel);
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        bed.Crash();
        await bed.AssertLacksAsync(first);
        await bed.AssertHoldsAsync([second, keepsVolumeOne]);
    }

    [Fact]
    public async Task Unknown_kinds_and_unknown_extensions_are_copied_as_they_are()
    {
        await using var bed = new DiskBed(DiskBed.Small with { VolumeBytes = 20_000 });
        TestShard odd = bed.NewShard(500) with { Extensions = [new((ExtensionType)4711, new byte[] { 1, 2, 3 })] };
        TestShard strange = bed.NewShard(700);
        await bed.PutAsync(odd);
        await bed.PutAsync(strange);
        TestShard dying = await bed.PutNewAsync(30_000);
        long at = bed.Disk.Locate(strange.Header.Stripe, 0)!.Value.Offset - RecordFormat.HeaderBytes;
        await bed.Disk.DisposeAsync();
        Rewrite(bed, at, kind: 77);
        await bed.ReopenAsync();
        await bed.AssertLacksAsync(strange);
        await bed.Disk.ReclaimAsync([dying.Header.Content, strange.Header.Content], DiskBed.Cancel);
        bed.Crash();
        await bed.PutNewAsync(100);
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        await bed.ReopenAsync();
        Assert.DoesNotContain("00000001.vol", bed.VolumeFiles().Select(Path.GetFileName));
        await bed.AssertHoldsAsync(odd);
        Assert.Contains(bed.VolumeFiles(), f => File.ReadAllBytes(f).AsSpan().IndexOf(strange.Payload) >= 0);
    }

    [Fact]
    public async Task A_damaged_record_is_never_copied_with_a_fresh_sum()
    {
        await using var bed = new DiskBed(DiskBed.Small with { VolumeBytes = 20_000 });
        TestShard bad = await bed.PutNewAsync(500);
        TestShard good = await bed.PutNewAsync(500);
        TestShard dying = await bed.PutNewAsync(30_000);
        await bed.PutNewAsync(100);
        ShardLocation at = bed.Disk.Locate(bad.Header.Stripe, 0)!.Value;
        using (FileStream file = File.OpenWrite(bed.VolumeFiles()[0]))
        {
            file.Position = at.Offset;
            file.Write(new byte[100]);
        }

        await bed.Disk.ReclaimAsync([dying.Header.Content], DiskBed.Cancel);
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        await bed.AssertLacksAsync(bad);
        await bed.AssertHoldsAsync(good);
        Assert.Equal(1, bed.Disk.BadRecords);
        await bed.PutAsync(bad);
    }

    [Fact]
    public async Task Compaction_may_use_the_reserve_that_appends_may_not()
    {
        await using var bed = new DiskBed();
        var dying = new List<TestShard>();
        TestShard living = await bed.PutNewAsync(20_000);
        while (bed.VolumeFiles().Length < 2)
        {
            dying.Add(await bed.PutNewAsync(60_000));
        }

        bed.Files.FreeBytesTold = bed.Options.GrowBytes;
        Assert.Equal(ErrorKind.DiskFull, (await bed.AppendAsync(bed.NewShard(70_000))).Kind);
        await bed.Disk.ReclaimAsync([.. dying.Select(d => d.Header.Content)], DiskBed.Cancel);
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        Assert.DoesNotContain("00000001.vol", bed.VolumeFiles().Select(Path.GetFileName));
        await bed.AssertHoldsAsync(living);
    }

    private static async Task KillAsync(DiskBed bed, TestShard victim, bool isOfOneShard)
    {
        HomeAnswer answer = isOfOneShard
            ? await bed.Disk.DropAsync([victim.Header.Name], DiskBed.Cancel)
            : await bed.Disk.ReclaimAsync([victim.Header.Content], DiskBed.Cancel);
        Assert.True(answer.IsDone, answer.Detail);
    }

    // Gives a record another kind, under a right sum.
    private static void Rewrite(DiskBed bed, long at, byte kind)
    {
        using IDiskFile file = OsFile.Files.Open(bed.VolumeFiles()[0], FileUse.ReadWrite);
        UInt128 generation = Volume.ReadHeader(file, Disk.Peek(bed.Folder)!, 1)!.Value;
        byte[] header = new byte[RecordFormat.HeaderBytes];
        file.Read(header, at);
        var position = new RecordPosition(1, at);
        Assert.True(RecordFormat.TryRead(header, generation, position, out RecordHeader old));
        header[5] = kind;
        RecordFormat.WritePlacing(
            header, generation, DiskBed.Id, 0, position, old.IsFirstOfBatch ? old.DurableBytes : null);
        file.Write([header], at);
    }

    private static long FileBytes(DiskBed bed) =>
        bed.VolumeFiles().Sum(f => new FileInfo(f).Length) + Superblock.FileBytes;
}
