using System.Collections.Immutable;
using System.Text;

namespace ZeroStor.Tests.Catalog;

/// <summary>What a catalog must answer, said as simply as can be: in memory, one call at a time, keys as
/// bytes, listings by looking at every key. One vault, whose keys' counters are never forgotten.</summary>
internal sealed partial class CatalogModel
{
    private const uint Remembered = 1440;

    // All that a key ever was and is not ended yet, marks of deletes included, the last change first.
    private readonly SortedDictionary<string, List<Version>> _history = new(ByBytes.Instance);
    private readonly SortedDictionary<ContentId, Content> _contents = [];
    private readonly Dictionary<(ContentId, int), byte[]> _pages = [];
    private readonly Dictionary<string, long> _counters = [];

    private enum State
    {
        Open,
        Live,
        Dead,
    }

    public Tick Tick { get; private set; }

    public CatalogCounts Counts => new(
        AllVersions.Count(v => !v.IsMark), Count(State.Open), Count(State.Live), Count(State.Dead));

    public IEnumerable<string> Keys => _history.Keys.Where(k => HeadOf(k) is not null);

    private IEnumerable<Version> AllVersions => _history.Values.SelectMany(v => v);

    public void RaiseTick(uint by) => Tick = new Tick(Tick.Value + by);

    public (VersionId Version, string ETag, long Seq, byte[] Manifest)? Head(string key) =>
        HeadOf(key) is { } head ? (head.Id, head.ETag, head.Seq, head.Manifest) : null;

    /// <summary>The detail of an answer is not modelled.</summary>
    public CommitAnswer Commit(CommitOrder order)
    {
        Content? own = _contents.GetValueOrDefault(order.Content);
        if (own?.Answer is not null)
        {
            return own.Answer;
        }

        if (own?.State is State.Dead or State.Live)
        {
            return new CommitAnswer(ErrorKind.PreconditionFailed);
        }

        if (own is null && Tick.Since(order.Content.Begun) >= Remembered)
        {
            return new CommitAnswer(ErrorKind.InvalidArgument);
        }

        own = _contents[order.Content] = new Content(State.Dead, Tick);
        return own.Answer = Decide(order, own);
    }

    public bool Open(ContentId id)
    {
        if (!_contents.TryGetValue(id, out Content? content))
        {
            if (Tick.Since(id.Begun) >= Remembered)
            {
                return false;
            }

            content = _contents[id] = new Content(State.Open, Tick);
        }

        Touch(content);
        return content.State != State.Dead;
    }

    /// <summary>Null: refused, for the content is committed.</summary>
    public bool? WritePage(ContentId id, int page, byte[] bytes)
    {
        if (!_contents.TryGetValue(id, out Content? content) || content.State != State.Open)
        {
            return content?.State == State.Live ? null : false;
        }

        Touch(content);
        _pages[(id, page)] = bytes;
        return true;
    }

    public byte[]? ReadPage(ContentId id, int page) => _pages.GetValueOrDefault((id, page));

    public void Condemn(IEnumerable<ContentId> ids)
    {
        foreach (ContentId id in ids)
        {
            if (!_contents.TryGetValue(id, out Content? content) || content.State == State.Open)
            {
                _contents[id] = new Content(State.Dead, Tick);
            }
        }
    }

    public int CondemnIdle(Tick before)
    {
        ContentId[] idle =
        [
            .. _contents.Where(c => c.Value.State == State.Open && c.Value.Since < before).Select(c => c.Key),
        ];
        Condemn(idle);
        return idle.Length;
    }

    public ImmutableArray<DeadContent> Dead(VaultId vault, ContentId after, Tick diedBy, int max) =>
    [
        .. _contents
            .Where(c => c.Value.State == State.Dead && c.Key.CompareTo(after) > 0 && c.Value.Since <= diedBy)
            .Take(max)
            .Select(c => new DeadContent(c.Key, vault, c.Value.Since, c.Value.Lived)),
    ];

