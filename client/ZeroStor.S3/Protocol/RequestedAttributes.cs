using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Protocol;

/// <summary>What a GetObjectAttributes asks for.</summary>
[Flags]
public enum RequestedAttributes
{
    None = 0,
    ETag = 1,
    Checksum = 2,
    ObjectParts = 4,
    StorageClass = 8,
    ObjectSize = 16,
}

/// <summary>Reads <c>x-amz-object-attributes</c>.</summary>
public static class AttributesHeader
{
    public const string Name = "x-amz-object-attributes";

    /// <exception cref="S3Exception">InvalidArgument: none, or one that S3 has not.</exception>
    public static RequestedAttributes Read(WireRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        string header = request.Header(Name) ?? "";
        RequestedAttributes asked = RequestedAttributes.None;
        foreach (string name in header.Split(',', StringSplitOptions.TrimEntries))
        {
            asked |= name switch
            {
                "ETag" => RequestedAttributes.ETag,
                "Checksum" => RequestedAttributes.Checksum,
                "ObjectParts" => RequestedAttributes.ObjectParts,
                "StorageClass" => RequestedAttributes.StorageClass,
                "ObjectSize" => RequestedAttributes.ObjectSize,
                _ => throw S3Exception.Argument(Name, header, "Invalid attribute name specified."),
            };
        }

        return asked;
    }
}
