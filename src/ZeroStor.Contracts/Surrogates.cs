namespace ZeroStor.Contracts;

// Core knows no Orleans, so its types travel through these. A member's Id is its number on the wire: never
// reuse one. Names on the wire are aliases, so types may move.

[GenerateSerializer, Immutable, Alias("zs.u128")]
internal struct Wire128
{
    [Id(0)] public UInt128 Value;
}

[GenerateSerializer, Immutable, Alias("zs.u32")]
internal struct Wire32
{
    [Id(0)] public uint Value;
}

[RegisterConverter]
internal sealed class FabricIdConverter : IConverter<FabricId, Wire128>
{
    public FabricId ConvertFromSurrogate(in Wire128 surrogate) => new(surrogate.Value);

    public Wire128 ConvertToSurrogate(in FabricId value) => new() { Value = value.Value };
}

[RegisterConverter]
internal sealed class VaultIdConverter : IConverter<VaultId, Wire128>
{
    public VaultId ConvertFromSurrogate(in Wire128 surrogate) => new(surrogate.Value);

    public Wire128 ConvertToSurrogate(in VaultId value) => new() { Value = value.Value };
}

[RegisterConverter]
internal sealed class ContentIdConverter : IConverter<ContentId, Wire128>
{
    public ContentId ConvertFromSurrogate(in Wire128 surrogate) => new(surrogate.Value);

    public Wire128 ConvertToSurrogate(in ContentId value) => new() { Value = value.Value };
}

[RegisterConverter]
internal sealed class StripeIdConverter : IConverter<StripeId, Wire128>
{
    public StripeId ConvertFromSurrogate(in Wire128 surrogate) => new(surrogate.Value);

    public Wire128 ConvertToSurrogate(in StripeId value) => new() { Value = value.Value };
}

[RegisterConverter]
internal sealed class SealIdConverter : IConverter<SealId, Wire128>
{
    public SealId ConvertFromSurrogate(in Wire128 surrogate) => new(surrogate.Value);

    public Wire128 ConvertToSurrogate(in SealId value) => new() { Value = value.Value };
}

[RegisterConverter]
internal sealed class VersionIdConverter : IConverter<VersionId, Wire128>
{
    public VersionId ConvertFromSurrogate(in Wire128 surrogate) => new(surrogate.Value);

    public Wire128 ConvertToSurrogate(in VersionId value) => new() { Value = value.Value };
}

[RegisterConverter]
internal sealed class UploadIdConverter : IConverter<UploadId, Wire128>
{
    public UploadId ConvertFromSurrogate(in Wire128 surrogate) => new(surrogate.Value);

    public Wire128 ConvertToSurrogate(in UploadId value) => new() { Value = value.Value };
}

[RegisterConverter]
internal sealed class TickConverter : IConverter<Tick, Wire32>
{
    public Tick ConvertFromSurrogate(in Wire32 surrogate) => new(surrogate.Value);

    public Wire32 ConvertToSurrogate(in Tick value) => new() { Value = value.Value };
}

[RegisterConverter]
internal sealed class DiskIdConverter : IConverter<DiskId, Wire32>
{
    public DiskId ConvertFromSurrogate(in Wire32 surrogate) => new(surrogate.Value);

    public Wire32 ConvertToSurrogate(in DiskId value) => new() { Value = value.Value };
}

[RegisterConverter]
internal sealed class GroupIdConverter : IConverter<GroupId, Wire32>
{
    public GroupId ConvertFromSurrogate(in Wire32 surrogate) => new(surrogate.Value);

    public Wire32 ConvertToSurrogate(in GroupId value) => new() { Value = value.Value };
}

[RegisterConverter]
internal sealed class ClassIdConverter : IConverter<ClassId, Wire32>
{
    public ClassId ConvertFromSurrogate(in Wire32 surrogate) => new(surrogate.Value);

    public Wire32 ConvertToSurrogate(in ClassId value) => new() { Value = value.Value };
}

[GenerateSerializer, Immutable, Alias("zs.code")]
internal struct WireCode
{
    [Id(0)] public byte K;
    [Id(1)] public byte M;
}

