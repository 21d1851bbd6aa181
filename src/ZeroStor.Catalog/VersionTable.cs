using System.Collections.Immutable;
using System.Data.Common;

namespace ZeroStor.Catalog;

/// <summary>The current versions of all keys: a key has one row or none. What had it before is in
/// <see cref="FormerTable"/>.</summary>
internal static class VersionTable
{
    /// <summary>Manifests that one page of a scan holds before it ends; one may be larger.</summary>
    private const int MaxScanBytes = 8 * 1024 * 1024;

    /// <summary>The current version of each key that has one.</summary>
    public static async Task<Dictionary<(VaultId Vault, string Key), VersionRow>> HeadsAsync(
        Session session, IEnumerable<(VaultId Vault, string Key)> keys)
    {
        var heads = new Dictionary<(VaultId, string), VersionRow>();
        await session.QueryEachAsync(
            "head",
            keys.Distinct().Select(k => new object?[] { k.Vault.Value, k.Key }),
            row =>
            {
                VersionRow head = ReadWhole(row);
                heads.Add((new VaultId(row.Id(0)), head.Key), head);
            });
        return heads;
    }

    /// <summary>Counters of keys whose row went.</summary>
    public static async Task<Dictionary<(VaultId Vault, string Key), long>> CountersAsync(
        Session session, IEnumerable<(VaultId Vault, string Key)> keys)
    {
        var counters = new Dictionary<(VaultId, string), long>();
        await session.QueryEachAsync(
            "counter",
            keys.Distinct().Select(k => new object?[] { k.Vault.Value, k.Key }),
            row => counters.Add((new VaultId(row.Id(0)), row.GetString(1)), row.GetInt64(2)));
        return counters;
    }

    /// <exception cref="ZeroStorException">NotFound: the vault is no more.</exception>
    public static async Task<ImmutableArray<VersionRow?>> HeadAsync(
        Session session, VaultId vault, IReadOnlyList<string> keys)
    {
        await RequireVaultAsync(session, vault);
        var heads = await HeadsAsync(session, keys.Select(key => (vault, key)));
        return [.. keys.Select(key => heads.GetValueOrDefault((vault, key)))];
    }

    /// <exception cref="ZeroStorException">NotFound: the vault is no more.</exception>
    public static async Task RequireVaultAsync(Session session, VaultId vault)
    {
        if (!await VaultTable.IsKnownAsync(session, vault))
        {
            throw ZeroStorException.NotFound($"Vault {vault} is no more: ask for one that is.");
        }
    }

    /// <param name="session">Where.</param>
    /// <param name="former">Of those that are current no more.</param>
    /// <param name="after">Behind which.</param>
    /// <param name="max">How many at most.</param>
    public static async Task<ImmutableArray<NamedVersion>> ScanAsync(
        Session session, bool former, VersionName after, int max)
    {
        var page = ImmutableArray.CreateBuilder<NamedVersion>();
        int bytes = 0;
        await session.QueryAsync(
            former ? "former-scan" : "versions-scan",
            row =>
            {
                VersionRow version = ReadWhole(row);
                page.Add(new NamedVersion(new VaultId(row.Id(0)), version));
                return (bytes += version.Manifest.Length) < MaxScanBytes;
            },
            after.Vault.Value,
            after.Key ?? "",
            former && after.Key is null ? long.MinValue : former ? -after.Seq : after.Seq,
            max);
        return page.ToImmutable();
    }

    public static VersionRow ReadWhole(DbDataReader row)
    {
        bool isMark = row.IsDBNull(8);
        return Read(row) with
        {
            IsMark = isMark,
            Manifest = isMark ? [] : row.Blob(8),
            Tags = row.IsDBNull(9) ? [] : row.Blob(9),
        };
    }

    /// <summary>All but manifest and tags.</summary>
    public static VersionRow Read(DbDataReader row)
    {
        var version = new VersionId(row.Id(3));
        return new VersionRow
        {
            Key = row.GetString(1),
            Seq = row.GetInt64(2),
            Version = version,
            Size = row.GetInt64(4),
            ETag = row.IsDBNull(5) ? version.ToString() : row.GetString(5),
            Modified = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(6)),
            IsKept = row.GetInt64(7) != 0,
        };
    }
}
