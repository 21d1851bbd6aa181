using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using ZeroStor.Contracts.Doors;
using ZeroStor.Sealing;

namespace ZeroStor.Client;

/// <summary>A vault as a front end uses it: its objects, by key. Making one asks nothing of the fabric; each
/// method throws <see cref="ErrorKind.NotFound"/> when the vault is not there. All failures of the fabric are
/// <see cref="ZeroStorException"/>; those of the caller's own streams come out as they are. What was
/// acknowledged is synced on its homes and committed. Thread-safe; per key the methods are
/// linearizable.</summary>
public sealed partial class Vault
{
    /// <summary>Stripes whose shards are looked up with one call: each asks up to n disks.</summary>
    private const int StripesPerLocate = 16;

    /// <summary>A ring of a thousand epochs is rewrapped in less than a second; the catalog may be slow.</summary>
    private static readonly TimeSpan ChangeKeyTimeout = TimeSpan.FromSeconds(30);

    private readonly Fabric _fabric;

    internal Vault(Fabric fabric, string name) => (_fabric, Name) = (fabric, VaultName.Check(name));

    /// <summary>The vault's name.</summary>
    public string Name { get; }

    /// <summary>What the vault is: id, code, spread, write floor.</summary>
    public Task<VaultInfo> DescribeAsync(CancellationToken cancel = default) =>
        _fabric.RepeatAsync(
            $"looking for vault '{Name}'", _fabric.Doors.Vault(Name).DescribeAsync, cancel);

    /// <summary>What keys the vault has: nothing secret.</summary>
    public Task<VaultKeyRing> KeysAsync(CancellationToken cancel = default) =>
        _fabric.RepeatAsync(
            $"asking for the keys of vault '{Name}'", _fabric.Doors.Vault(Name).KeysAsync, cancel);

    /// <summary>Makes a key pair of the next generation and encapsulates every epoch to it; no object is touched. Asked
    /// once: where no answer comes, <see cref="KeysAsync"/> tells whether it was done.</summary>
    /// <param name="suite"><c>xwing</c> or <c>xwing1024</c>; null: that of the newest.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <exception cref="ZeroStorException">NotFound; InvalidArgument: no such suite; Unavailable: no answer, or somebody
    /// else changed the keys meanwhile.</exception>
    public Task<VaultKeyRing> RotateKeyAsync(string? suite = null, CancellationToken cancel = default) =>
        _fabric.OnceAsync(
            $"rotating the key of vault '{Name}'",
            token => _fabric.Doors.Vault(Name).RotateAsync(suite, token),
            cancel,
            ChangeKeyTimeout);

    /// <summary>Takes an earlier key pair out, which no epoch needs.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault, or the key; InvalidArgument: it is the newest;
    /// PreconditionFailed: an epoch needs it; Unavailable: as above.</exception>
    public Task<VaultKeyRing> RetireKeyAsync(uint generation, CancellationToken cancel = default) =>
        _fabric.OnceAsync(
            $"retiring a key of vault '{Name}'",
            token => _fabric.Doors.Vault(Name).RetireAsync(generation, token),
            cancel,
            ChangeKeyTimeout);

    /// <summary>As <see cref="RotateKeyAsync"/>, for a vault whose owner keeps the keys: the newest of
    /// <see cref="ZeroStorClientOptions.OwnerKeys"/> becomes the vault's. So put it there first, beside the earlier ones.
    /// </summary>
    /// <exception cref="ZeroStorException">NotFound; PreconditionFailed: the fabric keeps the keys; Forbidden: there are no
    /// keys here; InvalidArgument: they lack one that an epoch needs, or hold none that is newer.</exception>
    public async Task RotateOwnKeyAsync(CancellationToken cancel = default)
    {
        Tick now = (await _fabric.NewContentIdAsync(cancel)).Begun;
        await _fabric.Owned.ChangeAsync(
            await DescribeAsync(cancel), (ring, keys) => ring.WithNextPair(keys, now, _fabric.Entropy), cancel);
    }

    /// <summary>As <see cref="RetireKeyAsync"/>, for a vault whose owner keeps the keys. Take the private key out of
    /// <see cref="ZeroStorClientOptions.OwnerKeys"/> afterwards.</summary>
    /// <exception cref="ZeroStorException">As <see cref="RetireKeyAsync"/>; Forbidden: there are no keys here.</exception>
    public async Task RetireOwnKeyAsync(uint generation, CancellationToken cancel = default) =>
        await _fabric.Owned.ChangeAsync(
            await DescribeAsync(cancel), (ring, _) => ring.WithoutPair(generation), cancel);

