using System.Buffers;
using ZeroStor.S3.Bodies;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Listing;
using ZeroStor.S3.Protocol;

namespace ZeroStor.S3.Xml;

/// <summary>A checksum as answers tell it.</summary>
/// <param name="Algorithm">What made it.</param>
/// <param name="Value">In base64; of a composite with the number of parts behind it.</param>
/// <param name="Type">What it was made over.</param>
public sealed record ObjectChecksum(ChecksumAlgorithm Algorithm, string Value, ChecksumType Type);

/// <summary>What became of one of the objects of a DeleteObjects.</summary>
/// <param name="Named">As the order named it.</param>
/// <param name="Failure">Null: it is deleted, or never was.</param>
/// <param name="Marker">The version of the delete marker that was made, or that was deleted; null:
/// none.</param>
public sealed record DeleteOutcome(NamedObject Named, S3Exception? Failure = null, string? Marker = null);

/// <summary>What a GetObjectAttributes asks for and found; what was not asked for is null.</summary>
public sealed record ObjectAttributes
{
    public string? ETag { get; init; }

    public ObjectChecksum? Checksum { get; init; }

    public PartPage? Parts { get; init; }

    /// <summary>How many parts the object was put in.</summary>
    public int PartsCount { get; init; }

    public bool HasStorageClass { get; init; }

    public long? Size { get; init; }
}

/// <summary>Writes the answers that are about single objects and uploads.</summary>
public static class ObjectAnswers
{
    public static void WriteInitiated(
        IBufferWriter<byte> target, string bucket, string key, string uploadId) =>
        new XmlAnswer(target, "InitiateMultipartUploadResult")
            .Element("Bucket", bucket)
            .Element("Key", key)
            .Element("UploadId", uploadId)
            .End("InitiateMultipartUploadResult");

    /// <param name="target">Takes UTF-8.</param>
    /// <param name="location">The address that the object has now.</param>
    /// <param name="bucket">Its bucket.</param>
    /// <param name="key">Its key.</param>
    /// <param name="etag">Without quotes.</param>
    /// <param name="checksum">Null: it has none.</param>
    public static void WriteCompleted(
        IBufferWriter<byte> target,
        string location,
        string bucket,
        string key,
        string etag,
        ObjectChecksum? checksum)
    {
        XmlAnswer xml = new XmlAnswer(target, "CompleteMultipartUploadResult")
            .Element("Location", location)
            .Element("Bucket", bucket)
            .Element("Key", key)
            .Element("ETag", ETags.Quote(etag));
        WriteChecksum(xml, checksum);
        xml.End("CompleteMultipartUploadResult");
    }

    /// <param name="target">Takes UTF-8.</param>
    /// <param name="isPart">The answer of UploadPartCopy, else of CopyObject.</param>
    /// <param name="etag">Without quotes.</param>
    /// <param name="modified">When it was committed.</param>
    /// <param name="checksum">Null: it has none.</param>
    public static void WriteCopied(
        IBufferWriter<byte> target,
        bool isPart,
        string etag,
        DateTimeOffset modified,
        ObjectChecksum? checksum)
    {
        string root = isPart ? "CopyPartResult" : "CopyObjectResult";
        XmlAnswer xml = new XmlAnswer(target, root)
            .Element("LastModified", modified)
            .Element("ETag", ETags.Quote(etag));
        if (isPart)
        {
            xml.Optional(checksum?.Algorithm.Element ?? "", checksum?.Value);
        }
        else
        {
            WriteChecksum(xml, checksum);
        }

        xml.End(root);
    }

    public static void WriteDeleted(
        IBufferWriter<byte> target, IEnumerable<DeleteOutcome> outcomes, bool isQuiet)
    {
        ArgumentNullException.ThrowIfNull(outcomes);
        var xml = new XmlAnswer(target, "DeleteResult");
        foreach (DeleteOutcome outcome in outcomes)
        {
            if (outcome.Failure is { } failure)
            {
                xml.Start("Error")
                    .Element("Key", outcome.Named.Key)
                    .Optional("VersionId", outcome.Named.VersionId)
                    .Element("Code", failure.Error.Code)
                    .Element("Message", failure.Message)
                    .End("Error");
            }
            else if (!isQuiet)
            {
                xml.Start("Deleted")
                    .Element("Key", outcome.Named.Key)
                    .Optional("VersionId", outcome.Named.VersionId)
                    .Optional("DeleteMarker", outcome.Marker is null ? null : "true")
                    .Optional("DeleteMarkerVersionId", outcome.Marker)
                    .End("Deleted");
            }
        }

        xml.End("DeleteResult");
    }

    public static void WriteAttributes(IBufferWriter<byte> target, ObjectAttributes attributes)
    {
        ArgumentNullException.ThrowIfNull(attributes);
        var xml = new XmlAnswer(target, "GetObjectAttributesResponse");
        xml.Optional("ETag", attributes.ETag);
        if (attributes.Checksum is { } checksum)
        {
            xml.Start("Checksum");
            WriteChecksum(xml, checksum);
            xml.End("Checksum");
        }

        if (attributes.Parts is { } parts)
        {
            WriteParts(xml, parts, attributes.PartsCount);
        }

        xml.Optional("StorageClass", attributes.HasStorageClass ? Owner.StorageClass : null);
        if (attributes.Size is { } size)
        {
            xml.Element("ObjectSize", size);
        }

        xml.End("GetObjectAttributesResponse");
    }

    private static void WriteParts(XmlAnswer xml, PartPage page, int partsCount)
    {
        xml.Start("ObjectParts").Element("PartsCount", partsCount);
        xml.Element("PartNumberMarker", page.Query.Marker)
            .Element("NextPartNumberMarker", page.NextMarker)
            .Element("MaxParts", page.Query.Max)
            .Element("IsTruncated", page.IsTruncated);
        foreach (PartEntry part in page.Parts)
        {
            xml.Start("Part").Element("PartNumber", part.Number).Element("Size", part.Size);
            xml.Optional(part.Algorithm?.Element ?? "", part.Checksum).End("Part");
        }

        xml.End("ObjectParts");
    }

    private static void WriteChecksum(XmlAnswer xml, ObjectChecksum? checksum)
    {
        if (checksum is not null)
        {
            xml.Element(checksum.Algorithm.Element, checksum.Value)
                .Element("ChecksumType", ChecksumTypes.NameOf(checksum.Type));
        }
    }
}
