using ZeroStor.Client;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Protocol;

namespace ZeroStor.S3.Operations;

/// <summary>What every write reads of its request beside the bytes: what the object shall carry, and
/// conditions. </summary>
/// <param name="Headers">Content type and headers.</param>
/// <param name="Tags">At first.</param>
internal sealed record WriteRequest(ObjectHeaders Headers, TagSet Tags)
{
    private const string StorageClass = "x-amz-storage-class";

    /// <exception cref="S3Exception">NotImplemented: what is not done; MetadataTooLarge, InvalidTag,
    /// InvalidArgument.</exception>
    public static WriteRequest Read(WireRequest wire)
    {
        UnsupportedHeaders.Refuse(wire);
        if (wire.Header(StorageClass) is { } asked && asked != Xml.Owner.StorageClass)
        {
            throw S3Exception.NotImplemented($"The storage class '{asked}'");
        }

        if (CannedAcls.Parse(wire.Header(CannedAcls.Header)) == CannedAcl.PublicRead)
        {
            throw S3Exception.NotImplemented("An object that is public though its bucket need not be");
        }

        return new WriteRequest(ObjectHeaders.Read(wire), TagSet.OfHeader(wire.Header(TagSet.Header)));
    }

    /// <summary>Conditions as the fabric compares them: it has the checksum behind the ETag, which a client
    /// does not name, so the whole is taken from the version that has that ETag now. If another takes its
    /// place before the commit, the commit refuses.</summary>
    /// <exception cref="S3Exception">PreconditionFailed.</exception>
    /// <exception cref="ZeroStorException">NotFound: there is no version that could have it.</exception>
    public static async Task<Precondition> ToFabricAsync(
        Vault vault, string key, VersionId? version, Precondition asked, CancellationToken cancel)
    {
        if (asked.IfMatch is null or ETags.Any)
        {
            return asked;
        }

        ObjectVersion current = version is { } named
            ? await vault.HeadAsync(key, named, cancel)
            : await vault.HeadAsync(key, cancel);
        return StoredTag.Of(current).ETag == asked.IfMatch
            ? asked with { IfMatch = current.ETag }
            : throw new S3Exception(S3Error.PreconditionFailed).With("Condition", "If-Match");
    }
}
