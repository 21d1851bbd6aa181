using System.Collections.Immutable;
using ZeroStor.Client;

namespace ZeroStor.S3.Listing;

/// <summary>Where a page of keys comes from: <see cref="Vault.ListPageAsync"/>, or what stands for
/// it.</summary>
/// <param name="options">What to list, and from where.</param>
/// <param name="max">1 to <see cref="KeyListQuery.MaxEntries"/>.</param>
/// <param name="cancel">Ends the wait.</param>
public delegate Task<ListPage> ListKeys(ListOptions options, int max, CancellationToken cancel);

/// <summary>A page of current objects.</summary>
/// <param name="Query">What it answers.</param>
/// <param name="Entries">Objects and common prefixes in one order.</param>
/// <param name="Next">Behind which key or prefix the next page begins; null: there is none.</param>
public sealed record ObjectPage(ListObjectsQuery Query, ImmutableArray<ListEntry> Entries, string? Next)
{
    /// <summary>Whether there is at least one entry more. A page of none, which a client may ask for, says
    /// that there is not.</summary>
    public bool IsTruncated => Next is not null;

    /// <summary>What the first form tells of where to go on: only folded listings do, for in others it is the
    /// last key.</summary>
    public string? NextMarker => Query is { IsSecond: false, Delimiter: not null } ? Next : null;

    /// <summary>What the second form tells.</summary>
    public string? NextToken => Query.IsSecond && Next is not null ? ContinuationToken.Make(Next) : null;
}

/// <summary>Lists current objects as S3 does. The fabric's order, folding and places to start after are S3's
/// already: a common prefix counts as one entry, and one that holds the marker was told before and is not
/// told again.</summary>
public static class ObjectLister
{
    public static async Task<ObjectPage> ListAsync(
        ListKeys keys, ListObjectsQuery query, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(query);
        ImmutableArray<ListEntry>.Builder entries = ImmutableArray.CreateBuilder<ListEntry>(query.Max);
        string? behind = query.Behind;
        while (entries.Count < query.Max && behind is not null)
        {
            var options = new ListOptions
            {
                Prefix = query.Prefix,
                Delimiter = query.Delimiter,
                StartAfter = behind,
            };
            ListPage page = await keys(options, query.Max - entries.Count, cancel);
            entries.AddRange(page.Entries);
            behind = page.Next;
        }

        return new ObjectPage(query, entries.ToImmutable(), query.Max == 0 ? null : behind);
    }
}
