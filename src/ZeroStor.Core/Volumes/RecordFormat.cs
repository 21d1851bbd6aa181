using System.Buffers.Binary;
using System.Collections.Immutable;

namespace ZeroStor.Volumes;

/// <summary>What a record is. Numbers are never reused; a kind that this version does not know is kept and
/// copied like any live record.</summary>
internal enum RecordKind : byte
{
    Shard = 1,

    /// <summary>Every shard of a content, or one single shard, that stands before a position is
    /// dead.</summary>
    Delete = 2,

    /// <summary>Kept and copied, never read by the disk itself: changes of vaults and of the map.</summary>
    System = 3,
}

/// <summary>What a delete kills: every shard of a content, or one shard. No shard has StripeId 0.</summary>
internal readonly record struct DeleteScope
{
    private DeleteScope(ContentId content, ShardName shard)
    {
        Content = content;
        Shard = shard;
    }

    /// <summary>0 where one shard is meant.</summary>
    internal ContentId Content { get; }

    internal ShardName Shard { get; }

    internal bool IsShard => Shard.Stripe != default;

    internal static DeleteScope Of(ContentId content) => new(content, default);

    internal static DeleteScope Of(ShardName shard) => new(default, shard);
}

/// <summary>A position on a disk: volume and offset in one number that sorts as they do. Offsets are
/// multiples of 8, so 32 bits reach 32 GiB into a volume.</summary>
internal readonly record struct RecordPosition(ulong Packed) : IComparable<RecordPosition>
{
    internal RecordPosition(uint volume, long offset)
        : this(((ulong)volume << 32) | checked((uint)(offset / RecordFormat.AlignmentBytes)))
    {
    }

    internal uint Volume => (uint)(Packed >> 32);

    internal long Offset => (long)(uint)Packed * RecordFormat.AlignmentBytes;

    public int CompareTo(RecordPosition other) => Packed.CompareTo(other.Packed);
}

/// <summary>A record's header as it lies on the disk, decoded.</summary>
internal readonly record struct RecordHeader
{
    internal required RecordKind Kind { get; init; }

    internal required bool IsFirstOfBatch { get; init; }

    /// <summary>In the first record of a batch: everything in the volume below this was synced before the
    /// batch was written.</summary>
    internal required long DurableBytes { get; init; }

    /// <summary>The whole record: header, extensions, payload, padding.</summary>
    internal required int RecordBytes { get; init; }

    internal required int HeaderBytes { get; init; }

    internal required int ExtensionBytes { get; init; }

    /// <summary>From the start of the record. What lies between extensions and payload is padding.</summary>
    internal required int PayloadOffset { get; init; }

    internal required int PayloadBytes { get; init; }

    internal required Sum128 ExtensionSum { get; init; }

    internal required Sum128 PayloadSum { get; init; }

    /// <summary>Delete records: the position of the order to delete, which copies of it keep.</summary>
    internal required RecordPosition Until { get; init; }

    internal required ContentId Content { get; init; }

    internal required StripeId Stripe { get; init; }

    internal required byte Place { get; init; }

    internal required GroupId Group { get; init; }

    internal required Sum128 SumsDigest { get; init; }

    internal required Tick Tick { get; init; }

    internal ShardName Shard => new(Stripe, Place);

    /// <summary>Delete records: what they kill.</summary>
    internal DeleteScope Scope => Stripe != default ? DeleteScope.Of(Shard) : DeleteScope.Of(Content);
}

/// <summary>The bytes of a record, as README.md beside this file lists them. A header's sum covers the
/// volume's random generation, number and the record's own offset, so nothing written elsewhere or in an
/// earlier life of a file passes for a record here. Numbers are big-endian.</summary>
internal static class RecordFormat
{
    /// <summary>Records begin at multiples of this.</summary>
    internal const int AlignmentBytes = 8;

    /// <summary>Batches begin at multiples of this: the unit in which disks write, so that a torn write never
    /// reaches into what was synced before. A large payload begins as far behind a multiple of it in the file as in the
    /// memory that it came in: so the device fetches it from there, page by page, and nobody copies it. Most devices would
    /// take sectors of 512, and some of those write what is no whole block thirty times as slowly.</summary>
    internal const int BlockBytes = 4096;

    internal const int HeaderBytes = 216;

    /// <summary>Type and length before each extension's value.</summary>
    internal const int ExtensionHeadBytes = 6;

