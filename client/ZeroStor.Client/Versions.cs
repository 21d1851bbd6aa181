using System.Collections.Immutable;

namespace ZeroStor.Client;

/// <summary>What a listing of versions shows.</summary>
public sealed record ListVersionsOptions
{
    /// <summary>Only keys that begin with this.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>As <see cref="ListOptions.Delimiter"/>.</summary>
    public string? Delimiter { get; init; }

    /// <summary>Only keys and common prefixes behind this; with <see cref="BeforeSeq"/> also earlier versions
    /// of this key.</summary>
    public string StartAfter { get; init; } = "";

    /// <summary>See <see cref="StartAfter"/>: an <see cref="ObjectVersion.Seq"/>.</summary>
    public long? BeforeSeq { get; init; }
}

/// <summary>A line of a listing of versions: a version, the mark of a delete, or a common prefix.</summary>
public sealed record VersionEntry
{
    /// <summary>The key, or the common prefix with its delimiter.</summary>
    public required string Key { get; init; }

    /// <summary>Whether this stands for all keys that begin so; then the rest is empty.</summary>
    public required bool IsPrefix { get; init; }

    /// <summary>Its name.</summary>
    public VersionId Version { get; init; }

    /// <summary>Whether it is the mark of a delete, and has no content.</summary>
    public bool IsMark { get; init; }

    /// <summary>As <see cref="ObjectVersion.IsNull"/>.</summary>
    public bool IsNull { get; init; }

    /// <summary>Whether it is the last change of its key.</summary>
    public bool IsLatest { get; init; }

    /// <summary>Content in bytes.</summary>
    public long Size { get; init; }

    /// <summary>Its ETag; of a mark its name.</summary>
    public string ETag { get; init; } = "";

    /// <summary>When it was committed; decides nothing.</summary>
    public DateTimeOffset Modified { get; init; }

    /// <summary>As <see cref="ObjectVersion.Seq"/>.</summary>
    public long Seq { get; init; }
}

/// <summary>A page of a listing of versions.</summary>
/// <param name="Entries">In the order of the keys' UTF-8 bytes, later versions of a key first.</param>
/// <param name="Next">What to start after for the next page; null at the end.</param>
/// <param name="NextSeq">With <paramref name="Next"/>: where among the versions of that key to go on.</param>
public sealed record VersionPage(ImmutableArray<VersionEntry> Entries, string? Next, long? NextSeq);

/// <summary>One delete of several.</summary>
/// <param name="Key">The key.</param>
/// <param name="Version">The version, or mark, to remove for good; null: the current version, by the vault's
/// versioning.</param>
public sealed record DeleteItem(string Key, VersionId? Version = null)
{
    /// <summary>Compared with the version that is named, else with the current one.</summary>
    public Precondition If { get; init; } = Precondition.None;
}
