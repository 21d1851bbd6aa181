using System.Collections.Immutable;

namespace ZeroStor.Contracts.Doors;

/// <summary>Uploads in parts into a vault; the grains, and their keys, are those of
/// <see cref="IObjectDoor"/>. A part is a content: it is opened, written and given up there, and entered
/// here. Every call may be repeated. Callable by clients.</summary>
[Alias("zs.upload-door")]
public interface IUploadDoor : IGrainWithStringKey
{
    /// <exception cref="ZeroStorException">NotFound: the vault is no more; PreconditionFailed: it was begun
    /// and has ended; InvalidArgument.</exception>
    [Alias("begin-upload"), AnyGateway]
    Task<UploadInfo> BeginUploadAsync(BeginUpload begin, CancellationToken cancel);

    /// <summary>An upload under way, with what its object will carry; null when there is none.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault is no more.</exception>
    [Alias("describe-upload"), AnyGateway]
    Task<UploadInfo?> DescribeUploadAsync(string key, UploadId upload, CancellationToken cancel);

    /// <summary>Enters a part whose stripes all stand, or that names what live versions of the vault
    /// name.</summary>
    /// <exception cref="ZeroStorException">NotFound: the upload is no more, or what it names;
    /// PreconditionFailed: the part's content was condemned; InvalidArgument.</exception>
    [Alias("put-part"), AnyGateway]
    Task<PartInfo> PutPartAsync(PutPart part, CancellationToken cancel);

    /// <summary>Up to <paramref name="max"/> parts behind a number, in order.</summary>
    /// <exception cref="ZeroStorException">NotFound: the upload is no more.</exception>
    [Alias("list-parts"), AnyGateway]
    Task<ImmutableArray<PartInfo>> ListPartsAsync(
        string key, UploadId upload, int after, int max, CancellationToken cancel);

    /// <summary>Makes one version of the named parts.</summary>
    /// <returns>The version, with a manifest that tells what it carries and names no bytes.</returns>
    /// <exception cref="ZeroStorException">NotFound: the upload is no more, or was completed with other
    /// parts; InvalidArgument: a part is not there, or another; PreconditionFailed; Busy: parts kept
    /// coming.</exception>
    [Alias("complete-upload"), AnyGateway]
    Task<ObjectInfo> CompleteUploadAsync(CompleteUpload complete, CancellationToken cancel);

    /// <summary>Gives an upload up, with all its parts; false when there was none.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault is no more.</exception>
    [Alias("end-upload"), AnyGateway]
    Task<bool> EndUploadAsync(string key, UploadId upload, CancellationToken cancel);

    /// <exception cref="ZeroStorException">NotFound: the vault is no more.</exception>
    [Alias("list-uploads"), AnyGateway]
    Task<UploadsListed> ListUploadsAsync(ListUploads list, CancellationToken cancel);
}

[GenerateSerializer, Immutable, Alias("zs.begin-upload")]
public sealed record BeginUpload
{
    [Id(0)] public required string Key { get; init; }

    /// <summary>A fresh id of the current tick.</summary>
    [Id(1)] public required UploadId Upload { get; init; }

    /// <summary>What the object will carry: an encoded <see cref="ZeroStor.Carried"/>.</summary>
    [Id(2)] public required byte[] Carried { get; init; }
}

/// <summary>An upload under way, as clients see it.</summary>
[GenerateSerializer, Immutable, Alias("zs.upload-info")]
public sealed record UploadInfo
{
    [Id(0)] public required string Key { get; init; }

    [Id(1)] public required UploadId Upload { get; init; }

    [Id(2)] public required DateTimeOffset Begun { get; init; }

    /// <summary>Empty in listings.</summary>
    [Id(3)] public byte[] Carried { get; init; } = [];
}

[GenerateSerializer, Immutable, Alias("zs.put-part")]
public sealed record PutPart
{
    [Id(0)] public required string Key { get; init; }

    [Id(1)] public required UploadId Upload { get; init; }

    [Id(2)] public required int Number { get; init; }

    /// <summary>The part's content; a fresh id where it names others' alone.</summary>
    [Id(3)] public required ContentId Content { get; init; }

    /// <summary>What it is made of: the encoded <see cref="ZeroStor.Manifest"/> of an object of its
    /// own.</summary>
    [Id(4)] public required byte[] Manifest { get; init; }

    /// <summary>The front end's own ETag; null: the content's id.</summary>
    [Id(5)] public string? ETag { get; init; }

    /// <summary>Pages that were not written yet, by number.</summary>
    [Id(6)] public ImmutableArray<StripePage> Pages { get; init; } = [];

    /// <summary>As in <see cref="CommitPut.Vault"/>.</summary>
    [Id(7)] public VaultId? Vault { get; init; }
}

/// <summary>A part that stands, as clients see it.</summary>
[GenerateSerializer, Immutable, Alias("zs.part-info")]
public sealed record PartInfo
{
    [Id(0)] public required int Number { get; init; }

    [Id(1)] public required long Size { get; init; }

    [Id(2)] public required string ETag { get; init; }

    [Id(3)] public required DateTimeOffset Modified { get; init; }
}

[GenerateSerializer, Immutable, Alias("zs.complete-upload")]
public sealed record CompleteUpload
{
    [Id(0)] public required string Key { get; init; }

    [Id(1)] public required UploadId Upload { get; init; }

    [Id(2)] public required ImmutableArray<PartName> Parts { get; init; }

    /// <summary>The front end's own ETag; null: the VersionId.</summary>
    [Id(3)] public string? ETag { get; init; }

    [Id(4)] public required Precondition If { get; init; }
}

[GenerateSerializer, Immutable, Alias("zs.list-uploads")]
public sealed record ListUploads
{
    [Id(0)] public string Prefix { get; init; } = "";

    [Id(1)] public string? Delimiter { get; init; }

    [Id(2)] public string StartAfter { get; init; } = "";

    /// <summary>With it those of <see cref="StartAfter"/> with a higher id are listed as well.</summary>
    [Id(3)] public UploadId? AfterUpload { get; init; }

    /// <summary>At most <see cref="ListObjects.MaxPerPage"/>.</summary>
    [Id(4)] public int Max { get; init; } = ListObjects.MaxPerPage;
}

[GenerateSerializer, Immutable, Alias("zs.uploads-listed")]
public sealed record UploadsListed
{
    [Id(0)] public required ImmutableArray<UploadInfo> Uploads { get; init; }

    [Id(1)] public required ImmutableArray<string> CommonPrefixes { get; init; }

    /// <summary>What to start after for the next page; null at the end.</summary>
    [Id(2)] public string? Next { get; init; }

    /// <summary>With it: the upload of that key to go on after.</summary>
    [Id(3)] public UploadId? NextUpload { get; init; }
}
