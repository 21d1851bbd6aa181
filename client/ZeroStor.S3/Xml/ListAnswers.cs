using System.Buffers;
using ZeroStor.Client;
using ZeroStor.S3.Bodies;
using ZeroStor.S3.Listing;
using ZeroStor.S3.Protocol;

namespace ZeroStor.S3.Xml;

/// <summary>Writes the answers of listings.</summary>
public static class ListAnswers
{
    public static void WriteObjects(IBufferWriter<byte> target, string bucket, ObjectPage page)
    {
        ArgumentNullException.ThrowIfNull(page);
        ListObjectsQuery query = page.Query;
        var xml = new XmlAnswer(target, "ListBucketResult");
        xml.Element("Name", bucket).Element("Prefix", query.Tell(query.Prefix));
        if (query.IsSecond)
        {
            xml.Optional("StartAfter", Told(query, query.StartAfter))
                .Optional("ContinuationToken", query.Token)
                .Optional("NextContinuationToken", page.NextToken)
                .Element("KeyCount", page.Entries.Length);
        }
        else
        {
            xml.Element("Marker", query.Tell(query.Marker))
                .Optional("NextMarker", Told(query, page.NextMarker));
        }

        WriteFrame(xml, query, "MaxKeys", page.IsTruncated);
        foreach (ListEntry entry in page.Entries.Where(e => !e.IsPrefix))
        {
            xml.Start("Contents")
                .Element("Key", query.Tell(entry.Key))
                .Element("LastModified", entry.Modified)
                .Element("ETag", ETags.Quote(entry.ETag))
                .Element("Size", entry.Size)
                .Element("StorageClass", Owner.StorageClass);
            if (query.HasOwner)
            {
                Owner.Write(xml);
            }

            xml.End("Contents");
        }

        WritePrefixes(xml, query, page.Entries.Where(e => e.IsPrefix).Select(e => e.Key));
        xml.End("ListBucketResult");
    }

    public static void WriteVersions(IBufferWriter<byte> target, string bucket, ManyPage<VersionLine> page)
    {
        ArgumentNullException.ThrowIfNull(page);
        ListManyQuery query = page.Query;
        XmlAnswer xml = new XmlAnswer(target, "ListVersionsResult")
            .Element("Name", bucket)
            .Element("Prefix", query.Tell(query.Prefix))
            .Element("KeyMarker", query.Tell(query.KeyMarker))
            .Element("VersionIdMarker", query.IdMarker ?? "")
            .Optional("NextKeyMarker", Told(query, page.NextKeyMarker))
            .Optional("NextVersionIdMarker", page.NextIdMarker);
        WriteFrame(xml, query, "MaxKeys", page.IsTruncated);
        foreach (VersionLine version in page.Lines.Select(l => l.Entry).OfType<VersionLine>())
        {
            string element = version.IsDeleteMarker ? "DeleteMarker" : "Version";
            xml.Start(element)
                .Element("Key", query.Tell(version.Key))
                .Element("VersionId", version.Id)
                .Element("IsLatest", version.IsLatest)
                .Element("LastModified", version.Modified);
            if (!version.IsDeleteMarker)
            {
                xml.Element("ETag", ETags.Quote(version.ETag))
                    .Element("Size", version.Size)
                    .Element("StorageClass", Owner.StorageClass);
            }

            Owner.Write(xml);
            xml.End(element);
        }

        WritePrefixes(xml, query, page.Lines.Select(l => l.CommonPrefix).OfType<string>());
        xml.End("ListVersionsResult");
    }

    public static void WriteUploads(IBufferWriter<byte> target, string bucket, ManyPage<UploadLine> page)
    {
        ArgumentNullException.ThrowIfNull(page);
        ListManyQuery query = page.Query;
        XmlAnswer xml = new XmlAnswer(target, "ListMultipartUploadsResult")
            .Element("Bucket", bucket)
            .Element("Prefix", query.Tell(query.Prefix))
            .Element("KeyMarker", query.Tell(query.KeyMarker))
            .Element("UploadIdMarker", query.IdMarker ?? "")
            .Optional("NextKeyMarker", Told(query, page.NextKeyMarker))
            .Optional("NextUploadIdMarker", page.NextIdMarker);
        WriteFrame(xml, query, "MaxUploads", page.IsTruncated);
        foreach (UploadLine upload in page.Lines.Select(l => l.Entry).OfType<UploadLine>())
        {
            xml.Start("Upload").Element("Key", query.Tell(upload.Key)).Element("UploadId", upload.Id);
            Owner.Write(xml, "Initiator");
            Owner.Write(xml);
            xml.Element("StorageClass", Owner.StorageClass)
                .Element("Initiated", upload.Initiated)
                .End("Upload");
        }

        WritePrefixes(xml, query, page.Lines.Select(l => l.CommonPrefix).OfType<string>());
        xml.End("ListMultipartUploadsResult");
    }

    public static void WriteParts(
        IBufferWriter<byte> target, string bucket, string key, string uploadId, PartPage page)
    {
        ArgumentNullException.ThrowIfNull(page);
        XmlAnswer xml = new XmlAnswer(target, "ListPartsResult")
            .Element("Bucket", bucket)
            .Element("Key", key)
            .Element("UploadId", uploadId);
        Owner.Write(xml, "Initiator");
        Owner.Write(xml);
        xml.Element("StorageClass", Owner.StorageClass)
            .Element("PartNumberMarker", page.Query.Marker)
            .Element("NextPartNumberMarker", page.NextMarker)
            .Element("MaxParts", page.Query.Max)
            .Element("IsTruncated", page.IsTruncated);
        foreach (PartEntry part in page.Parts)
        {
            xml.Start("Part")
                .Element("PartNumber", part.Number)
                .Element("LastModified", part.Modified)
                .Element("ETag", ETags.Quote(part.ETag))
                .Element("Size", part.Size);
            if (part.Algorithm is { } algorithm)
            {
                xml.Optional(algorithm.Element, part.Checksum);
            }

            xml.End("Part");
        }

        xml.End("ListPartsResult");
    }

    private static void WriteFrame(
        XmlAnswer xml, KeyListQuery query, string maxElement, bool isTruncated) => xml
        .Element(maxElement, query.Max)
        .Optional("Delimiter", Told(query, query.Delimiter))
        .Optional("EncodingType", query.IsUrlEncoded ? "url" : null)
        .Element("IsTruncated", isTruncated);

    private static void WritePrefixes(XmlAnswer xml, KeyListQuery query, IEnumerable<string> prefixes)
    {
        foreach (string prefix in prefixes)
        {
            xml.Start("CommonPrefixes").Element("Prefix", query.Tell(prefix)).End("CommonPrefixes");
        }
    }

    private static string? Told(KeyListQuery query, string? text) => text is null ? null : query.Tell(text);
}
