using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Client;

// Versions beside the current one, tags, many deletes at once, what of the vault may change, and what front ends keep
// of it.
public sealed partial class Vault
{
    /// <summary>Says what becomes of earlier versions: every put and delete that begins after this goes by
    /// it.</summary>
    /// <exception cref="ZeroStorException">NotFound; PreconditionFailed: versions may have been kept, so it
    /// cannot be off any more.</exception>
    public Task<VaultInfo> SetVersioningAsync(Versioning versioning, CancellationToken cancel = default) =>
        RepeatAsync(
            $"setting the versioning of vault '{Name}'",
            token => _fabric.Doors.Vault(Name).SetVersioningAsync(versioning, token),
            cancel);

    /// <summary>Says whether what is put is compressed, where that pays, before it is sealed. Every put that begins a
    /// minute later goes by it, whoever keeps the keys; what was put stays as it is.</summary>
    /// <exception cref="ZeroStorException">NotFound.</exception>
    public Task<VaultInfo> SetCompressionAsync(Compression compression, CancellationToken cancel = default) =>
        RepeatAsync(
            $"setting the compression of vault '{Name}'",
            token => _fabric.Doors.Vault(Name).SetCompressionAsync(compression, token),
            cancel);

    /// <summary>A version by its name, or the mark of a delete, which <see cref="ObjectVersion.IsMark"/>
    /// tells.</summary>
    /// <param name="key">The key.</param>
    /// <param name="version"><see cref="VersionId.Null"/> for the one that was made while versions were not
    /// kept.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <exception cref="ZeroStorException">NotFound: vault, key or version.</exception>
    public async Task<ObjectVersion> HeadAsync(string key, VersionId version, CancellationToken cancel = default) =>
        (await FindAsync(key, version, cancel)).Version;

    /// <summary>Deletes by its name: removes the version, or the mark, for good. Without a name as
    /// <see cref="DeleteAsync(string, Precondition?, CancellationToken)"/>, and tells what came of
    /// it.</summary>
    /// <exception cref="ZeroStorException">PreconditionFailed; NotFound: the vault.</exception>
    public async Task<DeleteOutcome> DeleteAsync(DeleteItem item, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(item);
        DeleteOutcome outcome = (await DeleteManyAsync([item], cancel))[0];
        return outcome.Kind is ErrorKind.None or ErrorKind.NotFound
            ? outcome
            : throw new ZeroStorException(outcome.Kind, $"'{Name}/{item.Key}': {outcome.Detail}");
    }

    /// <summary>Deletes up to <see cref="DeleteOutcome.MaxPerCall"/> keys or versions, each for itself: one
    /// that is refused keeps no other.</summary>
    /// <returns>What came of each, in the order given.</returns>
    /// <exception cref="ZeroStorException">NotFound: the vault; InvalidArgument: too many; Unavailable: some
    /// may have been made.</exception>
    public async Task<ImmutableArray<DeleteOutcome>> DeleteManyAsync(
        IReadOnlyCollection<DeleteItem> items, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        if (items.Count == 0)
        {
            return [];
        }

        var orders = ImmutableArray.CreateBuilder<DeleteObject>(items.Count);
        foreach (DeleteItem item in items)
        {
            orders.Add(new DeleteObject
            {
                Key = item.Key,
                Version = item.Version,
                Commit = await _fabric.NewContentIdAsync(cancel),
                If = item.If,
            });
        }

        ImmutableArray<DeleteObject> said = orders.MoveToImmutable();
        return await AskVersionsAsync(
            said[0].Key,
            $"deleting {said.Length} keys of '{Name}'",
            (door, token) => door.DeleteManyAsync(said, token),
            cancel,
            Fabric.SurveyTimeout);
    }

    /// <summary>Lists versions and marks of deletes, page after page.</summary>
    public async IAsyncEnumerable<VersionEntry> ListVersionsAsync(
        ListVersionsOptions? options = null, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        ListVersionsOptions page = options ?? new ListVersionsOptions();
        while (true)
        {
            VersionPage got = await ListVersionsPageAsync(page, ListObjects.MaxPerPage, cancel);
            foreach (VersionEntry entry in got.Entries)
            {
                yield return entry;
            }

            if (got.Next is null)
            {
                yield break;
            }

            page = page with { StartAfter = got.Next, BeforeSeq = got.NextSeq };
        }
    }

    /// <summary>One page of a listing of versions.</summary>
    /// <param name="options">What to list, and from where.</param>
    /// <param name="max">The most entries: 1 to <see cref="ListObjects.MaxPerPage"/>.</param>
    /// <param name="cancel">Ends the wait.</param>
    public async Task<VersionPage> ListVersionsPageAsync(
        ListVersionsOptions options, int max, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(max);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(max, ListObjects.MaxPerPage);
        var order = new ListVersions
        {
            Prefix = options.Prefix,
            Delimiter = options.Delimiter,
            StartAfter = options.StartAfter,
            BeforeSeq = options.BeforeSeq,
            Max = max,
        };
        VersionsListed listed = await AskVersionsAsync(
            options.Prefix,
            $"listing the versions of '{Name}/{options.Prefix}'",
            (door, token) => door.ListVersionsAsync(order, token),
            cancel);
        IEnumerable<VersionEntry> entries =
        [
            .. listed.Versions.Select(v => new VersionEntry
            {
                Key = v.Key,
                IsPrefix = false,
                Version = v.Version,
                IsMark = v.IsMark,
                IsNull = v.IsNull,
                IsLatest = v.IsLatest,
                Size = v.Size,
                ETag = v.ETag,
                Modified = v.Modified,
                Seq = v.Seq,
            }),
            .. listed.CommonPrefixes.Select(p => new VersionEntry { Key = p, IsPrefix = true }),
        ];

        // The order of a key's own versions is kept: sorting is stable.
        return new VersionPage(
            [.. entries.OrderBy(e => e.Key, Comparer<string>.Create(ObjectKey.Compare))],
            listed.Next,
            listed.NextSeq);
    }