    /// <summary>No shard, manifest or system record comes near this; replay trusts no length above
    /// it.</summary>
    internal const int MaxRecordBytes = 32 * 1024 * 1024;

    private const uint Magic = 0x5A53_5243; // "ZSRC"
    private const byte Format = 1;
    private const byte FirstOfBatchFlag = 1;

    // A header of a later format may be longer; its sum always is its last 16 bytes.
    internal const int MaxHeaderBytes = 1024;

    internal static ReadOnlySpan<byte> MagicBytes => "ZSRC"u8;

    internal static int Align(int bytes) => (bytes + AlignmentBytes - 1) & ~(AlignmentBytes - 1);

    /// <summary>Bytes from <paramref name="offset"/> to the first multiple of <see cref="BlockBytes"/>.</summary>
    internal static int ToBlock(long offset) => (int)(-offset & (BlockBytes - 1));

    internal static long AlignBlock(long bytes) => (bytes + BlockBytes - 1) & ~(BlockBytes - 1L);

    internal static int ExtensionBytes(ImmutableArray<RecordExtension> extensions)
    {
        int bytes = 0;
        foreach (RecordExtension extension in extensions)
        {
            bytes = checked(bytes + ExtensionHeadBytes + extension.Value.Length);
        }

        return bytes;
    }

    internal static void WriteExtensions(Span<byte> target, ImmutableArray<RecordExtension> extensions)
    {
        foreach (RecordExtension extension in extensions)
        {
            BinaryPrimitives.WriteUInt16BigEndian(target, (ushort)extension.Type);
            BinaryPrimitives.WriteInt32BigEndian(target[2..], extension.Value.Length);
            extension.Value.Span.CopyTo(target[ExtensionHeadBytes..]);
            target = target[(ExtensionHeadBytes + extension.Value.Length)..];
        }
    }

    /// <summary>The extensions in an area whose sum was checked.</summary>
    /// <exception cref="ZeroStorException">Corrupt: lengths that do not add up.</exception>
    internal static ImmutableArray<RecordExtension> ReadExtensions(ReadOnlyMemory<byte> area)
    {
        ImmutableArray<RecordExtension>.Builder extensions = ImmutableArray.CreateBuilder<RecordExtension>();
        while (!area.IsEmpty)
        {
            int length = area.Length < ExtensionHeadBytes
                ? -1
                : BinaryPrimitives.ReadInt32BigEndian(area.Span[2..]);
            if (length < 0 || length > area.Length - ExtensionHeadBytes)
            {
                throw ZeroStorException.Corrupt("A record's extensions do not add up to their length.");
            }

            var type = (ExtensionType)BinaryPrimitives.ReadUInt16BigEndian(area.Span);
            extensions.Add(new RecordExtension(type, area.Slice(ExtensionHeadBytes, length)));
            area = area[(ExtensionHeadBytes + length)..];
        }

        return extensions.ToImmutable();
    }

    /// <summary>Writes everything of a shard's header that does not depend on where the record will lie;
    /// returns the record's length.</summary>
    internal static int WriteShard(Span<byte> header, ShardHeader shard, ReadOnlySpan<byte> extensions)
    {
        int recordBytes = WriteCommon(
            header, RecordKind.Shard, extensions, shard.ShardBytes, shard.ShardSum, shard.Content, shard.Tick);
        shard.SumsDigest.Write(header[88..]);
        Id128.Write(header[104..], shard.Stripe.Value);
        Id128.Write(header[136..], shard.Vault.Value);
        Id128.Write(header[152..], shard.Seal.Value);
        BinaryPrimitives.WriteUInt32BigEndian(header[168..], shard.Group.Value);
        header[172] = shard.Place;
        header[173] = (byte)shard.Code.K;
        header[174] = (byte)shard.Code.M;
        BinaryPrimitives.WriteUInt32BigEndian(header[176..], shard.Ordinal);
        BinaryPrimitives.WriteInt32BigEndian(header[180..], shard.ContentBytes);
        BinaryPrimitives.WriteInt32BigEndian(header[184..], shard.SealedBytes);
        return recordBytes;
    }

    /// <summary>Writes the header of a delete record, whose payload is the numbers of the volumes that hold
    /// such shards; returns the record's length.</summary>
    internal static int WriteDelete(
        Span<byte> header, DeleteScope scope, RecordPosition until, Tick tick, ReadOnlySpan<byte> targets)
    {
        int recordBytes = WriteCommon(
            header, RecordKind.Delete, [], targets.Length, Sum128.Of(targets), scope.Content, tick);
        Id128.Write(header[104..], scope.Shard.Stripe.Value);
        header[172] = scope.Shard.Place;
        BinaryPrimitives.WriteUInt64BigEndian(header[192..], until.Packed);
        return recordBytes;
    }

