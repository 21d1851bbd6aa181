using System.Collections.Immutable;
using System.Data.Common;

namespace ZeroStor.Catalog;

/// <summary>One page of a listing: an ordered scan that folds keys at the delimiter. Behind a common prefix
/// it looks at a few more keys, since most folders are small, and then jumps to the first key behind all of
/// them, so a folder of a million keys costs as much as one of fifty.</summary>
internal sealed class Lister(Session session, ListQuery query)
{
    /// <summary>Keys and common prefixes of one page: ten times what S3 gives, some megabytes.</summary>
    public const int MaxListed = 10_000;

    // A jump costs about as much as reading this many rows that lie side by side.
    private const int FoldedBeforeJump = 50;

    // Rows of one statement: bounds what a database with a client beside it sends ahead.
    private const int RowsPerScan = 1_000;

    private readonly ImmutableArray<VersionRow>.Builder _versions =
        ImmutableArray.CreateBuilder<VersionRow>();

    private readonly ImmutableArray<string>.Builder _prefixes = ImmutableArray.CreateBuilder<string>();
    private readonly string _end = ObjectKey.BehindPrefix(query.Prefix) ?? ObjectKey.BehindAll;
    private string _last = "";
    private bool _isMore;

    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    public static void Check(ListQuery query)
    {
        ObjectKey.CheckText(query.Prefix, "prefix");
        ObjectKey.CheckText(query.StartAfter, "key to start after");
        ObjectKey.CheckText(query.Delimiter ?? "", "delimiter");
        if (query.Max is < 1 or > MaxListed)
        {
            throw ZeroStorException.Invalid(
                $"A listing of {query.Max} was asked for: a page holds 1 to {MaxListed}, "
                + "and says where the next begins.");
        }
    }

    /// <summary>To be called within one read transaction, so that the page is of one moment.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault is no more.</exception>
    public async Task<Listing> RunAsync()
    {
        await VersionTable.RequireVaultAsync(session, query.Vault);
        string behind = query.StartAfter.Length == 0 ? "" : ObjectKey.Behind(query.StartAfter);
        string? from = ObjectKey.Compare(behind, query.Prefix) > 0 ? behind : query.Prefix;
        while (from is not null && ObjectKey.Compare(from, _end) < 0)
        {
            from = await ScanAsync(from);
        }

        return new Listing(_versions.ToImmutable(), _prefixes.ToImmutable(), _isMore ? _last : null);
    }

    /// <summary>Reads on from a key; where to read on next, or null when the page or the range has
    /// ended.</summary>
    private async Task<string?> ScanAsync(string from)
    {
        string last = from;
        string? fold = null;
        int rows = 0;
        int folded = 0;
        await session.QueryAsync(
            "list",
            row =>
            {
                rows++;
                last = row.GetString(1);
                if (fold is not null && last.StartsWith(fold, StringComparison.Ordinal))
                {
                    return ++folded < FoldedBeforeJump;
                }

                fold = FoldOf(last);
                folded = 0;
                _isMore = !Take(fold, row);
                return !_isMore;
            },
            query.Vault.Value,
            from,
            _end,
            RowsPerScan);
        if (_isMore || (rows < RowsPerScan && folded < FoldedBeforeJump))
        {
            return null;
        }

        return fold is not null ? ObjectKey.BehindPrefix(fold) : ObjectKey.Behind(last);
    }

    /// <summary>Lists a version, or the common prefix that it is folded into; false when the page was full.
    /// </summary>
    private bool Take(string? fold, DbDataReader row)
    {
        if (fold is not null && ObjectKey.Compare(fold, query.StartAfter) <= 0)
        {
            // The page before listed it, or the caller starts within it.
            return true;
        }

        if (_versions.Count + _prefixes.Count == query.Max)
        {
            return false;
        }

        if (fold is not null)
        {
            _prefixes.Add(fold);
            _last = fold;
        }
        else
        {
            _versions.Add(VersionTable.Read(row));
            _last = _versions[^1].Key;
        }

        return true;
    }

    private string? FoldOf(string key)
    {
        if (string.IsNullOrEmpty(query.Delimiter))
        {
            return null;
        }

        int at = key.IndexOf(query.Delimiter, query.Prefix.Length, StringComparison.Ordinal);
        return at < 0 ? null : key[..(at + query.Delimiter.Length)];
    }
}
