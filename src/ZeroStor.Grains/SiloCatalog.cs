using System.Collections.Immutable;

namespace ZeroStor.Grains;

/// <summary>The catalog as all of this silo use it. What it answers is passed on as it is; on the way by it is noted
/// how long it took, when it answered last, and what was seen of versions and pages. Thread-safe.</summary>
internal sealed partial class SiloCatalog(
    ICatalog catalog, SeenVersions seen, Instruments instruments, TimeProvider time) : ICatalog
{
    private long _answeredAt = time.GetTimestamp();

    /// <summary>How long ago the catalog answered anything at all, a refusal included.</summary>
    public TimeSpan Silence => time.GetElapsedTime(Volatile.Read(ref _answeredAt));

    public Task<FabricState> ReadFabricAsync(CancellationToken cancel) =>
        AskAsync("ReadFabric", () => catalog.ReadFabricAsync(cancel));

    public Task<Tick> RaiseTickAsync(Tick from, CancellationToken cancel) =>
        AskAsync("RaiseTick", () => catalog.RaiseTickAsync(from, cancel));

    public Task<FabricState> NoticeWentBackAsync(Tick tick, CancellationToken cancel) =>
        AskAsync("NoticeWentBack", () => catalog.NoticeWentBackAsync(tick, cancel));

    public Task<bool> AdoptAsync(Tick wentBack, CancellationToken cancel) =>
        AskAsync("Adopt", () => catalog.AdoptAsync(wentBack, cancel));

    public Task MarkCensusAsync(CensusMark census, CancellationToken cancel) =>
        AskAsync("MarkCensus", () => catalog.MarkCensusAsync(census, cancel));

    public Task<string> EnterMasterKeyAsync(string id, CancellationToken cancel) =>
        AskAsync("EnterMasterKey", () => catalog.EnterMasterKeyAsync(id, cancel));

    public Task<string> ReplaceMasterKeyAsync(string was, string id, CancellationToken cancel) =>
        AskAsync("ReplaceMasterKey", () => catalog.ReplaceMasterKeyAsync(was, id, cancel));

    public Task<FabricMap> ReadMapAsync(CancellationToken cancel) =>
        AskAsync("ReadMap", () => catalog.ReadMapAsync(cancel));

    public Task<bool> ChangeMapAsync(MapChange change, CancellationToken cancel) =>
        AskAsync("ChangeMap", () => catalog.ChangeMapAsync(change, cancel));

    public Task<bool> AddVaultAsync(VaultEntry vault, CancellationToken cancel) =>
        AskAsync("AddVault", () => catalog.AddVaultAsync(vault, cancel));

    public Task<bool> RemoveVaultAsync(VaultId vault, CancellationToken cancel) =>
        AskAsync("RemoveVault", () => catalog.RemoveVaultAsync(vault, cancel));

    public Task<VaultEntry?> FindVaultAsync(string name, CancellationToken cancel) =>
        AskAsync("FindVault", () => catalog.FindVaultAsync(name, cancel));

    public Task<ImmutableArray<VaultEntry>> ListVaultsAsync(CancellationToken cancel) =>
        AskAsync("ListVaults", () => catalog.ListVaultsAsync(cancel));

    public async Task<CommitAnswer> CommitAsync(CommitOrder order, CancellationToken cancel)
    {
        long look = seen.Look();
        CommitAnswer answer;
        try
        {
            answer = await AskAsync("Commit", () => catalog.CommitAsync(order, cancel));
        }
        catch when (order.Kind == CommitKind.Delete)
        {
            seen.PerhapsDeleted(order.Vault, order.Key);
            throw;
        }

        if (order.Kind == CommitKind.Put && answer.Kind == ErrorKind.None)
        {
            SawPut(order, answer);
        }
        else if (order.Kind == CommitKind.Delete && answer.Kind == ErrorKind.None)
        {
            seen.Deleted(order.Vault, order.Key, answer.Seq);
        }
        else if (order is { Kind: CommitKind.Delete, Version: null } && answer.Kind == ErrorKind.NotFound)
        {
            seen.SawNone(order.Vault, order.Key, look);
        }

        return answer;
    }

    public async Task<ImmutableArray<VersionRow?>> HeadAsync(
        VaultId vault, IReadOnlyList<string> keys, CancellationToken cancel)
    {
        long look = seen.Look();
        ImmutableArray<VersionRow?> rows = await AskAsync(
            "Head", () => catalog.HeadAsync(vault, keys, cancel));
        foreach ((int index, VersionRow? row) in rows.Index())
        {
            if (row is not null)
            {
                seen.Saw(vault, row, look);
            }
            else
            {
                seen.SawNone(vault, keys[index], look);
            }
        }

        return rows;
    }

    public Task<Listing> ListAsync(ListQuery query, CancellationToken cancel) =>
        AskAsync("List", () => catalog.ListAsync(query, cancel));

    public Task<ImmutableArray<NamedVersion>> ScanAsync(VersionName after, int max, CancellationToken cancel) =>
        AskAsync("Scan", () => catalog.ScanAsync(after, max, cancel));

    public Task<bool> OpenContentAsync(ContentId content, VaultId vault, Tick now, CancellationToken cancel) =>
        AskAsync("OpenContent", () => catalog.OpenContentAsync(content, vault, now, cancel));

    public async Task<bool> WritePageAsync(
        ContentId content, int page, byte[] bytes, Tick now, CancellationToken cancel)
    {
        bool isWritten = await AskAsync(
            "WritePage", () => catalog.WritePageAsync(content, page, bytes, now, cancel));
        if (isWritten)
        {
            seen.SawPage(content, page, bytes);
        }

        return isWritten;
    }

    /// <inheritdoc/>
    /// <remarks>A page that was seen is not asked for again: it does not change.</remarks>
    public async Task<byte[]?> ReadPageAsync(ContentId content, int page, CancellationToken cancel)
    {
        if (seen.FindPage(content, page) is { } known)
        {
            return known;
        }

        byte[]? bytes = await AskAsync("ReadPage", () => catalog.ReadPageAsync(content, page, cancel));
        if (bytes is not null)
        {
            seen.SawPage(content, page, bytes);
        }

        return bytes;
    }

    public Task CondemnAsync(
        VaultId vault, IReadOnlyCollection<ContentId> contents, Tick now, CancellationToken cancel) =>
        AskAsync("Condemn", () => catalog.CondemnAsync(vault, contents, now, cancel));

    public Task<int> CondemnIdleAsync(Tick before, Tick now, CancellationToken cancel) =>
        AskAsync("CondemnIdle", () => catalog.CondemnIdleAsync(before, now, cancel));

    public Task<ImmutableArray<DeadContent>> ListDeadAsync(
        ContentId after, Tick diedBy, int max, CancellationToken cancel) =>
        AskAsync("ListDead", () => catalog.ListDeadAsync(after, diedBy, max, cancel));

    public Task ForgetAsync(IReadOnlyCollection<ContentId> dead, CancellationToken cancel) =>
        AskAsync("Forget", () => catalog.ForgetAsync(dead, cancel));

    public Task<ImmutableArray<ContentState?>> StatesAsync(
        IReadOnlyList<ContentId> contents, CancellationToken cancel) =>
        AskAsync("States", () => catalog.StatesAsync(contents, cancel));

    public Task<ImmutableArray<ContentOwner?>> OwnersAsync(
        IReadOnlyList<ContentId> contents, CancellationToken cancel) =>
        AskAsync("Owners", () => catalog.OwnersAsync(contents, cancel));

    public Task<CatalogCounts> CountAsync(CancellationToken cancel) =>
        AskAsync("Count", () => catalog.CountAsync(cancel));

    private void SawPut(CommitOrder order, CommitAnswer answer)
    {
        Manifest manifest = Manifest.Decode(order.Manifest);

        // A repeated put is answered with what its first one made; what it brings now may be something else.
        if (manifest.Version != answer.Version)
        {
            return;
        }

        foreach ((int page, byte[] bytes) in order.Pages)
        {
            seen.SawPage(order.Content, page, bytes);
        }

        seen.Put(order.Vault, new VersionRow
        {
            Key = order.Key,
            Seq = answer.Seq,
            Version = answer.Version,
            Size = manifest.Size,
            ETag = answer.ETag,
            Modified = order.Modified,
            Manifest = order.Manifest,
            Tags = order.Tags,
        });
    }

    private async Task<T> AskAsync<T>(string operation, Func<Task<T>> call)
    {
        ErrorKind answer = ErrorKind.None;
        long began = instruments.BeginCatalogCall();
        try
        {
            return await call();
        }
        catch (Exception e)
        {
            // One who gave up has no answer either.
            answer = (e as ZeroStorException)?.Kind ?? ErrorKind.Unavailable;
            throw;
        }
        finally
        {
            if (answer != ErrorKind.Unavailable)
            {
                Answered();
            }

            instruments.EndCatalogCall(operation, began, answer);
        }
    }

    private Task<bool> AskAsync(string operation, Func<Task> call) => AskAsync(operation, async () =>
    {
        await call();
        return true;
    });

    private void Answered() => Volatile.Write(ref _answeredAt, time.GetTimestamp());
}
