using System.Collections.Immutable;

namespace ZeroStor;

/// <summary>What becomes of a key's earlier versions. The numbers stand in databases: never reuse
/// one.</summary>
public enum Versioning
{
    /// <summary>A put replaces the version before it, a delete removes it.</summary>
    Off = 0,

    /// <summary>A put comes before the earlier versions, a delete puts a mark before them; each is there
    /// until it is deleted by its name.</summary>
    On = 1,

    /// <summary>What was kept stays. A put and a delete replace the key's null version, which is the one that
    /// was made while versioning was not on, and come before all others.</summary>
    Suspended = 2,
}

/// <summary>The versions of a key beside the current one, as the catalog holds them.</summary>
public interface IVersionCatalog
{
    /// <summary>Says what becomes of earlier versions from now on: every commit that begins later goes by it.
    /// False: the vault is no more, or versions may have been kept and it cannot be off any more.</summary>
    Task<bool> SetVersioningAsync(VaultId vault, Versioning versioning, CancellationToken cancel);

    /// <summary>A version of a key by its name, or the mark of a delete; <see cref="VersionId.Null"/> names
    /// the null version. Null: there is none.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault is no more.</exception>
    Task<VersionRow?> FindVersionAsync(VaultId vault, string key, VersionId version, CancellationToken cancel);

    /// <summary>All versions and marks of all keys, in the order of the keys' UTF-8 bytes, the later ones of
    /// a key first.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault is no more.</exception>
    Task<VersionListing> ListVersionsAsync(VersionQuery query, CancellationToken cancel);

    /// <summary>As <see cref="ICatalog.ScanAsync"/>, for versions that are current no more. One that becomes
    /// so meanwhile is met here if it was not met there; one that becomes current again may be met by
    /// neither.</summary>
    Task<ImmutableArray<NamedVersion>> ScanFormerAsync(VersionName after, int max, CancellationToken cancel);

    /// <summary>Gives a version other tags; no version is made by it. Done again, it changes
    /// nothing.</summary>
    /// <returns>The version. NotFound: there is none, or it is the mark of a delete. PreconditionFailed: its
    /// tags are not those that the order says they were.</returns>
    Task<CommitAnswer> SetTagsAsync(TagOrder order, CancellationToken cancel);
}

public sealed record VersionQuery
{
    public required VaultId Vault { get; init; }

    public string Prefix { get; init; } = "";

    /// <summary>As in <see cref="ListQuery"/>.</summary>
    public string? Delimiter { get; init; }

    /// <summary>Only keys, and common prefixes, behind this; with <see cref="BeforeSeq"/> earlier versions of
    /// this key as well.</summary>
    public string StartAfter { get; init; } = "";

    public long? BeforeSeq { get; init; }

    /// <summary>Versions, marks and common prefixes together.</summary>
    public required int Max { get; init; }
}

/// <summary>A version or a mark in a listing.</summary>
/// <param name="Row">Without manifest and tags.</param>
/// <param name="IsLatest">Whether it is its key's last change.</param>
public sealed record ListedVersion(VersionRow Row, bool IsLatest);

/// <summary>A page of a listing of versions.</summary>
/// <param name="Versions">In order.</param>
/// <param name="CommonPrefixes">In order.</param>
/// <param name="Next">Where the next page begins: the key, or common prefix, to start after; null at the
/// end.</param>
/// <param name="NextSeq">With <paramref name="Next"/>: the seq of that key to go on before.</param>
public sealed record VersionListing(
    ImmutableArray<ListedVersion> Versions, ImmutableArray<string> CommonPrefixes, string? Next, long? NextSeq);

/// <summary>Other tags for a version.</summary>
public sealed record TagOrder
{
    public required VaultId Vault { get; init; }

    public required string Key { get; init; }

    /// <summary>Which; null: the current one.</summary>
    public VersionId? Version { get; init; }

    /// <summary>Encoded (<see cref="ZeroStor.Tags"/>).</summary>
    public required byte[] Tags { get; init; }

    /// <summary>The encoded tags that it must have, or have the new ones already; null: whatever they
    /// are.</summary>
    public byte[]? Was { get; init; }
}
