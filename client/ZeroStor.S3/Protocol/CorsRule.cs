using System.Collections.Immutable;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Protocol;

/// <summary>Which pages of other origins a browser lets at a bucket.</summary>
public sealed record CorsRule
{
    public const int MaxIdLength = 255;

    private static readonly ImmutableArray<string> KnownMethods = ["GET", "PUT", "HEAD", "POST", "DELETE"];

    public string? Id { get; init; }

    /// <summary>Each with one <c>*</c> at most.</summary>
    public ImmutableArray<string> Origins { get; init; } = [];

    public ImmutableArray<string> Methods { get; init; } = [];

    /// <summary>Each with one <c>*</c> at most.</summary>
    public ImmutableArray<string> Headers { get; init; } = [];

    public ImmutableArray<string> ExposedHeaders { get; init; } = [];

    /// <summary>How long a browser may remember the answer; null: it decides.</summary>
    public int? MaxAgeSeconds { get; init; }

    /// <summary>Gives the rule back.</summary>
    /// <exception cref="S3Exception">MalformedXML, InvalidRequest.</exception>
    public CorsRule Check()
    {
        if (Origins.IsEmpty || Methods.IsEmpty || Id?.Length > MaxIdLength || MaxAgeSeconds < 0)
        {
            throw new S3Exception(S3Error.MalformedXML);
        }

        if (Methods.FirstOrDefault(m => !KnownMethods.Contains(m)) is { } method)
        {
            throw new S3Exception(
                S3Error.InvalidRequest,
                $"Found unsupported HTTP method in CORS config. Unsupported method is {method}");
        }

        if (Origins.FirstOrDefault(HasManyStars) is { } origin)
        {
            throw new S3Exception(
                S3Error.InvalidRequest, $"AllowedOrigin \"{origin}\" can not have more than one wildcard.");
        }

        if (Headers.FirstOrDefault(HasManyStars) is { } header)
        {
            throw new S3Exception(
                S3Error.InvalidRequest, $"AllowedHeader \"{header}\" can not have more than one wildcard.");
        }

        return ExposedHeaders.FirstOrDefault(h => h.Contains('*', StringComparison.Ordinal)) is { } exposed
            ? throw new S3Exception(
                S3Error.InvalidRequest,
                $"ExposeHeader \"{exposed}\" contains wildcard. "
                + "We currently do not support wildcard for ExposeHeader.")
            : this;
    }

    /// <summary>Whether the rule lets a page send such a request.</summary>
    /// <param name="origin">Of the page.</param>
    /// <param name="method">Of the request.</param>
    /// <param name="headers">That it wants to send.</param>
    public bool Allows(string origin, string method, IEnumerable<string> headers) =>
        Methods.Contains(method)
        && Origins.Any(o => Fits(o, origin, StringComparison.Ordinal))
        && headers.All(h => Headers.Any(allowed => Fits(allowed, h, StringComparison.OrdinalIgnoreCase)));

    private static bool Fits(string pattern, string text, StringComparison comparison)
    {
        int star = pattern.IndexOf('*', StringComparison.Ordinal);
        return star < 0
            ? text.Equals(pattern, comparison)
            : text.Length >= pattern.Length - 1
                && text.StartsWith(pattern[..star], comparison)
                && text.EndsWith(pattern[(star + 1)..], comparison);
    }

    private static bool HasManyStars(string pattern) => pattern.Count(c => c == '*') > 1;
}