    /// <summary>Holds private keys against the vault's key ring.</summary>
    /// <exception cref="ZeroStorException">NotFound; PreconditionFailed: the fabric keeps the keys; InvalidArgument: they
    /// are another vault's, or others than the ring's, or its newest is not among them.</exception>
    public async Task CheckOwnKeysAsync(PrivateKeys keys, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        KeyRing ring = KeyRing.Decode(await _fabric.Owned.ReadRingAsync(await DescribeAsync(cancel), cancel));
        using VaultKeys open = ring.Unlock(keys);
        if (open.CurrentEpoch == 0)
        {
            throw ZeroStorException.Invalid(
                $"Vault '{Name}' goes to key {ring.Pairs[^1].Generation}, and the keys given are "
                + $"{string.Join(", ", keys.Generations)}: take the newest key file or recovery key.");
        }
    }

    /// <summary>Puts all bytes of a stream, of any length, as the key's next version. A few stripes of at
    /// most 4 MiB are held at a time. Cancelled or failed, nothing of it becomes visible.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: key or headers; PreconditionFailed;
    /// PolicyUnsatisfiable: too few homes took it; Busy, Unavailable: it was tried for
    /// <see cref="ZeroStorClientOptions.Patience"/>.</exception>
    public Task<ObjectVersion> PutAsync(
        string key, Stream content, PutOptions? options = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        return PutAsync(key, content.ReadAsync, options, cancel);
    }

    /// <summary>As <see cref="PutAsync(string, Stream, PutOptions?, CancellationToken)"/>, for bytes that are
    /// at hand.</summary>
    public Task<ObjectVersion> PutAsync(
        string key,
        ReadOnlySequence<byte> content,
        PutOptions? options = null,
        CancellationToken cancel = default)
    {
        return PutAsync(key, ReaderOf(content), options, cancel);
    }

    /// <summary>Opens a version for reading: the current one, unless another is named. The reader gives that
    /// version whatever becomes of the key; once the version is deleted it may be reclaimed under a slow
    /// reader, which then gets <see cref="ErrorKind.NotFound"/>.</summary>
    /// <exception cref="ZeroStorException">NotFound: vault or key, or the version, or it is the mark of a
    /// delete; InvalidArgument: the range begins behind the end; Unavailable: the catalog does not
    /// answer.</exception>
    public async Task<ObjectStream> OpenReadAsync(
        string key, ReadOptions? options = null, CancellationToken cancel = default)
    {
        FoundObject found = options is { AllowStale: true, Version: null }
            ? await FindAsync(key, allowStale: true, cancel)
            : await FindReadableAsync(key, options?.Version, cancel);
        ByteRange? range = options?.RangeOf is { } rangeOf ? rangeOf(found.Version) : options?.Range;
        (long offset, long length) = range?.Resolve(found.Version.Size) ?? (0, found.Version.Size);
        return new ObjectStream(_fabric, Name, found, offset, length, options?.AbsentHomes ?? 0);
    }

    /// <summary>The current version.</summary>
    /// <exception cref="ZeroStorException">NotFound: vault or key.</exception>
    public Task<ObjectVersion> HeadAsync(string key, CancellationToken cancel = default) =>
        HeadAsync(key, allowStale: false, cancel);

    /// <summary>The current version; or while the catalog does not answer, if
    /// <paramref name="allowStale"/>, the one that a silo saw last, as <see cref="ReadOptions.AllowStale"/> has
    /// it.</summary>
    /// <exception cref="ZeroStorException">NotFound: vault or key; Unavailable: the catalog does not answer, and no
    /// silo that was asked remembers a version.</exception>
    public async Task<ObjectVersion> HeadAsync(
        string key, bool allowStale, CancellationToken cancel = default) =>
        (await FindAsync(key, allowStale, cancel)).Version;

    /// <summary>Deletes the current version; false when there was none. Where the vault keeps versions it
    /// goes on as a former one behind the mark of this delete.</summary>
    /// <exception cref="ZeroStorException">PreconditionFailed.</exception>
    public async Task<bool> DeleteAsync(
        string key, Precondition? condition = null, CancellationToken cancel = default)
    {
        ObjectKey.Check(key);
        var order = new DeleteObject
        {
            Key = key,
            Commit = await _fabric.NewContentIdAsync(cancel),
            If = condition ?? Precondition.None,
        };
        return await AskAsync(
            key, $"deleting '{Name}/{key}'", (door, token) => door.DeleteAsync(order, token), cancel);
    }

