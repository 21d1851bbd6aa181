namespace ZeroStor.Catalog;

/// <summary>One page of a listing of uploads, folded at the delimiter.</summary>
internal sealed class UploadLister(Session session, UploadQuery query)
    : FoldingLister<UploadRow>(
        query.Prefix, query.Delimiter, query.StartAfter, query.AfterUpload is not null, query.Max)
{
    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    public static void Check(UploadQuery query) =>
        CheckPage(query.Prefix, query.Delimiter, query.StartAfter, query.Max);

    /// <summary>To be called within one read transaction, so that the page is of one moment.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault is no more.</exception>
    public async Task<UploadListing> RunAsync()
    {
        await VersionTable.RequireVaultAsync(session, query.Vault);
        await ListAsync();
        return new UploadListing(
            Rows.ToImmutable(), Prefixes.ToImmutable(), Next, Next is null ? null : LastRow?.Name.Upload);
    }

    protected override string KeyOf(UploadRow row) => row.Name.Key;

    protected override Task<IReadOnlyList<UploadRow>> ReadAsync(string from, int max) =>
        ReadAsync(from, [], max);

    protected override Task<IReadOnlyList<UploadRow>> ReadBehindAsync(UploadRow last, int max) =>
        ReadAsync(last.Name.Key, Id128.ToBytes(last.Name.Upload.Value), max);

    protected override Task<IReadOnlyList<UploadRow>> ReadWithinAsync(string key, int max) =>
        ReadAsync(key, Id128.ToBytes(query.AfterUpload!.Value.Value), max);

    private async Task<IReadOnlyList<UploadRow>> ReadAsync(string from, byte[] after, int max)
    {
        var rows = new List<UploadRow>();
        await session.QueryAsync(
            "uploads",
            row =>
            {
                rows.Add(UploadTable.Read(row));
                return true;
            },
            query.Vault.Value,
            from,
            after,
            End,
            max);
        return rows;
    }
}
