using System.Collections.Immutable;

namespace ZeroStor.Catalog;

/// <summary>One page of a listing in which a key may have several rows: an ordered scan that folds keys at
/// the delimiter. It reads in chunks, and where a chunk ends within a common prefix it goes on with the first
/// key behind all of them. For one page of one moment.</summary>
internal abstract class FoldingLister<T>(
    string prefix, string? delimiter, string startAfter, bool isWithinKey, int max)
    where T : class
{
    /// <summary>Bounds what a database with a client beside it sends ahead.</summary>
    private const int RowsPerChunk = 1_000;

    protected ImmutableArray<T>.Builder Rows { get; } = ImmutableArray.CreateBuilder<T>();

    protected ImmutableArray<string>.Builder Prefixes { get; } = ImmutableArray.CreateBuilder<string>();

    /// <summary>The first text behind all that is listed.</summary>
    protected string End { get; } = ObjectKey.BehindPrefix(prefix) ?? ObjectKey.BehindAll;

    /// <summary>What to start after for the next page; null at the end.</summary>
    protected string? Next { get; private set; }

    /// <summary>The last row of the page; null where a common prefix ends it.</summary>
    protected T? LastRow { get; private set; }

    protected abstract string KeyOf(T row);

    /// <summary>Rows of keys from one on, before <see cref="End"/>, in order.</summary>
    protected abstract Task<IReadOnlyList<T>> ReadAsync(string from, int max);

    /// <summary>Rows behind one.</summary>
    protected abstract Task<IReadOnlyList<T>> ReadBehindAsync(T last, int max);

    /// <summary>The rest of the key's rows that the page begins within, and what comes behind.</summary>
    protected abstract Task<IReadOnlyList<T>> ReadWithinAsync(string key, int max);

    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    protected static void CheckPage(string prefix, string? delimiter, string startAfter, int max)
    {
        ObjectKey.CheckText(prefix, "prefix");
        ObjectKey.CheckText(startAfter, "key to start after");
        ObjectKey.CheckText(delimiter ?? "", "delimiter");
        if (max is < 1 or > Lister.MaxListed)
        {
            throw ZeroStorException.Invalid(
                $"A listing of {max} was asked for: a page holds 1 to {Lister.MaxListed}, "
                + "and says where the next begins.");
        }
    }

    protected async Task ListAsync()
    {
        string? behind = null;
        string? last = null;
        IReadOnlyList<T> chunk = await BeginAsync();
        while (chunk.Count > 0)
        {
            foreach (T row in chunk)
            {
                string key = KeyOf(row);
                if (behind is not null && ObjectKey.Compare(key, behind) < 0)
                {
                    continue;
                }

                string? fold = FoldOf(key);
                behind = fold is null ? null : ObjectKey.BehindPrefix(fold) ?? ObjectKey.BehindAll;
                if (fold is not null && ObjectKey.Compare(fold, startAfter) <= 0)
                {
                    // The page before listed it, or the caller starts within it.
                    continue;
                }

                if (Rows.Count + Prefixes.Count == max)
                {
                    Next = last;
                    return;
                }

                last = fold ?? key;
                Take(row, fold);
            }

            chunk = chunk.Count < RowsPerChunk
                ? []
                : await (behind is null ? ReadBehindAsync(chunk[^1], RowsPerChunk) : SeekAsync(behind));
        }
    }

    private Task<IReadOnlyList<T>> BeginAsync()
    {
        if (isWithinKey && startAfter.StartsWith(prefix, StringComparison.Ordinal))
        {
            return ReadWithinAsync(startAfter, RowsPerChunk);
        }

        string behind = startAfter.Length == 0 ? "" : ObjectKey.Behind(startAfter);
        return SeekAsync(ObjectKey.Compare(behind, prefix) > 0 ? behind : prefix);
    }

    private async Task<IReadOnlyList<T>> SeekAsync(string from) =>
        ObjectKey.Compare(from, End) < 0 ? await ReadAsync(from, RowsPerChunk) : [];

    private void Take(T row, string? fold)
    {
        if (fold is null)
        {
            Rows.Add(row);
            LastRow = row;
        }
        else
        {
            Prefixes.Add(fold);
            LastRow = null;
        }
    }

    private string? FoldOf(string key)
    {
        if (string.IsNullOrEmpty(delimiter))
        {
            return null;
        }

        int at = key.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal);
        return at < 0 ? null : key[..(at + delimiter.Length)];
    }
}
