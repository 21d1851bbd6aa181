using System.Collections.Immutable;

namespace ZeroStor.Tests.Catalog;

// Versions, said as simply: a key is a list of all that it was, the last change first, and its version is the
// first of them, if that is no mark.
internal sealed partial class CatalogModel
{
    public Versioning Versioning { get; private set; }

    public bool SetVersioning(Versioning versioning)
    {
        if (versioning == Versioning.Off && Versioning != Versioning.Off)
        {
            return false;
        }

        Versioning = versioning;
        return true;
    }

    /// <summary>The names of a key's versions and marks, the last one first.</summary>
    public ImmutableArray<VersionId> Names(string key) =>
        [.. _history.GetValueOrDefault(key, []).Select(v => v.Id)];

    /// <summary>A version by its name, as text: what can be known of it.</summary>
    public string? Describe(string key, VersionId name) => Find(key, name) is { } v
        ? Describe(v.Id, v.ETag, v.Seq, v.IsMark, v.IsKept, v.Manifest, v.Tags)
        : null;

    public static string Describe(
        VersionId id, string etag, long seq, bool isMark, bool isKept, byte[] manifest, byte[] tags) =>
        $"{id} {etag} {seq} {isMark} {isKept} {Sum128.Of(manifest)} {Sum128.Of(tags)}";

    public (string[] Versions, string[] Prefixes) Versions(string prefix, string delimiter)
    {
        var found = _history.Where(k => k.Key.StartsWith(prefix, StringComparison.Ordinal))
            .Select(k => (k.Key, k.Value, Fold: FoldOf(k.Key, prefix, delimiter)))
            .ToList();
        return (
            [
                .. found.Where(k => k.Fold is null)
                    .SelectMany(k => k.Value.Select((v, i) => $"{k.Key} {v.Id} {v.IsMark} {i == 0}")),
            ],
            [.. found.Select(k => k.Fold).OfType<string>().Distinct()]);
    }

    /// <summary>Null: refused.</summary>
    public VersionId? SetTags(TagOrder order)
    {
        Version? version = order.Version is { } name ? Find(order.Key, name) : HeadOf(order.Key);
        bool isRight = version is { IsMark: false }
            && (order.Was is not { } was || version.Tags.SequenceEqual(was) || version.Tags.SequenceEqual(order.Tags));
        if (!isRight)
        {
            return null;
        }

        version!.Tags = order.Tags;
        return version.Id;
    }

    public bool IsReadable(string key, VersionId name) => Find(key, name) is { IsMark: false };

    private Version? HeadOf(string key) =>
        _history.GetValueOrDefault(key)?.FirstOrDefault() is { IsMark: false } head ? head : null;

    private Version? Find(string key, VersionId name) => _history.GetValueOrDefault(key)?.Find(
        v => v.Id == name || (name == VersionId.Null && !v.IsKept));

    private Version Add(
        string key,
        VersionId id,
        string? etag,
        byte[] manifest,
        HashSet<ContentId> named,
        byte[] tags,
        bool isMark = false)
    {
        var version = new Version(id, etag ?? id.ToString(), NextSeq(key), manifest, named)
        {
            IsKept = Versioning == Versioning.On, IsMark = isMark, Tags = tags,
        };
        List<Version> history = _history.GetValueOrDefault(key) ?? (_history[key] = []);
        if (!version.IsKept)
        {
            history.RemoveAll(v => !v.IsKept);
        }

        history.Insert(0, version);
        Bury();
        return version;
    }

    private CommitAnswer Delete(CommitOrder order, Version? target)
    {
        if (order.Version is null && Versioning != Versioning.Off)
        {
            Version mark = Add(order.Key, new VersionId(order.Content.Value), null, [], [], [], isMark: true);
            return new CommitAnswer(ErrorKind.None)
            {
                Version = mark.Id, Seq = mark.Seq, ETag = mark.ETag, IsMark = true,
            };
        }

        if (target is null)
        {
            return new CommitAnswer(ErrorKind.NotFound);
        }

        long seq = NextSeq(order.Key);
        _history[order.Key].Remove(target);
        if (_history[order.Key].Count == 0)
        {
            _history.Remove(order.Key);
        }

        Bury();
        return new CommitAnswer(ErrorKind.None)
        {
            Version = target.Id, Seq = seq, ETag = target.ETag, IsMark = target.IsMark,
        };
    }
}