    /// <summary>Moves the payload behind a gap, of zeros; returns the record's length.</summary>
    /// <param name="header">As <see cref="WriteShard"/> left it.</param>
    /// <param name="payloadOffset">From the record's start.</param>
    internal static int WritePayloadOffset(Span<byte> header, int payloadOffset)
    {
        int recordBytes = Align(payloadOffset + BinaryPrimitives.ReadInt32BigEndian(header[52..]));
        BinaryPrimitives.WriteInt32BigEndian(header[40..], recordBytes);
        BinaryPrimitives.WriteInt32BigEndian(header[48..], payloadOffset);
        return recordBytes;
    }

    /// <summary>Completes a header with where the record lies, and sums it. Of a record that is copied it
    /// changes nothing else, so fields of later formats survive.</summary>
    internal static void WritePlacing(
        Span<byte> record, UInt128 generation, DiskId disk, uint claim, RecordPosition at, long? durableBytes)
    {
        BinaryPrimitives.WriteUInt32BigEndian(record[12..], disk.Value);
        BinaryPrimitives.WriteUInt32BigEndian(record[16..], claim);
        BinaryPrimitives.WriteUInt32BigEndian(record[20..], at.Volume);
        BinaryPrimitives.WriteInt64BigEndian(record[24..], at.Offset);
        BinaryPrimitives.WriteInt64BigEndian(record[32..], durableBytes ?? 0);
        record[8] = durableBytes is null ? (byte)0 : FirstOfBatchFlag;
        int headerBytes = BinaryPrimitives.ReadUInt16BigEndian(record[6..]);
        int sumAt = headerBytes - Sum128.Bytes;
        HeaderSum(record[..sumAt], generation).Write(record[sumAt..]);
    }

    private static int WriteCommon(
        Span<byte> header,
        RecordKind kind,
        ReadOnlySpan<byte> extensions,
        int payloadBytes,
        Sum128 payloadSum,
        ContentId content,
        Tick tick)
    {
        header[..HeaderBytes].Clear();
        int payloadOffset = HeaderBytes + extensions.Length;
        int recordBytes = Align(payloadOffset + payloadBytes);
        BinaryPrimitives.WriteUInt32BigEndian(header, Magic);
        header[4] = Format;
        header[5] = (byte)kind;
        BinaryPrimitives.WriteUInt16BigEndian(header[6..], HeaderBytes);
        BinaryPrimitives.WriteInt32BigEndian(header[40..], recordBytes);
        BinaryPrimitives.WriteInt32BigEndian(header[44..], extensions.Length);
        BinaryPrimitives.WriteInt32BigEndian(header[48..], payloadOffset);
        BinaryPrimitives.WriteInt32BigEndian(header[52..], payloadBytes);
        Sum128.Of(extensions).Write(header[56..]);
        payloadSum.Write(header[72..]);
        Id128.Write(header[120..], content.Value);
        BinaryPrimitives.WriteUInt32BigEndian(header[188..], tick.Value);
        return recordBytes;
    }

