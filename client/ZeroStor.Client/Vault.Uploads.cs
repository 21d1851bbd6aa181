using System.Runtime.CompilerServices;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Client;

// Uploads in parts: begun, found again, listed. What is done with one is Upload's.
public sealed partial class Vault
{
    /// <summary>Begins an upload of an object in parts. Parts may be put in any order, at once, and by
    /// several clients; the object is there when the upload is completed. One that nobody touches for a day
    /// is given up.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: key, headers or tags; NotFound: the
    /// vault.</exception>
    public async Task<Upload> BeginUploadAsync(
        string key, UploadOptions? options = null, CancellationToken cancel = default)
    {
        ObjectKey.Check(key);
        options ??= new UploadOptions();
        PutChecks.CheckHeaders(options.ContentType, options.Headers);
        Tags.Check(options.Tags);
        var begin = new BeginUpload
        {
            Key = key,
            Upload = new UploadId((await _fabric.NewContentIdAsync(cancel)).Value),
            Carried = new Carried
            {
                ContentType = options.ContentType, Headers = options.Headers, Tags = options.Tags,
            }.Encode(),
        };
        UploadInfo info = await AskUploadsAsync(
            key,
            $"beginning an upload of '{Name}/{key}'",
            (door, token) => door.BeginUploadAsync(begin, token),
            cancel);
        return new Upload(_fabric, this, key, info.Upload);
    }

    /// <summary>An upload that was begun before, here or elsewhere. Asks nothing: whether it goes on shows at
    /// its first use.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: not a key.</exception>
    public Upload OpenUpload(string key, UploadId id)
    {
        ObjectKey.Check(key);
        return new Upload(_fabric, this, key, id);
    }

    /// <summary>Lists the uploads under way, page after page.</summary>
    public async IAsyncEnumerable<UploadEntry> ListUploadsAsync(
        ListUploadsOptions? options = null, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        ListUploadsOptions page = options ?? new ListUploadsOptions();
        while (true)
        {
            UploadPage got = await ListUploadsPageAsync(page, ListObjects.MaxPerPage, cancel);
            foreach (UploadEntry entry in got.Entries)
            {
                yield return entry;
            }

            if (got.Next is null)
            {
                yield break;
            }

            page = page with { StartAfter = got.Next, AfterUpload = got.NextUpload };
        }
    }

    /// <summary>One page of a listing of uploads.</summary>
    /// <param name="options">What to list, and from where.</param>
    /// <param name="max">The most entries: 1 to <see cref="ListObjects.MaxPerPage"/>.</param>
    /// <param name="cancel">Ends the wait.</param>
    public async Task<UploadPage> ListUploadsPageAsync(
        ListUploadsOptions options, int max, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(max);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(max, ListObjects.MaxPerPage);
        var order = new ListUploads
        {
            Prefix = options.Prefix,
            Delimiter = options.Delimiter,
            StartAfter = options.StartAfter,
            AfterUpload = options.AfterUpload,
            Max = max,
        };
        UploadsListed listed = await AskUploadsAsync(
            options.Prefix,
            $"listing the uploads of '{Name}/{options.Prefix}'",
            (door, token) => door.ListUploadsAsync(order, token),
            cancel);
        IEnumerable<UploadEntry> entries =
        [
            .. listed.Uploads.Select(u => new UploadEntry
            {
                Key = u.Key, IsPrefix = false, Upload = u.Upload, Begun = u.Begun,
            }),
            .. listed.CommonPrefixes.Select(p => new UploadEntry { Key = p, IsPrefix = true }),
        ];

        // The order of a key's own uploads is kept: sorting is stable.
        return new UploadPage(
            [.. entries.OrderBy(e => e.Key, Comparer<string>.Create(ObjectKey.Compare))],
            listed.Next,
            listed.NextUpload);
    }

    /// <summary>Asks the grain of a key about uploads; whatever it is asked may be repeated.</summary>
    internal async Task<T> AskUploadsAsync<T>(
        string key,
        string doing,
        Func<IUploadDoor, CancellationToken, Task<T>> call,
        CancellationToken cancel,
        TimeSpan? timeout = null)
    {
        IUploadDoor door = await ForgettingAsync(_fabric.UploadsAsync(Name, key, cancel).AsTask());
        return await ForgettingAsync(
            _fabric.RepeatAsync(doing, token => call(door, token), cancel, timeout));
    }
}
