using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

/// <summary>What a check tells of single damages; that it finds every one is for
/// <c>Proofs/BitMapTests</c>.</summary>
public sealed class DiskCheckTests
{
    private const string First = "volumes/00000001.vol";
    private const string Second = "volumes/00000002.vol";

    private static readonly DiskOptions Options = DiskBed.Small with { VolumeBytes = 20_000 };

    [Fact]
    public async Task A_sound_disk_has_nothing_to_tell()
    {
        await using var bed = new DiskBed(Options);
        await FillAsync(bed);
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        await bed.Disk.DisposeAsync();
        using DiskCheck check = DiskCheck.Open(bed.Files, bed.Folder);
        check.Run(f => Assert.Fail(f.ToString()), DiskBed.Cancel);
        Assert.Equal((2, 5, 1), (check.Volumes, check.Shards, check.OtherRecords));
        Assert.Equal(check.TotalBytes, check.DoneBytes);
        Assert.Equal(0, bed.Files.Count(FileCall.Rename));
    }

    [Fact]
    public async Task It_changes_nothing()
    {
        await using var bed = new DiskBed(Options) { LeavesDamage = true };
        await FillAsync(bed);
        await bed.Disk.DisposeAsync();
        Flip(bed, First, 20_500);
        Flip(bed, First, 9000);
        int changes = Changes(bed);
        Assert.NotEmpty(Check(bed));
        Assert.Equal(changes, Changes(bed));
    }

    [Theory]
    [InlineData("superblock", 20, DiskFindingKind.Superblock, 0)]
    [InlineData("superblock", 4200, DiskFindingKind.Superblock, 4096)]
    [InlineData("superblock", 8000, DiskFindingKind.Filler, 4208)]
    [InlineData(First, 10, DiskFindingKind.VolumeHeader, 0)]
    [InlineData(First, 4100, DiskFindingKind.VolumeHeader, 4096)]
    [InlineData(First, 5000, DiskFindingKind.Filler, 5000)]
    [InlineData(First, 8192 + 100, DiskFindingKind.RecordHeader, 8192)]
    [InlineData(First, 8192 + 220, DiskFindingKind.RecordExtensions, 8192)]
    [InlineData(First, 8192 + 1000, DiskFindingKind.RecordPayload, 8192)]
    [InlineData(Second, 8192 + 1000, DiskFindingKind.RecordPayload, 8192)]
    public async Task A_flipped_bit_is_told_for_what_it_hits(string file, int at, DiskFindingKind kind, long offset)
    {
        await using var bed = new DiskBed(Options) { LeavesDamage = true };
        await FillAsync(bed);
        await bed.Disk.DisposeAsync();
        Flip(bed, file, at);
        DiskFinding finding = Assert.Single(Check(bed));
        Assert.Equal(kind, finding.Kind);
        Assert.Equal(file, finding.File);
        Assert.Equal(kind == DiskFindingKind.Filler ? finding.Offset : offset, finding.Offset);
        Assert.Equal(kind != DiskFindingKind.Filler, finding.IsDamage);
    }

    [Fact]
    public async Task Every_block_of_a_footer_is_told_when_it_is_damaged()
    {
        await using var bed = new DiskBed(Options) { LeavesDamage = true };
        await FillAsync(bed);
        await bed.Disk.DisposeAsync();
        long length = Length(bed, First);
        for (long at = length - (2 * RecordFormat.BlockBytes) + 7; at < length; at += RecordFormat.BlockBytes)
        {
            Flip(bed, First, at);
            DiskFinding finding = Assert.Single(Check(bed));
            Assert.Equal((DiskFindingKind.FooterDamaged, First), (finding.Kind, finding.File));
            Flip(bed, First, at);
        }
    }

    [Fact]
    public async Task A_whole_footer_that_says_what_records_do_not_is_told()
    {
        await using var bed = new DiskBed(Options) { LeavesDamage = true };
        await FillAsync(bed);
        await bed.Disk.DisposeAsync();
        Rewrite(bed, First, shards => [shards[0] with { Place = 9 }, .. shards[1..]]);
        Assert.Equal(DiskFindingKind.FooterWrong, Assert.Single(Check(bed)).Kind);
        var nowhere = new RecordPosition(1, 8200);
        Rewrite(bed, First, shards => [shards[0] with { Place = 0, Position = nowhere }, .. shards[1..]]);
        Assert.Equal(DiskFindingKind.FooterWrong, Assert.Single(Check(bed)).Kind);
        Assert.Contains(Check(bed, repairs: true), f => f.Kind == DiskFindingKind.FooterWritten);
        Assert.Empty(Check(bed));
    }

