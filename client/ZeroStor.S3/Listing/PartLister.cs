using System.Collections.Immutable;
using ZeroStor.S3.Bodies;

namespace ZeroStor.S3.Listing;

/// <summary>A part of an upload, as it was put last.</summary>
/// <param name="Number">1 to 10,000.</param>
/// <param name="ETag">Without quotes.</param>
/// <param name="Size">In bytes.</param>
/// <param name="Modified">When it was put.</param>
/// <param name="Algorithm">Of the checksum; null: it has none.</param>
/// <param name="Checksum">In base64.</param>
public sealed record PartEntry(
    int Number,
    string ETag,
    long Size,
    DateTimeOffset Modified,
    ChecksumAlgorithm? Algorithm = null,
    string? Checksum = null);

/// <summary>A page of the parts of an upload.</summary>
public sealed record PartPage(ListPartsQuery Query, ImmutableArray<PartEntry> Parts, bool IsTruncated)
{
    /// <summary>The number of the last part; 0 where there is none.</summary>
    public int NextMarker => Parts.IsEmpty ? 0 : Parts[^1].Number;
}

/// <summary>Lists the parts of an upload as S3 does.</summary>
public static class PartLister
{
    /// <param name="parts">By their numbers: all, or one more than asked for of those behind the marker.</param>
    /// <param name="query">What is asked.</param>
    public static PartPage List(IReadOnlyList<PartEntry> parts, ListPartsQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        PartEntry[] behind = [.. parts.Where(p => p.Number > query.Marker)];
        return new PartPage(
            query, [.. behind.Take(query.Max)], IsTruncated: query.Max > 0 && behind.Length > query.Max);
    }
}
