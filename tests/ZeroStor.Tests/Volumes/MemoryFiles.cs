using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

/// <summary>Files in memory that forget at a power cut what was not synced, as badly as real ones may: of the
/// writes since a file's last sync none, all or any sectors stand; of the names made, changed or removed
/// since a folder's last sync only the first few are so. Equal seeds, equal losses.</summary>
internal sealed class MemoryFiles(int seed) : IDiskFiles
{
    private const int SectorBytes = 512;
    private const int NoEntry = 2;
    private const int Exists = 17;

    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, Folder> _folders = new(StringComparer.Ordinal);
    private readonly HashSet<string> _locks = [];
    private ulong _lastInode;
    private int _cuts;

    /// <summary>Who had a file open or locked has lost it; what is opened next is what is left.</summary>
    internal void CutPower()
    {
        lock (_lock)
        {
            var random = new Random((seed * 7919) + _cuts++);
            foreach (Folder folder in _folders.Values)
            {
                folder.Forget(random);
                foreach (Node node in folder.Names.Values)
                {
                    node.Forget(random);
                }
            }

            _locks.Clear();
        }
    }

    public bool FolderExists(string path)
    {
        lock (_lock)
        {
            return _folders.ContainsKey(path);
        }
    }

    public void CreateFolder(string path)
    {
        lock (_lock)
        {
            _folders.TryAdd(path, new Folder());
        }
    }

    public IReadOnlyList<string> List(string folder)
    {
        lock (_lock)
        {
            return
            [
                .. FolderAt(folder).Names.Keys,
                .. _folders.Keys.Where(f => Path.GetDirectoryName(f) == folder)
                    .Select(f => Path.GetFileName(f)),
            ];
        }
    }

    public IDiskFile Open(string path, FileUse use)
    {
        lock (_lock)
        {
            Folder folder = FolderAt(Path.GetDirectoryName(path)!);
            string name = Path.GetFileName(path);
            bool isThere = folder.Names.TryGetValue(name, out Node? node);
            if (isThere == (use == FileUse.Create))
            {
                throw new OsException("open", path, isThere ? Exists : NoEntry);
            }

            if (node is null)
            {
                node = new Node(++_lastInode);
                folder.Change(names => names[name] = node);
            }

            return new OpenFile(this, node);
        }
    }

    public void Rename(string from, string to)
    {
        lock (_lock)
        {
            Node node = NodeAt(from) ?? throw new OsException("rename", from, NoEntry);
            FolderAt(Path.GetDirectoryName(from)!).Change(names =>
            {
                names.Remove(Path.GetFileName(from));
                names[Path.GetFileName(to)] = node;
            });
        }
    }

    public void Unlink(string path)
    {
        lock (_lock)
        {
            FolderAt(Path.GetDirectoryName(path)!).Change(names => names.Remove(Path.GetFileName(path)));
        }
    }

    public void SyncFolder(string path)
    {
        lock (_lock)
        {
            FolderAt(path).Sync();
        }
    }

    public FileIdentity? Identify(string path)
    {
        lock (_lock)
        {
            return NodeAt(path) is { } node ? IdentityOf(node) : null;
        }
    }

    public long FreeBytes(string path) => 1L << 40;

    public long TotalBytes(string path) => 1L << 40;

    public IDisposable? TryLock(string path, FileUse use)
    {
        lock (_lock)
        {
            return _locks.Add(path) ? new Held(this, path) : null;
        }
    }

    private Folder FolderAt(string path) =>
        _folders.GetValueOrDefault(path) ?? throw new OsException("open", path, NoEntry);

    private Node? NodeAt(string path) => _folders.GetValueOrDefault(Path.GetDirectoryName(path)!)
        ?.Names.GetValueOrDefault(Path.GetFileName(path));

    private FileIdentity IdentityOf(Node node)
    {
        int links = _folders.Values.Sum(f => f.Names.Values.Count(n => n == node));
        return new FileIdentity(1, node.Inode, (uint)links, node.Now.Length);
    }

    /// <summary>The names in a folder: now, and as they were last synced.</summary>
    private sealed class Folder
    {
        private readonly List<Action<SortedDictionary<string, Node>>> _unsynced = [];
        private readonly SortedDictionary<string, Node> _synced = new(StringComparer.Ordinal);

        public SortedDictionary<string, Node> Names { get; private set; } = new(StringComparer.Ordinal);

