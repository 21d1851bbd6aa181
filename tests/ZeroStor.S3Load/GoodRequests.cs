using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace ZeroStor.S3Load;

/// <summary>Requests of every operation, not signed yet, that a front end takes as they are. They go to one
/// bucket, and to uploads that are under way there.</summary>
internal sealed class GoodRequests(string bucket, string upload, string doomedUpload)
{
    private const string Xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

    private const string S3 = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

    private const string Crc32OfAbc = "NSRBwg==";

    /// <summary>Those that carry a document.</summary>
    public Message[] Documents { get; } =
    [
        Md5(Message.Of("POST", $"/{bucket}?delete").With(
            $"{Xml}<Delete {S3}><Quiet>true</Quiet><Object><Key>gone &amp; away</Key></Object>"
            + "<Object><Key>k</Key><VersionId>null</VersionId></Object></Delete>")),
        Message.Of("POST", $"/{bucket}/parts?uploadId={upload}").With(
            $"<CompleteMultipartUpload {S3}><Part><PartNumber>1</PartNumber>"
            + "<ETag>\"900150983cd24fb0d6963f7d28e17f72\"</ETag></Part><Part><PartNumber>2</PartNumber>"
            + "<ETag>none</ETag></Part></CompleteMultipartUpload>"),
        Message.Of("PUT", $"/{bucket}?versioning").With(
            $"<VersioningConfiguration {S3}><Status>Suspended</Status></VersioningConfiguration>"),
        Message.Of("PUT", $"/{bucket}?tagging").With(Tags),
        Message.Of("PUT", $"/{bucket}/k?tagging").With(Tags),
        Message.Of("PUT", $"/{bucket}?cors").With(
            $"<CORSConfiguration {S3}><CORSRule><ID>a</ID><AllowedOrigin>http://*.example.com</AllowedOrigin>"
            + "<AllowedMethod>GET</AllowedMethod><AllowedHeader>*</AllowedHeader>"
            + "<ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>5</MaxAgeSeconds></CORSRule>"
            + "</CORSConfiguration>"),
        Message.Of("PUT", $"/{bucket}?acl").With(
            $"<AccessControlPolicy {S3}><Owner><ID>1</ID></Owner><AccessControlList><Grant><Grantee "
            + "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"><ID>1</ID>"
            + "</Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList>"
            + "</AccessControlPolicy>"),
        Message.Of("PUT", $"/{bucket}?policy").With(
            "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"a\",\"Effect\":\"Allow\","
            + "\"Principal\":\"*\","
            + $"\"Action\":[\"s3:GetObject\"],\"Resource\":[\"arn:aws:s3:::{bucket}/*\"]}}]}}"),
        Message.Of("PUT", $"/{bucket}-2").With(
            $"<CreateBucketConfiguration {S3}><LocationConstraint>us-east-1</LocationConstraint>"
            + "</CreateBucketConfiguration>"),
    ];

