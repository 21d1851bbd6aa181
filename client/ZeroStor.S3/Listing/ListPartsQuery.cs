using System.Globalization;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Listing;

/// <summary>A listing of the parts of an upload, or of an object that was put in parts.</summary>
public sealed record ListPartsQuery
{
    private ListPartsQuery(string? max, string maxName, string? marker, string markerName)
    {
        Max = KeyListQuery.MaxOf(max, maxName);
        Marker = string.IsNullOrEmpty(marker)
            ? 0
            : int.TryParse(marker, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                ? number
                : throw S3Exception.Argument(
                    markerName,
                    marker,
                    $"Argument {markerName} must be an integer between 0 and {int.MaxValue}");
    }

    /// <summary>The most parts.</summary>
    public int Max { get; }

    /// <summary>Behind which number it begins.</summary>
    public int Marker { get; }

    /// <summary>That of a ListParts.</summary>
    /// <exception cref="S3Exception">InvalidArgument.</exception>
    public static ListPartsQuery OfUpload(QueryParameters query)
    {
        ArgumentNullException.ThrowIfNull(query);
        const string MaxName = "max-parts";
        const string MarkerName = "part-number-marker";
        return new ListPartsQuery(query[MaxName], MaxName, query[MarkerName], MarkerName);
    }

    /// <summary>That of a GetObjectAttributes, which asks in headers.</summary>
    /// <exception cref="S3Exception">InvalidArgument.</exception>
    public static ListPartsQuery OfAttributes(WireRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        const string MaxName = "x-amz-max-parts";
        const string MarkerName = "x-amz-part-number-marker";
        return new ListPartsQuery(request.Header(MaxName), MaxName, request.Header(MarkerName), MarkerName);
    }
}