    [Fact]
    public async Task What_a_disk_that_was_not_closed_in_order_looks_like_is_no_damage()
    {
        await using var bed = new DiskBed(memory: new MemoryFiles(1));
        await bed.PutNewAsync();
        bed.Files.CutsFailedWrites = true;
        bed.Files.Before = (call, _) => call == FileCall.Write ? 5 : 0;
        Assert.Equal(ErrorKind.DiskFailed, (await bed.AppendAsync(bed.NewShard(6000))).Kind);
        bed.Files.Before = (_, _) => 0;
        List<DiskFinding> findings = [];
        bed.Crash(() => findings = Check(bed));
        Assert.Equal(DiskFindingKind.TornTail, Assert.Single(findings).Kind);
        Assert.False(findings[0].IsDamage);
        await bed.Disk.DisposeAsync();
        Assert.DoesNotContain(Check(bed), f => f.IsDamage);
    }

    [Fact]
    public async Task A_volume_that_is_gone_foreign_or_short_is_told()
    {
        await using var bed = new DiskBed(Options) { LeavesDamage = true };
        await FillAsync(bed);
        await bed.Disk.DisposeAsync();
        string second = Path.Combine(bed.Folder, Second);
        byte[] good = await File.ReadAllBytesAsync(second, DiskBed.Cancel);
        File.Delete(second);
        Assert.Equal((DiskFindingKind.MissingVolume, Second), KindAndFile(Assert.Single(Check(bed))));
        await File.WriteAllBytesAsync(second, good[..^1000], DiskBed.Cancel);
        Assert.Contains(Check(bed), f => KindAndFile(f) == (DiskFindingKind.ShortVolume, Second));
        File.Copy(Path.Combine(bed.Folder, First), second, overwrite: true);
        Assert.Equal((DiskFindingKind.ForeignVolume, Second), KindAndFile(Assert.Single(Check(bed))));
        await File.WriteAllBytesAsync(second, good, DiskBed.Cancel);
        await File.WriteAllTextAsync(Path.Combine(bed.Folder, "volumes", "1.vol"), "?", DiskBed.Cancel);
        DiskFinding unknown = Assert.Single(Check(bed));
        Assert.Equal((DiskFindingKind.UnknownFile, "volumes/1.vol"), KindAndFile(unknown));
        Assert.False(unknown.IsDamage);
    }

    [Fact]
    public async Task A_disk_that_is_open_and_a_folder_that_is_none_are_refused()
    {
        await using var bed = new DiskBed();
        Assert.Equal(
            ErrorKind.Busy, Assert.Throws<ZeroStorException>(() => DiskCheck.Open(bed.Files, bed.Folder)).Kind);
        Assert.Equal(
            ErrorKind.NotFound, Assert.Throws<ZeroStorException>(() => DiskCheck.Open("/nowhere/at/all", false)).Kind);
        await bed.Disk.DisposeAsync();
        using (DiskCheck check = DiskCheck.Open(bed.Files, bed.Folder))
        {
            Assert.Equal(ErrorKind.Busy, Assert.Throws<ZeroStorException>(() => bed.Open()).Kind);
        }

        await bed.ReopenAsync();
    }

    [Fact]
    public async Task It_ends_when_it_is_told_to()
    {
        await using var bed = new DiskBed();
        await bed.PutNewAsync();
        await bed.Disk.DisposeAsync();
        using DiskCheck check = DiskCheck.Open(bed.Files, bed.Folder);
        Assert.Throws<OperationCanceledException>(() => check.Run(_ => { }, new CancellationToken(canceled: true)));
    }