    public void Forget(IEnumerable<ContentId> ids)
    {
        foreach (ContentId id in ids.Where(i => _contents.GetValueOrDefault(i)?.State == State.Dead))
        {
            _contents.Remove(id);
            foreach ((ContentId, int) page in _pages.Keys.Where(p => p.Item1 == id).ToList())
            {
                _pages.Remove(page);
            }
        }
    }

    public (string[] Keys, string[] Prefixes, string? Next) List(
        string prefix, string delimiter, string startAfter, int max)
    {
        var all = new SortedDictionary<string, bool>(ByBytes.Instance);
        foreach (string key in Keys.Where(k => k.StartsWith(prefix, StringComparison.Ordinal)))
        {
            int at = delimiter.Length == 0
                ? -1
                : key.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal);
            all.TryAdd(at < 0 ? key : key[..(at + delimiter.Length)], at >= 0);
        }

        var behind = all.Where(i => ByBytes.Instance.Compare(i.Key, startAfter) > 0).ToList();
        var page = behind.Take(max).ToList();
        return (
            [.. page.Where(i => !i.Value).Select(i => i.Key)],
            [.. page.Where(i => i.Value).Select(i => i.Key)],
            behind.Count > max ? page[^1].Key : null);
    }

    private CommitAnswer Decide(CommitOrder order, Content own)
    {
        Version? target = order.Version is { } name ? Find(order.Key, name) : HeadOf(order.Key);
        if (!Holds(order.If, target))
        {
            return new CommitAnswer(ErrorKind.PreconditionFailed);
        }

        if (order.Kind == CommitKind.Delete)
        {
            return Delete(order, target);
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
            foreach ((int page, byte[] bytes) in order.Pages)
            {
                _pages[(order.Content, page)] = bytes;
            }
        }

        Version version = Add(order.Key, manifest.Version, order.ETag, order.Manifest, named, order.Tags);
        return new CommitAnswer(ErrorKind.None)
        {
            Version = version.Id, Seq = version.Seq, ETag = version.ETag,
        };
    }

    // Whatever lives and is named by no version any more dies: no counting here.
    private void Bury()
    {
        HashSet<ContentId> named = [.. AllVersions.SelectMany(v => v.Named), .. NamedByUploads];
        foreach ((ContentId id, Content content) in _contents)
        {
            if (content.State == State.Live && !named.Contains(id))
            {
                content.State = State.Dead;
                content.Since = Tick;
            }
        }
    }

    private static bool Holds(Precondition condition, Version? head) => condition switch
    {
        { IfMatch: "*" } => head is not null,
        { IfMatch: string etag } => head?.ETag == etag,
        { IfNoneMatch: "*" } => head is null,
        { IfNoneMatch: string etag } => head?.ETag != etag,
        _ => true,
    };

    private bool MayBeNamed(ContentId id) =>
        _contents.GetValueOrDefault(id) is { State: State.Live, Lived: true };

    private long NextSeq(string key)
    {
        long seq = Math.Max(_counters.GetValueOrDefault(key) + 1, (long)Tick.Value << 20);
        _counters[key] = seq;
        return seq;
    }

    private void Touch(Content content)
    {
        if (content.State == State.Open)
        {
            content.Since = Tick;
        }
    }

    private long Count(State state) => _contents.Values.Count(c => c.State == state);

    private sealed record Version(
        VersionId Id, string ETag, long Seq, byte[] Manifest, HashSet<ContentId> Named)
    {
        public bool IsKept { get; init; }

        public bool IsMark { get; init; }

        public byte[] Tags { get; set; } = [];
    }

    private sealed class Content(State state, Tick since)
    {
        public State State { get; set; } = state;

        public Tick Since { get; set; } = since;

        public bool Lived { get; set; }

        public CommitAnswer? Answer { get; set; }
    }

    private sealed class ByBytes : IComparer<string>
    {
        public static readonly ByBytes Instance = new();

        public int Compare(string? x, string? y) =>
            Encoding.UTF8.GetBytes(x!).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(y!));
    }
}
