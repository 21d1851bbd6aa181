using System.Collections.Immutable;

namespace ZeroStor.Grains;

internal sealed partial class SiloCatalog
{
    public Task<bool> SetVersioningAsync(VaultId vault, Versioning versioning, CancellationToken cancel) =>
        AskAsync("SetVersioning", () => catalog.SetVersioningAsync(vault, versioning, cancel));

    public Task<VersionRow?> FindVersionAsync(
        VaultId vault, string key, VersionId version, CancellationToken cancel) =>
        AskAsync("FindVersion", () => catalog.FindVersionAsync(vault, key, version, cancel));

    public Task<VersionListing> ListVersionsAsync(VersionQuery query, CancellationToken cancel) =>
        AskAsync("ListVersions", () => catalog.ListVersionsAsync(query, cancel));

    public Task<ImmutableArray<NamedVersion>> ScanFormerAsync(
        VersionName after, int max, CancellationToken cancel) =>
        AskAsync("ScanFormer", () => catalog.ScanFormerAsync(after, max, cancel));

    public Task<CommitAnswer> SetTagsAsync(TagOrder order, CancellationToken cancel) =>
        AskAsync("SetTags", () => catalog.SetTagsAsync(order, cancel));

    public Task<VaultSettings?> ReadSettingsAsync(VaultId vault, string name, CancellationToken cancel) =>
        AskAsync("ReadSettings", () => catalog.ReadSettingsAsync(vault, name, cancel));

    public Task<VaultSettings?> WriteSettingsAsync(
        VaultId vault, string name, string? was, byte[]? bytes, CancellationToken cancel) =>
        AskAsync("WriteSettings", () => catalog.WriteSettingsAsync(vault, name, was, bytes, cancel));
}
