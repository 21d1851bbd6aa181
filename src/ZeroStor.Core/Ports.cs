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

    /// <summary>Drops single shards; done means that the dropping is synced. What is not there is done and
    /// costs nothing.</summary>
    ValueTask<HomeAnswer> DropAsync(ShardDrop order, CancellationToken cancel);

    /// <summary>The digests of all groups and buckets that the disk holds shards of.</summary>
    ValueTask<ImmutableArray<BucketDigest>> DigestsAsync(DiskAddress to, CancellationToken cancel);

    /// <summary>Up to <paramref name="max"/> shards of a group, by StripeId, after <paramref name="after"/>.
    /// </summary>
    ValueTask<ImmutableArray<ShardEntry>> ListAsync(
        DiskAddress to, GroupId group, StripeId after, int max, CancellationToken cancel);

    /// <summary>What the disk holds of these contents: up to about <paramref name="max"/> shards, by
    /// StripeId, after <paramref name="after"/>; of the last stripe all places are told. Each call passes
    /// once over all that the disk holds, so ask for many contents at once.</summary>
    ValueTask<ImmutableArray<ShardEntry>> HeldAsync(
        DiskAddress to,
        IReadOnlyCollection<ContentId> contents,
        StripeId after,
        int max,
        CancellationToken cancel);

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
public interface ICatalog : IUploadCatalog, IVersionCatalog, IVaultCatalog
{
    /// <summary>The fabric's identity and tick; the first call of a new catalog makes them.</summary>
    Task<FabricState> ReadFabricAsync(CancellationToken cancel);

    /// <summary>Raises the tick by one if it still is <paramref name="from"/>; returns the tick that stands.
    /// </summary>
    Task<Tick> RaiseTickAsync(Tick from, CancellationToken cancel);

    /// <summary>Notes that the catalog is behind what disks have seen: it was put back to an earlier time. The
    /// tick goes above <paramref name="seen"/>, so that nothing which comes now can be taken for what was lost.
    /// From here on nothing may be reclaimed, until somebody says <see cref="AdoptAsync"/>. Noted once, it
    /// stays as it was noted first.</summary>
    Task<FabricState> NoticeWentBackAsync(Tick seen, CancellationToken cancel);

    /// <summary>Takes the catalog for the right one, if it still is the one that went back then; whether it
    /// was this call that did.</summary>
    Task<bool> AdoptAsync(Tick wentBack, CancellationToken cancel);

    /// <summary>Notes a census that went through the whole catalog; an older one changes nothing.</summary>
    Task MarkCensusAsync(CensusMark census, CancellationToken cancel);

    /// <summary>Enters the id of the master key that the fabric is sealed under, where none is entered yet.
    /// </summary>
    /// <returns>The id that stands.</returns>
    Task<string> EnterMasterKeyAsync(string id, CancellationToken cancel);

    /// <summary>Names another master key as the fabric's, if <paramref name="was"/> still is; the id that stands.
    /// </summary>
    Task<string> ReplaceMasterKeyAsync(string was, string id, CancellationToken cancel);

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

    /// <summary>The current versions of all vaults, with their manifests, in the order of their names: up to
    /// <paramref name="max"/> behind <paramref name="after"/>, fewer where their manifests are large; none at
    /// the end.</summary>
    Task<ImmutableArray<NamedVersion>> ScanAsync(
        VersionName after, int max, CancellationToken cancel);

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

    /// <summary>Removes rows of dead contents, with their pages: nobody holds a shard of them any more, and they
    /// died so long ago that no order of theirs is let in again.</summary>
    Task ForgetAsync(IReadOnlyCollection<ContentId> dead, CancellationToken cancel);

    /// <summary>The state of each content, in the order asked; null where there is no row.</summary>
    Task<ImmutableArray<ContentState?>> StatesAsync(
        IReadOnlyList<ContentId> contents, CancellationToken cancel);

    /// <summary>Whose each content is, and its state, in the order asked; null where there is no row.</summary>
    Task<ImmutableArray<ContentOwner?>> OwnersAsync(
        IReadOnlyList<ContentId> contents, CancellationToken cancel);

    Task<CatalogCounts> CountAsync(CancellationToken cancel);
}

/// <summary>Whose a content is, and where it is in its life.</summary>
public readonly record struct ContentOwner(VaultId Vault, ContentState State);

/// <summary>Where a content is in its life. The numbers stand in databases: never reuse one.</summary>
public enum ContentState
{
    /// <summary>Still being put.</summary>
    Open = 0,

    /// <summary>Some version names it, or a part of an upload.</summary>
    Live = 1,

    /// <summary>Condemned: to be reclaimed.</summary>
    Dead = 2,
}

public sealed record FabricState(FabricId Fabric, Tick Tick)
{
    /// <summary>Raised with every change of the map.</summary>
    public long MapVersion { get; init; }