[RegisterConverter]
internal sealed class CodeConverter : IConverter<Code, WireCode>
{
    public Code ConvertFromSurrogate(in WireCode surrogate) =>
        surrogate.K == 0 ? default : new Code(surrogate.K, surrogate.M);

    public WireCode ConvertToSurrogate(in Code value) => new() { K = (byte)value.K, M = (byte)value.M };
}

[GenerateSerializer, Immutable, Alias("zs.sum")]
internal struct WireSum
{
    [Id(0)] public ulong High;
    [Id(1)] public ulong Low;
}

[RegisterConverter]
internal sealed class SumConverter : IConverter<Sum128, WireSum>
{
    public Sum128 ConvertFromSurrogate(in WireSum surrogate) => new(surrogate.High, surrogate.Low);

    public WireSum ConvertToSurrogate(in Sum128 value) => new() { High = value.High, Low = value.Low };
}

[GenerateSerializer, Immutable, Alias("zs.labels")]
internal struct WireLabels
{
    [Id(0)] public string Region;
    [Id(1)] public string Site;
    [Id(2)] public string Rack;
}

[RegisterConverter]
internal sealed class LabelsConverter : IConverter<Labels, WireLabels>
{
    public Labels ConvertFromSurrogate(in WireLabels surrogate) =>
        new(surrogate.Region ?? "", surrogate.Site ?? "", surrogate.Rack ?? "");

    public WireLabels ConvertToSurrogate(in Labels value) =>
        new() { Region = value.Region, Site = value.Site, Rack = value.Rack };
}

[GenerateSerializer, Immutable, Alias("zs.stripe-ref")]
internal struct WireStripeRef
{
    [Id(0)] public UInt128 Id;
    [Id(1)] public uint Group;
    [Id(2)] public UInt128 Seal;
    [Id(3)] public int ContentBytes;
    [Id(4)] public int SealedBytes;
    [Id(5)] public Sum128 SumsDigest;
}

[RegisterConverter]
internal sealed class StripeRefConverter : IConverter<StripeRef, WireStripeRef>
{
    public StripeRef ConvertFromSurrogate(in WireStripeRef s) => new(
        new StripeId(s.Id), new GroupId(s.Group), new SealId(s.Seal), s.ContentBytes, s.SealedBytes, s.SumsDigest);

    public WireStripeRef ConvertToSurrogate(in StripeRef value) => new()
    {
        Id = value.Id.Value,
        Group = value.Group.Value,
        Seal = value.Seal.Value,
        ContentBytes = value.ContentBytes,
        SealedBytes = value.SealedBytes,
        SumsDigest = value.SumsDigest,
    };
}

[GenerateSerializer, Immutable, Alias("zs.shard-header")]
internal struct WireShardHeader
{
    [Id(0)] public UInt128 Stripe;
    [Id(1)] public UInt128 Content;
    [Id(2)] public UInt128 Vault;
    [Id(3)] public UInt128 Seal;
    [Id(4)] public uint Group;
    [Id(5)] public byte Place;
    [Id(6)] public Code Code;
    [Id(7)] public uint Ordinal;
    [Id(8)] public int ContentBytes;
    [Id(9)] public int SealedBytes;
    [Id(10)] public int ShardBytes;
    [Id(11)] public uint Tick;
    [Id(12)] public Sum128 ShardSum;
    [Id(13)] public Sum128 SumsDigest;
}

[RegisterConverter]
internal sealed class ShardHeaderConverter : IConverter<ShardHeader, WireShardHeader>
{
    public ShardHeader ConvertFromSurrogate(in WireShardHeader s) => new()
    {
        Stripe = new StripeId(s.Stripe),
        Content = new ContentId(s.Content),
        Vault = new VaultId(s.Vault),
        Seal = new SealId(s.Seal),
        Group = new GroupId(s.Group),
        Place = s.Place,
        Code = s.Code,
        Ordinal = s.Ordinal,
        ContentBytes = s.ContentBytes,
        SealedBytes = s.SealedBytes,
        ShardBytes = s.ShardBytes,
        Tick = new Tick(s.Tick),
        ShardSum = s.ShardSum,
        SumsDigest = s.SumsDigest,
    };

