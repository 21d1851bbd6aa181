using ZeroStor.S3.Errors;
using ZeroStor.S3.Protocol;
using ZeroStor.S3.Signing;

namespace ZeroStor.S3.Operations;

/// <summary>Whether a caller may have what he asks for. Whoever may not is told that, and no more: whether a
/// bucket or a key is there is told to nobody else.</summary>
internal sealed class Gate(BucketSettingsStore store)
{
    /// <exception cref="S3Exception">AccessDenied.</exception>
    public async ValueTask DemandAsync(S3Request request, Caller caller, CancellationToken cancel)
    {
        if (request.Operation == S3Operation.CorsPreflight)
        {
            // The rules of the bucket decide, and tell no more than they.
            return;
        }

        bool may = caller.Key is { } key
            ? May(key, request)
            : await MayEverybodyAsync(request, cancel);
        if (!may)
        {
            throw new S3Exception(S3Error.AccessDenied);
        }
    }

    /// <summary>What an operation takes.</summary>
    internal static AccessRights RightsOf(S3Operation operation) => operation switch
    {
        S3Operation.CreateBucket or S3Operation.DeleteBucket or S3Operation.PutBucketVersioning
            or S3Operation.PutBucketTagging or S3Operation.DeleteBucketTagging or S3Operation.PutBucketAcl
            or S3Operation.PutBucketPolicy or S3Operation.DeleteBucketPolicy or S3Operation.PutBucketCors
            or S3Operation.DeleteBucketCors => AccessRights.Create,
        S3Operation.GetObject or S3Operation.HeadObject or S3Operation.GetObjectAttributes
            or S3Operation.GetObjectAcl or S3Operation.GetObjectTagging => AccessRights.Read,
        S3Operation.PutObject or S3Operation.CopyObject or S3Operation.PutObjectAcl
            or S3Operation.PutObjectTagging or S3Operation.DeleteObjectTagging
            or S3Operation.CreateMultipartUpload or S3Operation.UploadPart or S3Operation.UploadPartCopy
            or S3Operation.ListParts or S3Operation.CompleteMultipartUpload
            or S3Operation.AbortMultipartUpload => AccessRights.Write,
        S3Operation.DeleteObject or S3Operation.DeleteObjects => AccessRights.Delete,
        S3Operation.CorsPreflight => AccessRights.None,
        _ => AccessRights.List,
    };

    private static bool May(AccessKey key, S3Request request)
    {
        AccessRights rights = RightsOf(request.Operation);
        if (request.Operation == S3Operation.ListBuckets)
        {
            // It shows those that the key is for.
            return key.Rights.HasFlag(rights);
        }

        return key.May(rights, request.Bucket)
            && (request.Operation is not (S3Operation.CopyObject or S3Operation.UploadPartCopy)
                || key.May(AccessRights.Read, Copies.SourceOf(request.Wire).Bucket));
    }

    // Only what is current: earlier versions, uploads and tags are for holders of keys.
    private async ValueTask<bool> MayEverybodyAsync(S3Request request, CancellationToken cancel)
    {
        PublicAccess needed = request.Operation switch
        {
            S3Operation.GetObject or S3Operation.HeadObject when request.VersionId is null =>
                PublicAccess.Read,
            S3Operation.HeadBucket or S3Operation.ListObjects or S3Operation.ListObjectsV2 =>
                PublicAccess.List,
            _ => PublicAccess.None,
        };
        return needed != PublicAccess.None
            && await store.FindAsync(request.Bucket, cancel) is { } settings
            && settings.Access.HasFlag(needed);
    }
}
