using System.Collections.Immutable;
using System.Globalization;
using ZeroStor.S3.Bodies;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Protocol;

namespace ZeroStor.S3.Xml;

/// <summary>A part as the completion of an upload names it.</summary>
/// <param name="Number">1 to 10,000.</param>
/// <param name="ETag">Without quotes.</param>
/// <param name="Algorithm">Of the checksum; null: none is named.</param>
/// <param name="Checksum">In base64.</param>
public sealed record NamedPart(int Number, string ETag, ChecksumAlgorithm? Algorithm, string? Checksum);

/// <summary>Reads <c>CompleteMultipartUpload</c>.</summary>
public static class CompleteUploadDocument
{
    /// <summary>10,000 parts with a checksum each.</summary>
    public const int MaxBytes = 4 * 1024 * 1024;

    /// <summary>The parts in ascending order, at least one.</summary>
    /// <exception cref="S3Exception">MalformedXML, InvalidPartOrder.</exception>
    public static ImmutableArray<NamedPart> Read(ReadOnlySpan<byte> document)
    {
        ImmutableArray<NamedPart>.Builder parts = ImmutableArray.CreateBuilder<NamedPart>();
        XmlDocumentReader.Read(document, "CompleteMultipartUpload", xml =>
        {
            xml.ForEachChild(name =>
            {
                if (name != "Part")
                {
                    return false;
                }

                parts.Add(parts.Count < S3Request.MaxPartNumber
                    ? ReadPart(xml)
                    : throw XmlDocumentReader.Malformed("there are more than 10,000 parts"));
                return true;
            });
            return true;
        });
        if (parts.Count == 0)
        {
            throw XmlDocumentReader.Malformed("there is no part");
        }

        for (int i = 1; i < parts.Count; i++)
        {
            if (parts[i].Number <= parts[i - 1].Number)
            {
                throw new S3Exception(S3Error.InvalidPartOrder);
            }
        }

        return parts.ToImmutable();
    }

    private static NamedPart ReadPart(XmlDocumentReader xml)
    {
        int number = 0;
        string etag = "";
        ChecksumAlgorithm? algorithm = null;
        string? checksum = null;
        xml.ForEachChild(name =>
        {
            if (name == "PartNumber")
            {
                string text = xml.Text().Trim();
                _ = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
                return true;
            }

            if (name == "ETag")
            {
                etag = ETags.Bare(xml.Text());
                return true;
            }

            foreach (ChecksumAlgorithm known in ChecksumAlgorithms.All)
            {
                if (name == known.Element)
                {
                    (algorithm, checksum) = algorithm is null
                        ? (known, xml.Text().Trim())
                        : throw XmlDocumentReader.Malformed("a part has several checksums");
                    return true;
                }
            }

            return false;
        });
        return number is >= 1 and <= S3Request.MaxPartNumber && etag.Length > 0
            ? new NamedPart(number, etag, algorithm, checksum)
            : throw XmlDocumentReader.Malformed("a part has no number from 1 to 10,000, or no ETag");
    }
}