    [Theory]
    [InlineData("damaged")]
    [InlineData("cut")]
    [InlineData("gone")]
    public async Task A_footer_is_written_anew_and_nothing_else_changes(string how)
    {
        await using var bed = new DiskBed(Options);
        (List<TestShard> living, TestShard dead) = await FillAsync(bed);
        await bed.Disk.DisposeAsync();
        string path = Path.Combine(bed.Folder, First);
        byte[] good = await File.ReadAllBytesAsync(path, DiskBed.Cancel);
        byte[] second = await File.ReadAllBytesAsync(Path.Combine(bed.Folder, Second), DiskBed.Cancel);
        int records = (int)RecordsEnd(bed, First);
        byte[] bad = how switch
        {
            "damaged" => [.. good[..^5000], (byte)~good[^5000], .. good[^4999..]],
            "cut" => good[..^RecordFormat.BlockBytes],
            _ => good[..records],
        };
        await File.WriteAllBytesAsync(path, bad, DiskBed.Cancel);
        Assert.Contains(Check(bed, repairs: true), f => f.Kind == DiskFindingKind.FooterWritten);
        byte[] again = await File.ReadAllBytesAsync(path, DiskBed.Cancel);
        Assert.Equal(good[..records], again[..records]);
        Assert.Equal(good.Length, again.Length);
        Assert.Equal(second, await File.ReadAllBytesAsync(Path.Combine(bed.Folder, Second), DiskBed.Cancel));
        Assert.Empty(Check(bed));
        await bed.ReopenAsync();
        Assert.Equal(0, bed.Disk.BadRecords);
        Assert.Equal(living.Count, bed.Disk.Report().Shards);
        await bed.AssertHoldsAsync(living);
        await bed.AssertLacksAsync(dead);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_power_may_fail_at_any_moment_of_writing_a_footer(bool isDamaged)
    {
        bool isWritten = false;
        for (int changes = 0; !isWritten; changes++)
        {
            var memory = new MemoryFiles(changes);
            await using var bed = new DiskBed(Options, memory: memory);
            (List<TestShard> living, TestShard dead) = await FillAsync(bed);
            await bed.Disk.DisposeAsync();
            SpoilFooter(bed, isDamaged);
            bed.Files.ChangesLeft = changes;
            try
            {
                isWritten = Check(bed, repairs: true).Exists(f => f.Kind == DiskFindingKind.FooterWritten);
            }
            catch (ZeroStorException e) when (e.Kind == ErrorKind.DiskFailed)
            {
                Assert.False(isWritten);
            }

            memory.CutPower();
            bed.Files.ChangesLeft = int.MaxValue;
            await bed.ReopenAsync();
            await bed.AssertHoldsAsync(living);
            await bed.AssertLacksAsync(dead);
            Assert.Equal(living.Count, bed.Disk.Report().Shards);
            Assert.InRange(bed.Disk.BadRecords, 0, isDamaged ? 1 : 0);
        }
    }

    // A first volume with a footer, in which one shard is dead, and a second that says so.
    private static async Task<(List<TestShard> Living, TestShard Dead)> FillAsync(DiskBed bed)
    {
        TestShard extended = bed.NewShard(3000) with
        {
            Extensions = [new RecordExtension((ExtensionType)77, new byte[50])],
        };
        List<TestShard> living = [await bed.PutAsync(extended)];
        TestShard dead = await bed.PutNewAsync(1000);
        living.Add(await bed.PutNewAsync(9000));
        living.Add(await bed.PutNewAsync(2000));
        await bed.Disk.ReclaimAsync([dead.Header.Content], DiskBed.Cancel);
        living.Add(await bed.PutNewAsync(500));
        return (living, dead);
    }

    private static List<DiskFinding> Check(DiskBed bed, bool repairs = false)
    {
        var findings = new List<DiskFinding>();
        using DiskCheck check = DiskCheck.Open(bed.Files, bed.Folder, repairs);
        check.Run(findings.Add, DiskBed.Cancel);
        return findings;
    }

    private static (DiskFindingKind, string) KindAndFile(DiskFinding finding) => (finding.Kind, finding.File);

    private static int Changes(DiskBed bed) => new[]
    {
        FileCall.Write, FileCall.Truncate, FileCall.Sync, FileCall.SyncFolder, FileCall.Rename, FileCall.Unlink,
        FileCall.CreateFolder,
    }.Sum(c => bed.Files.Count(c));

    private static void Flip(DiskBed bed, string file, long at) => Change(bed, file, opened =>
    {
        byte[] bytes = new byte[1];
        _ = opened.Read(bytes, at);
        bytes[0] ^= 16;
        opened.Write([bytes], at);
        opened.Sync();
    });

    private static void Change(DiskBed bed, string file, Action<IDiskFile> change)
    {
        using IDiskFile opened = bed.Storage.Open(Path.Combine(bed.Folder, file), FileUse.ReadWrite);
        change(opened);
    }

    private static long Length(DiskBed bed, string file) =>
        bed.Storage.Identify(Path.Combine(bed.Folder, file))!.Value.Length;

    private static long RecordsEnd(DiskBed bed, string file)
    {
        long end = 0;
        Change(bed, file, f => end = FooterOf(f).Trailer.RecordsEnd);
        return end;
    }

    private static VolumeFooter FooterOf(IDiskFile file) =>
        VolumeFooter.TryOpen(file, 1, GenerationOf(file), file.Identify().Length)!;

    private static UInt128 GenerationOf(IDiskFile file)
    {
        byte[] header = new byte[Volume.HeaderFieldBytes];
        _ = file.Read(header, 0);
        return Id128.Read(header.AsSpan(40));
    }

    private static void Rewrite(DiskBed bed, string file, Func<List<HeldShard>, List<HeldShard>> change) =>
        Change(bed, file, opened =>
        {
            VolumeFooter footer = FooterOf(opened);
            List<HeldShard> shards = change([.. footer.ReadAll()!.SelectMany(p => p)]);
            opened.Write(
                [VolumeFooter.Lay(GenerationOf(opened), footer.Trailer, shards, footer.ReadKept()!)!],
                footer.Trailer.Start);
        });

    private static void SpoilFooter(DiskBed bed, bool isDamaged)
    {
        if (isDamaged)
        {
            Flip(bed, First, Length(bed, First) - 5000);
        }
        else
        {
            long end = RecordsEnd(bed, First);
            Change(bed, First, f =>
            {
                f.Truncate(end);
                f.Sync();
            });
        }
    }
}
