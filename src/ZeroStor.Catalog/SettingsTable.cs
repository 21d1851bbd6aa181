namespace ZeroStor.Catalog;

/// <summary>What front ends keep of vaults.</summary>
internal static class SettingsTable
{
    /// <exception cref="ZeroStorException">NotFound: the vault is no more.</exception>
    public static async Task<VaultSettings?> ReadAsync(Session session, VaultId vault, string name)
    {
        await VersionTable.RequireVaultAsync(session, vault);
        VaultSettings? settings = null;
        await session.QueryAsync(
            "vault-settings",
            row =>
            {
                settings = new VaultSettings(row.Blob(1), row.GetString(0));
                return false;
            },
            vault.Value,
            name);
        return settings;
    }

    /// <exception cref="ZeroStorException">NotFound: the vault is no more.</exception>
    public static async Task<VaultSettings?> WriteAsync(
        Session session, VaultId vault, string name, string? was, byte[]? bytes)
    {
        await VersionTable.RequireVaultAsync(session, vault);
        VaultSettings? made = bytes is null ? null : VaultSettings.Of(bytes);
        if (made is null)
        {
            await session.ExecuteAsync("vault-settings-remove", vault.Value, name, was);
        }
        else if (was is null)
        {
            await session.ExecuteAsync("vault-settings-add", vault.Value, name, made.ETag, made.Bytes);
        }
        else
        {
            await session.ExecuteAsync(
                "vault-settings-replace", vault.Value, name, was, made.ETag, made.Bytes);
        }

        return await ReadAsync(session, vault, name);
    }
}
