using System.Collections.Immutable;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Protocol;

/// <summary>Headers that a get asks to be answered with instead of the object's own: for addresses that are
/// handed to others. Only signed requests may, or anybody could make a public bucket say anything.</summary>
public static class ResponseOverrides
{
    private const string Prefix = "response-";

    private static readonly ImmutableArray<string> Headers =
    [
        "content-type", "content-language", "expires", "cache-control", "content-disposition",
        "content-encoding",
    ];

    /// <summary>Names of headers and their values.</summary>
    /// <exception cref="S3Exception">InvalidRequest: nobody signed it; InvalidArgument: no header holds
    /// it.</exception>
    public static ImmutableArray<KeyValuePair<string, string>> Read(QueryParameters query, bool isAnonymous)
    {
        ArgumentNullException.ThrowIfNull(query);
        ImmutableArray<KeyValuePair<string, string>>.Builder found =
            ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        foreach (string header in Headers)
        {
            if (query[Prefix + header] is not { Length: > 0 } value)
            {
                continue;
            }

            if (isAnonymous)
            {
                throw new S3Exception(
                    S3Error.InvalidRequest,
                    "Request specific response headers cannot be used for anonymous GET requests.");
            }

            found.Add(new(header, value.Any(char.IsControl)
                ? throw S3Exception.Argument(
                    Prefix + header, value, "Header value cannot have control characters.")
                : HeaderText.Encode(value)));
        }

        return found.ToImmutable();
    }
}
