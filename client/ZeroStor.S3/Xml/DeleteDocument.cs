using System.Collections.Immutable;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Xml;

/// <summary>An object to be deleted.</summary>
/// <param name="Key">May be one that no object can have; its refusal is told with the others'
/// results.</param>
/// <param name="VersionId">Null: the current version.</param>
/// <param name="ETag">That it must have, as it was given; null: any.</param>
public sealed record NamedObject(string Key, string? VersionId, string? ETag);

/// <summary>Many objects to be deleted at once.</summary>
/// <param name="Objects">At least one.</param>
/// <param name="IsQuiet">Only failures are told.</param>
public sealed record DeleteOrder(ImmutableArray<NamedObject> Objects, bool IsQuiet);

/// <summary>Reads <c>Delete</c>.</summary>
public static class DeleteDocument
{
    public const int MaxObjects = 1000;

    /// <summary>So many of the longest keys, each byte a character reference, are more; S3 bounds it
    /// so.</summary>
    public const int MaxBytes = 2 * 1024 * 1024;

    /// <exception cref="S3Exception">MalformedXML; NotImplemented: conditions that are not
    /// compared.</exception>
    public static DeleteOrder Read(ReadOnlySpan<byte> document)
    {
        ImmutableArray<NamedObject>.Builder objects = ImmutableArray.CreateBuilder<NamedObject>();
        bool isQuiet = false;
        XmlDocumentReader.Read(document, "Delete", xml =>
        {
            xml.ForEachChild(name =>
            {
                switch (name)
                {
                    case "Object":
                        objects.Add(objects.Count < MaxObjects
                            ? ReadObject(xml)
                            : throw XmlDocumentReader.Malformed($"there are more than {MaxObjects} objects"));
                        return true;
                    case "Quiet":
                        isQuiet = xml.Text().Trim() == "true";
                        return true;
                    default:
                        return false;
                }
            });
            return true;
        });
        return objects.Count > 0
            ? new DeleteOrder(objects.ToImmutable(), isQuiet)
            : throw XmlDocumentReader.Malformed("there is no object");
    }

    private static NamedObject ReadObject(XmlDocumentReader xml)
    {
        string? key = null;
        string? versionId = null;
        string? etag = null;
        xml.ForEachChild(name =>
        {
            switch (name)
            {
                case "Key":
                    key = xml.Text();
                    return true;
                case "VersionId":
                    versionId = xml.Text() is { Length: > 0 } id ? id : null;
                    return true;
                case "ETag":
                    etag = xml.Text() is { Length: > 0 } tag ? tag : null;
                    return true;
                case "LastModifiedTime" or "Size":
                    throw S3Exception.NotImplemented($"The condition {name} of a delete");
                default:
                    return false;
            }
        });
        return string.IsNullOrEmpty(key)
            ? throw XmlDocumentReader.Malformed("an object has no key")
            : new NamedObject(key, versionId, etag);
    }
}