    /// <summary>Where the tick stood when the catalog was found to be behind a disk, so that nothing may be
    /// reclaimed; null while it is not.</summary>
    public Tick? WentBack { get; init; }

    /// <summary>The last census; null when there was none.</summary>
    public CensusMark? Census { get; init; }

    /// <summary>The id of the master key that the fabric is sealed under; null while no silo has entered
    /// one.</summary>
    public string? MasterKey { get; init; }

    /// <summary>Which database this is, as the database itself says: PostgreSQL's system identifier and the
    /// timeline that it writes on, as in <c>7712983492454044933/00000001</c>. A restored backup and a promoted
    /// standby have another timeline, another cluster another identifier. Null where the database has no such
    /// thing (SQLite) or does not tell this user.</summary>
    public string? DatabaseId { get; init; }
}

/// <summary>A census that went through the whole catalog.</summary>
/// <param name="Began">The tick at which it began.</param>
/// <param name="Lost">Stripes of live contents that too few disks hold to be read, while none was absent.
/// </param>
public sealed record CensusMark(Tick Began, long Lost);

/// <summary>A vault's line in the index of names.</summary>
public sealed record VaultEntry(string Name, VaultId Id, ClassId Class)
{
    /// <summary>What becomes of earlier versions.</summary>
    public Versioning Versioning { get; init; }

    /// <summary>For people; null where nobody noted it.</summary>
    public DateTimeOffset? Created { get; init; }
}

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

    /// <summary>Put only: the version's tags at first, encoded (<see cref="ZeroStor.Tags"/>).</summary>
    public byte[] Tags { get; init; } = [];

    /// <summary>Delete only: the version, or the mark, to remove for good; null: the current version, and
    /// what becomes of it is the vault's <see cref="Versioning"/>.</summary>
    public VersionId? Version { get; init; }

    /// <summary>Put only: pages of <see cref="Content"/> that are not written yet.</summary>
    public ImmutableArray<(int Page, byte[] Bytes)> Pages { get; init; } = [];

    /// <summary>Put only: disks hold the content whole, and the catalog lost its row when it went back; so its
    /// age is no reason to refuse it.</summary>
    public bool IsFound { get; init; }
}

/// <summary>How a commit ended. <see cref="ErrorKind.None"/>: applied. PreconditionFailed: a condition did
/// not hold. NotFound: the vault is no more, a copied content died, or there was nothing to delete.
/// InvalidArgument: the content is older than the catalog remembers.</summary>
public sealed record CommitAnswer(ErrorKind Kind, string Detail = "")
{
    public VersionId Version { get; init; }

    public long Seq { get; init; }

    public string ETag { get; init; } = "";

    /// <summary>Of a version that an upload was completed to, or of a part: its bytes.</summary>
    public long Size { get; init; }

    /// <summary>Of a delete: it made a mark, which is the version that is told; where it was to remove a
    /// version by its name, that one was a mark.</summary>
    public bool IsMark { get; init; }
}

/// <summary>A version as the catalog holds it.</summary>
public sealed record VersionRow
{
    // A key's counter begins at the tick times 2^20. So when no row is left to tell where it stood, it still
    // goes on from a higher number, as long as it was raised fewer than a million times within a tick; and
    // within the tick of its last version's end, a row of "counters" tells.
    private const int SeqBitsBelowTick = 20;

    public required string Key { get; init; }

    public required long Seq { get; init; }

    /// <summary>The tick in which the version was committed; a later one, if its key changed a million times
    /// in one.</summary>
    public Tick Committed => new((uint)(Seq >> SeqBitsBelowTick));

    public required VersionId Version { get; init; }

    public required long Size { get; init; }

    public required string ETag { get; init; }

    public required DateTimeOffset Modified { get; init; }

    /// <summary>The encoded manifest; empty in listings, and of a mark.</summary>
    public byte[] Manifest { get; init; } = [];

    /// <summary>Encoded (<see cref="ZeroStor.Tags"/>); empty in listings.</summary>
    public byte[] Tags { get; init; } = [];

    /// <summary>Whether it was made while versioning was on. If not it is the key's null version.</summary>
    public bool IsKept { get; init; }

    /// <summary>Whether it is the mark of a delete: a version without content.</summary>
    public bool IsMark { get; init; }

    /// <summary>Whether a name is this version's.</summary>
    public bool IsCalled(VersionId name) => name == Version || (name == VersionId.Null && !IsKept);

    /// <summary>The lowest seq of versions that are committed in this tick or later.</summary>
    public static long FirstSeq(Tick tick) => (long)tick.Value << SeqBitsBelowTick;
}

/// <summary>A version's place in the order of all versions; the default is before the first.</summary>
public readonly record struct VersionName(VaultId Vault, string Key, long Seq);

/// <summary>A version of some vault.</summary>
public sealed record NamedVersion(VaultId Vault, VersionRow Row)
{
    public VersionName Name => new(Vault, Row.Key, Row.Seq);
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
