using System.Collections.Immutable;
using Orleans.Concurrency;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Grains;

/// <summary>The objects of one partition of a vault. It holds no truth: it resolves the vault's name, hands
/// orders to the catalog, whose committer joins what all grains of the silo queued, and turns answers into
/// errors. Every silo has its own, so whichever silo a caller reached can answer: a silo that hangs or is gone
/// keeps no key from anybody.</summary>
[Reentrant, StatelessWorker(1)]
internal sealed partial class ObjectMetadataGrain(
    ICatalog catalog,
    IShardHome homes,
    IFabricMap map,
    VaultDirectory vaults,
    SeenVersions seen,
    IEntropy entropy,
    TimeProvider time) : Grain, IObjectDoor, IUploadDoor, IVersionDoor
{
    /// <summary>One who takes a stale answer waits for the catalog no longer than this: a catalog that hangs would
    /// keep him until it is given up, and he would have given up the call before.</summary>
    private static readonly TimeSpan PatienceBeforeStale = TimeSpan.FromSeconds(4);

    private string Vault => ObjectDoor.VaultOf(this.GetPrimaryKeyString());

    public Task<ObjectInfo> CommitAsync(CommitPut put, CancellationToken cancel) =>
        WithVaultAsync(
            async vault =>
            {
                Manifest manifest = Manifest.Decode(put.Manifest);
                await DemandKeysAsync(vault, put.Vault, manifest, cancel);
                return await CommitAsync(
                    new CommitOrder
                    {
                        Kind = CommitKind.Put,
                        Vault = vault.Info.Id,
                        Key = put.Key,
                        Content = put.Content,
                        If = put.If,
                        Now = map.Tick,
                        Modified = time.GetUtcNow(),
                        Manifest = put.Manifest,
                        ETag = put.ETag,
                        Tags = put.Tags,
                        Pages = [.. put.Pages.Select(p => (p.Page, p.Bytes))],
                    },
                    manifest.Size,
                    cancel);
            },
            cancel);

    public Task<ObjectInfo> CopyAsync(CopyObject copy, CancellationToken cancel) =>
        WithVaultAsync(
            async vault =>
            {
                VersionRow? found = copy.SourceVersion is { } version
                    ? await catalog.FindVersionAsync(vault.Info.Id, copy.SourceKey, version, cancel)
                    : await HeadAsync(vault, copy.SourceKey, cancel);
                VersionRow source = found is { IsMark: false } ? found : throw Missing(copy.SourceKey);
                if (copy.SourceIfMatch is { } etag && etag != "*" && etag != source.ETag)
                {
                    throw new ZeroStorException(
                        ErrorKind.PreconditionFailed, $"{Vault}/{copy.SourceKey} has ETag {source.ETag}, not {etag}");
                }

                Manifest copied = Manifest.Decode(source.Manifest) with { Version = VersionId.New(entropy) };
                if (copy.Carried is { } other)
                {
                    var carried = Carried.Decode(other);
                    copied = copied with { ContentType = carried.ContentType, Headers = carried.Headers };
                }

                var order = new CommitOrder
                {
                    Kind = CommitKind.Put,
                    Vault = vault.Info.Id,
                    Key = copy.Key,
                    Content = copy.Commit,
                    If = copy.If,
                    Now = map.Tick,
                    Modified = time.GetUtcNow(),
                    Manifest = copied.Encode(),
                    ETag = source.ETag == source.Version.ToString() ? null : source.ETag,
                    Tags = copy.Tags ?? source.Tags,
                };
                return await CommitAsync(order, copied.Size, cancel);
            },
            cancel);

    public Task<bool> DeleteAsync(DeleteObject delete, CancellationToken cancel) =>
        WithVaultAsync(
            async vault =>
            {
                CommitAnswer answer = await catalog.CommitAsync(OrderOf(vault, delete), cancel);
                if (answer.Kind == ErrorKind.NotFound)
                {
                    // There was nothing to delete; or the vault itself went, which a second look tells.
                    await catalog.HeadAsync(vault.Info.Id, [delete.Key], cancel);
                    return false;
                }

                return answer.Kind == ErrorKind.None ? true : throw Refused(answer, delete.Key);
            },
            cancel);

    public async Task<ObjectInfo?> HeadAsync(string key, bool allowStale, CancellationToken cancel)
    {
        if (!allowStale)
        {
            return await HeadAsync(key, cancel);
        }

        using var patience = new CancellationTokenSource(PatienceBeforeStale, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, patience.Token);
        try
        {
            return await HeadAsync(key, both.Token);
        }
        catch (ZeroStorException e) when (e.Kind == ErrorKind.Unavailable)
        {
            return Stale(key, e.Message, e);
        }
        catch (OperationCanceledException e) when (patience.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            return Stale(
                key, $"The catalog has not answered in {PatienceBeforeStale.TotalSeconds} s: try again.", e);
        }
    }

    public Task<ObjectListing> ListAsync(ListObjects list, CancellationToken cancel) =>
        WithVaultAsync(
            async vault =>
            {
                Listing page = await catalog.ListAsync(
                    new ListQuery
                    {
                        Vault = vault.Info.Id,
                        Prefix = list.Prefix,
                        Delimiter = list.Delimiter,
                        StartAfter = list.StartAfter,
                        Max = Math.Clamp(list.Max, 1, ListObjects.MaxPerPage),
                    },
                    cancel);
                return new ObjectListing
                {
                    Objects = [.. page.Versions.Select(Info)],
                    CommonPrefixes = page.CommonPrefixes,
                    Next = page.Next,
                };
            },
            cancel);

    public Task OpenContentAsync(ContentId content, CancellationToken cancel) =>
        WithVaultAsync(
            async vault => Demand(
                await catalog.OpenContentAsync(content, vault.Info.Id, map.Tick, cancel), content),
            cancel);

    public Task WritePageAsync(ContentId content, int page, byte[] bytes, CancellationToken cancel) =>
        WithVaultAsync(
            async _ => Demand(await catalog.WritePageAsync(content, page, bytes, map.Tick, cancel), content),
            cancel);

    public async Task<byte[]> ReadPageAsync(ContentId content, int page, CancellationToken cancel) =>
        await catalog.ReadPageAsync(content, page, cancel)
            ?? throw ZeroStorException.NotFound("the version was deleted while it was read");

    public Task AbandonAsync(ContentId content, CancellationToken cancel) =>
        WithVaultAsync(
            async vault =>
            {
                await catalog.CondemnAsync(vault.Info.Id, [content], map.Tick, cancel);
                return true;
            },
            cancel);

    public Task<ImmutableArray<ShardPlace>> LocateAsync(
        string key, int firstStripe, int maxStripes, CancellationToken cancel) =>
        WithVaultAsync(
            async vault =>
            {
                VersionRow row = await HeadAsync(vault, key, cancel) ?? throw Missing(key);
                return await new ShardLocator(catalog, homes, map)
                    .RunAsync(Manifest.Decode(row.Manifest), firstStripe, maxStripes, cancel);
            },
            cancel);

    private async Task<ObjectInfo> CommitAsync(CommitOrder order, long size, CancellationToken cancel)
    {
        CommitAnswer answer = await catalog.CommitAsync(order, cancel);
        return answer.Kind == ErrorKind.None
            ? new ObjectInfo
            {
                Key = order.Key,
                Version = answer.Version,
                Size = size,
                ETag = answer.ETag,
                Modified = order.Modified,
                Seq = answer.Seq,
                Tags = order.Tags,
            }
            : throw Refused(answer, order.Key);
    }

    private Task<ObjectInfo?> HeadAsync(string key, CancellationToken cancel) =>
        WithVaultAsync(
            async vault => await HeadAsync(vault, key, cancel) is { } row ? Info(row, vault) : null,
            cancel);

    // The catalog is away: what was seen last, or the same refusal.
    private ObjectInfo Stale(string key, string why, Exception cause) =>
        vaults.Find(Vault) is { } vault && seen.Find(vault.Info.Id, key) is { } row
            ? Info(row, vault) with { IsStale = true }
            : throw new ZeroStorException(
                ErrorKind.Unavailable,
                $"{why} This silo remembers no version of {Vault}/{key} either, not even a stale one.",
                cause);

    private async Task<VersionRow?> HeadAsync(OpenVault vault, string key, CancellationToken cancel) =>
        (await catalog.HeadAsync(vault.Info.Id, [key], cancel))[0];

    // A vault that this silo knows may be gone, or made anew: what it answers NotFound to is asked once more.
    private async Task<T> WithVaultAsync<T>(Func<OpenVault, Task<T>> work, CancellationToken cancel)
    {
        OpenVault vault = await vaults.GetAsync(Vault, cancel);
        try
        {
            return await work(vault);
        }
        catch (ZeroStorException e) when (e.Kind == ErrorKind.NotFound)
        {
            vaults.Forget(Vault);
            OpenVault now = await vaults.GetAsync(Vault, cancel);
            if (now.Info.Id == vault.Info.Id)
            {
                throw;
            }

            return await work(now);
        }
    }

    // A vault that was removed and made again under its name has other keys: what was sealed for the one before
    // would be acknowledged here, and never open.
    private async Task DemandKeysAsync(
        OpenVault vault, VaultId? sealedFor, Manifest manifest, CancellationToken cancel)
    {
        if (vault.Held is null)
        {
            if (sealedFor != vault.Info.Id)
            {
                throw ZeroStorException.NotFound(
                    $"vault {vault.Info.Name} is another than the one that this was sealed for: it was removed and "
                    + "made again while the put was under way; put again");
            }

            return;
        }

        foreach (ContentRef content in manifest.Contents)
        {
            OpenVault now = vault.Keys.Has(content.WrappedKey.AsSpan())
                ? vault
                : await vaults.GetAsync(Vault, content.WrappedKey.AsMemory(), cancel);
            try
            {
                now.Keys.OpenContentKey(content.Id, content.WrappedKey.AsSpan()).Dispose();
            }
            catch (ZeroStorException e) when (e.Kind == ErrorKind.Corrupt)
            {
                throw new ZeroStorException(
                    ErrorKind.NotFound,
                    $"vault {vault.Info.Name} has no key for content {content.Id}: it was removed and made again "
                    + "while the put was under way; put again",
                    e);
            }
        }
    }

    private static bool Demand(bool isOpen, ContentId content) =>
        isOpen
            ? true
            : throw new ZeroStorException(
                ErrorKind.PreconditionFailed,
                $"the put of content {content} was idle too long and is given up: put again");

    private ZeroStorException Missing(string key) => ZeroStorException.NotFound($"there is no {Vault}/{key}");

    private ZeroStorException Refused(CommitAnswer answer, string key) =>
        new(answer.Kind, $"{Vault}/{key}: {answer.Detail}");

    private static ObjectInfo Info(VersionRow row, OpenVault vault) =>
        Info(row) with { OwnedVault = vault.Held is null ? vault.Info : null };

    private static ObjectInfo Info(VersionRow row) => new()
    {
        Key = row.Key,
        Version = row.Version,
        Size = row.Size,
        ETag = row.ETag,
        Modified = row.Modified,
        Manifest = row.Manifest,
        Tags = row.Tags,
        IsMark = row.IsMark,
        IsNull = !row.IsKept,
        Seq = row.Seq,
    };
}
