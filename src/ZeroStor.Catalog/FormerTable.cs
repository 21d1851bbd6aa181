using System.Collections.Immutable;

namespace ZeroStor.Catalog;

/// <summary>What had its key before the current version, and marks of deletes. Whoever changes something here
/// has read the key's head first, and by that keeps others from the key.</summary>
internal static class FormerTable
{
    /// <summary>The latest one or two of each key, the later one first: enough to tell which one is next when
    /// one goes.</summary>
    public static async Task<Dictionary<(VaultId Vault, string Key), ImmutableArray<VersionRow>>> NewestAsync(
        Session session, IEnumerable<(VaultId Vault, string Key)> keys)
    {
        var newest = new Dictionary<(VaultId, string), ImmutableArray<VersionRow>>();
        await session.QueryEachAsync(
            "former-newest",
            keys.Distinct().Select(k => new object?[] { k.Vault.Value, k.Key }),
            row =>
            {
                VersionRow read = VersionTable.ReadWhole(row);
                var key = (new VaultId(row.Id(0)), read.Key);
                newest[key] = [.. newest.GetValueOrDefault(key, []).Add(read).OrderByDescending(v => v.Seq)];
            });
        return newest;
    }

    /// <summary>The version, or mark, that each key's name means, where it is not the current one.</summary>
    public static async Task<Dictionary<(VaultId Vault, string Key), VersionRow>> FindAsync(
        Session session, IReadOnlyCollection<(VaultId Vault, string Key, VersionId Version)> names)
    {
        var found = new Dictionary<(VaultId, string), VersionRow>();
        await session.QueryEachAsync(
            "former-null",
            names.Where(n => n.Version == VersionId.Null).Select(n => new object?[] { n.Vault.Value, n.Key }),
            row => Enter(VersionTable.ReadWhole(row), new VaultId(row.Id(0))));
        await session.QueryEachAsync(
            "former-named",
            names.Where(n => n.Version != VersionId.Null)
                .Select(n => new object?[] { n.Vault.Value, n.Key, n.Version.Value }),
            row => Enter(VersionTable.ReadWhole(row), new VaultId(row.Id(0))));
        return found;

        void Enter(VersionRow version, VaultId vault) => found[(vault, version.Key)] = version;
    }

    /// <summary>The version, or mark, of that name; null: there is none.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault is no more.</exception>
    public static async Task<VersionRow?> FindAsync(
        Session session, VaultId vault, string key, VersionId version)
    {
        VersionRow? head = (await VersionTable.HeadAsync(session, vault, [key]))[0];
        return head?.IsCalled(version) is true
            ? head
            : (await FindAsync(session, [(vault, key, version)])).GetValueOrDefault((vault, key));
    }

    public static async Task<CommitAnswer> SetTagsAsync(Session session, TagOrder order)
    {
        VersionRow? row = order.Version is { } version
            ? await FindAsync(session, order.Vault, order.Key, version)
            : (await VersionTable.HeadAsync(session, order.Vault, [order.Key]))[0];
        if (row is null || row.IsMark)
        {
            return new CommitAnswer(
                ErrorKind.NotFound,
                $"Key '{order.Key}' has no version{(order.Version is { } named ? $" {named}" : "")} to tag.");
        }

        ReadOnlySpan<byte> tags = row.Tags;
        if (order.Was is { } was && !tags.SequenceEqual(was) && !tags.SequenceEqual(order.Tags))
        {
            return new CommitAnswer(
                ErrorKind.PreconditionFailed,
                $"The tags of version {row.Version} of '{order.Key}' were changed meanwhile: read them again.");
        }

        byte[]? stored = order.Tags.Length > 0 ? order.Tags : null;
        int changed = await session.ExecuteAsync(
            "version-tags", order.Vault.Value, order.Key, row.Seq, stored);
        if (changed == 0)
        {
            await session.ExecuteAsync("former-tags", order.Vault.Value, order.Key, -row.Seq, stored);
        }

        return CommitResult.Applied(row.Version, row.Seq, row.ETag);
    }
}