        public void Change(Action<SortedDictionary<string, Node>> change)
        {
            change(Names);
            _unsynced.Add(change);
        }

        public void Sync()
        {
            _unsynced.ForEach(change => change(_synced));
            _unsynced.Clear();
        }

        public void Forget(Random random)
        {
            int kept = random.Next(_unsynced.Count + 1);
            _unsynced.RemoveRange(kept, _unsynced.Count - kept);
            Sync();
            Names = new SortedDictionary<string, Node>(_synced, StringComparer.Ordinal);
        }
    }

    /// <summary>The bytes of a file: now, and as they were last synced, with what was done since.</summary>
    private sealed class Node(ulong inode)
    {
        private readonly List<(long At, byte[]? Bytes)> _unsynced = [];
        private readonly Content _synced = new();

        public ulong Inode => inode;

        public Content Now { get; private set; } = new();

        public void Write(IReadOnlyList<ReadOnlyMemory<byte>> pieces, long offset)
        {
            byte[] bytes = new byte[pieces.Sum(p => p.Length)];
            int at = 0;
            foreach (ReadOnlyMemory<byte> piece in pieces)
            {
                piece.Span.CopyTo(bytes.AsSpan(at));
                at += piece.Length;
            }

            Now.Write(offset, bytes);
            _unsynced.Add((offset, bytes));
        }

        public void Truncate(long length)
        {
            Now.Resize(length);
            _unsynced.Add((length, null));
        }

        public void Sync()
        {
            foreach ((long at, byte[]? bytes) in _unsynced)
            {
                Apply(at, bytes);
            }

            _unsynced.Clear();
        }

        public void Forget(Random random)
        {
            int mode = random.Next(3);
            foreach ((long at, byte[]? bytes) in _unsynced.Where(_ => mode > 0))
            {
                if (mode == 1 || bytes is null)
                {
                    Apply(at, bytes);
                    continue;
                }

                for (int from = 0, to; from < bytes.Length; from = to)
                {
                    long sectorEnd = (at + from + SectorBytes) / SectorBytes * SectorBytes;
                    to = (int)Math.Min(bytes.Length, sectorEnd - at);
                    if (random.Next(2) == 0)
                    {
                        _synced.Write(at + from, bytes.AsSpan(from, to - from));
                    }
                }
            }

            _unsynced.Clear();
            Now = _synced.Copy();
        }

        private void Apply(long at, byte[]? bytes)
        {
            if (bytes is null)
            {
                _synced.Resize(at);
            }
            else
            {
                _synced.Write(at, bytes);
            }
        }
    }

    private sealed class Content
    {
        private byte[] _bytes = [];

        public int Length { get; private set; }

        public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, Length);

        public Content Copy() => new() { _bytes = Span.ToArray(), Length = Length };

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            Resize(Math.Max(Length, offset + bytes.Length));
            bytes.CopyTo(_bytes.AsSpan((int)offset));
        }

        public void Resize(long length)
        {
            if (length > _bytes.Length)
            {
                Array.Resize(ref _bytes, (int)Math.Max(length, 2L * _bytes.Length));
            }

            if (length < Length)
            {
                _bytes.AsSpan((int)length..Length).Clear();
            }

            Length = (int)length;
        }
    }

    private sealed class OpenFile(MemoryFiles owner, Node node) : IDiskFile
    {
        public int Read(Span<byte> target, long offset)
        {
            lock (owner._lock)
            {
                ReadOnlySpan<byte> rest = offset < node.Now.Length ? node.Now.Span[(int)offset..] : [];
                int read = Math.Min(rest.Length, target.Length);
                rest[..read].CopyTo(target);
                return read;
            }
        }

        public void Write(IReadOnlyList<ReadOnlyMemory<byte>> pieces, long offset)
        {
            lock (owner._lock)
            {
                node.Write(pieces, offset);
            }
        }

        public void Truncate(long length)
        {
            lock (owner._lock)
            {
                node.Truncate(length);
            }
        }

        public void Sync()
        {
            lock (owner._lock)
            {
                node.Sync();
            }
        }

        public FileIdentity Identify()
        {
            lock (owner._lock)
            {
                return owner.IdentityOf(node);
            }
        }

        public void Dispose()
        {
        }
    }

    private sealed class Held(MemoryFiles owner, string path) : IDisposable
    {
        public void Dispose()
        {
            lock (owner._lock)
            {
                owner._locks.Remove(path);
            }
        }
    }
}
