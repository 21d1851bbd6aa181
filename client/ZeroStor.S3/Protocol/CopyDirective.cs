using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Protocol;

/// <summary>Whether a copy has what its source has, or what the request says.</summary>
public enum CopyDirective
{
    Copy,
    Replace,
}

/// <summary>Reads the directives of a copy.</summary>
public static class CopyDirectives
{
    public const string OfHeaders = "x-amz-metadata-directive";

    public const string OfTags = "x-amz-tagging-directive";

    /// <param name="request">A copy.</param>
    /// <param name="header">One of the two above; without it the source's are kept.</param>
    /// <exception cref="S3Exception">InvalidArgument.</exception>
    public static CopyDirective Read(WireRequest request, string header)
    {
        ArgumentNullException.ThrowIfNull(request);
        return request.Header(header) switch
        {
            null or "COPY" => CopyDirective.Copy,
            "REPLACE" => CopyDirective.Replace,
            var other => throw S3Exception.Argument(
                header, other, "Unknown directive: it is COPY or REPLACE."),
        };
    }
}
