using System.Collections.Immutable;

namespace ZeroStor.Catalog;

/// <summary>One page of a listing of versions, folded at the delimiter: current ones and former ones are each
/// in order, and are merged.</summary>
internal sealed class VersionLister(Session session, VersionQuery query)
    : FoldingLister<VersionRow>(
        query.Prefix, query.Delimiter, query.StartAfter, query.BeforeSeq is not null, query.Max)
{
    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    public static void Check(VersionQuery query) =>
        CheckPage(query.Prefix, query.Delimiter, query.StartAfter, query.Max);

    /// <summary>To be called within one read transaction, so that the page is of one moment.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault is no more.</exception>
    public async Task<VersionListing> RunAsync()
    {
        await VersionTable.RequireVaultAsync(session, query.Vault);
        await ListAsync();
        string? last = query.BeforeSeq is null ? null : query.StartAfter;
        var listed = ImmutableArray.CreateBuilder<ListedVersion>(Rows.Count);
        foreach (VersionRow row in Rows)
        {
            listed.Add(new ListedVersion(row, IsLatest: row.Key != last));
            last = row.Key;
        }

        return new VersionListing(
            listed.MoveToImmutable(), Prefixes.ToImmutable(), Next, Next is null ? null : LastRow?.Seq);
    }

    protected override string KeyOf(VersionRow row) => row.Key;

    protected override Task<IReadOnlyList<VersionRow>> ReadAsync(string from, int max) =>
        MergeAsync(from, from, long.MinValue, max);

    protected override Task<IReadOnlyList<VersionRow>> ReadBehindAsync(VersionRow last, int max) =>
        MergeAsync(ObjectKey.Behind(last.Key), last.Key, -last.Seq, max);

    protected override Task<IReadOnlyList<VersionRow>> ReadWithinAsync(string key, int max) =>
        MergeAsync(ObjectKey.Behind(key), key, -query.BeforeSeq!.Value, max);

    // The first ones of both together are among the first ones of each.
    private async Task<IReadOnlyList<VersionRow>> MergeAsync(
        string current, string former, long formerAfter, int max)
    {
        var rows = new List<VersionRow>();
        await session.QueryAsync(
            "list",
            row =>
            {
                rows.Add(VersionTable.Read(row));
                return true;
            },
            query.Vault.Value,
            current,
            End,
            max);
        await session.QueryAsync(
            "former-list",
            row =>
            {
                rows.Add(VersionTable.Read(row) with { IsMark = row.GetInt64(8) != 0 });
                return true;
            },
            query.Vault.Value,
            former,
            formerAfter,
            End,
            max);
        return
        [
            .. rows.OrderBy(r => r.Key, Comparer<string>.Create(ObjectKey.Compare))
                .ThenByDescending(r => r.Seq)
                .Take(max),
        ];
    }
}
