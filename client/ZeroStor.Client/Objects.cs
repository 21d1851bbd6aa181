using System.Collections.Immutable;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Client;

/// <summary>One immutable version of an object.</summary>
public sealed record ObjectVersion
{
    /// <summary>The object's key within its vault.</summary>
    public required string Key { get; init; }

    /// <summary>The version's name. It says nothing about order.</summary>
    public required VersionId Version { get; init; }

    /// <summary>Content in bytes.</summary>
    public required long Size { get; init; }

    /// <summary>What conditions compare: the front end's own, else the version's name. Without
    /// quotes.</summary>
    public required string ETag { get; init; }

    /// <summary>When it was committed, by the clock of the silo that did; decides nothing.</summary>
    public required DateTimeOffset Modified { get; init; }

    /// <summary>As the put gave it; empty when it gave none.</summary>
    public required string ContentType { get; init; }

    /// <summary>As the put gave them.</summary>
    public required ImmutableSortedDictionary<string, string> Headers { get; init; }

    /// <summary>Only after a put: stripes that have fewer shards than their code says, because homes were
    /// down; repair makes the rest. 0 is full redundancy.</summary>
    public int ShortStripes { get; init; }

    /// <summary>Only where <see cref="ReadOptions.AllowStale"/> was said and the catalog did not answer: this is the
    /// version that a silo saw last, and it may have been overwritten or deleted since.</summary>
    public bool IsStale { get; init; }

    /// <summary>What its users call it by; unlike all else it may change.</summary>
    public ImmutableSortedDictionary<string, string> Tags { get; init; } = ZeroStor.Tags.None;

    /// <summary>It is the mark of a delete, and has no content. Only where a version was asked for by its
    /// name.</summary>
    public bool IsMark { get; init; }

    /// <summary>It was made while its vault kept no versions: <see cref="VersionId.Null"/> names it as
    /// well.</summary>
    public bool IsNull { get; init; }

    /// <summary>The order of the key's versions: later ones have a higher one.</summary>
    public long Seq { get; init; }

    internal static ObjectVersion Of(ObjectInfo info, Manifest manifest, int shortStripes = 0) => new()
    {
        Key = info.Key,
        Version = info.Version,
        Size = info.Size,
        ETag = info.ETag,
        Modified = info.Modified,
        ContentType = manifest.ContentType,
        Headers = manifest.Headers,
        ShortStripes = shortStripes,
        IsStale = info.IsStale,
        Tags = ZeroStor.Tags.Decode(info.Tags),
        IsMark = info.IsMark,
        IsNull = info.IsNull,
        Seq = info.Seq,
    };
}

/// <summary>What a put says beside the bytes.</summary>
public sealed record PutOptions
{
    /// <summary>The most bytes that content type and headers may have together, in UTF-8: they travel with
    /// every head and stand in the catalog.</summary>
    public const int MaxHeaderBytes = 8 * 1024;

    /// <summary>The longest ETag a front end may give.</summary>
    public const int MaxETagBytes = 256;

    /// <summary>Compared with the current version inside the commit; <c>*</c> is any.</summary>
    public Precondition If { get; init; } = Precondition.None;

    /// <summary>Media type, for front ends; ZeroStor does not read it.</summary>
    public string ContentType { get; init; } = "";

    /// <summary>The user's headers, by name; ZeroStor does not read them.</summary>
    public ImmutableSortedDictionary<string, string> Headers { get; init; } =
        ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>The version's tags at first.</summary>
    public ImmutableSortedDictionary<string, string> Tags { get; init; } = ZeroStor.Tags.None;

    /// <summary>The ETag of a front end that makes its own, as a function that is asked once when all bytes
    /// were read, so that it may be a hash of them. Null: the version's name.</summary>
    public Func<string>? ETag { get; init; }

    /// <summary>Told after each stripe how many bytes of the put are durable by now.</summary>
    public IProgress<long>? Progress { get; init; }
}

/// <summary>What a read asks for.</summary>
public sealed record ReadOptions
{
    /// <summary>Null: all bytes.</summary>
    public ByteRange? Range { get; init; }

    /// <summary>Chooses the range when it is known which version is read, instead of <see cref="Range"/>; null from
    /// it: all bytes. What it throws comes through.</summary>
    public Func<ObjectVersion, ByteRange?>? RangeOf { get; init; }

    /// <summary>Null: the current version.</summary>
    public VersionId? Version { get; init; }

    /// <summary>While the catalog does not answer, takes the version that a silo saw last rather than
    /// <see cref="ErrorKind.Unavailable"/>; <see cref="ObjectVersion.IsStale"/> says that it is such a one. As long
    /// as the catalog answers it changes nothing.</summary>
    public bool AllowStale { get; init; }

    /// <summary>To measure what a read takes while homes are absent: of each stripe so many of the data homes
    /// that the range touches, the first ones, are not asked, and their bytes are rebuilt from others. From 0
    /// to the m of the vault's code. What is read is the same, and nothing is held against the homes.
    /// </summary>
    public int AbsentHomes { get; init; }
}

/// <summary>What a copy says.</summary>
public sealed record CopyOptions
{
    /// <summary>The ETag that the source must have; null: any.</summary>
    public string? SourceIfMatch { get; init; }

    /// <summary>Of the source; null: its current one.</summary>
    public VersionId? SourceVersion { get; init; }

    /// <summary>Compared with the current version of the target inside the commit.</summary>
    public Precondition If { get; init; } = Precondition.None;

    /// <summary>Whether <see cref="ContentType"/> and <see cref="Headers"/> take the place of the
    /// source's.</summary>
    public bool ReplacesHeaders { get; init; }

    /// <summary>See <see cref="ReplacesHeaders"/>.</summary>
    public string ContentType { get; init; } = "";

    /// <summary>See <see cref="ReplacesHeaders"/>.</summary>
    public ImmutableSortedDictionary<string, string> Headers { get; init; } =
        ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>The copy's tags; null: the source's.</summary>
    public ImmutableSortedDictionary<string, string>? Tags { get; init; }
}

/// <summary>What a listing shows.</summary>
public sealed record ListOptions
{
    /// <summary>Only keys that begin with this.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Folds keys that share what lies between the prefix and the next delimiter into one common
    /// prefix; null folds nothing.</summary>
    public string? Delimiter { get; init; }

    /// <summary>Only keys and common prefixes behind this, in the order of their UTF-8 bytes.</summary>
    public string StartAfter { get; init; } = "";
}

/// <summary>A line of a listing: an object, or a common prefix.</summary>
public sealed record ListEntry
{
    /// <summary>The object's key, or the common prefix with its delimiter.</summary>
    public required string Key { get; init; }

    /// <summary>Whether this stands for all keys that begin so; then the rest is empty.</summary>
    public required bool IsPrefix { get; init; }

    /// <summary>Content in bytes.</summary>
    public long Size { get; init; }

    /// <summary>The current version's ETag.</summary>
    public string ETag { get; init; } = "";

    /// <summary>The current version's name.</summary>
    public VersionId Version { get; init; }

    /// <summary>When it was committed; decides nothing.</summary>
    public DateTimeOffset Modified { get; init; }
}

/// <summary>A page of a listing.</summary>
/// <param name="Entries">In the order of the keys' UTF-8 bytes.</param>
/// <param name="Next">What to start after for the next page; null at the end.</param>
public sealed record ListPage(ImmutableArray<ListEntry> Entries, string? Next);
