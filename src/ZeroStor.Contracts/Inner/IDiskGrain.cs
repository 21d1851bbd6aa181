using System.Collections.Immutable;

namespace ZeroStor.Contracts.Inner;

/// <summary>The door to one disk of a silo, for other silos; the wire form of <see cref="IShardHome"/>. The
/// key is <c>silo/disk</c> (<see cref="DiskKey"/>). Refused to clients.</summary>
[Alias("zs.disk")]
public interface IDiskGrain : IGrainWithStringKey
{
    [Alias("append")]
    Task<WireAnswer> AppendAsync(WireAppend order, CancellationToken cancel);

    [Alias("read")]
    Task<WireRead> ReadAsync(WireReadOrder order, CancellationToken cancel);

    [Alias("reclaim")]
    Task<WireAnswer> ReclaimAsync(uint claim, ImmutableArray<ContentId> dead, CancellationToken cancel);

    [Alias("drop")]
    Task<WireAnswer> DropAsync(WireDrop order, CancellationToken cancel);

    [Alias("digests")]
    Task<ImmutableArray<BucketDigest>> DigestsAsync(uint claim, CancellationToken cancel);

    [Alias("list")]
    Task<ImmutableArray<ShardEntry>> ListAsync(
        uint claim, GroupId group, StripeId after, int max, CancellationToken cancel);

    [Alias("held")]
    Task<ImmutableArray<ShardEntry>> HeldAsync(
        uint claim, ImmutableArray<ContentId> contents, StripeId after, int max, CancellationToken cancel);

    [Alias("locate")]
    Task<ShardLocation?> LocateAsync(uint claim, StripeId stripe, byte place, CancellationToken cancel);

    [Alias("report")]
    Task<DiskReport> ReportAsync(uint claim, CancellationToken cancel);
}

/// <summary>The key of a disk grain: <c>silo/disk</c>. The silo's name decides where the grain is, so it
/// holds no slash; a key without one is the silo's own, that of its <see cref="ISiloGrain"/>.</summary>
public static class DiskKey
{
    public static string Of(string silo, DiskId disk) => $"{silo}/{disk}";

    /// <summary>The silo that a disk grain or a silo grain of this key lives on.</summary>
    public static string SiloOf(string key) =>
        key.Contains('/', StringComparison.Ordinal) ? Parse(key).Silo : key;

    public static (string Silo, DiskId Disk) Parse(string key)
    {
        int slash = key.LastIndexOf('/');
        return slash > 0 && uint.TryParse(key.AsSpan(slash + 1), out uint disk)
            ? (key[..slash], new DiskId(disk))
            : throw ZeroStorException.Invalid($"'{key}' is not the key of a disk grain: silo/number is");
    }
}

[GenerateSerializer, Immutable, Alias("zs.append")]
public sealed record WireAppend
{
    [Id(0)] public required uint Claim { get; init; }

    [Id(1)] public required uint Epoch { get; init; }

    [Id(2)] public required ShardHeader Header { get; init; }

    [Id(3)] public ImmutableArray<RecordExtension> Extensions { get; init; } = [];

    [Id(4)] public required Parcel Payload { get; init; }
}

[GenerateSerializer, Immutable, Alias("zs.read-order")]
public sealed record WireReadOrder
{
    [Id(0)] public required uint Claim { get; init; }

    [Id(1)] public required StripeId Stripe { get; init; }

    [Id(2)] public required byte Place { get; init; }

    [Id(3)] public int Offset { get; init; }

    [Id(4)] public required int Length { get; init; }

    [Id(5)] public bool WithExtensions { get; init; }
}

[GenerateSerializer, Immutable, Alias("zs.drop")]
public sealed record WireDrop
{
    [Id(0)] public required uint Claim { get; init; }

    [Id(1)] public required long MapVersion { get; init; }

    [Id(2)] public required ImmutableArray<ShardName> Shards { get; init; }
}

[GenerateSerializer, Immutable, Alias("zs.answer")]
public sealed record WireAnswer
{
    [Id(0)] public required ErrorKind Kind { get; init; }

    [Id(1)] public string Detail { get; init; } = "";

    [Id(2)] public long MapVersion { get; init; }
}

[GenerateSerializer, Immutable, Alias("zs.read-answer")]
public sealed record WireRead
{
    [Id(0)] public required ErrorKind Kind { get; init; }

    [Id(1)] public string Detail { get; init; } = "";

    [Id(2)] public long MapVersion { get; init; }

    [Id(3)] public Parcel? Payload { get; init; }

    [Id(4)] public ShardHeader? Header { get; init; }

    [Id(5)] public ImmutableArray<RecordExtension> Extensions { get; init; } = [];
}
