using System.Runtime.InteropServices;

namespace ZeroStor.Grains;

/// <summary>What this silo saw last of keys, and pages of manifests: for readers who take a stale answer rather than
/// none while the catalog is away. Heads and puts through this silo fill it, deletes leave a mark, so that nothing
/// older which is still under way brings a deleted key back. It decides nothing while the catalog answers.
/// <para>Which of two sights of a key is the later one: a look that began after the other was noted; else the one
/// of the higher seq. What was forgotten for want of room is as good as never seen, but for looks that began before
/// and for commits with no higher seq than a forgotten mark, which may be repeated ones.</para>
/// Thread-safe.</summary>
internal sealed class SeenVersions(long maxBytes = SeenVersions.MaxBytes)
{
    /// <summary>Some ten thousand versions of a stripe, or two hundred pages, each of 4 GiB of an object. A silo that
    /// has nothing to do takes some 125 MiB, and 10 more where it answers for its health: with these it stays below
    /// the 150 that it may take.</summary>
    public const long MaxBytes = 8 * 1024 * 1024;

    /// <summary>What an entry costs beside its key and its bytes: objects, references, its place in table and
    /// list.</summary>
    private const int EntryBytes = 320;

    private const int NoPage = -1;

    private readonly Lock _gate = new();
    private readonly Dictionary<Name, LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _byUse = [];
    private long _clock;
    private long _bytes;
    private long _forgottenAt;
    private long _forgottenMark;

    /// <summary>Bytes held now.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate)
            {
                return _bytes;
            }
        }
    }

    /// <summary>To be called before the catalog is asked for versions; its answer is noted with this.</summary>
    public long Look() => Interlocked.Increment(ref _clock);

    /// <summary>The catalog answered a look that this is the key's version.</summary>
    public void Saw(VaultId vault, VersionRow row, long look)
    {
        var name = Name.Of(vault, row.Key);
        lock (_gate)
        {
            bool isNews = Find(name) is { } known
                ? look > known.NotedAt || row.Seq > known.Seq
                : look > _forgottenAt;
            if (isNews)
            {
                Note(new Entry(name, row.Seq, row));
            }
        }
    }

    /// <summary>The catalog answered a look that the key has no version.</summary>
    public void SawNone(VaultId vault, string key, long look)
    {
        lock (_gate)
        {
            if (Find(Name.Of(vault, key)) is { } known && look > known.NotedAt)
            {
                Note(Entry.Mark(known.Name, known.Seq));
            }
        }
    }

    /// <summary>The catalog answered a put with this; it may be what it answered an earlier one of its
    /// kind.</summary>
    public void Put(VaultId vault, VersionRow row)
    {
        var name = Name.Of(vault, row.Key);
        lock (_gate)
        {
            // A version may have its key again whose seq is below that of the one that was deleted.
            Entry? known = Find(name);
            if (row.Seq > (known is null ? _forgottenMark : Math.Max(known.Seq, known.DeletedBy)))
            {
                Note(new Entry(name, row.Seq, row));
            }
        }
    }

    /// <summary>The catalog answered a delete with this seq.</summary>
    public void Deleted(VaultId vault, string key, long seq)
    {
        var name = Name.Of(vault, key);
        lock (_gate)
        {
            Entry? known = Find(name);
            if (known is null)
            {
                // A later delete of it may have been forgotten.
                Note(Entry.Mark(name, Math.Max(seq, _forgottenMark)));
            }
            else if (known.Seq < seq)
            {
                Note(Entry.Mark(name, seq));
            }
            else
            {
                known.DeletedBy = Math.Max(known.DeletedBy, seq);
            }
        }
    }

    /// <summary>A delete may have been made or not.</summary>
    public void PerhapsDeleted(VaultId vault, string key)
    {
        lock (_gate)
        {
            if (Find(Name.Of(vault, key)) is { Row: not null } known)
            {
                Note(Entry.Mark(known.Name, known.Seq));
            }
        }
    }

    /// <summary>The version that was seen last; null when none was, or it was deleted.</summary>
    public VersionRow? Find(VaultId vault, string key)
    {
        lock (_gate)
        {
            return Use(Name.Of(vault, key))?.Row;
        }
    }

    /// <summary>A page of a content, which never changes once a version names it.</summary>
    public void SawPage(ContentId content, int page, byte[] bytes)
    {
        lock (_gate)
        {
            Note(new Entry(Name.Of(content, page), 0, null) { Page = bytes });
        }
    }

    public byte[]? FindPage(ContentId content, int page)
    {
        lock (_gate)
        {
            return Use(Name.Of(content, page))?.Page;
        }
    }

    private Entry? Find(Name name) => _entries.GetValueOrDefault(name)?.Value;

    private Entry? Use(Name name)
    {
        if (!_entries.TryGetValue(name, out LinkedListNode<Entry>? node))
        {
            return null;
        }

        _byUse.Remove(node);
        _byUse.AddLast(node);
        return node.Value;
    }

    private void Note(Entry entry)
    {
        entry.NotedAt = Look();
        ref LinkedListNode<Entry>? node = ref CollectionsMarshal.GetValueRefOrAddDefault(_entries, entry.Name, out _);
        if (node is not null)
        {
            entry.DeletedBy = Math.Max(entry.DeletedBy, node.Value.DeletedBy);
            _bytes -= node.Value.Bytes;
            _byUse.Remove(node);
        }

        node = _byUse.AddLast(entry);
        _bytes += entry.Bytes;
        while (_bytes > maxBytes && _byUse.First is { } oldest)
        {
            Forget(oldest);
        }
    }

    private void Forget(LinkedListNode<Entry> node)
    {
        Entry entry = node.Value;
        _byUse.Remove(node);
        _entries.Remove(entry.Name);
        _bytes -= entry.Bytes;
        if (entry.Page is null)
        {
            _forgottenAt = Math.Max(_forgottenAt, entry.NotedAt);
            _forgottenMark = Math.Max(_forgottenMark, entry.DeletedBy);
        }
    }

    private readonly record struct Name(UInt128 Owner, string Key, int Page)
    {
        public static Name Of(VaultId vault, string key) => new(vault.Value, key, NoPage);

        public static Name Of(ContentId content, int page) => new(content.Value, "", page);
    }

    /// <summary>Without a row and a page it marks that the key was deleted.</summary>
    private sealed record Entry(Name Name, long Seq, VersionRow? Row)
    {
        public byte[]? Page { get; init; }

        public long NotedAt { get; set; }

        /// <summary>No version of the key up to this seq may come back.</summary>
        public long DeletedBy { get; set; }

        public long Bytes => EntryBytes + (sizeof(char) * (Name.Key.Length + (Row?.ETag.Length ?? 0)))
            + (Row?.Manifest.Length ?? 0) + (Page?.Length ?? 0);

        public static Entry Mark(Name name, long seq) => new(name, seq, null) { DeletedBy = seq };
    }
}
