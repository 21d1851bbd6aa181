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
        Dictionary<VaultId, Versioning> vaults =
            await VaultTable.KnownAsync(session, orders.Select(o => o.Order.Vault));
        var keys = await LoadKeysAsync(session, orders, vaults);
        IEnumerable<ContentId> contents = orders
            .SelectMany(o => o.Counted.Append(o.Order.Content))
            .Concat(keys.Values.SelectMany(k => k.GoneNames))
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

    // A vault that never kept versions has none beside the current ones, and nothing more is asked for it.
    private static async Task<Dictionary<(VaultId Vault, string Key), KeyState>> LoadKeysAsync(
        Session session, IReadOnlyList<CheckedOrder> orders, Dictionary<VaultId, Versioning> vaults)
    {
        var heads = await VersionTable.HeadsAsync(session, orders.Select(o => o.Key));
        CheckedOrder[] versioned = [.. orders.Where(o => VersioningOf(o) != Versioning.Off)];
        var newest = await FormerTable.NewestAsync(session, versioned.Select(o => o.Key));
        var named = await FormerTable.FindAsync(
            session,
            [
                .. versioned
                    .Where(o => o.Order.Version is not null || VersioningOf(o) == Versioning.Suspended)
                    .Select(o => (o.Key.Vault, o.Key.Key, o.Order.Version ?? VersionId.Null)),
            ]);
        var counters = await VersionTable.CountersAsync(
            session,
            orders.Select(o => o.Key).Where(k => !heads.ContainsKey(k)).Concat(versioned.Select(o => o.Key)));
        var keys = new Dictionary<(VaultId, string), KeyState>();
        foreach (CheckedOrder order in orders)
        {
            VersionRow? head = heads.GetValueOrDefault(order.Key);
            VersionRow? target = order.Order.Version is { } name && head?.IsCalled(name) is not true
                ? named.GetValueOrDefault(order.Key)
                : head;
            ImmutableArray<VersionRow> before = newest.GetValueOrDefault(order.Key, []);
            Succession succession = Succession.Of(
                order.Order,
                VersioningOf(order),
                head,
                before,
                order.Order.Version is null ? named.GetValueOrDefault(order.Key) : target);
            (ImmutableArray<ContentId> names, ZeroStorException? unreadable) = NamesOf(order.Order, succession.Gone);
            keys.Add(order.Key, new KeyState
            {
                Target = target,
                Succession = succession,
                GoneNames = names,
                LastSeq = Math.Max(
                    counters.GetValueOrDefault(order.Key),
                    Math.Max(head?.Seq ?? 0, before.IsEmpty ? 0 : before[0].Seq)),
                Unreadable = unreadable,
            });
        }

        return keys;

        Versioning VersioningOf(CheckedOrder order) => vaults.GetValueOrDefault(order.Order.Vault);
    }

    private static (ImmutableArray<ContentId> Names, ZeroStorException? Unreadable) NamesOf(
        CommitOrder order, VersionRow? gone)
    {
        try
        {
            return gone is null || gone.IsMark
                ? ([], null)
                : ([.. Manifest.Decode(gone.Manifest).Contents.Select(c => c.Id).Distinct()], null);
        }
        catch (ZeroStorException error)
        {
            return ([], ZeroStorException.Corrupt(
                $"Version {gone!.Version} of '{order.Key}' in vault {order.Vault} stays as it is, for it cannot "
                + $"be told what it names: {error.Message}",
                error));
        }
    }

    private static async Task WriteAsync(Session session, CommitState state)
    {
        await WriteEarlierAsync(session, state);
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
            v.IsKept,
            v.Order.Order.Tags.Length > 0 ? v.Order.Order.Tags : null,
        }));
        await session.ExecuteEachAsync("mark-add", state.AddedMarks.Select(m => new object?[]
        {
            m.Order.Vault.Value,
            m.Order.Key,
            -m.Seq,
            m.Version.Value,
            m.Order.Modified.ToUnixTimeMilliseconds(),
            m.Tick.Value,
            m.IsKept,
        }));
        await session.ExecuteEachAsync("counter-put", Rows(state.Counters));
        await session.ExecuteEachAsync(
            "page-put",
            from version in state.AddedVersions
            from page in version.Order.Order.Pages
            select new object?[] { version.Order.Order.Content.Value, page.Page, page.Bytes });
        await UploadTable.RemoveAsync(session, state.EndedUploads);
        await ContentTable.WriteAsync(session, state.ChangedContents.Select(id => state.Contents[id]));
    }

    // What is kept is copied behind before it is taken from the front, and back the same way.
    private static async Task WriteEarlierAsync(Session session, CommitState state)
    {
        await session.ExecuteEachAsync("version-retire", Rows(state.RetiredVersions));
        await session.ExecuteEachAsync("version-remove", Rows([.. state.RemovedVersions, .. state.RetiredVersions]));
        await session.ExecuteEachAsync("version-restore", Rows(state.RestoredVersions, sign: -1));
        await session.ExecuteEachAsync(
            "former-remove", Rows([.. state.RemovedFormer, .. state.RestoredVersions], sign: -1));
    }

    private static IEnumerable<object?[]> Rows(List<(VaultId Vault, string Key, long Seq)> rows, long sign = 1) =>
        rows.Select(r => new object?[] { r.Vault.Value, r.Key, sign * r.Seq });
}