    public WireShardHeader ConvertToSurrogate(in ShardHeader value) => new()
    {
        Stripe = value.Stripe.Value,
        Content = value.Content.Value,
        Vault = value.Vault.Value,
        Seal = value.Seal.Value,
        Group = value.Group.Value,
        Place = value.Place,
        Code = value.Code,
        Ordinal = value.Ordinal,
        ContentBytes = value.ContentBytes,
        SealedBytes = value.SealedBytes,
        ShardBytes = value.ShardBytes,
        Tick = value.Tick.Value,
        ShardSum = value.ShardSum,
        SumsDigest = value.SumsDigest,
    };
}

[GenerateSerializer, Immutable, Alias("zs.extension")]
internal struct WireExtension
{
    [Id(0)] public ushort Type;
    [Id(1)] public byte[] Value;
}

[RegisterConverter]
internal sealed class ExtensionConverter : IConverter<RecordExtension, WireExtension>
{
    public RecordExtension ConvertFromSurrogate(in WireExtension surrogate) =>
        new((ExtensionType)surrogate.Type, surrogate.Value);

    public WireExtension ConvertToSurrogate(in RecordExtension value) =>
        new() { Type = (ushort)value.Type, Value = value.Value.ToArray() };
}

[GenerateSerializer, Immutable, Alias("zs.bucket-digest")]
internal struct WireBucketDigest
{
    [Id(0)] public uint Group;
    [Id(1)] public uint Bucket;
    [Id(2)] public long Count;
    [Id(3)] public UInt128 Hash;
}

[RegisterConverter]
internal sealed class BucketDigestConverter : IConverter<BucketDigest, WireBucketDigest>
{
    public BucketDigest ConvertFromSurrogate(in WireBucketDigest s) =>
        new(new GroupId(s.Group), s.Bucket, s.Count, s.Hash);

    public WireBucketDigest ConvertToSurrogate(in BucketDigest value) =>
        new() { Group = value.Group.Value, Bucket = value.Bucket, Count = value.Count, Hash = value.Hash };
}

[GenerateSerializer, Immutable, Alias("zs.shard-entry")]
internal struct WireShardEntry
{
    [Id(0)] public UInt128 Stripe;
    [Id(1)] public byte Place;
    [Id(2)] public UInt128 Content;
    [Id(3)] public Sum128 SumsDigest;
    [Id(4)] public uint Group;
}

[RegisterConverter]
internal sealed class ShardEntryConverter : IConverter<ShardEntry, WireShardEntry>
{
    public ShardEntry ConvertFromSurrogate(in WireShardEntry s) =>
        new(new StripeId(s.Stripe), s.Place, new ContentId(s.Content), s.SumsDigest, new GroupId(s.Group));

    public WireShardEntry ConvertToSurrogate(in ShardEntry value) => new()
    {
        Stripe = value.Stripe.Value,
        Place = value.Place,
        Content = value.Content.Value,
        SumsDigest = value.SumsDigest,
        Group = value.Group.Value,
    };
}

[GenerateSerializer, Immutable, Alias("zs.shard-name")]
internal struct WireShardName
{
    [Id(0)] public UInt128 Stripe;
    [Id(1)] public byte Place;
}

[RegisterConverter]
internal sealed class ShardNameConverter : IConverter<ShardName, WireShardName>
{
    public ShardName ConvertFromSurrogate(in WireShardName s) => new(new StripeId(s.Stripe), s.Place);

    public WireShardName ConvertToSurrogate(in ShardName value) =>
        new() { Stripe = value.Stripe.Value, Place = value.Place };
}

[GenerateSerializer, Immutable, Alias("zs.shard-location")]
internal struct WireShardLocation
{
    [Id(0)] public string File;
    [Id(1)] public long Offset;
    [Id(2)] public int Length;
}

[RegisterConverter]
internal sealed class ShardLocationConverter : IConverter<ShardLocation, WireShardLocation>
{
    public ShardLocation ConvertFromSurrogate(in WireShardLocation s) => new(s.File, s.Offset, s.Length);

