using System.Collections.Immutable;

namespace ZeroStor.Contracts.Doors;

/// <summary>Versions of a vault's objects beside the current ones, and what is done with many at once; the
/// grains, and their keys, are those of <see cref="IObjectDoor"/>. Every call may be repeated. Callable by
/// clients.</summary>
[Alias("zs.version-door")]
public interface IVersionDoor : IGrainWithStringKey
{
    /// <summary>A version, or the mark of a delete, by its name; null when there is none.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault is no more.</exception>
    [Alias("find-version"), AnyGateway]
    Task<ObjectInfo?> FindVersionAsync(string key, VersionId version, CancellationToken cancel);

    /// <exception cref="ZeroStorException">NotFound: the vault is no more.</exception>
    [Alias("list-versions"), AnyGateway]
    Task<VersionsListed> ListVersionsAsync(ListVersions list, CancellationToken cancel);

    /// <summary>Deletes each for itself; what came of each, in the order asked.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault is no more; InvalidArgument: too
    /// many.</exception>
    [Alias("delete-many"), AnyGateway]
    Task<ImmutableArray<DeleteOutcome>> DeleteManyAsync(
        ImmutableArray<DeleteObject> deletes, CancellationToken cancel);

    /// <summary>Gives a version other tags.</summary>
    /// <exception cref="ZeroStorException">NotFound: there is no such version; PreconditionFailed: it has not
    /// the tags that it should have; InvalidArgument: too many bytes.</exception>
    [Alias("set-tags"), AnyGateway]
    Task SetTagsAsync(SetTags order, CancellationToken cancel);
}

[GenerateSerializer, Immutable, Alias("zs.list-versions")]
public sealed record ListVersions
{
    [Id(0)] public string Prefix { get; init; } = "";

    [Id(1)] public string? Delimiter { get; init; }

    [Id(2)] public string StartAfter { get; init; } = "";

    /// <summary>With it earlier versions of <see cref="StartAfter"/> are listed as well.</summary>
    [Id(3)] public long? BeforeSeq { get; init; }

    /// <summary>At most <see cref="ListObjects.MaxPerPage"/>.</summary>
    [Id(4)] public int Max { get; init; } = ListObjects.MaxPerPage;
}

[GenerateSerializer, Immutable, Alias("zs.versions-listed")]
public sealed record VersionsListed
{
    [Id(0)] public required ImmutableArray<ObjectInfo> Versions { get; init; }

    [Id(1)] public required ImmutableArray<string> CommonPrefixes { get; init; }

    /// <summary>What to start after for the next page; null at the end.</summary>
    [Id(2)] public string? Next { get; init; }

    /// <summary>With it: the seq of that key to go on before.</summary>
    [Id(3)] public long? NextSeq { get; init; }
}

/// <summary>What came of a delete.</summary>
[GenerateSerializer, Immutable, Alias("zs.delete-outcome")]
public sealed record DeleteOutcome
{
    /// <summary>The most deletes of one call: what S3 allows.</summary>
    public const int MaxPerCall = 1000;

    [Id(0)] public required string Key { get; init; }

    /// <summary><see cref="ErrorKind.None"/>: done. <see cref="ErrorKind.NotFound"/>: there was nothing to
    /// delete.</summary>
    [Id(1)] public required ErrorKind Kind { get; init; }

    /// <summary>Why it was refused.</summary>
    [Id(2)] public string Detail { get; init; } = "";

    /// <summary>The version that was removed, or the mark that was made or removed.</summary>
    [Id(3)] public VersionId Version { get; init; }

    /// <summary>Whether that is a mark: one that was made, unless the delete named it.</summary>
    [Id(4)] public bool IsMark { get; init; }
}

[GenerateSerializer, Immutable, Alias("zs.set-tags")]
public sealed record SetTags
{
    [Id(0)] public required string Key { get; init; }

    /// <summary>Null: the current version.</summary>
    [Id(1)] public VersionId? Version { get; init; }

    /// <summary>Encoded (<see cref="ZeroStor.Tags"/>).</summary>
    [Id(2)] public required byte[] Tags { get; init; }

    /// <summary>The encoded tags that it must have; null: any.</summary>
    [Id(3)] public byte[]? Was { get; init; }
}
