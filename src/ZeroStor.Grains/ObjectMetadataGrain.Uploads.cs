using System.Collections.Immutable;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Grains;

internal sealed partial class ObjectMetadataGrain
{
    public Task<UploadInfo> BeginUploadAsync(BeginUpload begin, CancellationToken cancel) =>
        WithVaultAsync(
            async vault =>
            {
                var upload = new UploadRow
                {
                    Name = new UploadName(vault.Info.Id, begin.Key, begin.Upload),
                    Begun = time.GetUtcNow(),
                    Carried = begin.Carried,
                };
                return await catalog.BeginUploadAsync(upload, map.Tick, cancel)
                    ? Info(upload)
                    : throw new ZeroStorException(
                        ErrorKind.PreconditionFailed,
                        $"upload {begin.Upload} of {Vault}/{begin.Key} has ended already: begin another");
            },
            cancel);

    public Task<UploadInfo?> DescribeUploadAsync(string key, UploadId upload, CancellationToken cancel) =>
        WithVaultAsync(
            async vault => await catalog.FindUploadAsync(new UploadName(vault.Info.Id, key, upload), cancel) is { } row
                ? Info(row)
                : null,
            cancel);

    public Task<PartInfo> PutPartAsync(PutPart part, CancellationToken cancel) =>
        WithVaultAsync(
            async vault =>
            {
                await DemandKeysAsync(vault, part.Vault, Manifest.Decode(part.Manifest), cancel);
                var order = new PartOrder
                {
                    Upload = new UploadName(vault.Info.Id, part.Key, part.Upload),
                    Number = part.Number,
                    Content = part.Content,
                    Manifest = part.Manifest,
                    ETag = part.ETag,
                    Now = map.Tick,
                    Modified = time.GetUtcNow(),
                    Pages = [.. part.Pages.Select(p => (p.Page, p.Bytes))],
                };
                CommitAnswer answer = await catalog.PutPartAsync(order, cancel);
                return answer.Kind == ErrorKind.None
                    ? new PartInfo
                    {
                        Number = part.Number, Size = answer.Size, ETag = answer.ETag, Modified = order.Modified,
                    }
                    : throw Refused(answer, part.Key);
            },
            cancel);

    public Task<ImmutableArray<PartInfo>> ListPartsAsync(
        string key, UploadId upload, int after, int max, CancellationToken cancel) =>
        WithVaultAsync<ImmutableArray<PartInfo>>(
            async vault =>
            [
                .. (await catalog.ListPartsAsync(
                    new UploadName(vault.Info.Id, key, upload),
                    after,
                    Math.Clamp(max, 1, ListObjects.MaxPerPage),
                    cancel)).Select(p => new PartInfo
                    {
                        Number = p.Number, Size = p.Size, ETag = p.ETag, Modified = p.Modified,
                    }),
            ],
            cancel);

    public Task<ObjectInfo> CompleteUploadAsync(CompleteUpload complete, CancellationToken cancel) =>
        WithVaultAsync(
            async vault =>
            {
                var upload = new UploadName(vault.Info.Id, complete.Key, complete.Upload);
                UploadRow? row = await catalog.FindUploadAsync(upload, cancel);
                var order = new CompleteOrder
                {
                    Upload = upload,
                    Parts = complete.Parts,
                    ETag = complete.ETag,
                    If = complete.If,
                    Now = map.Tick,
                    Modified = time.GetUtcNow(),
                };
                CommitAnswer answer = await catalog.CompleteUploadAsync(order, cancel);
                if (answer.Kind != ErrorKind.None)
                {
                    throw Refused(answer, complete.Key);
                }

                return new ObjectInfo
                {
                    Key = complete.Key,
                    Version = answer.Version,
                    Size = answer.Size,
                    ETag = answer.ETag,
                    Modified = order.Modified,
                    Manifest = Bare(answer.Version, row),
                    Tags = row is null ? [] : Tags.Encode(Carried.Decode(row.Carried).Tags),
                    Seq = answer.Seq,
                };
            },
            cancel);

    public Task<bool> EndUploadAsync(string key, UploadId upload, CancellationToken cancel) =>
        WithVaultAsync(
            vault => catalog.EndUploadAsync(new UploadName(vault.Info.Id, key, upload), map.Tick, cancel), cancel);

    public Task<UploadsListed> ListUploadsAsync(ListUploads list, CancellationToken cancel) =>
        WithVaultAsync(
            async vault =>
            {
                UploadListing page = await catalog.ListUploadsAsync(
                    new UploadQuery
                    {
                        Vault = vault.Info.Id,
                        Prefix = list.Prefix,
                        Delimiter = list.Delimiter,
                        StartAfter = list.StartAfter,
                        AfterUpload = list.AfterUpload,
                        Max = Math.Clamp(list.Max, 1, ListObjects.MaxPerPage),
                    },
                    cancel);
                return new UploadsListed
                {
                    Uploads = [.. page.Uploads.Select(Info)],
                    CommonPrefixes = page.CommonPrefixes,
                    Next = page.Next,
                    NextUpload = page.NextUpload,
                };
            },
            cancel);

    // What the version carries, without the bytes that it names: the SDK asks for those when it reads. Of an
    // upload that was completed before nobody is left to tell.
    private static byte[] Bare(VersionId version, UploadRow? upload)
    {
        Carried carried = upload is null ? Carried.Nothing : Carried.Decode(upload.Carried);
        return new Manifest
        {
            Version = version,
            Size = 0,
            ContentType = carried.ContentType,
            Headers = carried.Headers,
            Contents = [],
            Extents = [],
        }.Encode();
    }

    private static UploadInfo Info(UploadRow row) => new()
    {
        Key = row.Name.Key, Upload = row.Name.Upload, Begun = row.Begun, Carried = row.Carried,
    };
}