    public WireShardLocation ConvertToSurrogate(in ShardLocation value) =>
        new() { File = value.File, Offset = value.Offset, Length = value.Length };
}

[GenerateSerializer, Immutable, Alias("zs.disk-report")]
internal struct WireDiskReport
{
    [Id(0)] public uint Disk;
    [Id(1)] public int State;
    [Id(2)] public long LiveBytes;
    [Id(3)] public long UsedBytes;
    [Id(4)] public long FreeBytes;
    [Id(5)] public long Shards;
    [Id(6)] public uint HighestTick;
}

[RegisterConverter]
internal sealed class DiskReportConverter : IConverter<DiskReport, WireDiskReport>
{
    public DiskReport ConvertFromSurrogate(in WireDiskReport s) => new()
    {
        Disk = new DiskId(s.Disk),
        State = (DiskState)s.State,
        LiveBytes = s.LiveBytes,
        UsedBytes = s.UsedBytes,
        FreeBytes = s.FreeBytes,
        Shards = s.Shards,
        HighestTick = new Tick(s.HighestTick),
    };

    public WireDiskReport ConvertToSurrogate(in DiskReport value) => new()
    {
        Disk = value.Disk.Value,
        State = (int)value.State,
        LiveBytes = value.LiveBytes,
        UsedBytes = value.UsedBytes,
        FreeBytes = value.FreeBytes,
        Shards = value.Shards,
        HighestTick = value.HighestTick.Value,
    };
}

/// <summary>An error keeps its kind and sentence on the way; its stack and its cause stay where it happened.
/// </summary>
[GenerateSerializer, Immutable, Alias("zs.error")]
internal struct WireError
{
    [Id(0)] public int Kind;
    [Id(1)] public string Message;
}

[RegisterConverter]
internal sealed class ErrorConverter : IConverter<ZeroStorException, WireError>
{
    public ZeroStorException ConvertFromSurrogate(in WireError surrogate) =>
        new((ErrorKind)surrogate.Kind, surrogate.Message);

    public WireError ConvertToSurrogate(in ZeroStorException value) =>
        new() { Kind = (int)value.Kind, Message = value.Message };
}

[GenerateSerializer, Immutable, Alias("zs.precondition")]
internal struct WirePrecondition
{
    [Id(0)] public string? IfMatch;
    [Id(1)] public string? IfNoneMatch;
}

[RegisterConverter]
internal sealed class PreconditionConverter : IConverter<Precondition, WirePrecondition>
{
    public Precondition ConvertFromSurrogate(in WirePrecondition surrogate) =>
        new() { IfMatch = surrogate.IfMatch, IfNoneMatch = surrogate.IfNoneMatch };

    public WirePrecondition ConvertToSurrogate(in Precondition value) =>
        new() { IfMatch = value.IfMatch, IfNoneMatch = value.IfNoneMatch };
}

[GenerateSerializer, Immutable, Alias("zs.part-name")]
internal struct WirePartName
{
    [Id(0)] public int Number;
    [Id(1)] public string ETag;
}

[RegisterConverter]
internal sealed class PartNameConverter : IConverter<PartName, WirePartName>
{
    public PartName ConvertFromSurrogate(in WirePartName surrogate) => new(surrogate.Number, surrogate.ETag);

    public WirePartName ConvertToSurrogate(in PartName value) =>
        new() { Number = value.Number, ETag = value.ETag };
}

[GenerateSerializer, Immutable, Alias("zs.vault-settings")]
internal struct WireSettings
{
    [Id(0)] public byte[] Bytes;
    [Id(1)] public string ETag;
}

[RegisterConverter]
internal sealed class VaultSettingsConverter : IConverter<VaultSettings, WireSettings>
{
    public VaultSettings ConvertFromSurrogate(in WireSettings surrogate) => new(surrogate.Bytes, surrogate.ETag);

    public WireSettings ConvertToSurrogate(in VaultSettings value) =>
        new() { Bytes = value.Bytes, ETag = value.ETag };
}
