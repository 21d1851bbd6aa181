using ZeroStor.Client;
using ZeroStor.S3.Bodies;
using ZeroStor.S3.Xml;

namespace ZeroStor.S3.Operations;

/// <summary>What this front end gives the fabric as the ETag of a version, or of a part: the ETag that
/// clients know, and behind it, parted by spaces, the checksum. Both are known only when the last byte has
/// come, and the ETag is what the fabric asks for only then; so they stand and fall together, and a copy has
/// both.</summary>
internal sealed record StoredTag(string ETag, ObjectChecksum? Checksum = null)
{
    private const char Parting = ' ';

    private const string FullObject = "F";

    private const string Composite = "C";

    public static StoredTag Of(ObjectVersion version) => Of(version.ETag, version.Version);

    /// <summary>That of a version. One that another front end put is called by its own name, which has the
    /// form of an MD5 and is none: clients that would hold it against the bytes see by its end that they
    /// cannot.</summary>
    public static StoredTag Of(string stored, VersionId version) =>
        stored == version.ToString() ? new StoredTag(stored + "-1") : Parse(stored);

    public static StoredTag Parse(string stored)
    {
        string[] fields = stored.Split(Parting);
        return fields is [var etag, var name, FullObject or Composite, var value]
            && ChecksumAlgorithms.Find(name) is { } algorithm
                ? new StoredTag(etag, new ObjectChecksum(
                    algorithm,
                    value,
                    fields[2] == FullObject ? ChecksumType.FullObject : ChecksumType.Composite))
                : new StoredTag(stored);
    }

    /// <summary>That of a body, which was read to its end.</summary>
    public static StoredTag Of(BodyStream body) => new(
        body.ETag,
        body.Algorithm is { } algorithm
            ? new ObjectChecksum(algorithm, body.ChecksumValue!, ChecksumType.FullObject)
            : null);

    /// <summary>As the fabric keeps it.</summary>
    public override string ToString() => Checksum is { } sum
        ? string.Join(
            Parting,
            ETag,
            sum.Algorithm.Name,
            sum.Type == ChecksumType.FullObject ? FullObject : Composite,
            sum.Value)
        : ETag;
}
