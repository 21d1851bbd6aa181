using System.Collections.Immutable;

namespace ZeroStor;

/// <summary>Where a stripe of a content stands, and what its shards must be. Immutable: when homes change the
/// group's map entry changes, never this.</summary>
/// <param name="Id">The placing.</param>
/// <param name="Group">The placement group: place i holds shard i.</param>
/// <param name="Seal">The sealing; equals <paramref name="Id"/> on a first placing, which then costs no
/// bytes.</param>
/// <param name="ContentBytes">Content of this stripe.</param>
/// <param name="SealedBytes">Sealed bytes of this stripe, which the k data shards hold between them; fewer than
/// <see cref="Geometry.PlainSealedBytes"/> where it is compressed.</param>
/// <param name="SumsDigest">The digest of the n shard sums (<see cref="Sum128.Digest"/>).</param>
public readonly record struct StripeRef(
    StripeId Id, GroupId Group, SealId Seal, int ContentBytes, int SealedBytes, Sum128 SumsDigest);

/// <summary>A content as a version names it: its wrapped key, its code, and its stripes, either here or in
/// pages.
/// </summary>
public sealed record ContentRef
{
    public required ContentId Id { get; init; }

    /// <summary>The content key as <c>Sealing</c> wrapped it; opaque here.</summary>
    public required ImmutableArray<byte> WrappedKey { get; init; }

    public required Code Code { get; init; }

    public required long Bytes { get; init; }

    /// <summary>All stripes in order, when there are at most <see cref="Geometry.MaxInlineStripes"/>, or, of
    /// a part of an upload, <see cref="UploadParts.MaxInlineStripes"/>; else empty, and pages of
    /// <see cref="Geometry.StripesPerPage"/> hold them.</summary>
    public required ImmutableArray<StripeRef> Stripes { get; init; }

    public int StripeCount => Geometry.StripeCount(Code, Bytes);

    public bool IsPaged => Stripes.IsEmpty && StripeCount > UploadParts.MaxInlineStripes;
}

/// <summary>A range of the version, taken from one of its contents.</summary>
/// <param name="Content">Index into <see cref="Manifest.Contents"/>.</param>
/// <param name="Offset">First byte within the content.</param>
/// <param name="Length">Bytes.</param>
public readonly record struct Extent(int Content, long Offset, long Length);

/// <summary>The immutable description of a version. A version's bytes are its extents, one after the other.
/// Encoded with a leading format number (an unknown one is refused) and a closing sum, against a database
/// that rots. About 200 bytes for a one-stripe object, at most 40 for a further whole stripe.</summary>
public sealed record Manifest
{
    private const byte Format = 1;

    // A StripeRef leaves out what can be derived; these flags say what is there.
    private const byte HasOwnSeal = 1;
    private const byte HasOwnLengths = 2;

    // Its sealed length follows, also of a whole stripe. Versions that know no compression refuse the flag.
    private const byte IsCompressed = 4;

    public required VersionId Version { get; init; }

    public required long Size { get; init; }

    public string ContentType { get; init; } = "";

    public ImmutableSortedDictionary<string, string> Headers { get; init; } =
        ImmutableSortedDictionary<string, string>.Empty;

    public required ImmutableArray<ContentRef> Contents { get; init; }

    public required ImmutableArray<Extent> Extents { get; init; }

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(Format);
        writer.UInt128(Version.Value);
        writer.VarInt(Size);
        writer.Text(ContentType);
        TextMap.Write(writer, Headers);
        writer.VarInt(Contents.Length);
        foreach (ContentRef content in Contents)
        {
            writer.UInt128(content.Id.Value);
            writer.Blob(content.WrappedKey.AsSpan());
            writer.Byte((byte)content.Code.K);
            writer.Byte((byte)content.Code.M);
            writer.VarInt(content.Bytes);
            writer.VarInt(content.Stripes.Length);
            foreach (StripeRef stripe in content.Stripes)
            {
                WriteStripe(writer, content.Code, stripe);
            }
        }

        writer.VarInt(Extents.Length);
        foreach (Extent extent in Extents)
        {
            writer.VarInt(extent.Content);
            writer.VarInt(extent.Offset);
            writer.VarInt(extent.Length);
        }

