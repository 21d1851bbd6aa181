using ZeroStor.Volumes;

namespace ZeroStor.Tests.Proofs;

/// <summary>Files in memory that write down every change and every sync, so that all the states can be made
/// in which a crash may leave them.</summary>
internal sealed class RecordingFiles : IDiskFiles
{
    private const int NoEntry = 2;
    private const int Exists = 17;

    private readonly Lock _lock = new();
    private readonly HashSet<string> _locks = [];
    private readonly List<FileChange> _journal = [];
    private readonly ImageBuilder _now;
    private int _volumeSyncs;

    internal RecordingFiles(DiskImage image)
    {
        Start = image;
        _now = new ImageBuilder(image);
    }

    /// <summary>What was there before the first entry of the journal; all of it durable.</summary>
    internal DiskImage Start { get; }

    /// <summary>What goes wrong with syncs: every third of a volume, or all of folders, do nothing.</summary>
    internal Defect Planted { get; init; }

    /// <summary>Asked before each write, each sync of a file and each look at the free room, and may wait; hears of each
    /// write that was done.</summary>
    internal Overlap? Watch { get; set; }

    /// <summary>What the file system claims to have left.</summary>
    internal long FreeBytesTold { get; set; } = 1L << 40;

    internal IReadOnlyList<FileChange> Journal
    {
        get
        {
            lock (_lock)
            {
                return [.. _journal];
            }
        }
    }

    internal void Owe(DiskDebt debt)
    {
        lock (_lock)
        {
            _journal.Add(new Owed(debt));
        }
    }

    /// <summary>All of it, synced or not.</summary>
    internal DiskImage Now()
    {
        lock (_lock)
        {
            return _now.ToImage();
        }
    }

    /// <summary>What is left when nothing that was not synced is.</summary>
    internal DiskImage Durable() => CrashPoint.All(Start, Journal).LastOrDefault()?.Durable ?? Start;

    /// <summary>Changes bytes under an open disk, as a device that errs.</summary>
    internal void Overwrite(string path, long at, ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            _now.Write(InodeAt(path)!.Value, at, bytes);
        }
    }

    public bool FolderExists(string path)
    {
        lock (_lock)
        {
            return _now.Folders.Contains(path);
        }
    }

    public void CreateFolder(string path)
    {
        lock (_lock)
        {
            Change(new FolderMade(path));
        }
    }

    public IReadOnlyList<string> List(string folder)
    {
        lock (_lock)
        {
            return
            [
                .. _now.Names.Keys.Concat(_now.Folders)
                    .Where(path => Path.GetDirectoryName(path) == folder)
                    .Select(path => Path.GetFileName(path)),
            ];
        }
    }

    public IDiskFile Open(string path, FileUse use)
    {
        lock (_lock)
        {
            ulong? inode = InodeAt(path);
            if ((inode is null) == (use != FileUse.Create))
            {
                throw new OsException("open", path, inode is null ? NoEntry : Exists);
            }

            if (inode is null)
            {
                inode = _now.NewInode();
                Change(new Renamed(null, path, inode.Value));
            }

            return new OpenFile(this, inode.Value, path);
        }
    }

    public void Rename(string from, string to)
    {
        lock (_lock)
        {
            ulong inode = InodeAt(from) ?? throw new OsException("rename", from, NoEntry);
            Change(new Renamed(from, to, inode));
        }
    }

    public void Unlink(string path)
    {
        lock (_lock)
        {
            ulong inode = InodeAt(path) ?? throw new OsException("unlink", path, NoEntry);
            Change(new Renamed(path, null, inode));
        }
    }

    public void SyncFolder(string path)
    {
        lock (_lock)
        {
            if (Planted != Defect.SkippedFolderSync)
            {
                Change(new FolderSynced(path));
            }
        }
    }

    public FileIdentity? Identify(string path)
    {
        lock (_lock)
        {
            return InodeAt(path) is { } inode ? IdentityOf(inode) : null;
        }
    }

    public long FreeBytes(string path)
    {
        Watch?.Looks();
        return FreeBytesTold;
    }

    public long TotalBytes(string path) => 0;

    public IDisposable? TryLock(string path, FileUse use)
    {
        lock (_lock)
        {
            return _locks.Add(path) ? new Held(this, path) : null;
        }
    }

    private ulong? InodeAt(string path) => _now.Names.TryGetValue(path, out ulong inode) ? inode : null;

    private FileIdentity IdentityOf(ulong inode) =>
        new(1, inode, (uint)_now.Names.Count(n => n.Value == inode), _now.Read(inode).Length);

    private void Change(FileChange change)
    {
        change.Apply(_now);
        _journal.Add(change);
    }

    private sealed class OpenFile(RecordingFiles owner, ulong inode, string path) : IDiskFile
    {
        public int Read(Span<byte> target, long offset)
        {
            lock (owner._lock)
            {
                ReadOnlySpan<byte> all = owner._now.Read(inode);
                ReadOnlySpan<byte> rest = offset < all.Length ? all[(int)offset..] : [];
                int read = Math.Min(rest.Length, target.Length);
                rest[..read].CopyTo(target);
                return read;
            }
        }

        public void Write(IReadOnlyList<ReadOnlyMemory<byte>> pieces, long offset)
        {
            byte[] bytes = new byte[pieces.Sum(p => p.Length)];
            int at = 0;
            foreach (ReadOnlyMemory<byte> piece in pieces)
            {
                piece.Span.CopyTo(bytes.AsSpan(at));
                at += piece.Length;
            }

            owner.Watch?.Writes(bytes, offset);
            lock (owner._lock)
            {
                owner.Change(new Written(inode, path, offset, bytes));
            }

            owner.Watch?.Wrote();
        }

        public void Truncate(long length)
        {
            lock (owner._lock)
            {
                owner.Change(new Truncated(inode, length));
            }
        }

        public void Sync()
        {
            int began;
            lock (owner._lock)
            {
                began = owner._journal.Count;
            }

            owner.Watch?.Syncs();
            lock (owner._lock)
            {
                bool isPassedOver = owner.Planted == Defect.SkippedSync
                    && path.EndsWith(".vol", StringComparison.Ordinal)
                    && ++owner._volumeSyncs % 3 == 0;
                if (!isPassedOver)
                {
                    owner.Change(new FileSynced(inode, owner._journal[began..]));
                }
            }
        }

        public FileIdentity Identify()
        {
            lock (owner._lock)
            {
                return owner.IdentityOf(inode);
            }
        }

        public void Dispose()
        {
        }
    }

    private sealed class Held(RecordingFiles owner, string path) : IDisposable
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
