using System.Collections.Immutable;
using System.Text;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Protocol;

/// <summary>Which bucket and which key a request means. The bucket stands in the path, or before one of the
/// domains that this front end is called by; the key is what is left of the path, decoded once and otherwise
/// as it came: dots, double slashes and slashes at either end are part of it.</summary>
/// <param name="Bucket">Null: the service itself.</param>
/// <param name="Key">Null: the bucket itself.</param>
public sealed record S3Address(string? Bucket, string? Key)
{
    /// <exception cref="S3Exception">InvalidURI, InvalidBucketName, KeyTooLongError.</exception>
    public static S3Address Parse(WireRequest request, ImmutableArray<string> domains)
    {
        ArgumentNullException.ThrowIfNull(request);
        ReadOnlySpan<char> path = request.RawPath.AsSpan(1);
        if (BucketOfHost(request.Header("Host") ?? "", domains) is { } named)
        {
            return new S3Address(BucketName.Check(named), KeyOf(path));
        }

        int slash = path.IndexOf('/');
        ReadOnlySpan<char> first = slash < 0 ? path : path[..slash];
        if (first.IsEmpty)
        {
            return slash < 0 ? new S3Address(null, null) : throw new S3Exception(S3Error.InvalidBucketName);
        }

        return new S3Address(
            BucketName.Check(Decode(first)), slash < 0 ? null : KeyOf(path[(slash + 1)..]));
    }

    private static string? BucketOfHost(string host, ImmutableArray<string> domains)
    {
        int colon = host.LastIndexOf(':');
        string name = colon > host.LastIndexOf(']') ? host[..colon] : host;
        foreach (string domain in domains)
        {
            if (name.Length > domain.Length + 1
                && name.EndsWith(domain, StringComparison.OrdinalIgnoreCase)
                && name[^(domain.Length + 1)] == '.')
            {
                // Names of hosts have no case; those of buckets have no capitals.
                return name[..^(domain.Length + 1)].ToLowerInvariant();
            }
        }

        return null;
    }

    private static string? KeyOf(ReadOnlySpan<char> raw) => raw.IsEmpty ? null : CheckKey(Decode(raw));

    /// <exception cref="S3Exception">KeyTooLongError; InvalidURI: a character that no key has.</exception>
    internal static string CheckKey(string key)
    {
        int bytes = Encoding.UTF8.GetByteCount(key);
        if (bytes > Geometry.MaxKeyBytes)
        {
            throw new S3Exception(S3Error.KeyTooLongError)
                .With("Size", $"{bytes}")
                .With("MaxSizeAllowed", $"{Geometry.MaxKeyBytes}");
        }

        return key.Length > 0 && !key.Contains('\0', StringComparison.Ordinal)
            ? key
            : throw new S3Exception(S3Error.InvalidURI, "A key has a character, and U+0000 is none of them.");
    }

    private static string Decode(ReadOnlySpan<char> raw) =>
        Percent.TryDecode(raw, plusIsSpace: false, out string decoded)
            ? decoded
            : throw new S3Exception(S3Error.InvalidURI);
}
