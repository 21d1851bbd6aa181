using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Client;

/// <summary>An upload of one object in parts, numbered from 1 to <see cref="UploadParts.MaxNumber"/>. Parts
/// are put in any order and at once; of several under one number the last one that stood counts. Nothing of
/// it is visible before <see cref="CompleteAsync"/>, which makes one version of the parts that it names and
/// gives the others up. Every method throws <see cref="ErrorKind.NotFound"/> once the upload is completed,
/// aborted, or given up because nobody touched it for a day. Thread-safe.</summary>
public sealed class Upload
{
    private readonly Fabric _fabric;
    private readonly Vault _vault;

    internal Upload(Fabric fabric, Vault vault, string key, UploadId id) =>
        (_fabric, _vault, Key, Id) = (fabric, vault, key, id);

    /// <summary>The key of the object to come.</summary>
    public string Key { get; }

    /// <summary>The upload's name.</summary>
    public UploadId Id { get; }

    private string Name => $"{_vault.Name}/{Key}";

    /// <summary>Puts all bytes of a stream, of any length, as a part. A few stripes of at most 4 MiB are held
    /// at a time. Cancelled or failed, the part that was there before stands.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: no such number; NotFound: the upload;
    /// PolicyUnsatisfiable: too few homes took it; Busy, Unavailable: it was tried for
    /// <see cref="ZeroStorClientOptions.Patience"/>.</exception>
    public Task<PartInfo> PutPartAsync(
        int number, Stream content, PartOptions? options = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        return PutPartAsync(number, content.ReadAsync, options ?? new PartOptions(), cancel);
    }

    /// <summary>As <see cref="PutPartAsync(int, Stream, PartOptions?, CancellationToken)"/>, for bytes that
    /// are at hand.</summary>
    public Task<PartInfo> PutPartAsync(
        int number, ReadOnlySequence<byte> content, PartOptions? options = null, CancellationToken cancel = default) =>
        PutPartAsync(number, Vault.ReaderOf(content), options ?? new PartOptions(), cancel);

    /// <summary>Makes a part of an object, or of a range of it. From the same vault no bytes move, unless the
    /// source is made of very many pieces; from another they go through this client.</summary>
    /// <param name="number">The part's number.</param>
    /// <param name="source">The vault of the source.</param>
    /// <param name="key">The source.</param>
    /// <param name="options">What of it.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="ZeroStorException">NotFound: the upload, or the source; PreconditionFailed: its ETag;
    /// InvalidArgument: the range begins behind its end.</exception>
    public async Task<PartInfo> CopyPartAsync(
        int number,
        Vault source,
        string key,
        CopyPartOptions? options = null,
        CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        UploadParts.CheckNumber(number);
        options ??= new CopyPartOptions();
        FoundObject found = await source.FindReadableAsync(key, options.SourceVersion, cancel);
        if (options.SourceIfMatch is { } etag && etag != "*" && etag != found.Version.ETag)
        {
            throw new ZeroStorException(
                ErrorKind.PreconditionFailed,
                $"'{source.Name}/{key}' has ETag {found.Version.ETag}, not {etag}.");
        }

        (long offset, long length) = options.Range?.Resolve(found.Version.Size) ?? (0, found.Version.Size);
        Manifest part = found.Manifest.Slice(offset, length);
        byte[] encoded = part.Encode();
        if (source.Name == _vault.Name && encoded.Length <= UploadParts.MaxManifestBytes)
        {
            return await EnterAsync(new PutPart
            {
                Key = Key,
                Upload = Id,
                Number = number,
                Content = await _fabric.NewContentIdAsync(cancel),
                Manifest = encoded,
                Vault = found.OwnedVault?.Id,
            }, cancel);
        }

        await using var bytes = new ObjectStream(_fabric, source.Name, found, offset, length);
        return await PutPartAsync(number, bytes, null, cancel);
    }

    /// <summary>What the object will carry, and when the upload was begun.</summary>
    /// <exception cref="ZeroStorException">NotFound: the upload.</exception>
    public async Task<UploadDetails> DescribeAsync(CancellationToken cancel = default)
    {
        UploadInfo info = await _vault.AskUploadsAsync(
            Key,
            $"looking for an upload of '{Name}'",
            (door, token) => door.DescribeUploadAsync(Key, Id, token),
            cancel) ?? throw ZeroStorException.NotFound(
                $"There is no upload {Id} of '{Name}': it was completed or given up, or nobody touched it for a day.");
        var carried = Carried.Decode(info.Carried);
        return new UploadDetails
        {
            Begun = info.Begun,
            ContentType = carried.ContentType,
            Headers = carried.Headers,
            Tags = carried.Tags,
        };
    }