    /// <summary>Makes a version of <paramref name="source"/>, the current one unless another is named, the
    /// next one of
    /// <paramref name="target"/>: headers, tags and all unless others are given, and no bytes move.</summary>
    /// <exception cref="ZeroStorException">NotFound: the source; PreconditionFailed.</exception>
    public async Task<ObjectVersion> CopyAsync(
        string source, string target, CopyOptions? options = null, CancellationToken cancel = default)
    {
        ObjectKey.Check(source);
        ObjectKey.Check(target);
        options ??= new CopyOptions();
        PutChecks.CheckHeaders(options.ContentType, options.Headers);
        Tags.Check(options.Tags ?? Tags.None);
        var order = new CopyObject
        {
            SourceKey = source,
            SourceVersion = options.SourceVersion,
            SourceIfMatch = options.SourceIfMatch,
            Key = target,
            Commit = await _fabric.NewContentIdAsync(cancel),
            If = options.If,
            Carried = options.ReplacesHeaders
                ? new Carried { ContentType = options.ContentType, Headers = options.Headers }.Encode()
                : null,
            Tags = options.Tags is { } tags ? Tags.Encode(tags) : null,
        };
        ObjectInfo info = await AskAsync(
            target,
            $"copying '{Name}/{source}' to '{target}'",
            (door, token) => door.CopyAsync(order, token),
            cancel);
        // A commit answers without the manifest; the copy has the source's headers.
        Manifest headers = info.Manifest.Length > 0
            ? Manifest.Decode(info.Manifest)
            : (await FindAsync(target, allowStale: false, cancel)).Manifest;
        return ObjectVersion.Of(info, headers);
    }

    /// <summary>Lists keys and common prefixes, page after page. Each page shows every write that was
    /// acknowledged before it was asked for.</summary>
    public async IAsyncEnumerable<ListEntry> ListAsync(
        ListOptions? options = null, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        ListOptions page = options ?? new ListOptions();
        while (true)
        {
            ListPage got = await ListPageAsync(page, ListObjects.MaxPerPage, cancel);
            foreach (ListEntry entry in got.Entries)
            {
                yield return entry;
            }

            if (got.Next is null)
            {
                yield break;
            }

            page = page with { StartAfter = got.Next };
        }
    }

    /// <summary>One page of a listing.</summary>
    /// <param name="options">What to list, and from where.</param>
    /// <param name="max">The most entries: 1 to <see cref="ListObjects.MaxPerPage"/>.</param>
    /// <param name="cancel">Ends the wait.</param>
    public async Task<ListPage> ListPageAsync(
        ListOptions options, int max, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(max);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(max, ListObjects.MaxPerPage);
        var order = new ListObjects
        {
            Prefix = options.Prefix,
            Delimiter = options.Delimiter,
            StartAfter = options.StartAfter,
            Max = max,
        };
        // Any partition serves a listing; by the prefix, listings of one place meet in one cache.
        ObjectListing listing = await AskAsync(
            options.Prefix,
            $"listing '{Name}/{options.Prefix}'",
            (door, token) => door.ListAsync(order, token),
            cancel);
        IEnumerable<ListEntry> entries =
        [
            .. listing.Objects.Select(o => new ListEntry
            {
                Key = o.Key,
                IsPrefix = false,
                Size = o.Size,
                ETag = o.ETag,
                Version = o.Version,
                Modified = o.Modified,
            }),
            .. listing.CommonPrefixes.Select(p => new ListEntry { Key = p, IsPrefix = true }),
        ];
        return new ListPage(
            [.. entries.Order(Comparer<ListEntry>.Create((a, b) => ObjectKey.Compare(a.Key, b.Key)))],
            listing.Next);
    }

    /// <summary>Where the shards of an object lie now, stripe by stripe.</summary>
    /// <exception cref="ZeroStorException">NotFound: vault or key.</exception>
    public async IAsyncEnumerable<ShardPlace> LocateAsync(
        string key, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        (_, Manifest manifest, IObjectDoor objects, _) = await FindAsync(key, allowStale: false, cancel);
        long stripes = manifest.Contents.Sum(c => (long)c.StripeCount);
        for (int first = 0; first < stripes; first += StripesPerLocate)
        {
            int from = first;
            ImmutableArray<ShardPlace> places = await _fabric.RepeatAsync(
                $"locating '{Name}/{key}'",
                token => objects.LocateAsync(key, from, StripesPerLocate, token),
                cancel,
                Fabric.SurveyTimeout);
            foreach (ShardPlace place in places)
            {
                yield return place;
            }
        }
    }

