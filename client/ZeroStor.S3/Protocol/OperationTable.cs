using System.Collections.Frozen;
using Microsoft.AspNetCore.Http;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Protocol;

/// <summary>Finds the operation by what the address names (the service, a bucket, a key), the method, and the
/// sub-resource, which is a parameter of the query without which S3 would mean another thing. Parameters that
/// are none are for the operation to read.</summary>
internal static class OperationTable
{
    /// <summary>The header that makes a put a copy.</summary>
    public const string CopySource = "x-amz-copy-source";

    private const string None = "";

    private static readonly FrozenDictionary<(string Method, string Sub), S3Operation> OfBuckets =
        new Dictionary<(string, string), S3Operation>
        {
            [(HttpMethods.Put, None)] = S3Operation.CreateBucket,
            [(HttpMethods.Head, None)] = S3Operation.HeadBucket,
            [(HttpMethods.Delete, None)] = S3Operation.DeleteBucket,
            [(HttpMethods.Get, None)] = S3Operation.ListObjects,
            [(HttpMethods.Get, "list-type")] = S3Operation.ListObjectsV2,
            [(HttpMethods.Get, "versions")] = S3Operation.ListObjectVersions,
            [(HttpMethods.Get, "uploads")] = S3Operation.ListMultipartUploads,
            [(HttpMethods.Post, "delete")] = S3Operation.DeleteObjects,
            [(HttpMethods.Get, "location")] = S3Operation.GetBucketLocation,
            [(HttpMethods.Get, "versioning")] = S3Operation.GetBucketVersioning,
            [(HttpMethods.Put, "versioning")] = S3Operation.PutBucketVersioning,
            [(HttpMethods.Get, "tagging")] = S3Operation.GetBucketTagging,
            [(HttpMethods.Put, "tagging")] = S3Operation.PutBucketTagging,
            [(HttpMethods.Delete, "tagging")] = S3Operation.DeleteBucketTagging,
            [(HttpMethods.Get, "acl")] = S3Operation.GetBucketAcl,
            [(HttpMethods.Put, "acl")] = S3Operation.PutBucketAcl,
            [(HttpMethods.Get, "policy")] = S3Operation.GetBucketPolicy,
            [(HttpMethods.Put, "policy")] = S3Operation.PutBucketPolicy,
            [(HttpMethods.Delete, "policy")] = S3Operation.DeleteBucketPolicy,
            [(HttpMethods.Get, "policyStatus")] = S3Operation.GetBucketPolicyStatus,
            [(HttpMethods.Get, "cors")] = S3Operation.GetBucketCors,
            [(HttpMethods.Put, "cors")] = S3Operation.PutBucketCors,
            [(HttpMethods.Delete, "cors")] = S3Operation.DeleteBucketCors,
        }.ToFrozenDictionary();

    private static readonly FrozenDictionary<(string Method, string Sub), S3Operation> OfKeys =
        new Dictionary<(string, string), S3Operation>
        {
            [(HttpMethods.Get, None)] = S3Operation.GetObject,
            [(HttpMethods.Head, None)] = S3Operation.HeadObject,
            [(HttpMethods.Put, None)] = S3Operation.PutObject,
            [(HttpMethods.Delete, None)] = S3Operation.DeleteObject,
            [(HttpMethods.Get, "attributes")] = S3Operation.GetObjectAttributes,
            [(HttpMethods.Get, "acl")] = S3Operation.GetObjectAcl,
            [(HttpMethods.Put, "acl")] = S3Operation.PutObjectAcl,
            [(HttpMethods.Get, "tagging")] = S3Operation.GetObjectTagging,
            [(HttpMethods.Put, "tagging")] = S3Operation.PutObjectTagging,
            [(HttpMethods.Delete, "tagging")] = S3Operation.DeleteObjectTagging,
            [(HttpMethods.Post, "uploads")] = S3Operation.CreateMultipartUpload,
            [(HttpMethods.Put, "uploadId")] = S3Operation.UploadPart,
            [(HttpMethods.Get, "uploadId")] = S3Operation.ListParts,
            [(HttpMethods.Post, "uploadId")] = S3Operation.CompleteMultipartUpload,
            [(HttpMethods.Delete, "uploadId")] = S3Operation.AbortMultipartUpload,
        }.ToFrozenDictionary();