    /// <summary>Lists the parts that stand, by number.</summary>
    /// <exception cref="ZeroStorException">NotFound: the upload.</exception>
    public async IAsyncEnumerable<PartInfo> ListPartsAsync(
        int after = 0, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        while (true)
        {
            ImmutableArray<PartInfo> page = await ListPartsPageAsync(after, ListObjects.MaxPerPage, cancel);
            foreach (PartInfo part in page)
            {
                yield return part;
            }

            if (page.Length < ListObjects.MaxPerPage)
            {
                yield break;
            }

            after = page[^1].Number;
        }
    }

    /// <summary>Up to <paramref name="max"/> parts behind a number; fewer only at the end.</summary>
    /// <param name="after">The number; 0 for the first page.</param>
    /// <param name="max">1 to <see cref="ListObjects.MaxPerPage"/>.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <exception cref="ZeroStorException">NotFound: the upload.</exception>
    public Task<ImmutableArray<PartInfo>> ListPartsPageAsync(
        int after, int max, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(max);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(max, ListObjects.MaxPerPage);
        return _vault.AskUploadsAsync(
            Key,
            $"listing the parts of an upload of '{Name}'",
            (door, token) => door.ListPartsAsync(Key, Id, after, max, token),
            cancel);
    }

    /// <summary>Makes the named parts, in their order, the key's next version. The same parts named again are
    /// answered as the first time, for a day.</summary>
    /// <param name="parts">In ascending order; numbers may be left out.</param>
    /// <param name="options">Conditions and ETag.</param>
    /// <param name="cancel">Ends the wait; it may be completed all the same.</param>
    /// <returns>The version. Where the upload was completed before, what it carries is not told.</returns>
    /// <exception cref="ZeroStorException">NotFound: the upload, also where it was completed with other
    /// parts; InvalidArgument: no parts, out of order, not there, or with another ETag; PreconditionFailed,
    /// and the upload goes on.</exception>
    public async Task<ObjectVersion> CompleteAsync(
        IEnumerable<PartName> parts, CompleteOptions? options = null, CancellationToken cancel = default)
    {
        options ??= new CompleteOptions();
        var order = new CompleteUpload
        {
            Key = Key,
            Upload = Id,
            Parts = [.. parts],
            ETag = options.ETag is { } etag ? PutChecks.CheckETag(etag) : null,
            If = options.If,
        };
        ObjectInfo info = await _vault.AskUploadsAsync(
            Key,
            $"completing an upload of '{Name}'",
            (door, token) => door.CompleteUploadAsync(order, token),
            cancel,
            Fabric.SurveyTimeout);
        return ObjectVersion.Of(info, Manifest.Decode(info.Manifest));
    }

    /// <summary>Gives the upload up, with all its parts; false when there was none any more.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault.</exception>
    public Task<bool> AbortAsync(CancellationToken cancel = default) => _vault.AskUploadsAsync(
        Key,
        $"giving up an upload of '{Name}'",
        (door, token) => door.EndUploadAsync(Key, Id, token),
        cancel);

    private async Task<PartInfo> PutPartAsync(
        int number, ReadBytes read, PartOptions options, CancellationToken cancel)
    {
        UploadParts.CheckNumber(number);
        IObjectDoor objects = await _vault.ForgettingAsync(
            _fabric.ObjectsAsync(_vault.Name, Key, cancel).AsTask());
        DateTimeOffset begun = _fabric.Time.GetUtcNow();
        await using ContentPut put = await _vault.ForgettingAsync(
            ContentPut.OpenAsync(_fabric, _vault.Name, objects, Name, cancel));
        try
        {
            await put.OpenRowAsync();
            (ContentRef content, ImmutableArray<StripePage> pages) = await put.WriteAsync(
                read,
                bytes => new PartDraft(Key, Id, number, begun, ManifestOf(put.ContentOf(bytes, []))).Encode(),
                options.Progress,
                UploadParts.MaxInlineStripes);
            string? etag = options.ETag is { } ask ? PutChecks.CheckETag(ask()) : null;
            IUploadDoor uploads = await _fabric.UploadsAsync(_vault.Name, Key, cancel);
            var part = new PutPart
            {
                Key = Key,
                Upload = Id,
                Number = number,
                Content = content.Id,
                Manifest = ManifestOf(content).Encode(),
                ETag = etag,
                Pages = pages,
                Vault = put.OwnedId,
            };
            return await _vault.ForgettingAsync(put.EndAsync(
                $"entering part {number} of '{Name}'", token => uploads.PutPartAsync(part, token)));
        }
        catch
        {
            await put.AbandonAsync();
            throw;
        }
    }

    private Task<PartInfo> EnterAsync(PutPart part, CancellationToken cancel) => _vault.AskUploadsAsync(
        Key,
        $"entering part {part.Number} of '{Name}'",
        (door, token) => door.PutPartAsync(part, token),
        cancel);

    private static Manifest ManifestOf(ContentRef content) => new()
    {
        Version = default,
        Size = content.Bytes,
        Contents = [content],
        Extents = content.Bytes == 0 ? [] : [new Extent(0, 0, content.Bytes)],
    };
}
