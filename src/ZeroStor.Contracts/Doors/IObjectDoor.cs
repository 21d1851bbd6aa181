using System.Collections.Immutable;
using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace ZeroStor.Contracts.Doors;

/// <summary>The objects of one partition of a vault (see <see cref="ObjectDoor"/> for the key). A queue and a
/// cache before the catalog: any activation answers right, any partition serves a listing. Callable by
/// clients.
/// </summary>
[Alias("zs.object-door")]
public interface IObjectDoor : IGrainWithStringKey
{
    /// <summary>Makes a version of a put whose stripes all stand. Repeating it answers what the first did.
    /// </summary>
    /// <exception cref="ZeroStorException">PreconditionFailed; NotFound: the vault is no more;
    /// InvalidArgument.
    /// </exception>
    [Alias("commit"), AnyGateway]
    Task<ObjectInfo> CommitAsync(CommitPut put, CancellationToken cancel);

    /// <summary>Makes a version that names the bytes of another: none move.</summary>
    /// <exception cref="ZeroStorException">As <see cref="CommitAsync"/>; NotFound also: the
    /// source.</exception>
    [Alias("copy"), AnyGateway]
    Task<ObjectInfo> CopyAsync(CopyObject copy, CancellationToken cancel);

    /// <summary>Deletes the current version, or where the vault keeps versions, puts a mark before it; or
    /// removes the version that is named. False when there was none.</summary>
    /// <exception cref="ZeroStorException">PreconditionFailed; NotFound: the vault is no more.</exception>
    [Alias("delete"), AnyGateway]
    Task<bool> DeleteAsync(DeleteObject delete, CancellationToken cancel);

    /// <summary>The current version, with its manifest; null when there is none. Where the catalog does not answer,
    /// one who says <paramref name="allowStale"/> is told the version that this silo saw last, marked
    /// so.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault is no more. Unavailable: the catalog does not answer;
    /// with <paramref name="allowStale"/>, and this silo remembers no version of the key.</exception>
    [Alias("head"), AnyGateway]
    Task<ObjectInfo?> HeadAsync(string key, bool allowStale, CancellationToken cancel);

    /// <exception cref="ZeroStorException">NotFound: the vault is no more.</exception>
    [Alias("list"), AnyGateway]
    Task<ObjectListing> ListAsync(ListObjects list, CancellationToken cancel);

    /// <summary>Makes a row for a put that takes long, or touches it.</summary>
    /// <exception cref="ZeroStorException">PreconditionFailed: it was idle too long and is
    /// condemned.</exception>
    [Alias("open-content"), AnyGateway]
    Task OpenContentAsync(ContentId content, CancellationToken cancel);

    /// <summary>Writes a page of StripeRefs of an open content.</summary>
    /// <exception cref="ZeroStorException">As <see cref="OpenContentAsync"/>.</exception>
    [Alias("write-page"), AnyGateway]
    Task WritePageAsync(ContentId content, int page, byte[] bytes, CancellationToken cancel);

    /// <exception cref="ZeroStorException">NotFound.</exception>
    [Alias("read-page"), AnyGateway]
    Task<byte[]> ReadPageAsync(ContentId content, int page, CancellationToken cancel);

    /// <summary>Gives a content up before its commit; what disks hold of it is reclaimed.</summary>
    [Alias("abandon"), AnyGateway]
    Task AbandonAsync(ContentId content, CancellationToken cancel);

    /// <summary>Where the shards of the current version's stripes lie, for up to
    /// <paramref name="maxStripes"/> stripes from <paramref name="firstStripe"/>.</summary>
    /// <exception cref="ZeroStorException">NotFound.</exception>
    [Alias("locate"), AnyGateway]
    Task<ImmutableArray<ShardPlace>> LocateAsync(
        string key, int firstStripe, int maxStripes, CancellationToken cancel);
}

/// <summary>How keys are dealt to object grains. A setting, not a format: nothing stored depends on
/// it.</summary>
public static class ObjectDoor
{
    /// <summary>The grain key: <c>vault/partition</c>.</summary>
    public static string KeyOf(string vault, int partitions, string objectKey) =>
        KeyOf(vault, PartitionOf(partitions, objectKey));

    /// <summary>The partition of a key.</summary>
    public static int PartitionOf(int partitions, string objectKey) =>
        (int)(XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(objectKey)) % (ulong)partitions);

    /// <summary>The grain key of a partition. Any answers right, for any key.</summary>
    public static string KeyOf(string vault, int partition) =>
        string.Create(CultureInfo.InvariantCulture, $"{vault}/{partition}");

    /// <summary>The vault of a grain key. Vault names hold no slash.</summary>
    public static string VaultOf(string grainKey) => grainKey[..grainKey.LastIndexOf('/')];
}

[GenerateSerializer, Immutable, Alias("zs.commit-put")]
public sealed record CommitPut
{
    [Id(0)] public required string Key { get; init; }

    [Id(1)] public required ContentId Content { get; init; }

    /// <summary>The encoded <see cref="ZeroStor.Manifest"/>; its VersionId is the SDK's.</summary>
    [Id(2)] public required byte[] Manifest { get; init; }

    /// <summary>The front end's own ETag; null: the VersionId.</summary>
    [Id(3)] public string? ETag { get; init; }

    [Id(4)] public required Precondition If { get; init; }

    /// <summary>Pages that were not written yet, by number.</summary>
    [Id(5)] public ImmutableArray<StripePage> Pages { get; init; } = [];

    /// <summary>The vault that the content keys are for, where its owner made them: another under the same name is
    /// refused.</summary>
    [Id(6)] public VaultId? Vault { get; init; }