        writer.SumOfAll();
        return writer.ToArray();
    }

    /// <summary>Reads a manifest. What it returns can be followed: extents lie within contents and make up
    /// the size, lengths are those of stripes. Inline stripes may be fewer than the content has (none, in the
    /// sealed manifest beside shards).</summary>
    /// <exception cref="ZeroStorException">Corrupt: not a manifest, or of a format this version does not
    /// know. </exception>
    public static Manifest Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes, "manifest");
        reader.Format(Format);
        reader.SumOfAll();
        var version = new VersionId(reader.UInt128());
        long size = reader.VarInt();
        string contentType = reader.Text();
        ImmutableSortedDictionary<string, string> headers = TextMap.Read(ref reader, "headers");
        var contents = ImmutableArray.CreateBuilder<ContentRef>();
        for (int i = reader.Count(); i > 0; i--)
        {
            contents.Add(ReadContent(ref reader));
        }

        ImmutableArray<Extent> extents = ReadExtents(ref reader, contents, size);
        reader.End();
        return new Manifest
        {
            Version = version,
            Size = size,
            ContentType = contentType,
            Headers = headers,
            Contents = contents.ToImmutable(),
            Extents = extents,
        };
    }

    /// <summary>A page: StripeRefs of one content, in order.</summary>
    public static byte[] EncodePage(Code code, ReadOnlySpan<StripeRef> stripes)
    {
        var writer = new ByteWriter();
        writer.Byte(Format);
        writer.VarInt(stripes.Length);
        foreach (StripeRef stripe in stripes)
        {
            WriteStripe(writer, code, stripe);
        }

        writer.SumOfAll();
        return writer.ToArray();
    }

    public static ImmutableArray<StripeRef> DecodePage(Code code, ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes, "manifest page");
        reader.Format(Format);
        reader.SumOfAll();
        var stripes = ImmutableArray.CreateBuilder<StripeRef>();
        for (int i = reader.Count(); i > 0; i--)
        {
            stripes.Add(ReadStripe(ref reader, code));
        }

        reader.End();
        return stripes.ToImmutable();
    }

    private static ImmutableArray<Extent> ReadExtents(
        ref ByteReader reader, ImmutableArray<ContentRef>.Builder contents, long size)
    {
        var extents = ImmutableArray.CreateBuilder<Extent>();
        long rest = size;
        for (int i = reader.Count(); i > 0; i--)
        {
            var extent = new Extent(reader.Count(), reader.VarInt(), reader.VarInt());
            if (extent.Content >= contents.Count
                || extent.Length > rest
                || extent.Length > contents[extent.Content].Bytes - extent.Offset)
            {
                throw reader.Bad("holds an extent outside of its content or size");
            }

            extents.Add(extent);
            rest -= extent.Length;
        }

        return rest == 0 ? extents.ToImmutable() : throw reader.Bad("holds extents that are not its size");
    }

    private static ContentRef ReadContent(ref ByteReader reader)
    {
        var id = new ContentId(reader.UInt128());
        ImmutableArray<byte> key = [.. reader.Blob()];
        int k = reader.Byte();
        int m = reader.Byte();
        if (k is < 1 or > Code.MaxK || m is < 1 or > Code.MaxM)
        {
            throw reader.Bad($"names code {k}+{m}, which is none");
        }

        var code = new Code(k, m);
        long bytes = reader.VarInt();
        if (bytes > (long)int.MaxValue * Geometry.StripeBytes(code))
        {
            throw reader.Bad("holds a content of more stripes than can be counted");
        }

        var stripes = ImmutableArray.CreateBuilder<StripeRef>();
        for (int i = reader.Count(); i > 0; i--)
        {
            stripes.Add(ReadStripe(ref reader, code));
        }

        return new ContentRef
        {
            Id = id, WrappedKey = key, Code = code, Bytes = bytes, Stripes = stripes.ToImmutable(),
        };
    }

    private static byte FlagsOf(Code code, StripeRef stripe)
    {
        bool ownSeal = stripe.Seal.Value != stripe.Id.Value;
        bool ownLengths = stripe.ContentBytes != Geometry.StripeBytes(code);
        bool isCompressed = stripe.SealedBytes != Geometry.PlainSealedBytes(stripe.ContentBytes);
        return (byte)(
            (ownSeal ? HasOwnSeal : 0) | (ownLengths ? HasOwnLengths : 0) | (isCompressed ? IsCompressed : 0));
    }

    private static void WriteStripe(ByteWriter writer, Code code, StripeRef stripe)
    {
        byte flags = FlagsOf(code, stripe);
        writer.Byte(flags);
        writer.UInt128(stripe.Id.Value);
        writer.VarInt(stripe.Group.Value);
        if ((flags & HasOwnSeal) != 0)
        {
            writer.UInt128(stripe.Seal.Value);
        }

        if ((flags & HasOwnLengths) != 0)
        {
            writer.VarInt(stripe.ContentBytes);
        }

        if ((flags & (HasOwnLengths | IsCompressed)) != 0)
        {
            writer.VarInt(stripe.SealedBytes);
        }

        writer.Sum(stripe.SumsDigest);
    }

    private static StripeRef ReadStripe(ref ByteReader reader, Code code)
    {
        byte flags = reader.Byte();
        if ((flags & ~(HasOwnSeal | HasOwnLengths | IsCompressed)) != 0)
        {
            throw reader.Bad("holds a stripe with a flag that is not known here: run a newer ZeroStor");
        }

        var id = new StripeId(reader.UInt128());
        var group = new GroupId(reader.VarUInt32());
        var seal = new SealId((flags & HasOwnSeal) != 0 ? reader.UInt128() : id.Value);
        int contentBytes = (flags & HasOwnLengths) != 0 ? reader.Count() : Geometry.StripeBytes(code);
        int sealedBytes = (flags & (HasOwnLengths | IsCompressed)) != 0
            ? reader.Count()
            : Geometry.PlainSealedBytes(contentBytes);
        if (contentBytes is < 1 or > Geometry.MaxStripeBytes
            || sealedBytes < 1 || sealedBytes > Geometry.PlainSealedBytes(contentBytes))
        {
            throw reader.Bad($"holds a stripe of {contentBytes} bytes, {sealedBytes} sealed");
        }

        var stripe = new StripeRef(id, group, seal, contentBytes, sealedBytes, reader.Sum());
        return FlagsOf(code, stripe) == flags
            ? stripe
            : throw reader.Bad("holds a stripe that says what follows from the rest");
    }
}