    // What S3 has and this front end has not.
    private static readonly FrozenSet<string> Unknown = new[]
    {
        "accelerate", "analytics", "encryption", "intelligent-tiering", "inventory", "legal-hold",
        "lifecycle", "logging", "metadataConfiguration", "metadataTable", "metrics", "notification",
        "object-lock", "ownershipControls", "publicAccessBlock", "renameObject", "replication",
        "requestPayment", "restore", "retention", "select", "session", "torrent", "website",
    }.ToFrozenSet();

    private static readonly FrozenSet<string> BucketSubs = SubsOf(OfBuckets);

    private static readonly FrozenSet<string> KeySubs = SubsOf(OfKeys);

    private static readonly FrozenSet<string> Methods =
        new[] { HttpMethods.Get, HttpMethods.Head, HttpMethods.Put, HttpMethods.Post, HttpMethods.Delete }
            .ToFrozenSet();

    /// <exception cref="S3Exception">MethodNotAllowed, NotImplemented; InvalidArgument: two sub-resources at
    /// once. </exception>
    public static S3Operation Find(WireRequest request, S3Address address, QueryParameters query)
    {
        if (request.Method == HttpMethods.Options)
        {
            return S3Operation.CorsPreflight;
        }

        if (!Methods.Contains(request.Method))
        {
            throw NotAllowed(request, None);
        }

        if (address.Bucket is null)
        {
            return request.Method == HttpMethods.Get
                ? S3Operation.ListBuckets
                : throw NotAllowed(request, None);
        }

        bool hasKey = address.Key is not null;
        string sub = SubResource(query, hasKey ? KeySubs : BucketSubs);
        if (!(hasKey ? OfKeys : OfBuckets).TryGetValue((request.Method, sub), out S3Operation operation))
        {
            throw request.Method == HttpMethods.Post && !hasKey && sub == None
                ? S3Exception.NotImplemented("An upload by a browser's form")
                : NotAllowed(request, sub);
        }

        bool isCopy = request.Headers.ContainsKey(CopySource);
        return operation switch
        {
            S3Operation.ListObjectsV2 when query["list-type"] != "2" =>
                throw S3Exception.Argument(
                    "list-type", query["list-type"]!, "Invalid List Type specified in Request"),
            S3Operation.PutObject when query.Has("partNumber") =>
                throw S3Exception.Argument(
                    "uploadId", "", "This operation does not accept a query-string without uploadId."),
            S3Operation.PutObject when isCopy => S3Operation.CopyObject,
            S3Operation.UploadPart when isCopy => S3Operation.UploadPartCopy,
            _ => operation,
        };
    }

    private static string SubResource(QueryParameters query, FrozenSet<string> known)
    {
        string found = None;
        foreach ((string name, _) in query.All)
        {
            if (Unknown.Contains(name))
            {
                throw S3Exception.NotImplemented($"The sub-resource '{name}'");
            }

            if (known.Contains(name))
            {
                found = found == None || found == name
                    ? name
                    : throw S3Exception.Argument(
                        "ResourceType", name, $"Conflicting query parameters: {found} and {name}.");
            }
        }

        return found;
    }

    private static FrozenSet<string> SubsOf(
        FrozenDictionary<(string Method, string Sub), S3Operation> table) =>
        table.Keys.Select(k => k.Sub).Where(s => s != None).ToFrozenSet();

    private static S3Exception NotAllowed(WireRequest request, string sub) =>
        new S3Exception(S3Error.MethodNotAllowed)
            .With("Method", request.Method)
            .With("ResourceType", sub == None ? "SERVICE" : sub.ToUpperInvariant());
}
