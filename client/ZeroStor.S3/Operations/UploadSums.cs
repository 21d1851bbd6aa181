using System.Collections.Immutable;
using System.Text;
using ZeroStor.S3.Bodies;
using ZeroStor.S3.Xml;

namespace ZeroStor.S3.Operations;

/// <summary>How the parts of an upload are summed, kept with it among its headers, where no client can write
/// and no answer tells them; and what comes of the parts in the end.</summary>
internal static class UploadSums
{
    private const string Algorithm = "x-amz-checksum-algorithm";

    private const string Type = "x-amz-checksum-type";

    public static ImmutableSortedDictionary<string, string> Keep(
        ImmutableSortedDictionary<string, string> headers, UploadChecksum? checksum) => checksum is null
            ? headers
            : headers
                .SetItem(Algorithm, checksum.Algorithm.Name)
                .SetItem(Type, ChecksumTypes.NameOf(checksum.Type));

    /// <summary>Null: none was asked for.</summary>
    public static UploadChecksum? Of(ImmutableSortedDictionary<string, string> headers) =>
        headers.TryGetValue(Algorithm, out string? name)
        && headers.TryGetValue(Type, out string? named)
        && ChecksumAlgorithms.Find(name) is { } algorithm
        && ChecksumTypes.Find(named) is { } type
            ? new UploadChecksum(algorithm, type)
            : null;

    /// <summary>What the object is called and summed by, made of what was kept of its parts. A part without
    /// the checksum, as one that was copied, leaves the object without one.</summary>
    public static StoredTag TagOf(
        UploadChecksum? asked, IReadOnlyCollection<(StoredTag Tag, long Bytes)> parts)
    {
        string etag = MultipartSums.ETag(parts.Select(p => BytesOf(p.Tag.ETag)));
        if (asked is null || parts.Any(p => p.Tag.Checksum?.Algorithm != asked.Algorithm))
        {
            return new StoredTag(etag);
        }

        IEnumerable<byte[]> sums = parts.Select(p => Convert.FromBase64String(p.Tag.Checksum!.Value));
        string value = asked.Type == ChecksumType.Composite
            ? MultipartSums.Composite(asked.Algorithm, sums)
            : MultipartSums.FullObject(asked.Algorithm, sums.Zip(parts.Select(p => p.Bytes)));
        return new StoredTag(etag, new ObjectChecksum(asked.Algorithm, value, asked.Type));
    }

    // Whoever put a part past this front end may have called it anything.
    private static byte[] BytesOf(string etag) =>
        etag.Length % 2 == 0 && etag.All(char.IsAsciiHexDigit)
            ? Convert.FromHexString(etag)
            : Encoding.UTF8.GetBytes(etag);
}
