using System.Collections.Immutable;

namespace ZeroStor;

/// <summary>What a record says about the shard in it: enough to rebuild the stripe, and with the master key
/// the catalog, from disks alone.</summary>
public sealed record ShardHeader
{
    public required StripeId Stripe { get; init; }

    public required ContentId Content { get; init; }

    public required VaultId Vault { get; init; }

    public required SealId Seal { get; init; }

    public required GroupId Group { get; init; }

    /// <summary>Which shard of the stripe: 0 to k-1 data, k to n-1 parity.</summary>
    public required byte Place { get; init; }

    public required Code Code { get; init; }

    public ShardName Name => new(Stripe, Place);

    /// <summary>Which stripe of the content, from 0.</summary>
    public required uint Ordinal { get; init; }

    public required int ContentBytes { get; init; }

    public required int SealedBytes { get; init; }

    public required int ShardBytes { get; init; }

    /// <summary>The tick at which the coordinator placed the stripe.</summary>
    public required Tick Tick { get; init; }

    /// <summary>The sum of this shard's payload.</summary>
    public required Sum128 ShardSum { get; init; }

    /// <summary>The digest of all n shard sums: what the StripeRef names too.</summary>
    public required Sum128 SumsDigest { get; init; }
}

/// <summary>What may follow a record's header. Numbers are never reused; unknown ones are kept and copied.
/// </summary>
public enum ExtensionType : ushort
{
    /// <summary>The n shard sums of the stripe, 16 bytes each, in order of places.</summary>
    ShardSums = 1,

    /// <summary>The sealed manifest of the commit whose last stripe this is.</summary>
    Manifest = 2,
}

/// <summary>A typed extension of a record.</summary>
public readonly record struct RecordExtension(ExtensionType Type, ReadOnlyMemory<byte> Value);

/// <summary>An order to a disk: it refuses one that names another DiskId or claim than its own.</summary>
public readonly record struct DiskAddress(DiskId Disk, uint Claim);

/// <summary>Names one shard: the stripe's placing, and which of its places.</summary>
public readonly record struct ShardName(StripeId Stripe, byte Place);

/// <summary>Store a shard: refused under any epoch but the home's own.</summary>
public sealed record ShardAppend
{
    public required DiskAddress To { get; init; }

    public required uint Epoch { get; init; }

    public required ShardHeader Header { get; init; }

    public ImmutableArray<RecordExtension> Extensions { get; init; } = [];

    /// <summary>Exactly <see cref="ShardHeader.ShardBytes"/>. Who takes the order holds it for as long as it
    /// needs it, beyond a cancelled call too; the caller keeps its own count.</summary>
    public required BufferSlice Payload { get; init; }
}

/// <summary>Drop single shards: such as nothing names, or as lie where they have no place. A home whose own
/// map is newer than <see cref="MapVersion"/> refuses it (PreconditionFailed, with the version of its map):
/// who ordered it judged by an older map, and a shard that had no place under that one may have one by now.
/// </summary>
public sealed record ShardDrop
{
    public required DiskAddress To { get; init; }

    /// <summary>The map by which it was judged that these shards can go.</summary>
    public required long MapVersion { get; init; }

    public required ImmutableArray<ShardName> Shards { get; init; }
}

/// <summary>Read a shard, or a range of it.</summary>
public sealed record ShardReadOrder
{
    public required DiskAddress To { get; init; }

    public required StripeId Stripe { get; init; }

    public required byte Place { get; init; }

    public int Offset { get; init; }

    /// <summary>Bytes wanted; a whole shard is checked against its sum at the home, a range is not.</summary>
    public required int Length { get; init; }

    /// <summary>Whether the answer should carry the extensions too.</summary>
    public bool WithExtensions { get; init; }
}

/// <summary>A home's answer. <see cref="Kind"/> None is done; NotFound: no such shard; Corrupt: found and
/// wrong; PreconditionFailed: another epoch, or a newer map than the order was judged by, and the map's
/// version is told; DiskOffline, DiskFull, DiskFailed, Busy: as they say.</summary>
public record HomeAnswer(ErrorKind Kind, string Detail = "", long MapVersion = 0)
{
    public static readonly HomeAnswer Done = new(ErrorKind.None);

    public bool IsDone => Kind == ErrorKind.None;
}

/// <summary>The answer to a read. The receiver of <see cref="Payload"/> releases it.</summary>
public sealed record ShardReadAnswer(ErrorKind Kind, string Detail = "", long MapVersion = 0)
    : HomeAnswer(Kind, Detail, MapVersion)
{
    public BufferSlice Payload { get; init; }

    public ShardHeader? Header { get; init; }

    public ImmutableArray<RecordExtension> Extensions { get; init; } = [];
}

/// <summary>One shard in a listing.</summary>
public readonly record struct ShardEntry(
    StripeId Stripe, byte Place, ContentId Content, Sum128 SumsDigest, GroupId Group);

/// <summary>Where a shard's payload lies, for people and for tests that damage it.</summary>
/// <param name="File">Path of the volume, relative to the disk's folder.</param>
/// <param name="Offset">First byte of the payload in the file.</param>
/// <param name="Length">Bytes of the payload.</param>
public readonly record struct ShardLocation(string File, long Offset, int Length);

/// <summary>All shards of one group and one bucket on one disk, in 32 bytes: how many, and a hash over them
/// that does not depend on their order. Two homes of a group hold the same stripes exactly when these are
/// equal.
/// </summary>
/// <param name="Group">The group.</param>
/// <param name="Bucket">Tick of the stripe ids divided by <see cref="TicksPerBucket"/>.</param>
/// <param name="Count">Shards.</param>
/// <param name="Hash">Sum, modulo 2^128, of a hash of each (StripeId, sums' digest).</param>
public readonly record struct BucketDigest(GroupId Group, uint Bucket, long Count, UInt128 Hash)
{
    public const uint TicksPerBucket = 1024;

    public static uint BucketOf(StripeId stripe) => stripe.Written.Value / TicksPerBucket;

    public static Tick FirstTickOf(uint bucket) => new(bucket * TicksPerBucket);
}

/// <summary>A disk's room and health, as it sees itself.</summary>
public sealed record DiskReport
{
    public required DiskId Disk { get; init; }

    public required DiskState State { get; init; }

    /// <summary>Bytes of live records.</summary>
    public required long LiveBytes { get; init; }

    /// <summary>Bytes that the disk's files take.</summary>
    public required long UsedBytes { get; init; }

    /// <summary>Bytes that the file system has left for it.</summary>
    public required long FreeBytes { get; init; }

    public required long Shards { get; init; }

    /// <summary>The highest tick the disk has seen: a catalog behind it went back.</summary>
    public required Tick HighestTick { get; init; }
}
