using System.Collections.Immutable;
using System.Data.Common;

namespace ZeroStor.Catalog;

/// <summary>The index of vaults' names.</summary>
internal static class VaultTable
{
    public static async Task<bool> AddAsync(Session session, VaultEntry vault) =>
        await session.ExecuteAsync(
            "vault-add",
            vault.Name,
            vault.Id.Value,
            vault.Class.Value,
            (int)vault.Versioning,
            vault.Created?.ToUnixTimeMilliseconds()) > 0;

    public static async Task<bool> RemoveAsync(Session session, VaultId vault)
    {
        bool isRemoved = await session.ExecuteAsync("vault-remove", vault.Value) > 0;
        if (isRemoved)
        {
            await session.ExecuteAsync("vault-settings-forget", vault.Value);
        }

        return isRemoved;
    }

    public static async Task<bool> SetVersioningAsync(Session session, VaultId vault, Versioning versioning) =>
        await session.ExecuteAsync("vault-versioning", vault.Value, (int)versioning) > 0;

    public static async Task<VaultEntry?> FindAsync(Session session, string name)
    {
        VaultEntry? vault = null;
        await session.QueryAsync(
            "vault",
            row =>
            {
                vault = Read(row);
                return false;
            },
            name);
        return vault;
    }

    public static async Task<ImmutableArray<VaultEntry>> ListAsync(Session session)
    {
        var vaults = ImmutableArray.CreateBuilder<VaultEntry>();
        await session.QueryAsync("vaults", row =>
        {
            vaults.Add(Read(row));
            return true;
        });
        return vaults.ToImmutable();
    }

    /// <summary>Which of these vaults there are, and what becomes of earlier versions in them.</summary>
    public static async Task<Dictionary<VaultId, Versioning>> KnownAsync(
        Session session, IEnumerable<VaultId> vaults)
    {
        var known = new Dictionary<VaultId, Versioning>();
        await session.QueryEachAsync(
            "vault-known",
            vaults.Distinct().Select(v => new object?[] { v.Value }),
            row => known.Add(new VaultId(row.Id(0)), (Versioning)row.GetInt64(1)));
        return known;
    }

    public static async Task<bool> IsKnownAsync(Session session, VaultId vault) =>
        (await KnownAsync(session, [vault])).ContainsKey(vault);

    private static VaultEntry Read(DbDataReader row) =>
        new(row.GetString(0), new VaultId(row.Id(1)), new ClassId(row.UInt32(2)))
        {
            Versioning = (Versioning)row.GetInt64(3),
            Created = row.IsDBNull(4) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(4)),
        };
}
