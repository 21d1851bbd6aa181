using CsCheck;
using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

public sealed class VolumeFooterTests
{
    private const uint Number = 9;
    private static readonly UInt128 Generation = new(77, 88);

    private static readonly Gen<HeldShard> AnyShard =
        Gen.Select(Gen.ULong, Gen.Byte, Gen.UInt[0, 5], Gen.Int[27, 40_000], Gen.UInt, Gen.Bool).Select(
            (stripe, place, group, eighths, offset, isBad) => new HeldShard
            {
                Stripe = new StripeId(new UInt128(stripe, ~stripe)),
                Place = place,
                Group = new GroupId(group),
                Content = new ContentId(new UInt128(offset, stripe)),
                SumsDigest = new Sum128(stripe, offset),
                Position = new RecordPosition(Number, offset * 8L),
                RecordBytes = eighths * 8,
                IsBad = isBad,
            });

    private static readonly Gen<KeptRecord> AnyKept =
        Gen.Select(
            Gen.UInt, Gen.Int[27, 99], Gen.Int[0, 3], Gen.ULong[1, 9999], Gen.UInt.Array[0, 40]).Select(
            (offset, eighths, what, id, targets) =>
                new KeptRecord(new RecordPosition(Number, offset * 8L), eighths * 8)
                {
                    Scope = what switch
                    {
                        0 => null,
                        1 => DeleteScope.Of(new ContentId(id)),
                        _ => DeleteScope.Of(new ShardName(new StripeId(id), (byte)id)),
                    },
                    Until = what == 0 ? default : new RecordPosition(id),
                    DeleteTargets = what is 0 or 3 ? null : [.. targets],
                });

    [Fact]
    public void What_is_laid_is_read_and_found() =>
        Gen.Select(AnyShard.List[0, 400], AnyKept.List[0, 200], Gen.UInt, Gen.Bool).Sample(
            (shards, kept, tick, mayHoldUnnamed) =>
            {
                shards.Sort((a, b) => a.CompareNames(b));
                using MemoryFile file = Lay(shards, kept, tick, mayHoldUnnamed, out FooterTrailer trailer);
                VolumeFooter footer = VolumeFooter.TryOpen(file, Number, Generation, file.Length)!;
                Assert.Equal(trailer, footer.Trailer);
                Assert.Equal(shards, footer.ReadAll()!.SelectMany(p => p));
                List<KeptRecord> read = footer.ReadKept()!;
                Assert.Equal(kept.Select(Flat), read.Select(Flat));
                var some = new List<HeldShard>();
                for (int block = 0; block < footer.Blocks; block++)
                {
                    Assert.True(footer.TryRead(block, 1, some));
                }

                Assert.Equal(shards, some);
                for (uint group = 0; group < 8; group++)
                {
                    bool isThere = shards.Exists(s => s.Group.Value == group);
                    Assert.Equal(isThere, footer.HasGroup(new GroupId(group)));
                }

                AssertSeeks(shards, footer);
            },
            iter: 200);

    [Fact]
    public void Every_flipped_bit_is_noticed()
    {
        (List<HeldShard> shards, List<KeptRecord> kept) = Some(3, 1);
        using MemoryFile file = Lay(shards, kept, 5, false, out FooterTrailer trailer);
        for (long at = trailer.Start * 8; at < file.Length * 8; at++)
        {
            file.Bytes[at / 8] ^= (byte)(1 << (int)(at % 8));
            Assert.False(IsGood(file));
            file.Bytes[at / 8] ^= (byte)(1 << (int)(at % 8));
        }

        Assert.True(IsGood(file));
    }

    [Fact]
    public void Cut_at_any_length_it_is_none()
    {
        (List<HeldShard> shards, List<KeptRecord> kept) = Some(70, 3);
        using MemoryFile file = Lay(shards, kept, 5, false, out _);
        for (int length = 0; length < file.Length; length++)
        {
            using var cut = new MemoryFile { Bytes = file.Bytes[..length] };
            Assert.Null(VolumeFooter.TryOpen(cut, Number, Generation, length));
        }
    }

    [Fact]
    public void Another_life_and_another_place_are_never_taken_for_it()
    {
        (List<HeldShard> shards, List<KeptRecord> kept) = Some(70, 3);
        using MemoryFile file = Lay(shards, kept, 5, false, out FooterTrailer trailer);
        Assert.Null(VolumeFooter.TryOpen(file, Number, Generation + 1, file.Length));
        using var moved = new MemoryFile { Bytes = [.. file.Bytes[..8192], .. file.Bytes[4096..]] };
        Assert.Null(VolumeFooter.TryOpen(moved, Number, Generation, moved.Length));

        // A block of the same footer in the place of another.
        file.Bytes.AsSpan((int)trailer.Start, RecordFormat.BlockBytes)
            .CopyTo(file.Bytes.AsSpan((int)trailer.Start + RecordFormat.BlockBytes));
        Assert.False(IsGood(file));
    }

