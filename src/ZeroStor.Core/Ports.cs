using System.Collections.Immutable;

namespace ZeroStor;

// The whole outside world of Core: homes of shards, the catalog, the map, randomness; time comes through the
// BCL's TimeProvider. Whoever implements these five can run the paths of the data: grains do, and so does a
// simulator with a seed.

/// <summary>The disks that hold shards, near or far: the one seam through which bytes move. Answers are
/// values; an exception means that the home could not be asked. Thread-safe.</summary>
public interface IShardHome
{
    /// <summary>Stores a shard. Done means synced. The payload is held by the home for as long as it is used.
    /// </summary>
    ValueTask<HomeAnswer> AppendAsync(ShardAppend order, CancellationToken cancel);

    ValueTask<ShardReadAnswer> ReadAsync(ShardReadOrder order, CancellationToken cancel);

    /// <summary>Drops every shard of these contents; done means that the dropping is synced.</summary>
    ValueTask<HomeAnswer> ReclaimAsync(
        DiskAddress to, IReadOnlyCollection<ContentId> dead, CancellationToken cancel);

    /// <summary>The digests of all groups and buckets that the disk holds shards of.</summary>
    ValueTask<ImmutableArray<BucketDigest>> DigestsAsync(DiskAddress to, CancellationToken cancel);

    /// <summary>Up to <paramref name="max"/> shards of a group, by StripeId, after <paramref name="after"/>.
    /// </summary>
    ValueTask<ImmutableArray<ShardEntry>> ListAsync(
        DiskAddress to, GroupId group, StripeId after, int max, CancellationToken cancel);

    /// <summary>Where a shard lies; null where it is not.</summary>
    ValueTask<ShardLocation?> LocateAsync(
        DiskAddress to, StripeId stripe, byte place, CancellationToken cancel);

    ValueTask<DiskReport> ReportAsync(DiskAddress to, CancellationToken cancel);
}

/// <summary>The fabric map as this process knows it, and the tick. Thread-safe.</summary>
public interface IFabricMap
{
    FabricMap Current { get; }

    Tick Tick { get; }

    /// <summary>Reads the map again unless this process knows <paramref name="atLeastVersion"/> by
    /// now.</summary>
    ValueTask<FabricMap> RefreshAsync(long atLeastVersion, CancellationToken cancel);
}

/// <summary>Randomness. Thread-safe.</summary>
public interface IEntropy
{
    void Fill(Span<byte> target);
}

/// <summary>The truth: which versions there are, which contents live, what the map is. Everything here is
/// compare-and-set; two silos, or two activations of a grain, that race are merely slower. Failures to reach
/// the database are <see cref="ErrorKind.Unavailable"/>. Thread-safe.</summary>
public interface ICatalog
{
    /// <summary>The fabric's identity and tick; the first call of a new catalog makes them.</summary>
    Task<FabricState> ReadFabricAsync(CancellationToken cancel);

    /// <summary>Raises the tick by one if it still is <paramref name="from"/>; returns the tick that stands.
    /// </summary>
    Task<Tick> RaiseTickAsync(Tick from, CancellationToken cancel);

    Task<FabricMap> ReadMapAsync(CancellationToken cancel);

    /// <summary>Applies the change if the map still is at <see cref="MapChange.FromVersion"/>; false
    /// otherwise.
    /// </summary>
    Task<bool> ChangeMapAsync(MapChange change, CancellationToken cancel);

    /// <summary>Enters a vault's name; false when the name is taken.</summary>
    Task<bool> AddVaultAsync(VaultEntry vault, CancellationToken cancel);

    /// <summary>Removes a vault's name if it still names this life; refuses (false) while it has versions.
    /// </summary>
    Task<bool> RemoveVaultAsync(VaultId vault, CancellationToken cancel);

    Task<VaultEntry?> FindVaultAsync(string name, CancellationToken cancel);

    Task<ImmutableArray<VaultEntry>> ListVaultsAsync(CancellationToken cancel);

    /// <summary>Commits one order; many at once share a transaction, and a refusal refuses itself alone. An
    /// order whose content has a row answers what the first one did. A refused put condemns its
    /// content.</summary>
    Task<CommitAnswer> CommitAsync(CommitOrder order, CancellationToken cancel);

    /// <summary>The current version of each key, or null; in the order of <paramref name="keys"/>.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault is no more.</exception>
    Task<ImmutableArray<VersionRow?>> HeadAsync(
        VaultId vault, IReadOnlyList<string> keys, CancellationToken cancel);

    /// <summary>Current versions in the order of their keys' UTF-8 bytes.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault is no more.</exception>
    Task<Listing> ListAsync(ListQuery query, CancellationToken cancel);

    /// <summary>Makes a row for a content that is still being put, or touches the one it has; false when it
    /// is dead.</summary>
    Task<bool> OpenContentAsync(ContentId content, VaultId vault, Tick now, CancellationToken cancel);

    /// <summary>Writes a page of a content that is open, and touches it; false when it is dead.</summary>
    Task<bool> WritePageAsync(ContentId content, int page, byte[] bytes, Tick now, CancellationToken cancel);

    Task<byte[]?> ReadPageAsync(ContentId content, int page, CancellationToken cancel);

    /// <summary>Turns contents dead: open ones, and those without a row. Live ones stay.</summary>
    Task CondemnAsync(VaultId vault, IReadOnlyCollection<ContentId> contents, Tick now, CancellationToken cancel);

