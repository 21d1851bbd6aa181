using System.Collections.Immutable;

namespace ZeroStor.Catalog;

/// <summary>Commits many orders within one write transaction: reads all that they are about, decides each in
/// memory (<see cref="CommitRules"/>), writes what follows. Nothing is written for an order that
/// failed.</summary>
internal static class CommitBatch
{
    /// <param name="orders">A key at most once; in the order of their keys, in which rows are then taken, so
    /// that two catalogs on one database never wait for each other in a circle.</param>
    /// <returns>An answer for each, or what kept it from being decided.</returns>
    public static async Task<ImmutableArray<(CommitAnswer? Answer, ZeroStorException? Error)>> RunAsync(
        Session session, IReadOnlyList<CheckedOrder> orders)
    {
        CommitState state = await LoadAsync(session, orders);
        var answers = ImmutableArray.CreateBuilder<(CommitAnswer?, ZeroStorException?)>(orders.Count);
        foreach (CheckedOrder order in orders)
        {
            try
            {
                answers.Add((CommitRules.Decide(order, state), null));
            }
            catch (ZeroStorException error)
            {
                answers.Add((null, error));
            }
        }

        await WriteAsync(session, state);
        return answers.MoveToImmutable();
    }

    private static async Task<CommitState> LoadAsync(Session session, IReadOnlyList<CheckedOrder> orders)
    {
        HashSet<VaultId> vaults = await VaultTable.KnownAsync(session, orders.Select(o => o.Order.Vault));
        var keys = await LoadKeysAsync(session, orders);
        IEnumerable<ContentId> contents = orders
            .SelectMany(o => o.Counted.Append(o.Order.Content))
            .Concat(keys.Values.SelectMany(k => k.HeadNames))
            .Distinct()
            .Order();
        var rows = await ContentTable.ReadAsync(session, contents);
        return new CommitState
        {
            Vaults = vaults,
            Keys = keys,
            Contents = rows,
            Uploads = await UploadTable.ReadAsync(
                session, orders.Where(o => o.Completes is not null).Select(o => o.Order.Content)),

            // Last: what the tick lets a catalog forget must not have gone since.
            Tick = (await FabricTable.ReadAsync(session))!.Tick,
        };
    }

    private static async Task<Dictionary<(VaultId Vault, string Key), KeyState>> LoadKeysAsync(
        Session session, IReadOnlyList<CheckedOrder> orders)
    {
        var heads = await VersionTable.HeadsAsync(session, orders.Select(o => o.Key));
        var counters = await VersionTable.CountersAsync(
            session, orders.Select(o => o.Key).Where(k => !heads.ContainsKey(k)));
        var keys = new Dictionary<(VaultId, string), KeyState>();
        foreach (CheckedOrder order in orders)
        {
            VersionRow? head = heads.GetValueOrDefault(order.Key);
            ImmutableArray<ContentId> names = [];
            ZeroStorException? unreadable = null;
            try
            {
                names = head is null
                    ? []
                    : [.. Manifest.Decode(head.Manifest).Contents.Select(c => c.Id).Distinct()];
            }
            catch (ZeroStorException error)
            {
                unreadable = ZeroStorException.Corrupt(
                    $"The current version of '{order.Order.Key}' in vault {order.Order.Vault} stays as it "
                    + $"is, for it cannot be told what it names: {error.Message}",
                    error);
            }

            keys.Add(order.Key, new KeyState
            {
                Head = head,
                HeadNames = names,
                LastSeq = head?.Seq ?? counters.GetValueOrDefault(order.Key),
                Unreadable = unreadable,
            });
        }

        return keys;
    }

    private static async Task WriteAsync(Session session, CommitState state)
    {
        await session.ExecuteEachAsync(
            "version-remove",
            state.RemovedVersions.Select(v => new object?[] { v.Vault.Value, v.Key, v.Seq }));
        await session.ExecuteEachAsync("version-add", state.AddedVersions.Select(v => new object?[]
        {
            v.Order.Order.Vault.Value,
            v.Order.Order.Key,
            v.Seq,
            v.Order.Manifest!.Version.Value,
            v.Order.Manifest.Size,
            v.Order.Order.ETag == v.Order.Manifest.Version.ToString() ? null : v.Order.Order.ETag,
            v.Order.Order.Modified.ToUnixTimeMilliseconds(),
            v.Tick.Value,
            v.Order.Order.Manifest,
        }));
        await session.ExecuteEachAsync(
            "counter-put", state.Counters.Select(c => new object?[] { c.Vault.Value, c.Key, c.Seq }));
        await session.ExecuteEachAsync(
            "page-put",
            from version in state.AddedVersions
            from page in version.Order.Order.Pages
            select new object?[] { version.Order.Order.Content.Value, page.Page, page.Bytes });
        await UploadTable.RemoveAsync(session, state.EndedUploads);
        await ContentTable.WriteAsync(session, state.ChangedContents.Select(id => state.Contents[id]));
    }
}
