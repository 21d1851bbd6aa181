using ZeroStor.Client;
using ZeroStor.S3.Protocol;

namespace ZeroStor.S3.Operations;

/// <summary>Hands a request that may be answered to whoever answers it.</summary>
internal sealed class Router(ZeroStorClient client, BucketSettingsStore store, S3Options options)
{
    private readonly Buckets _buckets = new(client, store, options);
    private readonly Settings _settings = new(store);
    private readonly Copies _copies = new(client);
    private readonly Uploads _uploads = new(client);
    private readonly Completion _completion = new(options);

    public Task AnswerAsync(S3Exchange exchange) => exchange.Request.Operation switch
    {
        S3Operation.ListBuckets => _buckets.ListAsync(exchange),
        S3Operation.CreateBucket => _buckets.CreateAsync(exchange),
        S3Operation.HeadBucket => _buckets.HeadAsync(exchange),
        S3Operation.DeleteBucket => _buckets.DeleteAsync(exchange),
        S3Operation.GetBucketLocation => _buckets.GetLocationAsync(exchange),
        S3Operation.GetBucketVersioning => Buckets.GetVersioningAsync(exchange),
        S3Operation.PutBucketVersioning => Buckets.PutVersioningAsync(exchange),
        S3Operation.GetBucketTagging => _settings.GetTagsAsync(exchange),
        S3Operation.PutBucketTagging => _settings.PutTagsAsync(exchange),
        S3Operation.DeleteBucketTagging => _settings.DeleteTagsAsync(exchange),
        S3Operation.GetBucketAcl => _settings.GetAclAsync(exchange),
        S3Operation.PutBucketAcl => _settings.PutAclAsync(exchange),
        S3Operation.GetBucketPolicy => _settings.GetPolicyAsync(exchange),
        S3Operation.PutBucketPolicy => _settings.PutPolicyAsync(exchange),
        S3Operation.DeleteBucketPolicy => _settings.DeletePolicyAsync(exchange),
        S3Operation.GetBucketPolicyStatus => _settings.GetPolicyStatusAsync(exchange),
        S3Operation.GetBucketCors => _settings.GetCorsAsync(exchange),
        S3Operation.PutBucketCors => _settings.PutCorsAsync(exchange),
        S3Operation.DeleteBucketCors => _settings.DeleteCorsAsync(exchange),
        S3Operation.ListObjects => Listings.ListObjectsAsync(exchange, isSecond: false),
        S3Operation.ListObjectsV2 => Listings.ListObjectsAsync(exchange, isSecond: true),
        S3Operation.ListObjectVersions => Listings.ListVersionsAsync(exchange),
        S3Operation.ListMultipartUploads => Listings.ListUploadsAsync(exchange),
        S3Operation.DeleteObjects => ObjectWrites.DeleteManyAsync(exchange),
        S3Operation.GetObject => ObjectReads.GetAsync(exchange),
        S3Operation.HeadObject => ObjectReads.HeadAsync(exchange),
        S3Operation.PutObject => ObjectWrites.PutAsync(exchange),
        S3Operation.CopyObject => _copies.CopyAsync(exchange),
        S3Operation.DeleteObject => ObjectWrites.DeleteAsync(exchange),
        S3Operation.GetObjectAttributes => ObjectReads.GetAttributesAsync(exchange),
        S3Operation.GetObjectAcl => _settings.GetObjectAclAsync(exchange),
        S3Operation.PutObjectAcl => _settings.PutObjectAclAsync(exchange),
        S3Operation.GetObjectTagging => ObjectTags.GetAsync(exchange),
        S3Operation.PutObjectTagging => ObjectTags.PutAsync(exchange),
        S3Operation.DeleteObjectTagging => ObjectTags.DeleteAsync(exchange),
        S3Operation.CreateMultipartUpload => Uploads.CreateAsync(exchange),
        S3Operation.UploadPart => Uploads.PutPartAsync(exchange),
        S3Operation.UploadPartCopy => _uploads.CopyPartAsync(exchange),
        S3Operation.ListParts => Uploads.ListPartsAsync(exchange),
        S3Operation.CompleteMultipartUpload => _completion.CompleteAsync(exchange),
        S3Operation.AbortMultipartUpload => Uploads.AbortAsync(exchange),
        var other => throw new InvalidOperationException($"Nobody answers {other}."),
    };
}
