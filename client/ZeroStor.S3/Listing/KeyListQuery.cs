using System.Globalization;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Listing;

/// <summary>What all listings are asked: which keys, how folded, how many, and in which encoding they are
/// told. </summary>
public abstract record KeyListQuery
{
    /// <summary>As S3 has it: who asks for more gets this many.</summary>
    public const int MaxEntries = 1000;

    private protected KeyListQuery(QueryParameters query, string maxParameter)
    {
        ArgumentNullException.ThrowIfNull(query);
        Prefix = query["prefix"] ?? "";
        Delimiter = query["delimiter"] is { Length: > 0 } delimiter ? delimiter : null;
        Max = MaxOf(query[maxParameter], maxParameter);
        IsUrlEncoded = query["encoding-type"] switch
        {
            null or "" => false,
            var type when type.Equals("url", StringComparison.OrdinalIgnoreCase) => true,
            var type => throw S3Exception.Argument(
                "encoding-type", type, "Invalid Encoding Method specified in Request"),
        };
    }

    /// <summary>Only keys that begin so.</summary>
    public string Prefix { get; }

    /// <summary>What folds keys; null: nothing.</summary>
    public string? Delimiter { get; }

    /// <summary>The most entries, 0 to <see cref="MaxEntries"/>.</summary>
    public int Max { get; }

    /// <summary>Whether keys are told percent-encoded, as XML cannot hold all that a key can.</summary>
    public bool IsUrlEncoded { get; }

    /// <summary>A key, a prefix or a marker as it is told.</summary>
    public string Tell(string text) => IsUrlEncoded ? Percent.Encode(text, keepSlash: true) : text;

    internal static int MaxOf(string? text, string parameter)
    {
        if (string.IsNullOrEmpty(text))
        {
            return MaxEntries;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int max)
            ? Math.Min(max, MaxEntries)
            : throw S3Exception.Argument(
                parameter, text, $"Argument {parameter} must be an integer between 0 and {int.MaxValue}");
    }
}

/// <summary>A listing of current objects, in either of S3's forms: the first goes on behind a key that the
/// client names, the second behind a token that it was given.</summary>
public sealed record ListObjectsQuery : KeyListQuery
{
    /// <exception cref="S3Exception">InvalidArgument.</exception>
    public ListObjectsQuery(QueryParameters query, bool isSecond)
        : base(query, "max-keys")
    {
        IsSecond = isSecond;
        Marker = query["marker"] ?? "";
        StartAfter = query["start-after"];
        Token = isSecond ? query["continuation-token"] : null;
        HasOwner = !isSecond || query["fetch-owner"] == "true";
        Behind = !isSecond ? Marker : Token is null ? StartAfter ?? "" : ContinuationToken.Read(Token);
    }

    /// <summary>ListObjectsV2.</summary>
    public bool IsSecond { get; }

    /// <summary>Of the first form.</summary>
    public string Marker { get; }

    /// <summary>Of the second form; does nothing where a token stands.</summary>
    public string? StartAfter { get; }

    /// <summary>Of the second form, as the client gave it.</summary>
    public string? Token { get; }

    /// <summary>Whether entries tell their owner.</summary>
    public bool HasOwner { get; }

    /// <summary>Behind which key the listing begins.</summary>
    public string Behind { get; }
}

/// <summary>A listing of what a key has several of: versions, or uploads under way.</summary>
public sealed record ListManyQuery : KeyListQuery
{
    private ListManyQuery(QueryParameters query, string maxParameter, string idParameter)
        : base(query, maxParameter)
    {
        KeyMarker = query["key-marker"] ?? "";
        IdMarker = query[idParameter] is { Length: > 0 } id ? id : null;
    }

    /// <summary>Behind which key it begins, or within which.</summary>
    public string KeyMarker { get; }

    /// <summary>Behind which version or upload of that key; null: behind all of them.</summary>
    public string? IdMarker { get; private init; }

    /// <exception cref="S3Exception">InvalidArgument.</exception>
    public static ListManyQuery OfVersions(QueryParameters query)
    {
        var list = new ListManyQuery(query, "max-keys", "version-id-marker");
        return list.IdMarker is null || list.KeyMarker.Length > 0
            ? list
            : throw S3Exception.Argument(
                "version-id-marker",
                list.IdMarker,
                "A version-id marker cannot be specified without a key marker.");
    }

    /// <summary>An upload's marker without a key's does nothing.</summary>
    /// <exception cref="S3Exception">InvalidArgument.</exception>
    public static ListManyQuery OfUploads(QueryParameters query)
    {
        var list = new ListManyQuery(query, "max-uploads", "upload-id-marker");
        return list.KeyMarker.Length > 0 ? list : list with { IdMarker = null };
    }
}