    [Fact]
    public void What_the_memory_keeps_of_it_is_little()
    {
        (List<HeldShard> shards, _) = Some(10_000, 0);
        using MemoryFile file = Lay(shards, [], 5, false, out _);
        VolumeFooter footer = VolumeFooter.TryOpen(file, Number, Generation, file.Length)!;
        _ = footer.ReadAll();
        Assert.InRange(footer.MemoryBytes, 1, shards.Count / 2);
    }

    // From the block that is sought on, everything behind the sought name is met.
    private static void AssertSeeks(List<HeldShard> shards, VolumeFooter footer)
    {
        foreach (HeldShard sought in shards.Where((_, i) => i % 17 == 0))
        {
            var from = new List<HeldShard>();
            int first = footer.Seek(sought.Group, sought.Stripe);
            Assert.True(footer.TryRead(first, footer.Blocks - first, from));
            Assert.Equal(shards.Where(s => IsBehind(s, sought)), from.Where(s => IsBehind(s, sought)));
            Assert.False(first + 1 < footer.Blocks && from.Count > 63 && !IsBehind(from[63], sought));
        }
    }

    private static bool IsBehind(in HeldShard shard, in HeldShard other) =>
        shard.Group.CompareTo(other.Group) > 0
        || (shard.Group == other.Group && shard.Stripe.CompareTo(other.Stripe) > 0);

    private static bool IsGood(MemoryFile file)
    {
        try
        {
            return VolumeFooter.TryOpen(file, Number, Generation, file.Length) is { } footer
                && footer.ReadAll() is not null
                && footer.ReadKept() is not null;
        }
        catch (ZeroStorException e) when (e.Kind == ErrorKind.Corrupt)
        {
            return false;
        }
    }

    private static (DeleteScope?, RecordPosition, string) Flat(KeptRecord kept) => (
        kept.Scope,
        kept.Until,
        $"{kept.Position} {kept.RecordBytes} "
            + (kept.DeleteTargets is { } targets ? string.Join(' ', targets) : "for good"));

    private static (List<HeldShard> Shards, List<KeptRecord> Kept) Some(int shards, int kept)
    {
        var entropy = new SeededEntropy(1);
        List<HeldShard> some =
        [
            .. Enumerable.Range(0, shards).Select(i => new HeldShard
            {
                Stripe = StripeId.New(new Tick(3), entropy),
                Place = (byte)i,
                Group = new GroupId((uint)i / 30),
                Position = new RecordPosition(Number, i * 800L),
                RecordBytes = 800,
            }),
        ];
        some.Sort((a, b) => a.CompareNames(b));
        IEnumerable<KeptRecord> deletes = Enumerable.Range(0, kept).Select(
            i => new KeptRecord(new RecordPosition(Number, i * 8L), 224)
            {
                Scope = DeleteScope.Of(ContentId.New(new Tick(3), entropy)),
                Until = new RecordPosition(Number, 8),
                DeleteTargets = [1, 2, (uint)i],
            });
        return (some, [.. deletes]);
    }

    // Behind records that end in the middle of a block.
    private static MemoryFile Lay(
        List<HeldShard> shards,
        List<KeptRecord> kept,
        uint tick,
        bool mayHoldUnnamed,
        out FooterTrailer trailer)
    {
        trailer = new FooterTrailer(
            3 * RecordFormat.BlockBytes,
            Volume.HeaderBytes + 1000,
            shards.Count,
            kept.Sum(FooterFormat.KeptBytes),
            new Tick(tick),
            mayHoldUnnamed);
        byte[] footer = VolumeFooter.Lay(Generation, trailer, shards, kept)!;
        return new MemoryFile { Bytes = [.. new byte[trailer.Start], .. footer] };
    }

    private sealed class MemoryFile : IDiskFile
    {
        internal required byte[] Bytes { get; init; }

        internal long Length => Bytes.Length;

        public int Read(Span<byte> target, long offset)
        {
            ReadOnlySpan<byte> rest = Bytes.AsSpan((int)Math.Min(offset, Bytes.Length));
            int read = Math.Min(rest.Length, target.Length);
            rest[..read].CopyTo(target);
            return read;
        }

        public void Write(IReadOnlyList<ReadOnlyMemory<byte>> pieces, long offset) =>
            throw new NotSupportedException();

        public void Truncate(long length) => throw new NotSupportedException();

        public void Sync() => throw new NotSupportedException();

        public FileIdentity Identify() => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }
}