    /// <summary>Those that carry none.</summary>
    public Message[] Others { get; } =
    [
        Message.Of("GET", "/"),
        Message.Of("PUT", $"/{bucket}"),
        Message.Of("HEAD", $"/{bucket}"),
        Message.Of("DELETE", $"/{bucket}-2"),
        Message.Of("GET", $"/{bucket}?location"),
        Message.Of("GET", $"/{bucket}?prefix=a%2F&delimiter=%2F&marker=a&max-keys=5"),
        Message.Of(
            "GET",
            $"/{bucket}?list-type=2&prefix=k&max-keys=2&encoding-type=url&start-after=a&fetch-owner=true"),
        Message.Of("GET", $"/{bucket}?versions&prefix=k&key-marker=k&version-id-marker=null"),
        Message.Of("GET", $"/{bucket}?uploads&max-uploads=3&delimiter=%2F&encoding-type=url"),
        .. new[] { "versioning", "tagging", "acl", "policy", "policyStatus", "cors", "lifecycle" }.Select(
            s => Message.Of("GET", $"/{bucket}?{s}")),
        Message.Of("DELETE", $"/{bucket}?tagging"),
        Message.Of("DELETE", $"/{bucket}?cors"),
        Message.Of("DELETE", $"/{bucket}?policy"),
        Message.Of("GET", $"/{bucket}/k", ("Range", "bytes=0-1"), ("If-None-Match", "\"e\", W/\"f\"")),
        Message.Of("GET", $"/{bucket}/a%20b?response-content-type=text%2Fplain&versionId=null"),
        Message.Of("HEAD", $"/{bucket}/k", ("If-Modified-Since", "Mon, 30 Nov 2026 12:00:00 GMT")),
        Message.Of("DELETE", $"/{bucket}/a%20b", ("If-Match", "\"e\"")),
        Message.Of("PUT", $"/{bucket}/copy", ("x-amz-copy-source", $"/{bucket}/k?versionId=null")),
        Message.Of("GET", $"/{bucket}/k?attributes", ("x-amz-object-attributes", "ETag,Checksum,ObjectSize")),
        Message.Of("GET", $"/{bucket}/k?acl"),
        Message.Of("GET", $"/{bucket}/k?tagging"),
        Message.Of("DELETE", $"/{bucket}/k?tagging"),
        Message.Of("POST", $"/{bucket}/more?uploads", ("x-amz-checksum-algorithm", "CRC32")),
        Message.Of("GET", $"/{bucket}/parts?uploadId={upload}&max-parts=2&part-number-marker=0"),
        Message.Of("DELETE", $"/{bucket}/parts?uploadId={doomedUpload}"),
        Message.Of(
            "PUT",
            $"/{bucket}/parts?partNumber=3&uploadId={upload}",
            ("x-amz-copy-source", $"{bucket}/k"),
            ("x-amz-copy-source-range", "bytes=0-0")),
        Message.Of(
            "OPTIONS",
            $"/{bucket}/k",
            ("Origin", "http://a.example.com"),
            ("Access-Control-Request-Method", "GET"),
            ("Access-Control-Request-Headers", "x-a, x-b")),
    ];

    /// <summary>Those that carry an object or a part.</summary>
    public Message[] Bodies { get; } =
    [
        Md5(Message.Of(
            "PUT",
            $"/{bucket}/k",
            ("Content-Type", "text/plain"),
            ("x-amz-meta-who", "me"),
            ("x-amz-tagging", "a=1&b=2"),
            ("x-amz-checksum-crc32", Crc32OfAbc)).With("abc")),
        Message.Of("PUT", $"/{bucket}/a%20b", ("x-amz-acl", "private"), ("Expect", "100-continue"))
            .With("abc"),
        Message.Of("PUT", $"/{bucket}/parts?partNumber=1&uploadId={upload}").With("abc"),
        Message.Of("PUT", $"/{bucket}/large").With(new string('x', 100_000)),
    ];

    /// <summary>Those that an address alone can ask.</summary>
    public Message[] Addresses { get; } =
        [Message.Of("GET", $"/{bucket}/k"), Message.Of("HEAD", $"/{bucket}/large"), Message.Of("GET", "/")];

    private static string Tags =>
        $"<Tagging {S3}><TagSet><Tag><Key>k</Key><Value>v &#x41;</Value></Tag></TagSet></Tagging>";

    /// <summary>A body in chunks without signatures, and its checksum behind it.</summary>
    public Message Trailed { get; } = Message.Of(
        "PUT",
        $"/{bucket}/trailed",
        ("Content-Encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "3"),
        ("x-amz-trailer", "x-amz-checksum-crc32")).With(
            $"2\r\nab\r\n1\r\nc\r\n0\r\nx-amz-checksum-crc32:{Crc32OfAbc}\r\n\r\n");

    [SuppressMessage("Security", "CA5351", Justification = "Content-MD5 is S3's.")]
    private static Message Md5(Message message) =>
        message.With("Content-MD5", Convert.ToBase64String(MD5.HashData(message.Body)));
}
