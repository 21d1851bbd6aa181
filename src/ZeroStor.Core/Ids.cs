using System.Buffers.Binary;
using System.Globalization;

namespace ZeroStor;

// The names of things. Each is a value of its own type, so that a stripe can never be passed where a content
// is meant. 128-bit ids are written big-endian, so that their bytes sort as their values do.

/// <summary>The fabric's own minute counter: raised by compare-and-set in the catalog, never read off a
/// clock. All ages ("young", "expired") are differences of ticks.</summary>
public readonly record struct Tick(uint Value) : IComparable<Tick>
{
    public int CompareTo(Tick other) => Value.CompareTo(other.Value);

    /// <summary>How many ticks have passed since <paramref name="earlier"/>; 0 when it lies ahead.</summary>
    public uint Since(Tick earlier) => Value > earlier.Value ? Value - earlier.Value : 0;

    public static bool operator >(Tick a, Tick b) => a.Value > b.Value;
    public static bool operator <(Tick a, Tick b) => a.Value < b.Value;
    public static bool operator >=(Tick a, Tick b) => a.Value >= b.Value;
    public static bool operator <=(Tick a, Tick b) => a.Value <= b.Value;

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Names one fabric: random, in the catalog and in every superblock.</summary>
public readonly record struct FabricId(UInt128 Value)
{
    public static FabricId New(IEntropy entropy) => new(Id128.Random(entropy));

    public override string ToString() => Id128.ToHex(Value);
}

/// <summary>Names one life of a vault; a vault made again under an old name has another.</summary>
public readonly record struct VaultId(UInt128 Value)
{
    public static VaultId New(IEntropy entropy) => new(Id128.Random(entropy));

    public override string ToString() => Id128.ToHex(Value);
}

/// <summary>Names one content. The upper 32 bits are the tick in which it was begun, so its age is known even
/// where no row tells of it; the lower 96 are random.</summary>
public readonly record struct ContentId(UInt128 Value) : IComparable<ContentId>
{
    public Tick Begun => Id128.TickOf(Value);

    public static ContentId New(Tick now, IEntropy entropy) => new(Id128.RandomAt(now, entropy));

    public int CompareTo(ContentId other) => Value.CompareTo(other.Value);

    public override string ToString() => Id128.ToHex(Value);
}

/// <summary>Names one placing of a stripe. The upper 32 bits are the tick of the placing (so its bucket is
/// part of the name), the lower 96 are random.</summary>
public readonly record struct StripeId(UInt128 Value) : IComparable<StripeId>
{
    public Tick Written => Id128.TickOf(Value);

    public static StripeId New(Tick now, IEntropy entropy) => new(Id128.RandomAt(now, entropy));

    /// <summary>The greatest id of the tick before: a listing after it begins with the first of this tick.</summary>
    public static StripeId LastBefore(Tick tick) =>
        new(((UInt128)tick.Value << 96) - (tick.Value > 0 ? UInt128.One : UInt128.Zero));

    public int CompareTo(StripeId other) => Value.CompareTo(other.Value);

    public override string ToString() => Id128.ToHex(Value);
}

/// <summary>Names one sealing of a stripe's bytes: 128 random bits from which, with the content key, the
/// stripe key is derived. Outlives any placing of the same sealed bytes.</summary>
public readonly record struct SealId(UInt128 Value)
{
    public static SealId New(IEntropy entropy) => new(Id128.Random(entropy));

    public override string ToString() => Id128.ToHex(Value);
}

/// <summary>The name of a version, for people and front ends. Says nothing about order: <c>seq</c>
/// does.</summary>
public readonly record struct VersionId(UInt128 Value)
{
    /// <summary>No version's own name: it stands for the one of a key that was made while its vault kept
    /// none.</summary>
    public static readonly VersionId Null;

    public static VersionId New(IEntropy entropy) => new(Id128.Random(entropy));

    public override string ToString() => Id128.ToHex(Value);

    public static VersionId Parse(string hex) => new(Id128.FromHex(hex));
}

/// <summary>Names one upload in parts. It is the id of the content that its completion commits by, so it
/// begins with the tick of its making, and uploads of one key sort by that.</summary>
public readonly record struct UploadId(UInt128 Value) : IComparable<UploadId>
{
    /// <summary>Whose row says that the upload goes on, and how it ended.</summary>
    public ContentId Commit => new(Value);

    public static UploadId New(Tick now, IEntropy entropy) => new(Id128.RandomAt(now, entropy));

    public int CompareTo(UploadId other) => Value.CompareTo(other.Value);

    public override string ToString() => Id128.ToHex(Value);

    public static UploadId Parse(string hex) => new(Id128.FromHex(hex));
}

/// <summary>A disk's number in the map; never reused. 0 is no disk.</summary>
public readonly record struct DiskId(uint Value) : IComparable<DiskId>
{
    public int CompareTo(DiskId other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A placement group's number in the map; never reused. 0 is no group.</summary>
public readonly record struct GroupId(uint Value) : IComparable<GroupId>
{
    public int CompareTo(GroupId other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A class's number in the map; never reused. 0 is no class.</summary>
public readonly record struct ClassId(uint Value)
{
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>What the 128-bit ids share: randomness, bytes, hexadecimal.</summary>
public static class Id128
{
    public const int Bytes = 16;

    public static UInt128 Random(IEntropy entropy)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        entropy.Fill(bytes);
        return Read(bytes);
    }

    public static UInt128 RandomAt(Tick tick, IEntropy entropy) =>
        (Random(entropy) & (UInt128.MaxValue >> 32)) | ((UInt128)tick.Value << 96);

    public static Tick TickOf(UInt128 value) => new((uint)(value >> 96));

    public static UInt128 Read(ReadOnlySpan<byte> source) => BinaryPrimitives.ReadUInt128BigEndian(source);

    public static void Write(Span<byte> target, UInt128 value) =>
        BinaryPrimitives.WriteUInt128BigEndian(target, value);

    public static byte[] ToBytes(UInt128 value)
    {
        byte[] bytes = new byte[Bytes];
        Write(bytes, value);
        return bytes;
    }

    public static string ToHex(UInt128 value) => value.ToString("x32", CultureInfo.InvariantCulture);

    public static UInt128 FromHex(string hex) =>
        hex.Length == 2 * Bytes
        && UInt128.TryParse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out UInt128 value)
            ? value
            : throw ZeroStorException.Invalid($"'{hex}' is not an id: 32 hexadecimal digits are");
}