    /// <summary>Turns open contents dead that nobody touched since <paramref name="before"/>; how
    /// many.</summary>
    Task<int> CondemnIdleAsync(Tick before, Tick now, CancellationToken cancel);

    /// <summary>Up to <paramref name="max"/> dead contents with an id above <paramref name="after"/> that
    /// died at or before <paramref name="diedBy"/>.</summary>
    Task<ImmutableArray<DeadContent>> ListDeadAsync(
        ContentId after, Tick diedBy, int max, CancellationToken cancel);

    /// <summary>Removes rows of dead contents, with their pages: nobody holds a shard of them any
    /// more.</summary>
    Task ForgetAsync(IReadOnlyCollection<ContentId> dead, CancellationToken cancel);

    /// <summary>The state of each content, in the order asked; null where there is no row.</summary>
    Task<ImmutableArray<ContentState?>> StatesAsync(
        IReadOnlyList<ContentId> contents, CancellationToken cancel);

    Task<CatalogCounts> CountAsync(CancellationToken cancel);
}

/// <summary>Where a content is in its life. The numbers stand in databases: never reuse one.</summary>
public enum ContentState
{
    /// <summary>Still being put.</summary>
    Open = 0,

    /// <summary>Some version names it.</summary>
    Live = 1,

    /// <summary>Condemned: to be reclaimed.</summary>
    Dead = 2,
}

public sealed record FabricState(FabricId Fabric, Tick Tick)
{
    /// <summary>Which database this is, as the database itself says: PostgreSQL's system identifier and the
    /// timeline that it writes on, as in <c>7712983492454044933/00000001</c>. A restored backup and a promoted
    /// standby have another timeline, another cluster another identifier. Null where the database has no such
    /// thing (SQLite) or does not tell this user.</summary>
    public string? DatabaseId { get; init; }
}

/// <summary>A vault's line in the index of names.</summary>
public sealed record VaultEntry(string Name, VaultId Id, ClassId Class);

/// <summary>Conditions of a commit, compared with the current version's ETag inside it. <c>*</c> is
/// any.</summary>
public sealed record Precondition
{
    public static readonly Precondition None = new();

    /// <summary>The current version must have this ETag; <c>*</c>: there must be one.</summary>
    public string? IfMatch { get; init; }

    /// <summary>The current version must not have this ETag; <c>*</c>: there must be none.</summary>
    public string? IfNoneMatch { get; init; }
}

public enum CommitKind
{
    Put = 0,
    Delete = 1,
}

/// <summary>One change of one key.</summary>
public sealed record CommitOrder
{
    public required CommitKind Kind { get; init; }

    public required VaultId Vault { get; init; }

    public required string Key { get; init; }

    /// <summary>The content this order makes (a put's own; a fresh one, empty, for a copy or a delete). Its
    /// row is what makes a repeated order answer as the first did.</summary>
    public required ContentId Content { get; init; }

    public Precondition If { get; init; } = Precondition.None;

    public required Tick Now { get; init; }

    /// <summary>For people and front ends; decides nothing.</summary>
    public required DateTimeOffset Modified { get; init; }

    /// <summary>Put only: the encoded manifest; its contents are what the version names.</summary>
    public byte[] Manifest { get; init; } = [];

    /// <summary>Put only: the front end's own ETag; null: the VersionId.</summary>
    public string? ETag { get; init; }

    /// <summary>Put only: pages of <see cref="Content"/> that are not written yet.</summary>
    public ImmutableArray<(int Page, byte[] Bytes)> Pages { get; init; } = [];
}

/// <summary>How a commit ended. <see cref="ErrorKind.None"/>: applied. PreconditionFailed: a condition did
/// not hold. NotFound: the vault is no more, a copied content died, or there was nothing to delete.
/// InvalidArgument: the content is older than the catalog remembers.</summary>
public sealed record CommitAnswer(ErrorKind Kind, string Detail = "")
{
    public VersionId Version { get; init; }

    public long Seq { get; init; }

    public string ETag { get; init; } = "";
}

/// <summary>A version as the catalog holds it.</summary>
public sealed record VersionRow
{
    public required string Key { get; init; }

    public required long Seq { get; init; }

    public required VersionId Version { get; init; }

    public required long Size { get; init; }

    public required string ETag { get; init; }

    public required DateTimeOffset Modified { get; init; }

    /// <summary>The encoded manifest; empty in listings.</summary>
    public byte[] Manifest { get; init; } = [];
}

public sealed record ListQuery
{
    public required VaultId Vault { get; init; }

    public string Prefix { get; init; } = "";

    /// <summary>Keys that share what lies between the prefix and the next delimiter are folded into one
    /// common prefix; null or empty folds nothing.</summary>
    public string? Delimiter { get; init; }

    /// <summary>Only keys, and common prefixes, behind this.</summary>
    public string StartAfter { get; init; } = "";

    /// <summary>Keys and common prefixes together.</summary>
    public required int Max { get; init; }
}

/// <summary>A page of a listing. Keys and common prefixes are each in order.</summary>
/// <param name="Next">What to start after for the next page; null at the end.</param>
public sealed record Listing(
    ImmutableArray<VersionRow> Versions, ImmutableArray<string> CommonPrefixes, string? Next);

/// <param name="EverLived">False when it was condemned before any commit: readers never knew it.</param>
public sealed record DeadContent(ContentId Content, VaultId Vault, Tick Died, bool EverLived);

public sealed record CatalogCounts(long Versions, long OpenContents, long LiveContents, long DeadContents);