    /// <summary>Gives a version other tags; no version is made by it.</summary>
    /// <param name="key">The key.</param>
    /// <param name="tags">All that it shall have from then on.</param>
    /// <param name="version">Null: the current one.</param>
    /// <param name="was">What it must have, or <paramref name="tags"/> already; null: whatever it
    /// has.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <exception cref="ZeroStorException">NotFound: vault, key or version; PreconditionFailed: it has other
    /// tags than
    /// <paramref name="was"/>; InvalidArgument: more than <see cref="Tags.MaxBytes"/> bytes.</exception>
    public Task SetTagsAsync(
        string key,
        ImmutableSortedDictionary<string, string> tags,
        VersionId? version = null,
        ImmutableSortedDictionary<string, string>? was = null,
        CancellationToken cancel = default)
    {
        ObjectKey.Check(key);
        Tags.Check(tags);
        var order = new SetTags
        {
            Key = key, Version = version, Tags = Tags.Encode(tags), Was = was is null ? null : Tags.Encode(was),
        };
        return AskVersionsAsync<object?>(
            key,
            $"tagging '{Name}/{key}'",
            async (door, token) =>
            {
                await door.SetTagsAsync(order, token);
                return null;
            },
            cancel);
    }

    /// <summary>What a front end keeps of the vault under a name of its own; null: nothing.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault; InvalidArgument: no name.</exception>
    public Task<VaultSettings?> ReadSettingsAsync(string name, CancellationToken cancel = default)
    {
        VaultSettings.Check(name, null);
        return RepeatAsync(
            $"reading the settings '{name}' of vault '{Name}'",
            token => _fabric.Doors.Vault(Name).ReadSettingsAsync(name, token),
            cancel);
    }

    /// <summary>Puts bytes (null: none) in the place of the settings with an ETag (null: of none). The fabric
    /// does not read them.</summary>
    /// <returns>What stands now.</returns>
    /// <exception cref="ZeroStorException">NotFound: the vault; PreconditionFailed: they were changed
    /// meanwhile; InvalidArgument: no name, or more than <see cref="VaultSettings.MaxBytes"/>.</exception>
    public Task<VaultSettings?> WriteSettingsAsync(
        string name, string? was, byte[]? bytes, CancellationToken cancel = default)
    {
        VaultSettings.Check(name, bytes);
        return RepeatAsync(
            $"writing the settings '{name}' of vault '{Name}'",
            token => _fabric.Doors.Vault(Name).WriteSettingsAsync(name, was, bytes, token),
            cancel);
    }

    /// <summary>A version with its manifest: the current one, or that of a name.</summary>
    /// <exception cref="ZeroStorException">NotFound, also for the mark of a delete.</exception>
    internal async Task<FoundObject> FindReadableAsync(string key, VersionId? version, CancellationToken cancel)
    {
        FoundObject found = version is { } name
            ? await FindAsync(key, name, cancel)
            : await FindAsync(key, allowStale: false, cancel);
        return found.Version.IsMark
            ? throw ZeroStorException.NotFound(
                $"Version {version} of '{Name}/{key}' is the mark of a delete, and has no content.")
            : found;
    }

    private async Task<FoundObject> FindAsync(string key, VersionId version, CancellationToken cancel)
    {
        ObjectKey.Check(key);
        ObjectInfo info = await AskVersionsAsync(
            key,
            $"looking for version {version} of '{Name}/{key}'",
            (door, token) => door.FindVersionAsync(key, version, token),
            cancel) ?? throw ZeroStorException.NotFound($"There is no version {version} of '{Name}/{key}'.");
        Manifest manifest = info.IsMark
            ? new Manifest { Version = info.Version, Size = 0, Contents = [], Extents = [] }
            : Manifest.Decode(info.Manifest);
        IObjectDoor objects = await _fabric.ObjectsAsync(Name, key, cancel);
        return new FoundObject(ObjectVersion.Of(info, manifest), manifest, objects, info.OwnedVault);
    }

    private async Task<T> AskVersionsAsync<T>(
        string key,
        string doing,
        Func<IVersionDoor, CancellationToken, Task<T>> call,
        CancellationToken cancel,
        TimeSpan? timeout = null)
    {
        IVersionDoor door = await ForgettingAsync(_fabric.VersionsAsync(Name, key, cancel).AsTask());
        return await ForgettingAsync(_fabric.RepeatAsync(doing, token => call(door, token), cancel, timeout));
    }
}
