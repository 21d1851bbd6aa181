using System.Buffers.Binary;

namespace ZeroStor.Volumes;

/// <summary>What a block of a footer holds.</summary>
internal enum FooterBlockKind : byte
{
    Shards = 1,

    /// <summary>What is no shard and must be kept, one behind the other through all such blocks.</summary>
    Kept = 2,

    /// <summary>The last block, which says what the others are.</summary>
    Trailer = 3,
}

/// <summary>What the last block of a footer says.</summary>
/// <param name="Start">Where the footer begins in the file.</param>
/// <param name="RecordsEnd">Where the last durable record ends.</param>
/// <param name="Shards">Shards that it lists.</param>
/// <param name="KeptBytes">Bytes of what is no shard.</param>
/// <param name="HighestTick">Of any record in the volume.</param>
/// <param name="MayHoldUnnamed">See <see cref="Volume.MayHoldUnnamed"/>.</param>
internal readonly record struct FooterTrailer(
    long Start, long RecordsEnd, int Shards, int KeptBytes, Tick HighestTick, bool MayHoldUnnamed)
{
    internal int ShardBlocks => (Shards + FooterFormat.ShardsPerBlock - 1) / FooterFormat.ShardsPerBlock;

    internal int KeptBlocks => (KeptBytes + FooterFormat.AreaBytes - 1) / FooterFormat.AreaBytes;

    /// <summary>Of the whole footer, this block among it.</summary>
    internal long Bytes => (ShardBlocks + KeptBlocks + 1L) * FooterFormat.BlockBytes;
}

/// <summary>The bytes of a footer, as README.md beside this file lists them. Every block has a sum that
/// covers the volume's random generation and the block's own number in the file, so that no block of another
/// life or from another place is taken for one that belongs here. Numbers are big-endian.</summary>
internal static class FooterFormat
{
    internal const int BlockBytes = RecordFormat.BlockBytes;

    internal const int ShardBytes = 64;

    internal const int ShardsPerBlock = AreaBytes / ShardBytes;

    /// <summary>What a block holds of shards or of what is kept.</summary>
    internal const int AreaBytes = 4032;

    private const uint Magic = 0x5A53_4654; // "ZSFT"
    private const byte Format = 1;
    private const int SumAt = BlockBytes - Sum128.Bytes;
    private const byte BadFlag = 1;
    private const byte UnnamedFlag = 1;
    private const int KeptHeadBytes = 56;

    // What is no shard: a delete that may go one day, a delete whose targets could not be read, or anything.
    private const byte DeleteWithTargets = 1;
    private const byte DeleteForGood = 2;
    private const byte Other = 3;

    /// <summary>Writes everything of a block but what it holds.</summary>
    internal static void Complete(
        Span<byte> block, FooterBlockKind kind, long at, long start, long recordsEnd, UInt128 generation)
    {
        Span<byte> tail = block[AreaBytes..];
        BinaryPrimitives.WriteUInt32BigEndian(tail, Magic);
        tail[4] = Format;
        tail[5] = (byte)kind;
        BinaryPrimitives.WriteUInt32BigEndian(tail[8..], (uint)(at / BlockBytes));
        BinaryPrimitives.WriteUInt32BigEndian(tail[12..], (uint)(start / BlockBytes));
        BinaryPrimitives.WriteInt64BigEndian(tail[16..], recordsEnd);
        SumOf(block, generation).Write(block[SumAt..]);
    }

    /// <summary>Whether a block is a good one of this volume, and belongs where it was read.</summary>
    /// <exception cref="ZeroStorException">Corrupt: whole, but of a format that this version does not know.
    /// </exception>
    internal static bool IsGood(
        ReadOnlySpan<byte> block, long at, UInt128 generation, out FooterBlockKind kind, out long recordsEnd)
    {
        ReadOnlySpan<byte> tail = block[AreaBytes..];
        kind = (FooterBlockKind)tail[5];
        recordsEnd = BinaryPrimitives.ReadInt64BigEndian(tail[16..]);
        if (BinaryPrimitives.ReadUInt32BigEndian(tail) != Magic
            || BinaryPrimitives.ReadUInt32BigEndian(tail[8..]) != (uint)(at / BlockBytes)
            || Sum128.Read(block[SumAt..]) != SumOf(block, generation))
        {
            return false;
        }

        return tail[4] == Format
            ? true
            : throw ZeroStorException.Corrupt(
                $"A volume's footer is of format {tail[4]}, and this version knows {Format}: run a newer "
                + "ZeroStor.");
    }

    internal static void WriteTrailer(Span<byte> block, in FooterTrailer trailer)
    {
        BinaryPrimitives.WriteInt32BigEndian(block, trailer.Shards);
        BinaryPrimitives.WriteInt32BigEndian(block[4..], trailer.KeptBytes);
        BinaryPrimitives.WriteUInt32BigEndian(block[8..], trailer.HighestTick.Value);
        block[12] = trailer.MayHoldUnnamed ? UnnamedFlag : (byte)0;
    }

