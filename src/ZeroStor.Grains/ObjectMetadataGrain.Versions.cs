using System.Collections.Immutable;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Grains;

internal sealed partial class ObjectMetadataGrain
{
    public Task<ObjectInfo?> FindVersionAsync(string key, VersionId version, CancellationToken cancel) =>
        WithVaultAsync(
            async vault => await catalog.FindVersionAsync(vault.Info.Id, key, version, cancel) is { } row
                ? Info(row, vault)
                : null,
            cancel);

    public Task<VersionsListed> ListVersionsAsync(ListVersions list, CancellationToken cancel) =>
        WithVaultAsync(
            async vault =>
            {
                VersionListing page = await catalog.ListVersionsAsync(
                    new VersionQuery
                    {
                        Vault = vault.Info.Id,
                        Prefix = list.Prefix,
                        Delimiter = list.Delimiter,
                        StartAfter = list.StartAfter,
                        BeforeSeq = list.BeforeSeq,
                        Max = Math.Clamp(list.Max, 1, ListObjects.MaxPerPage),
                    },
                    cancel);
                return new VersionsListed
                {
                    Versions = [.. page.Versions.Select(v => Info(v.Row) with { IsLatest = v.IsLatest })],
                    CommonPrefixes = page.CommonPrefixes,
                    Next = page.Next,
                    NextSeq = page.NextSeq,
                };
            },
            cancel);

    public Task<ImmutableArray<DeleteOutcome>> DeleteManyAsync(
        ImmutableArray<DeleteObject> deletes, CancellationToken cancel)
    {
        if (deletes.Length > DeleteOutcome.MaxPerCall)
        {
            throw ZeroStorException.Invalid(
                $"{deletes.Length} deletes were said at once, and the most is {DeleteOutcome.MaxPerCall}: say them in "
                + "parts");
        }

        return WithVaultAsync<ImmutableArray<DeleteOutcome>>(
            async vault =>
            {
                DeleteOutcome[] outcomes = await Task.WhenAll(deletes.Select(d => DeleteOneAsync(vault, d, cancel)));
                if (outcomes.Any(o => o.Kind == ErrorKind.NotFound))
                {
                    // There was nothing to delete; or the vault itself went, which a second look tells.
                    await catalog.HeadAsync(vault.Info.Id, [], cancel);
                }

                return [.. outcomes];
            },
            cancel);
    }

    public Task SetTagsAsync(SetTags order, CancellationToken cancel) =>
        WithVaultAsync(
            async vault =>
            {
                CommitAnswer answer = await catalog.SetTagsAsync(
                    new TagOrder
                    {
                        Vault = vault.Info.Id,
                        Key = order.Key,
                        Version = order.Version,
                        Tags = order.Tags,
                        Was = order.Was,
                    },
                    cancel);
                return answer.Kind == ErrorKind.None ? true : throw Refused(answer, order.Key);
            },
            cancel);

    // A key that is none is refused for itself; what keeps the catalog from answering refuses all.
    private async Task<DeleteOutcome> DeleteOneAsync(
        OpenVault vault, DeleteObject delete, CancellationToken cancel)
    {
        try
        {
            CommitAnswer answer = await catalog.CommitAsync(OrderOf(vault, delete), cancel);
            return new DeleteOutcome
            {
                Key = delete.Key,
                Kind = answer.Kind,
                Detail = answer.Detail,
                Version = answer.Version,
                IsMark = answer.IsMark,
            };
        }
        catch (ZeroStorException e) when (!e.IsTransient)
        {
            return new DeleteOutcome { Key = delete.Key, Kind = e.Kind, Detail = e.Message };
        }
    }

    private CommitOrder OrderOf(OpenVault vault, DeleteObject delete) => new()
    {
        Kind = CommitKind.Delete,
        Vault = vault.Info.Id,
        Key = delete.Key,
        Content = delete.Commit,
        If = delete.If,
        Version = delete.Version,
        Now = map.Tick,
        Modified = time.GetUtcNow(),
    };
}
