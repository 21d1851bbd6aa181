using System.Collections.Immutable;

namespace ZeroStor.Tests.Catalog;

// Uploads, said as simply: an upload is its parts by number, a part is what it names, and whatever lives and
// is named by nobody any more dies.
internal sealed partial class CatalogModel
{
    private readonly SortedDictionary<UploadId, Upload> _uploads = [];

    private IEnumerable<ContentId> NamedByUploads =>
    [
        .. _uploads.Keys.Select(u => u.Commit),
        .. _uploads.Values.SelectMany(u => u.Parts.Values).SelectMany(p => p.Named),
    ];

    public bool Begin(string key, UploadId id)
    {
        if (_contents.ContainsKey(id.Commit))
        {
            return Find(key, id) is not null;
        }

        _contents[id.Commit] = new Content(State.Live, Tick);
        _uploads[id] = new Upload(key, Tick);
        return true;
    }

    /// <summary>The detail of an answer is not modelled.</summary>
    public CommitAnswer PutPart(PartOrder order)
    {
        Content? own = _contents.GetValueOrDefault(order.Content);
        if (own?.Answer is not null)
        {
            return own.Answer;
        }

        if (own is not null && own.State != State.Open)
        {
            return new CommitAnswer(ErrorKind.PreconditionFailed);
        }

        own = _contents[order.Content] = new Content(State.Dead, Tick);
        return own.Answer = Decide(order, own);
    }

    public string[]? Parts(string key, UploadId id) =>
        Find(key, id)?.Parts.Select(p => $"{p.Key} {p.Value.ETag} {p.Value.Manifest.Size}").ToArray();

    public string? ETagOf(UploadId id, int number) =>
        _uploads.GetValueOrDefault(id)?.Parts.GetValueOrDefault(number)?.ETag;

    /// <summary>What the parts of these numbers are made of, extent by extent; null where one is not there
    /// so.</summary>
    public (ContentId Content, long Offset, long Length)[]? Join(CompleteOrder order) =>
        Find(order.Upload.Key, order.Upload.Upload) is { } upload
        && order.Parts.All(p => upload.Parts.GetValueOrDefault(p.Number)?.ETag == p.ETag)
            ? [.. order.Parts.SelectMany(p => Expand(upload.Parts[p.Number].Manifest))]
            : null;

    public static IEnumerable<(ContentId Content, long Offset, long Length)> Expand(Manifest manifest) =>
        manifest.Extents.Select(e => (manifest.Contents[e.Content].Id, e.Offset, e.Length));

    public bool IsUnderWay(UploadName name) => Find(name.Key, name.Upload) is not null;

    /// <summary>Completes an upload whose parts are as named.</summary>
    /// <param name="order">The order.</param>
    /// <param name="made">What the catalog calls the version.</param>
    /// <param name="manifest">What it made, if it did.</param>
    /// <param name="tags">What the upload was begun with.</param>
    public CommitAnswer Complete(CompleteOrder order, VersionId made, byte[] manifest, byte[] tags)
    {
        ContentId id = order.Upload.Upload.Commit;
        if (_contents.GetValueOrDefault(id)?.Answer is { } first)
        {
            return first.Version == made && first.Kind == ErrorKind.None ? first : new CommitAnswer(ErrorKind.NotFound);
        }

        if (Find(order.Upload.Key, order.Upload.Upload) is null)
        {
            return new CommitAnswer(ErrorKind.NotFound);
        }

        if (!Holds(order.If, HeadOf(order.Upload.Key)))
        {
            return new CommitAnswer(ErrorKind.PreconditionFailed);
        }

        long size = Join(order)!.Sum(e => e.Length);
        HashSet<ContentId> named = [.. Join(order)!.Select(e => e.Content)];
        _uploads.Remove(order.Upload.Upload);
        Version version = Add(order.Upload.Key, made, order.ETag, manifest, named, tags);
        _contents[id].Since = Tick;
        return _contents[id].Answer = new CommitAnswer(ErrorKind.None)
        {
            Version = made, Seq = version.Seq, ETag = version.ETag, Size = size,
        };
    }

    public bool End(string key, UploadId id)
    {
        bool isThere = Find(key, id) is not null && _uploads.Remove(id);
        Bury();
        return isThere;
    }

    public int EndIdle(Tick before)
    {
        UploadId[] idle = [.. _uploads.Where(u => u.Value.Touched < before).Select(u => u.Key)];
        Array.ForEach(idle, id => _uploads.Remove(id));
        Bury();
        return idle.Length;
    }

    public (string[] Uploads, string[] Prefixes) Uploads(string prefix, string delimiter)
    {
        var found = _uploads.Where(u => u.Value.Key.StartsWith(prefix, StringComparison.Ordinal))
            .OrderBy(u => u.Value.Key, ByBytes.Instance)
            .Select(u => (u.Value.Key, Id: u.Key, Fold: FoldOf(u.Value.Key, prefix, delimiter)))
            .ToList();
        return (
            [.. found.Where(u => u.Fold is null).Select(u => $"{u.Key} {u.Id}")],
            [.. found.Select(u => u.Fold).OfType<string>().Distinct()]);
    }

    private static string? FoldOf(string key, string prefix, string delimiter)
    {
        int at = delimiter.Length == 0 ? -1 : key.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal);
        return at < 0 ? null : key[..(at + delimiter.Length)];
    }

    private CommitAnswer Decide(PartOrder order, Content own)
    {
        if (Find(order.Upload.Key, order.Upload.Upload) is not { } upload)
        {
            return new CommitAnswer(ErrorKind.NotFound);
        }

        Manifest manifest = Manifest.Decode(order.Manifest);
        HashSet<ContentId> named = [.. manifest.Contents.Select(c => c.Id)];
        if (named.Any(id => id != order.Content && !MayBeNamed(id)))
        {
            return new CommitAnswer(ErrorKind.NotFound);
        }

        if (named.Contains(order.Content))
        {
            own.State = State.Live;
            own.Lived = true;
        }

        string etag = order.ETag ?? order.Content.ToString();
        upload.Parts[order.Number] = new Part(etag, manifest, named);
        upload.Touched = Tick;
        Bury();
        return new CommitAnswer(ErrorKind.None) { ETag = etag, Size = manifest.Size };
    }

    private Upload? Find(string key, UploadId id) =>
        _uploads.GetValueOrDefault(id) is { } upload && upload.Key == key ? upload : null;

    private sealed record Part(string ETag, Manifest Manifest, HashSet<ContentId> Named);

    private sealed class Upload(string key, Tick touched)
    {
        public string Key => key;

        public Tick Touched { get; set; } = touched;

        public SortedDictionary<int, Part> Parts { get; } = [];
    }
}
