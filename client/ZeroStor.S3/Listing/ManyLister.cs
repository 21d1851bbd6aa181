using System.Collections.Immutable;

namespace ZeroStor.S3.Listing;

/// <summary>What a key has several of, each with a name of its own.</summary>
public interface IManyOfKey
{
    string Key { get; }

    string Id { get; }
}

/// <summary>A version of a key, or the mark that it was deleted.</summary>
public sealed record VersionLine(string Key, string Id, DateTimeOffset Modified) : IManyOfKey
{
    public bool IsLatest { get; init; }

    public bool IsDeleteMarker { get; init; }

    public string ETag { get; init; } = "";

    public long Size { get; init; }
}

/// <summary>An upload that is under way.</summary>
public sealed record UploadLine(string Key, string Id, DateTimeOffset Initiated) : IManyOfKey;

/// <summary>A place in an order of keys, and of the entries within one.</summary>
/// <param name="Key">Entries of this key and of those behind it.</param>
/// <param name="BehindId">Of the key itself only those behind this entry; null: all.</param>
public readonly record struct ListPosition(string Key, string? BehindId)
{
    /// <summary>Behind an entry.</summary>
    public static ListPosition Behind(IManyOfKey entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return new(entry.Key, entry.Id);
    }
}

/// <summary>Where entries come from: unfolded, by the bytes of their keys, and within a key in the order that
/// S3 tells them (versions newest first, uploads oldest first).</summary>
public interface IManySource<T>
    where T : IManyOfKey
{
    /// <summary>Up to <paramref name="max"/> entries whose keys begin with <paramref name="prefix"/>; fewer
    /// only at the end.</summary>
    Task<ImmutableArray<T>> ReadAsync(string prefix, ListPosition from, int max, CancellationToken cancel);
}

/// <summary>A line of such a listing: an entry, or the common prefix of many.</summary>
public readonly record struct ManyLine<T>(T? Entry, string? CommonPrefix)
    where T : class, IManyOfKey;

/// <summary>A page of such a listing.</summary>
/// <param name="Query">What it answers.</param>
/// <param name="Lines">Entries and common prefixes in one order.</param>
/// <param name="IsTruncated">Whether there is at least one line more.</param>
public sealed record ManyPage<T>(ListManyQuery Query, ImmutableArray<ManyLine<T>> Lines, bool IsTruncated)
    where T : class, IManyOfKey
{
    /// <summary>The key or common prefix of the last line; null at the end.</summary>
    public string? NextKeyMarker => IsTruncated ? Lines[^1].CommonPrefix ?? Lines[^1].Entry!.Key : null;

    /// <summary>The entry of the last line; null also where that is a common prefix.</summary>
    public string? NextIdMarker => IsTruncated ? Lines[^1].Entry?.Id : null;
}

/// <summary>Lists versions or uploads as S3 does: folds keys at the delimiter, counts a common prefix as one
/// line, and leaves out one that holds the marker, for the page before told it.</summary>
public static class ManyLister
{
    public static async Task<ManyPage<T>> ListAsync<T>(
        IManySource<T> source, ListManyQuery query, CancellationToken cancel)
        where T : class, IManyOfKey
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(query);
        ImmutableArray<ManyLine<T>>.Builder lines = ImmutableArray.CreateBuilder<ManyLine<T>>();
        ListPosition? from = query.Max == 0 ? null : Begin(query);
        while (from is { } position)
        {
            int asked = Math.Min(KeyListQuery.MaxEntries, query.Max - lines.Count + 1);
            ImmutableArray<T> entries = await source.ReadAsync(query.Prefix, position, asked, cancel);
            from = entries.Length == asked ? ListPosition.Behind(entries[^1]) : null;
            string? skipped = null;
            foreach (T entry in entries)
            {
                if (skipped is not null && entry.Key.StartsWith(skipped, StringComparison.Ordinal))
                {
                    continue;
                }

                skipped = FoldOf(entry.Key, query);
                if (skipped is not null && ObjectKey.Compare(skipped, query.KeyMarker) <= 0)
                {
                    continue;
                }

                if (lines.Count == query.Max)
                {
                    return new ManyPage<T>(query, lines.ToImmutable(), IsTruncated: true);
                }

                lines.Add(skipped is null ? new ManyLine<T>(entry, null) : new ManyLine<T>(null, skipped));
            }

            if (from is not null && skipped is not null)
            {
                // What goes on with the same prefix is jumped over, however much it is.
                from = ObjectKey.BehindPrefix(skipped) is { } behind ? new ListPosition(behind, null) : null;
            }
        }

        return new ManyPage<T>(query, lines.ToImmutable(), IsTruncated: false);
    }

    private static ListPosition Begin(ListManyQuery query) => query.IdMarker is not null
        ? new ListPosition(query.KeyMarker, query.IdMarker)
        : new ListPosition(query.KeyMarker.Length == 0 ? "" : ObjectKey.Behind(query.KeyMarker), null);

    private static string? FoldOf(string key, ListManyQuery query)
    {
        if (query.Delimiter is null)
        {
            return null;
        }

        int at = key.IndexOf(query.Delimiter, query.Prefix.Length, StringComparison.Ordinal);
        return at < 0 ? null : key[..(at + query.Delimiter.Length)];
    }
}