    /// <summary>Out of a last block that <see cref="IsGood"/> accepted.</summary>
    internal static FooterTrailer ReadTrailer(ReadOnlySpan<byte> block) => new(
        (long)BinaryPrimitives.ReadUInt32BigEndian(block[(AreaBytes + 12)..]) * BlockBytes,
        BinaryPrimitives.ReadInt64BigEndian(block[(AreaBytes + 16)..]),
        BinaryPrimitives.ReadInt32BigEndian(block),
        BinaryPrimitives.ReadInt32BigEndian(block[4..]),
        new Tick(BinaryPrimitives.ReadUInt32BigEndian(block[8..])),
        (block[12] & UnnamedFlag) != 0);

    internal static void WriteShard(Span<byte> target, in HeldShard shard)
    {
        BinaryPrimitives.WriteUInt32BigEndian(target, shard.Group.Value);
        Id128.Write(target[4..], shard.Stripe.Value);
        target[20] = shard.Place;
        target[21] = shard.IsBad ? BadFlag : (byte)0;
        BinaryPrimitives.WriteInt32BigEndian(target[24..], shard.RecordBytes);
        BinaryPrimitives.WriteUInt32BigEndian(target[28..], (uint)shard.Position.Packed);
        Id128.Write(target[32..], shard.Content.Value);
        shard.SumsDigest.Write(target[48..]);
    }

    internal static HeldShard ReadShard(ReadOnlySpan<byte> source, uint volume) => new()
    {
        Group = new GroupId(BinaryPrimitives.ReadUInt32BigEndian(source)),
        Stripe = new StripeId(Id128.Read(source[4..])),
        Place = source[20],
        IsBad = (source[21] & BadFlag) != 0,
        RecordBytes = BinaryPrimitives.ReadInt32BigEndian(source[24..]),
        Position = PositionAt(source[28..], volume),
        Content = new ContentId(Id128.Read(source[32..])),
        SumsDigest = Sum128.Read(source[48..]),
    };

    internal static int KeptBytes(KeptRecord kept) =>
        KeptHeadBytes + ((kept.DeleteTargets?.Length ?? 0) * sizeof(uint));

    internal static void WriteKept(Span<byte> target, KeptRecord kept)
    {
        BinaryPrimitives.WriteUInt32BigEndian(target, (uint)kept.Position.Packed);
        BinaryPrimitives.WriteInt32BigEndian(target[4..], kept.RecordBytes);
        target[8] = kept.Scope is null ? Other
            : kept.DeleteTargets is null ? DeleteForGood
            : DeleteWithTargets;
        if (kept.Scope is { } scope)
        {
            target[9] = scope.Shard.Place;
            Id128.Write(target[24..], scope.Content.Value);
            Id128.Write(target[40..], scope.Shard.Stripe.Value);
        }

        BinaryPrimitives.WriteInt32BigEndian(target[12..], kept.DeleteTargets?.Length ?? 0);
        BinaryPrimitives.WriteUInt64BigEndian(target[16..], kept.Until.Packed);
        foreach (uint number in kept.DeleteTargets ?? [])
        {
            BinaryPrimitives.WriteUInt32BigEndian(target[KeptHeadBytes..], number);
            target = target[sizeof(uint)..];
        }
    }

    /// <summary>What is no shard, out of the areas of all its blocks, whose sums were checked.</summary>
    internal static List<KeptRecord> ReadKept(ReadOnlySpan<byte> source, uint volume)
    {
        var records = new List<KeptRecord>();
        while (!source.IsEmpty)
        {
            byte what = source[8];
            var targets = new uint[BinaryPrimitives.ReadInt32BigEndian(source[12..])];
            for (int i = 0; i < targets.Length; i++)
            {
                int at = KeptHeadBytes + (i * sizeof(uint));
                targets[i] = BinaryPrimitives.ReadUInt32BigEndian(source[at..]);
            }

            var stripe = new StripeId(Id128.Read(source[40..]));
            DeleteScope scope = stripe != default
                ? DeleteScope.Of(new ShardName(stripe, source[9]))
                : DeleteScope.Of(new ContentId(Id128.Read(source[24..])));
            records.Add(new KeptRecord(
                PositionAt(source, volume), BinaryPrimitives.ReadInt32BigEndian(source[4..]))
            {
                Scope = what == Other ? null : scope,
                Until = new RecordPosition(BinaryPrimitives.ReadUInt64BigEndian(source[16..])),
                DeleteTargets = what == DeleteWithTargets ? [.. targets] : null,
            });
            source = source[(KeptHeadBytes + (targets.Length * sizeof(uint)))..];
        }

        return records;
    }

    private static RecordPosition PositionAt(ReadOnlySpan<byte> source, uint volume) =>
        new(((ulong)volume << 32) | BinaryPrimitives.ReadUInt32BigEndian(source));

    private static Sum128 SumOf(ReadOnlySpan<byte> block, UInt128 generation)
    {
        Span<byte> summed = stackalloc byte[Id128.Bytes + SumAt];
        Id128.Write(summed, generation);
        block[..SumAt].CopyTo(summed[Id128.Bytes..]);
        return Sum128.Of(summed);
    }
}
