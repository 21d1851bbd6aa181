using System.Globalization;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Protocol;

/// <summary>What comes of conditions.</summary>
public enum ConditionOutcome
{
    Holds,
    NotModified,
    Failed,
}

/// <summary>The conditions of a get, a head or the source of a copy, in S3's order, which is HTTP's: tags go
/// before dates, so where <c>If-Match</c> stands <c>If-Unmodified-Since</c> says nothing, and where
/// <c>If-None-Match</c> stands <c>If-Modified-Since</c> says nothing. Dates that cannot be read are not
/// there.</summary>
public sealed record ReadConditions
{
    public string? IfMatch { get; private init; }

    public string? IfNoneMatch { get; private init; }

    public DateTimeOffset? IfModifiedSince { get; private init; }

    public DateTimeOffset? IfUnmodifiedSince { get; private init; }

    public static ReadConditions OfRead(WireRequest request) => Of(request, "");

    /// <summary>Those of the source of a copy. There <see cref="ConditionOutcome.NotModified"/> is a failure,
    /// too. </summary>
    public static ReadConditions OfCopySource(WireRequest request) =>
        Of(request, OperationTable.CopySource + "-");

    /// <param name="etag">Of the version, without quotes.</param>
    /// <param name="modified">When it was committed; HTTP knows whole seconds.</param>
    public ConditionOutcome Judge(string etag, DateTimeOffset modified)
    {
        ArgumentNullException.ThrowIfNull(etag);
        var second = DateTimeOffset.FromUnixTimeSeconds(modified.ToUnixTimeSeconds());
        bool fails = IfMatch is not null ? !ETags.Match(IfMatch, etag) : second > IfUnmodifiedSince;
        if (fails)
        {
            return ConditionOutcome.Failed;
        }

        bool isSame = IfNoneMatch is not null ? ETags.Match(IfNoneMatch, etag) : second <= IfModifiedSince;
        return isSame ? ConditionOutcome.NotModified : ConditionOutcome.Holds;
    }

    private static ReadConditions Of(WireRequest request, string prefix)
    {
        ArgumentNullException.ThrowIfNull(request);
        return new ReadConditions
        {
            IfMatch = request.Header(prefix + "If-Match"),
            IfNoneMatch = request.Header(prefix + "If-None-Match"),
            IfModifiedSince = DateOf(request.Header(prefix + "If-Modified-Since")),
            IfUnmodifiedSince = DateOf(request.Header(prefix + "If-Unmodified-Since")),
        };
    }

    private static DateTimeOffset? DateOf(string? text) => DateTimeOffset.TryParseExact(
        text,
        ["r", "dddd, dd-MMM-yy HH:mm:ss 'GMT'", "ddd MMM d HH:mm:ss yyyy", "yyyy-MM-dd'T'HH:mm:ssK"],
        CultureInfo.InvariantCulture,
        DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowInnerWhite,
        out DateTimeOffset date)
            ? date
            : null;
}

/// <summary>The conditions of a write, as the fabric's commit compares them.</summary>
public static class WriteConditions
{
    /// <summary>Of a put, a copy or the completion of an upload: <c>If-None-Match: *</c>, or <c>If-Match</c>
    /// with one tag.</summary>
    /// <exception cref="S3Exception">NotImplemented, as S3 refuses what it does not compare.</exception>
    public static Precondition OfPut(WireRequest request)
    {
        string? match = One(request, "If-Match");
        string? noneMatch = One(request, "If-None-Match");
        if (noneMatch is not (null or ETags.Any)
            || match == ETags.Any
            || (match is not null && noneMatch is not null))
        {
            throw S3Exception.NotImplemented("This combination of If-Match and If-None-Match on a write");
        }

        return new Precondition { IfMatch = match, IfNoneMatch = noneMatch };
    }

    /// <summary>Of a delete: <c>If-Match</c> with one tag, or <c>*</c>.</summary>
    /// <exception cref="S3Exception">NotImplemented.</exception>
    public static Precondition OfDelete(WireRequest request) => One(request, "If-None-Match") is null
        ? new Precondition { IfMatch = One(request, "If-Match") }
        : throw S3Exception.NotImplemented("If-None-Match on a delete");

    private static string? One(WireRequest request, string header)
    {
        ArgumentNullException.ThrowIfNull(request);
        return request.Header(header) switch
        {
            null => null,
            var text when text.Contains(',', StringComparison.Ordinal) =>
                throw S3Exception.NotImplemented($"A list in {header} on a write"),
            var text => ETags.Bare(text),
        };
    }
}
