using System.Collections.Immutable;
using System.Text;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Protocol;

/// <summary>The headers that an object keeps: what HTTP knows of contents, and the user's own. What a front
/// end may keep with an object is bounded; S3 bounds the user's own at 2 KiB.</summary>
/// <param name="ContentType">Never empty.</param>
/// <param name="Headers">By their names in small letters; the user's own with their prefix.</param>
public sealed record ObjectHeaders(string ContentType, ImmutableSortedDictionary<string, string> Headers)
{
    public const string UserPrefix = "x-amz-meta-";

    public const int MaxUserBytes = 2 * 1024;

    /// <summary>What S3 says of bytes of which nobody said anything.</summary>
    public const string DefaultContentType = "binary/octet-stream";

    private const string ContentEncoding = "content-encoding";

    // The encoding of the way, not of the content.
    private const string WireEncoding = "aws-chunked";

    /// <summary>What HTTP and S3 know of contents, beside the content type; in small letters.</summary>
    internal static readonly ImmutableArray<string> Standard =
    [
        "cache-control", "content-disposition", ContentEncoding, "content-language", "expires",
        "x-amz-website-redirect-location",
    ];

    /// <exception cref="S3Exception">MetadataTooLarge; InvalidArgument: text that no header
    /// holds.</exception>
    public static ObjectHeaders Read(WireRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        ImmutableSortedDictionary<string, string>.Builder headers =
            ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (string name in Standard)
        {
            string? value = request.Header(name);
            value = name == ContentEncoding ? WithoutWireEncoding(value) : value;
            if (!string.IsNullOrEmpty(value))
            {
                headers[name] = Checked(name, value);
            }
        }

        int userBytes = 0;
        foreach (string given in request.Headers.Keys)
        {
            string name = given.ToLowerInvariant();
            if (name.StartsWith(UserPrefix, StringComparison.Ordinal))
            {
                string value = Checked(name, request.Header(given) ?? "");
                userBytes += name.Length - UserPrefix.Length + Encoding.UTF8.GetByteCount(value);
                headers[name] = value;
            }
        }

        if (userBytes > MaxUserBytes)
        {
            throw new S3Exception(S3Error.MetadataTooLarge)
                .With("Size", $"{userBytes}")
                .With("MaxSizeAllowed", $"{MaxUserBytes}");
        }

        string? type = request.Header("Content-Type");
        return new ObjectHeaders(
            string.IsNullOrEmpty(type) ? DefaultContentType : Checked("content-type", type),
            headers.ToImmutable());
    }

    private static string? WithoutWireEncoding(string? value) => value is null
        ? null
        : string.Join(',', value
            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Where(e => !e.Equals(WireEncoding, StringComparison.OrdinalIgnoreCase)));

    private static string Checked(string name, string value)
    {
        try
        {
            ObjectKey.CheckText(value, "header");
            return value;
        }
        catch (ZeroStorException wrong)
        {
            throw S3Exception.Argument(name, "", wrong.Message);
        }
    }
}

/// <summary>Values of headers that ASCII cannot hold. HTTP has no encoding for them; S3 gives them in that of
/// mail (RFC 2047), and clients know it.</summary>
public static class HeaderText
{
    public static string Encode(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return value.All(c => c is >= ' ' and <= '~')
            ? value
            : $"=?UTF-8?B?{Convert.ToBase64String(Encoding.UTF8.GetBytes(value))}?=";
    }
}