    /// <summary>Reads bytes that are at hand, once.</summary>
    internal static ReadBytes ReaderOf(ReadOnlySequence<byte> rest)
    {
        return ReadRest;

        ValueTask<int> ReadRest(Memory<byte> target, CancellationToken token)
        {
            int bytes = (int)Math.Min(target.Length, rest.Length);
            rest.Slice(0, bytes).CopyTo(target.Span);
            rest = rest.Slice(bytes);
            return ValueTask.FromResult(bytes);
        }
    }

    private async Task<ObjectVersion> PutAsync(
        string key, ReadBytes read, PutOptions? options, CancellationToken cancel)
    {
        ObjectKey.Check(key);
        options ??= new PutOptions();
        PutChecks.CheckHeaders(options);
        Tags.Check(options.Tags);
        IObjectDoor objects = await _fabric.ObjectsAsync(Name, key, cancel);
        VersionId version = VersionId.New(_fabric.Entropy);
        DateTimeOffset begun = _fabric.Time.GetUtcNow();
        try
        {
            await using ContentPut put =
                await ContentPut.OpenAsync(_fabric, Name, objects, $"{Name}/{key}", cancel);
            try
            {
                (ContentRef content, ImmutableArray<StripePage> pages) = await put.WriteAsync(
                    read,
                    bytes => new CommitDraft(key, begun, ManifestOf(put.ContentOf(bytes, []))).Encode(),
                    options.Progress);
                Manifest manifest = ManifestOf(content);
                string? etag = options.ETag is { } ask ? PutChecks.CheckETag(ask()) : null;
                ObjectInfo info = await put.CommitAsync(new CommitPut
                {
                    Key = key,
                    Content = content.Id,
                    Manifest = manifest.Encode(),
                    ETag = etag,
                    If = options.If,
                    Pages = pages,
                    Vault = put.OwnedId,
                    Tags = Tags.Encode(options.Tags),
                });
                return ObjectVersion.Of(info, manifest, put.ShortStripes);
            }
            catch
            {
                await put.AbandonAsync();
                throw;
            }
        }
        catch (ZeroStorException failure) when (failure.Kind == ErrorKind.NotFound)
        {
            _fabric.ForgetVault(Name);
            throw;
        }

        Manifest ManifestOf(ContentRef content) => new()
        {
            Version = version,
            Size = content.Bytes,
            ContentType = options.ContentType,
            Headers = options.Headers,
            Contents = [content],
            Extents = content.Bytes == 0 ? [] : [new Extent(0, 0, content.Bytes)],
        };
    }

    internal async Task<FoundObject> FindAsync(string key, bool allowStale, CancellationToken cancel)
    {
        ObjectKey.Check(key);
        IObjectDoor? objects = null;
        string doing = $"looking for '{Name}/{key}'";
        int tries = 0;
        ObjectInfo info = await (allowStale
            ? RepeatAsync(
                doing,
                async token =>
                {
                    objects = await _fabric.ObjectsForStaleAsync(Name, key, tries++, token);
                    return await objects.HeadAsync(key, allowStale: true, token);
                },
                cancel)
            : AskAsync(
                key,
                doing,
                (door, token) => (objects = door).HeadAsync(key, allowStale: false, token),
                cancel)) ?? throw ZeroStorException.NotFound($"There is no object '{Name}/{key}'.");
        Manifest manifest = Manifest.Decode(info.Manifest);
        return new FoundObject(ObjectVersion.Of(info, manifest), manifest, objects!, info.OwnedVault);
    }

    // Asks the object grain of a key; whatever it is asked may be repeated.
    private async Task<T> AskAsync<T>(
        string key,
        string doing,
        Func<IObjectDoor, CancellationToken, Task<T>> call,
        CancellationToken cancel)
    {
        IObjectDoor door = await ForgettingAsync(_fabric.ObjectsAsync(Name, key, cancel).AsTask());
        return await RepeatAsync(doing, token => call(door, token), cancel);
    }

    private Task<T> RepeatAsync<T>(
        string doing, Func<CancellationToken, Task<T>> call, CancellationToken cancel) =>
        ForgettingAsync(_fabric.RepeatAsync(doing, call, cancel));

    /// <summary>A vault that is not there may be made again, as another.</summary>
    internal async Task<T> ForgettingAsync<T>(Task<T> asking)
    {
        try
        {
            return await asking;
        }
        catch (ZeroStorException failure) when (failure.Kind == ErrorKind.NotFound)
        {
            _fabric.ForgetVault(Name);
            throw;
        }
    }
}
