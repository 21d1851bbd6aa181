using System.Collections.Immutable;

namespace ZeroStor.Client;

/// <summary>What an upload's object will carry beside its bytes.</summary>
public sealed record UploadOptions
{
    /// <summary>Media type, for front ends; ZeroStor does not read it.</summary>
    public string ContentType { get; init; } = "";

    /// <summary>The user's headers, by name; as <see cref="PutOptions.Headers"/>.</summary>
    public ImmutableSortedDictionary<string, string> Headers { get; init; } =
        ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>The version's tags at first.</summary>
    public ImmutableSortedDictionary<string, string> Tags { get; init; } = ZeroStor.Tags.None;
}

/// <summary>What a part says beside the bytes.</summary>
public sealed record PartOptions
{
    /// <summary>The ETag of a front end that makes its own, asked once when all bytes were read. Null: the
    /// name of the part's content.</summary>
    public Func<string>? ETag { get; init; }

    /// <summary>Told after each stripe how many bytes of the part are durable by now.</summary>
    public IProgress<long>? Progress { get; init; }
}

/// <summary>What is copied into a part.</summary>
public sealed record CopyPartOptions
{
    /// <summary>Null: all bytes of the source.</summary>
    public ByteRange? Range { get; init; }

    /// <summary>Of the source; null: its current one.</summary>
    public VersionId? SourceVersion { get; init; }

    /// <summary>The ETag that the source must have; null: any.</summary>
    public string? SourceIfMatch { get; init; }
}

/// <summary>What a completion says beside the parts.</summary>
public sealed record CompleteOptions
{
    /// <summary>Compared with the current version inside the commit; <c>*</c> is any.</summary>
    public Precondition If { get; init; } = Precondition.None;

    /// <summary>The version's ETag, of a front end that makes its own. Null: the version's name.</summary>
    public string? ETag { get; init; }
}

/// <summary>What a listing of uploads shows.</summary>
public sealed record ListUploadsOptions
{
    /// <summary>Only uploads of keys that begin with this.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>As <see cref="ListOptions.Delimiter"/>.</summary>
    public string? Delimiter { get; init; }

    /// <summary>Only keys and common prefixes behind this; with <see cref="AfterUpload"/> also uploads of
    /// this key behind that one.</summary>
    public string StartAfter { get; init; } = "";

    /// <summary>See <see cref="StartAfter"/>.</summary>
    public UploadId? AfterUpload { get; init; }
}

/// <summary>A line of a listing of uploads: an upload, or a common prefix.</summary>
public sealed record UploadEntry
{
    /// <summary>The key, or the common prefix with its delimiter.</summary>
    public required string Key { get; init; }

    /// <summary>Whether this stands for all keys that begin so; then the rest is empty.</summary>
    public required bool IsPrefix { get; init; }

    /// <summary>The upload's name.</summary>
    public UploadId Upload { get; init; }

    /// <summary>When it was begun; decides nothing.</summary>
    public DateTimeOffset Begun { get; init; }
}

/// <summary>A page of a listing of uploads.</summary>
/// <param name="Entries">In the order of the keys' UTF-8 bytes, under one key by the uploads' names.</param>
/// <param name="Next">What to start after for the next page; null at the end.</param>
/// <param name="NextUpload">With <paramref name="Next"/>: the upload of that key to go on after.</param>
public sealed record UploadPage(ImmutableArray<UploadEntry> Entries, string? Next, UploadId? NextUpload);

/// <summary>An upload that is under way.</summary>
public sealed record UploadDetails
{
    /// <summary>When it was begun; decides nothing.</summary>
    public required DateTimeOffset Begun { get; init; }

    /// <summary>As it was begun with.</summary>
    public required string ContentType { get; init; }

    /// <summary>As it was begun with.</summary>
    public required ImmutableSortedDictionary<string, string> Headers { get; init; }

    /// <summary>As it was begun with.</summary>
    public required ImmutableSortedDictionary<string, string> Tags { get; init; }
}
