using System.Xml.Linq;
using ZeroStor.Client;
using ZeroStor.S3.Bodies;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Listing;
using ZeroStor.S3.Protocol;
using ZeroStor.S3.Xml;

namespace ZeroStor.Tests.S3.Xml;

/// <summary>Each answer's elements in their order, as S3's clients read them.</summary>
public sealed class AnswersTests
{
    private static readonly DateTimeOffset Time = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);

    private const string At = "2026-11-30T12:00:00.000Z";

    private const string Owner = "Owner(ID=zerostor DisplayName=zerostor)";

    [Fact]
    public void Buckets() => Same(
        $"ListAllMyBucketsResult({Owner} Buckets(Bucket(Name=photos CreationDate={At})))",
        Wire.Written(b => BucketAnswers.WriteBuckets(b, [new BucketEntry("photos", Time)])));

    [Fact]
    public void Locations_and_versioning()
    {
        Same("LocationConstraint=eu-1", Wire.Written(b => BucketAnswers.WriteLocation(b, "eu-1")));
        Same("LocationConstraint=", Wire.Written(b => BucketAnswers.WriteLocation(b, "us-east-1")));
        Same("VersioningConfiguration=", Wire.Written(b => BucketAnswers.WriteVersioning(b, null)));
        Same(
            "VersioningConfiguration(Status=Enabled)",
            Wire.Written(b => BucketAnswers.WriteVersioning(b, true)));
        Same(
            "VersioningConfiguration(Status=Suspended)",
            Wire.Written(b => BucketAnswers.WriteVersioning(b, false)));
        Same("PolicyStatus(IsPublic=true)", Wire.Written(b => BucketAnswers.WritePolicyStatus(b, true)));
    }

    [Fact]
    public void Tags() => Same(
        "Tagging(TagSet(Tag(Key=a Value=1) Tag(Key=b Value=)))",
        Wire.Written(b => BucketAnswers.WriteTagging(b, TagSet.OfHeader("b=&a=1"))));

    [Fact]
    public void Objects_in_the_first_form() => Same(
        "ListBucketResult(Name=photos Prefix=p%20 Marker=m NextMarker=z/ MaxKeys=2 Delimiter=/ "
        + $"EncodingType=url IsTruncated=true Contents(Key=a%20b LastModified={At} ETag=\"e\" Size=5 "
        + $"StorageClass=STANDARD {Owner}) CommonPrefixes(Prefix=z/))",
        Wire.Written(b => ListAnswers.WriteObjects(b, "photos", new ObjectPage(
            new ListObjectsQuery(
                Wire.Query("prefix=p%20&delimiter=/&marker=m&max-keys=2&encoding-type=url"), isSecond: false),
            [
                new ListEntry { Key = "a b", IsPrefix = false, Size = 5, ETag = "e", Modified = Time },
                new ListEntry { Key = "z/", IsPrefix = true },
            ],
            "z/"))));

    [Fact]
    public void Objects_in_the_second_form() => Same(
        "ListBucketResult(Name=photos Prefix= StartAfter=s KeyCount=1 MaxKeys=1000 IsTruncated=false "
        + $"Contents(Key=a b LastModified={At} ETag=\"e\" Size=5 StorageClass=STANDARD))",
        Wire.Written(b => ListAnswers.WriteObjects(b, "photos", new ObjectPage(
            new ListObjectsQuery(Wire.Query("list-type=2&start-after=s"), isSecond: true),
            [new ListEntry { Key = "a b", IsPrefix = false, Size = 5, ETag = "e", Modified = Time }],
            null))));

    [Fact]
    public void Versions() => Same(
        "ListVersionsResult(Name=photos Prefix= KeyMarker=k VersionIdMarker=v NextKeyMarker=b "
        + "NextVersionIdMarker=w MaxKeys=1000 IsTruncated=true "
        + $"Version(Key=a VersionId=u IsLatest=true LastModified={At} ETag=\"e\" Size=5 "
        + $"StorageClass=STANDARD {Owner}) "
        + $"DeleteMarker(Key=b VersionId=w IsLatest=false LastModified={At} {Owner}) "
        + "CommonPrefixes(Prefix=aa/))",
        Wire.Written(b => ListAnswers.WriteVersions(b, "photos", new ManyPage<VersionLine>(
            ListManyQuery.OfVersions(Wire.Query("key-marker=k&version-id-marker=v")),
            [
                new(new VersionLine("a", "u", Time) { IsLatest = true, ETag = "e", Size = 5 }, null),
                new(null, "aa/"),
                new(new VersionLine("b", "w", Time) { IsDeleteMarker = true }, null),
            ],
            IsTruncated: true))));

    [Fact]
    public void Uploads() => Same(
        "ListMultipartUploadsResult(Bucket=photos Prefix= KeyMarker= UploadIdMarker= MaxUploads=1000 "
        + "IsTruncated=false "
        + $"Upload(Key=a UploadId=u Initiator(ID=zerostor DisplayName=zerostor) {Owner} "
        + $"StorageClass=STANDARD Initiated={At}))",
        Wire.Written(b => ListAnswers.WriteUploads(b, "photos", new ManyPage<UploadLine>(
            ListManyQuery.OfUploads(Wire.Query("")), [new(new UploadLine("a", "u", Time), null)], false))));

    [Fact]
    public void Parts() => Same(
        $"ListPartsResult(Bucket=photos Key=a UploadId=u Initiator(ID=zerostor DisplayName=zerostor) {Owner} "
        + "StorageClass=STANDARD PartNumberMarker=1 NextPartNumberMarker=2 MaxParts=1 IsTruncated=true "
        + $"Part(PartNumber=2 LastModified={At} ETag=\"e\" Size=5 ChecksumSHA1=s))",
        Wire.Written(b => ListAnswers.WriteParts(b, "photos", "a", "u", PartLister.List(
            [
                new PartEntry(1, "d", 5, Time),
                new PartEntry(2, "e", 5, Time, ChecksumAlgorithm.Sha1, "s"),
                new PartEntry(3, "f", 5, Time),
            ],
            ListPartsQuery.OfUpload(Wire.Query("max-parts=1&part-number-marker=1"))))));

    [Fact]
    public void Multipart_uploads()
    {
        Same(
            "InitiateMultipartUploadResult(Bucket=photos Key=a UploadId=u)",
            Wire.Written(b => ObjectAnswers.WriteInitiated(b, "photos", "a", "u")));
        Same(
            "CompleteMultipartUploadResult(Location=http://h/photos/a Bucket=photos Key=a ETag=\"e-2\" "
            + "ChecksumCRC32=c-2 ChecksumType=COMPOSITE)",
            Wire.Written(b => ObjectAnswers.WriteCompleted(
                b,
                "http://h/photos/a",
                "photos",
                "a",
                "e-2",
                new ObjectChecksum(ChecksumAlgorithm.Crc32, "c-2", ChecksumType.Composite))));
    }

    [Fact]
    public void Copies()
    {
        var checksum = new ObjectChecksum(ChecksumAlgorithm.Crc64Nvme, "c", ChecksumType.FullObject);
        Same(
            $"CopyObjectResult(LastModified={At} ETag=\"e\" ChecksumCRC64NVME=c ChecksumType=FULL_OBJECT)",
            Wire.Written(b => ObjectAnswers.WriteCopied(b, isPart: false, "e", Time, checksum)));
        Same(
            $"CopyPartResult(LastModified={At} ETag=\"e\" ChecksumCRC64NVME=c)",
            Wire.Written(b => ObjectAnswers.WriteCopied(b, isPart: true, "e", Time, checksum)));
        Same(
            $"CopyPartResult(LastModified={At} ETag=\"e\")",
            Wire.Written(b => ObjectAnswers.WriteCopied(b, isPart: true, "e", Time, null)));
    }

    [Fact]
    public void Deletes()
    {
        DeleteOutcome[] outcomes =
        [
            new(new NamedObject("a", null, null)),
            new(new NamedObject("b", "v", null), Marker: "m"),
            new(new NamedObject("c", null, null), new S3Exception(S3Error.AccessDenied)),
        ];
        const string Failed = "Error(Key=c Code=AccessDenied Message=Access Denied)";
        Same(
            "DeleteResult(Deleted(Key=a) Deleted(Key=b VersionId=v DeleteMarker=true "
            + "DeleteMarkerVersionId=m) "
            + $"{Failed})",
            Wire.Written(b => ObjectAnswers.WriteDeleted(b, outcomes, isQuiet: false)));
        Same($"DeleteResult({Failed})", Wire.Written(
            b => ObjectAnswers.WriteDeleted(b, outcomes, isQuiet: true)));
    }

    [Fact]
    public void Attributes()
    {
        Same(
            "GetObjectAttributesResponse=",
            Wire.Written(b => ObjectAnswers.WriteAttributes(b, new ObjectAttributes())));
        Same(
            "GetObjectAttributesResponse(ETag=e Checksum(ChecksumSHA256=c ChecksumType=COMPOSITE) "
            + "ObjectParts(PartsCount=2 PartNumberMarker=0 NextPartNumberMarker=1 MaxParts=1 "
            + "IsTruncated=true "
            + "Part(PartNumber=1 Size=5)) StorageClass=STANDARD ObjectSize=10)",
            Wire.Written(b => ObjectAnswers.WriteAttributes(b, new ObjectAttributes
            {
                ETag = "e",
                Checksum = new ObjectChecksum(ChecksumAlgorithm.Sha256, "c", ChecksumType.Composite),
                Parts = PartLister.List(
                    [new PartEntry(1, "a", 5, Time), new PartEntry(2, "b", 5, Time)],
                    ListPartsQuery.OfUpload(Wire.Query("max-parts=1"))),
                PartsCount = 2,
                HasStorageClass = true,
                Size = 10,
            })));
    }

    // A document without its signs: Name=text, or Name(children).
    private static void Same(string told, string document)
    {
        XElement root = XElement.Parse(document);
        Assert.Equal("http://s3.amazonaws.com/doc/2006-03-01/", root.Name.NamespaceName);
        Assert.Equal(told, Tell(root));

        static string Tell(XElement element) => element.HasElements
            ? $"{element.Name.LocalName}({string.Join(' ', element.Elements().Select(Tell))})"
            : $"{element.Name.LocalName}={element.Value}";
    }
}