    /// <summary>Reads the header at <paramref name="at"/>; false when there is none of this
    /// generation.</summary>
    /// <param name="bytes">From the record's start on; at least a header, where the file is that
    /// long.</param>
    /// <exception cref="ZeroStorException">Corrupt: whole, but of a format that this version does not know.
    /// </exception>
    internal static bool TryRead(
        ReadOnlySpan<byte> bytes, UInt128 generation, RecordPosition at, out RecordHeader header)
    {
        header = default;
        if (bytes.Length < HeaderBytes || BinaryPrimitives.ReadUInt32BigEndian(bytes) != Magic)
        {
            return false;
        }

        int headerBytes = BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]);
        if (headerBytes is < HeaderBytes or > MaxHeaderBytes || headerBytes > bytes.Length)
        {
            return false;
        }

        int sumAt = headerBytes - Sum128.Bytes;
        if (Sum128.Read(bytes[sumAt..]) != HeaderSum(bytes[..sumAt], generation)
            || BinaryPrimitives.ReadUInt32BigEndian(bytes[20..]) != at.Volume
            || BinaryPrimitives.ReadInt64BigEndian(bytes[24..]) != at.Offset)
        {
            return false;
        }

        if (bytes[4] != Format)
        {
            throw ZeroStorException.Corrupt(
                $"A record is of format {bytes[4]}, and this version knows {Format}: run a newer ZeroStor.");
        }

        header = new RecordHeader
        {
            Kind = (RecordKind)bytes[5],
            IsFirstOfBatch = (bytes[8] & FirstOfBatchFlag) != 0,
            DurableBytes = BinaryPrimitives.ReadInt64BigEndian(bytes[32..]),
            RecordBytes = BinaryPrimitives.ReadInt32BigEndian(bytes[40..]),
            HeaderBytes = headerBytes,
            ExtensionBytes = BinaryPrimitives.ReadInt32BigEndian(bytes[44..]),
            PayloadOffset = BinaryPrimitives.ReadInt32BigEndian(bytes[48..]),
            PayloadBytes = BinaryPrimitives.ReadInt32BigEndian(bytes[52..]),
            ExtensionSum = Sum128.Read(bytes[56..]),
            PayloadSum = Sum128.Read(bytes[72..]),
            SumsDigest = Sum128.Read(bytes[88..]),
            Stripe = new StripeId(Id128.Read(bytes[104..])),
            Content = new ContentId(Id128.Read(bytes[120..])),
            Group = new GroupId(BinaryPrimitives.ReadUInt32BigEndian(bytes[168..])),
            Place = bytes[172],
            Tick = new Tick(BinaryPrimitives.ReadUInt32BigEndian(bytes[188..])),
            Until = new RecordPosition(BinaryPrimitives.ReadUInt64BigEndian(bytes[192..])),
        };
        return header.RecordBytes is > 0 and <= MaxRecordBytes
            && header.RecordBytes % AlignmentBytes == 0
            && header.ExtensionBytes >= 0
            && header.PayloadBytes >= 0
            && header.PayloadOffset >= headerBytes + header.ExtensionBytes
            && header.PayloadOffset <= header.RecordBytes - header.PayloadBytes;
    }

    /// <summary>Whether a whole record's extensions and payload match the sums in its header, and there are zeros between
    /// them.</summary>
    internal static bool HasGoodBody(ReadOnlySpan<byte> record, in RecordHeader header) =>
        HasGoodExtensions(record, header)
        && !record[(header.HeaderBytes + header.ExtensionBytes)..header.PayloadOffset].ContainsAnyExcept((byte)0)
        && Sum128.Of(record.Slice(header.PayloadOffset, header.PayloadBytes)) == header.PayloadSum;

    /// <param name="record">From the record's start to the end of its extensions at least.</param>
    internal static bool HasGoodExtensions(ReadOnlySpan<byte> record, in RecordHeader header) =>
        Sum128.Of(record.Slice(header.HeaderBytes, header.ExtensionBytes)) == header.ExtensionSum;

    /// <summary>The shard's own words, out of a header that <see cref="TryRead"/> accepted.</summary>
    internal static ShardHeader ReadShard(ReadOnlySpan<byte> bytes) => new()
    {
        Stripe = new StripeId(Id128.Read(bytes[104..])),
        Content = new ContentId(Id128.Read(bytes[120..])),
        Vault = new VaultId(Id128.Read(bytes[136..])),
        Seal = new SealId(Id128.Read(bytes[152..])),
        Group = new GroupId(BinaryPrimitives.ReadUInt32BigEndian(bytes[168..])),
        Place = bytes[172],
        Code = new Code(bytes[173], bytes[174]),
        Ordinal = BinaryPrimitives.ReadUInt32BigEndian(bytes[176..]),
        ContentBytes = BinaryPrimitives.ReadInt32BigEndian(bytes[180..]),
        SealedBytes = BinaryPrimitives.ReadInt32BigEndian(bytes[184..]),
        ShardBytes = BinaryPrimitives.ReadInt32BigEndian(bytes[52..]),
        Tick = new Tick(BinaryPrimitives.ReadUInt32BigEndian(bytes[188..])),
        ShardSum = Sum128.Read(bytes[72..]),
        SumsDigest = Sum128.Read(bytes[88..]),
    };

    private static Sum128 HeaderSum(ReadOnlySpan<byte> header, UInt128 generation)
    {
        Span<byte> summed = stackalloc byte[Id128.Bytes + MaxHeaderBytes];
        Id128.Write(summed, generation);
        header.CopyTo(summed[Id128.Bytes..]);
        return Sum128.Of(summed[..(Id128.Bytes + header.Length)]);
    }
}
