using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

public sealed class SuperblockTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("zs-super-").FullName;

    public SuperblockTests()
    {
        using IDiskFile file = OsFile.Files.Open(PathOf, FileUse.Create);
        SuperblockFile.WriteNew(file, new Superblock(new FabricId(1), new DiskId(2), 3) { Life = 4 });
    }

    private string PathOf => Path.Combine(_root, Superblock.FileName);

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Every_field_comes_back()
    {
        var written = new Superblock(new FabricId(UInt128.MaxValue - 5), new DiskId(7), 8)
        {
            PendingClaim = 9,
            Life = UInt128.MaxValue - 6,
            Sequence = 10,
            IsClean = true,
            LastVolume = 11,
            MarkVolume = 12,
            DurableBytes = 1L << 40,
            HighestTick = new Tick(13),
            FooterVolume = 14,
            FooterVolumeEnd = 15,
            Scrub = new ScrubStand
            {
                After = new RecordPosition(16, 17 * 8),
                End = new RecordPosition(18, 19 * 8),
                Began = new Tick(20),
                LastBegan = new Tick(21),
                LastEnded = new Tick(22),
            },
        };
        byte[] slot = new byte[Superblock.SlotBytes];
        written.Write(slot);
        Assert.Equal(written, Superblock.Read(slot));
    }

    [Fact]
    public void Any_flipped_byte_makes_a_slot_no_superblock()
    {
        byte[] slot = new byte[Superblock.SlotBytes];
        new Superblock(new FabricId(1), new DiskId(2), 3).Write(slot);
        for (int i = 0; i < Superblock.FieldBytes; i++)
        {
            slot[i] ^= 0x10;
            Assert.Null(Superblock.Read(slot));
            slot[i] ^= 0x10;
        }

        Assert.NotNull(Superblock.Read(slot));
    }

    [Fact]
    public void A_format_of_the_future_is_refused_in_a_sentence()
    {
        byte[] slot = new byte[Superblock.SlotBytes];
        new Superblock(new FabricId(1), new DiskId(2), 3).Write(slot);
        slot[4] = 2;
        Sum128.Of(slot.AsSpan(0, 128)).Write(slot.AsSpan(128));
        Assert.Equal(ErrorKind.Corrupt, Assert.Throws<ZeroStorException>(() => Superblock.Read(slot)).Kind);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public void A_torn_write_costs_the_last_change_at_most(int changes)
    {
        using (SuperblockFile file = Open())
        {
            for (uint i = 1; i <= changes; i++)
            {
                uint claim = i;
                file.Update(s => s with { Claim = claim });
            }
        }

        // The newest slot is the one that a crash could have torn.
        byte[] bytes = File.ReadAllBytes(PathOf);
        int newest = (changes + 1) % 2;
        bytes[(newest * Superblock.SlotBytes) + 60] ^= 1;
        File.WriteAllBytes(PathOf, bytes);
        using SuperblockFile after = Open();
        Assert.False(after.HasBothSlots);
        Assert.Equal(changes == 1 ? 3u : (uint)changes - 1, after.Current.Claim);

        // And the next change goes where the torn one was, not over the good one.
        after.Update(s => s with { Claim = 99 });
        bytes = File.ReadAllBytes(PathOf);
        Assert.Equal(99u, Superblock.Read(bytes.AsSpan(newest * Superblock.SlotBytes))!.Claim);
    }

    [Fact]
    public void Two_damaged_slots_are_nobodys_disk()
    {
        File.WriteAllBytes(PathOf, new byte[Superblock.FileBytes]);
        Assert.Equal(ErrorKind.Corrupt, Assert.Throws<ZeroStorException>(() => Open().Dispose()).Kind);
    }

    private SuperblockFile Open() => SuperblockFile.Open(OsFile.Files, _root, FileUse.ReadWrite);
}