    /// <summary>The version's tags at first, encoded (<see cref="ZeroStor.Tags"/>).</summary>
    [Id(7)] public byte[] Tags { get; init; } = [];
}

[GenerateSerializer, Immutable, Alias("zs.stripe-page")]
public sealed record StripePage([property: Id(0)] int Page, [property: Id(1)] byte[] Bytes);

[GenerateSerializer, Immutable, Alias("zs.copy-object")]
public sealed record CopyObject
{
    [Id(0)] public required string SourceKey { get; init; }

    /// <summary>The ETag that the source must have; null: any.</summary>
    [Id(1)] public string? SourceIfMatch { get; init; }

    [Id(2)] public required string Key { get; init; }

    /// <summary>A fresh id: names this copy, so that it can be repeated.</summary>
    [Id(3)] public required ContentId Commit { get; init; }

    [Id(4)] public required Precondition If { get; init; }

    /// <summary>Of the source; null: its current one.</summary>
    [Id(5)] public VersionId? SourceVersion { get; init; }

    /// <summary>An encoded <see cref="ZeroStor.Carried"/>, whose content type and headers take the place of
    /// the source's; null: they are the source's.</summary>
    [Id(6)] public byte[]? Carried { get; init; }

    /// <summary>Encoded (<see cref="ZeroStor.Tags"/>); null: the source's.</summary>
    [Id(7)] public byte[]? Tags { get; init; }
}

[GenerateSerializer, Immutable, Alias("zs.delete-object")]
public sealed record DeleteObject
{
    [Id(0)] public required string Key { get; init; }

    /// <summary>A fresh id: names this delete, so that it can be repeated.</summary>
    [Id(1)] public required ContentId Commit { get; init; }

    [Id(2)] public required Precondition If { get; init; }

    /// <summary>The version, or mark, to remove for good; null: the current version, by the vault's
    /// versioning.</summary>
    [Id(3)] public VersionId? Version { get; init; }
}

/// <summary>A version, as clients see it.</summary>
[GenerateSerializer, Immutable, Alias("zs.object-info")]
public sealed record ObjectInfo
{
    [Id(0)] public required string Key { get; init; }

    [Id(1)] public required VersionId Version { get; init; }

    [Id(2)] public required long Size { get; init; }

    [Id(3)] public required string ETag { get; init; }

    [Id(4)] public required DateTimeOffset Modified { get; init; }

    /// <summary>The encoded <see cref="ZeroStor.Manifest"/>; empty in listings and after a commit.</summary>
    [Id(5)] public byte[] Manifest { get; init; } = [];

    /// <summary>The catalog did not answer: this is the version that a silo saw last, and it may have been
    /// overwritten or deleted since.</summary>
    [Id(6)] public bool IsStale { get; init; }

    /// <summary>With the manifest: the vault, where its owner keeps the keys; null: the fabric does.</summary>
    [Id(7)] public VaultInfo? OwnedVault { get; init; }

    /// <summary>Encoded (<see cref="ZeroStor.Tags"/>); empty in listings.</summary>
    [Id(8)] public byte[] Tags { get; init; } = [];

    /// <summary>The mark of a delete, and no version that could be read.</summary>
    [Id(9)] public bool IsMark { get; init; }

    /// <summary>Made while versioning was not on: <see cref="VersionId.Null"/> names it as well.</summary>
    [Id(10)] public bool IsNull { get; init; }

    /// <summary>The order of a key's versions.</summary>
    [Id(11)] public long Seq { get; init; }

    /// <summary>In a listing of versions: its key's last change.</summary>
    [Id(12)] public bool IsLatest { get; init; }
}

[GenerateSerializer, Immutable, Alias("zs.list-objects")]
public sealed record ListObjects
{
    [Id(0)] public string Prefix { get; init; } = "";

    [Id(1)] public string? Delimiter { get; init; }

    [Id(2)] public string StartAfter { get; init; } = "";

    /// <summary>At most <see cref="MaxPerPage"/>.</summary>
    [Id(3)] public int Max { get; init; } = MaxPerPage;

    /// <summary>One page of a listing: what S3 gives too.</summary>
    public const int MaxPerPage = 1000;
}

[GenerateSerializer, Immutable, Alias("zs.object-listing")]
public sealed record ObjectListing
{
    [Id(0)] public required ImmutableArray<ObjectInfo> Objects { get; init; }

    [Id(1)] public required ImmutableArray<string> CommonPrefixes { get; init; }

    /// <summary>What to start after for the next page; null at the end.</summary>
    [Id(2)] public string? Next { get; init; }
}

/// <summary>One shard of one stripe of an object.</summary>
[GenerateSerializer, Immutable, Alias("zs.shard-place")]
public sealed record ShardPlace
{
    /// <summary>Ordinal of the stripe in the object, over all its contents.</summary>
    [Id(0)] public required int Stripe { get; init; }

    [Id(1)] public required StripeId StripeId { get; init; }

    [Id(2)] public required int Index { get; init; }

    [Id(3)] public required DiskId Disk { get; init; }

    [Id(4)] public required string Silo { get; init; }

    /// <summary><c>present</c>, <c>missing</c>, or <c>offline</c>: its disk does not answer.</summary>
    [Id(5)] public required string State { get; init; }

    /// <summary>The volume's path on its silo; empty when the shard is not there.</summary>
    [Id(6)] public string File { get; init; } = "";

    [Id(7)] public long Offset { get; init; }

    [Id(8)] public int Length { get; init; }
}
