using System.Collections.Immutable;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Tests.Client;

internal sealed partial class FakeFabric
{
    private readonly Dictionary<UploadId, (BeginUpload Begun, SortedDictionary<int, PutPart> Parts)> _uploads = [];

    /// <summary>What was entered as parts, repeats included.</summary>
    public List<PutPart> Parts { get; } = [];

    public List<PartDraft> PartDrafts { get; } = [];

    private sealed class Uploads(FakeFabric fabric) : IUploadDoor
    {
        public Task<UploadInfo> BeginUploadAsync(BeginUpload begin, CancellationToken cancel) =>
            fabric.DoAsync("uploads", "begin-upload", cancel, () =>
            {
                fabric._uploads.TryAdd(begin.Upload, (begin, []));
                return Info(begin);
            });

        public Task<UploadInfo?> DescribeUploadAsync(string key, UploadId upload, CancellationToken cancel) =>
            fabric.DoAsync("uploads", "describe-upload", cancel, () =>
                fabric._uploads.TryGetValue(upload, out var known) && known.Begun.Key == key
                    ? Info(known.Begun)
                    : null);

        public Task<PartInfo> PutPartAsync(PutPart part, CancellationToken cancel) =>
            fabric.DoAsync("uploads", "put-part", cancel, () =>
            {
                fabric.Parts.Add(part);
                Find(part.Upload).Parts[part.Number] = part;
                foreach (StripePage page in part.Pages)
                {
                    fabric._pages.TryAdd(part.Content, []);
                    fabric._pages[part.Content][page.Page] = page.Bytes;
                }

                return Info(part);
            });

        public Task<ImmutableArray<PartInfo>> ListPartsAsync(
            string key, UploadId upload, int after, int max, CancellationToken cancel) =>
            fabric.DoAsync<ImmutableArray<PartInfo>>("uploads", "list-parts", cancel, () =>
                [.. Find(upload).Parts.Values.Where(p => p.Number > after).Take(max).Select(Info)]);

        public Task<ObjectInfo> CompleteUploadAsync(CompleteUpload complete, CancellationToken cancel) =>
            fabric.DoAsync("uploads", "complete-upload", cancel, () =>
            {
                if (fabric._committed.TryGetValue(complete.Upload.Commit, out ObjectInfo? before))
                {
                    return before;
                }

                (BeginUpload begun, SortedDictionary<int, PutPart> parts) = Find(complete.Upload);
                Manifest[] named = [.. complete.Parts.Select(p => Manifest.Decode(parts[p.Number].Manifest))];
                var manifest = new Manifest
                {
                    Version = new VersionId(complete.Upload.Value),
                    Size = named.Sum(m => m.Size),
                    ContentType = Carried.Decode(begun.Carried).ContentType,
                    Contents = [.. named.SelectMany(m => m.Contents)],
                    Extents =
                    [
                        .. named.SelectMany((m, i) => m.Extents.Select(
                            e => e with { Content = e.Content + named.Take(i).Sum(n => n.Contents.Length) })),
                    ],
                };
                var info = new ObjectInfo
                {
                    Key = complete.Key,
                    Version = manifest.Version,
                    Size = manifest.Size,
                    ETag = complete.ETag ?? manifest.Version.ToString(),
                    Modified = DateTimeOffset.UnixEpoch,
                    Manifest = manifest.Encode(),
                };
                fabric._uploads.Remove(complete.Upload);
                fabric._objects[complete.Key] = info;
                return fabric._committed[complete.Upload.Commit] =
                    info with { Manifest = (manifest with { Size = 0, Contents = [], Extents = [] }).Encode() };
            });

        public Task<bool> EndUploadAsync(string key, UploadId upload, CancellationToken cancel) =>
            fabric.DoAsync("uploads", "end-upload", cancel, () => fabric._uploads.Remove(upload));

        public Task<UploadsListed> ListUploadsAsync(ListUploads list, CancellationToken cancel) =>
            fabric.DoAsync("uploads", "list-uploads", cancel, () =>
            {
                UploadInfo[] found =
                [
                    .. fabric._uploads.Values.Select(u => Info(u.Begun)).OrderBy(u => (u.Key, u.Upload))
                        .Where(u => (u.Key, u.Upload).CompareTo((list.StartAfter, list.AfterUpload ?? default)) > 0),
                ];
                bool hasMore = found.Length > list.Max;
                return new UploadsListed
                {
                    Uploads = [.. found.Take(list.Max)],
                    CommonPrefixes = [],
                    Next = hasMore ? found[list.Max - 1].Key : null,
                    NextUpload = hasMore ? found[list.Max - 1].Upload : null,
                };
            });

        private static UploadInfo Info(BeginUpload begun) => new()
        {
            Key = begun.Key,
            Upload = begun.Upload,
            Begun = DateTimeOffset.UnixEpoch,
            Carried = begun.Carried,
        };

        private static PartInfo Info(PutPart part) => new()
        {
            Number = part.Number,
            Size = Manifest.Decode(part.Manifest).Size,
            ETag = part.ETag ?? part.Content.ToString(),
            Modified = DateTimeOffset.UnixEpoch,
        };

        private (BeginUpload Begun, SortedDictionary<int, PutPart> Parts) Find(UploadId upload) =>
            fabric._uploads.TryGetValue(upload, out var known)
                ? known
                : throw ZeroStorException.NotFound("There is no such upload.");
    }
}
