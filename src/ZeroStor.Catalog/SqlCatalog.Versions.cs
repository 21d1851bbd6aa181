using System.Collections.Immutable;

namespace ZeroStor.Catalog;

// Versions beside the current one, tags, and what front ends keep of vaults.
public sealed partial class SqlCatalog
{
    public Task<bool> SetVersioningAsync(VaultId vault, Versioning versioning, CancellationToken cancel) =>
        _writer.RunAsync(session => VaultTable.SetVersioningAsync(session, vault, versioning), cancel);

    public Task<VersionRow?> FindVersionAsync(
        VaultId vault, string key, VersionId version, CancellationToken cancel)
    {
        ObjectKey.Check(key);
        return _readers.RunAsync(session => FormerTable.FindAsync(session, vault, key, version), cancel);
    }

    public Task<VersionListing> ListVersionsAsync(VersionQuery query, CancellationToken cancel)
    {
        VersionLister.Check(query);
        return _readers.RunAsync(session => new VersionLister(session, query).RunAsync(), cancel);
    }

    public Task<ImmutableArray<NamedVersion>> ScanFormerAsync(
        VersionName after, int max, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(max);
        return _readers.RunAsync(
            session => VersionTable.ScanAsync(session, former: true, after, max), cancel);
    }

    /// <inheritdoc/>
    /// <exception cref="ZeroStorException">InvalidArgument: no key, or too many bytes of tags. NotFound: the
    /// vault is no more.</exception>
    public Task<CommitAnswer> SetTagsAsync(TagOrder order, CancellationToken cancel)
    {
        ObjectKey.Check(order.Key);
        CheckedOrder.CheckTags(order.Tags);
        return _writer.RunAsync(session => FormerTable.SetTagsAsync(session, order), cancel);
    }

    public Task<VaultSettings?> ReadSettingsAsync(VaultId vault, string name, CancellationToken cancel)
    {
        VaultSettings.Check(name, null);
        return _readers.RunAsync(session => SettingsTable.ReadAsync(session, vault, name), cancel);
    }

    public Task<VaultSettings?> WriteSettingsAsync(
        VaultId vault, string name, string? was, byte[]? bytes, CancellationToken cancel)
    {
        VaultSettings.Check(name, bytes);
        return _writer.RunAsync(session => SettingsTable.WriteAsync(session, vault, name, was, bytes), cancel);
    }
}
