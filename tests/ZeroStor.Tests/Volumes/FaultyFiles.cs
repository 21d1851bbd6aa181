using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

/// <summary>What a disk asked of its files.</summary>
internal enum FileCall
{
    Open,
    Read,
    Write,
    Truncate,
    Sync,
    SyncFolder,
    Rename,
    Unlink,
    CreateFolder,

    /// <summary>Names, identities, free room, a lock: nothing changes.</summary>
    Look,
}

/// <summary>Files behind a place where a test may look at each call, wait in it, or make it fail.</summary>
internal sealed class FaultyFiles(IDiskFiles real) : IDiskFiles
{
    private const int InputOutputError = 5;

    private readonly Lock _lock = new();
    private readonly Dictionary<FileCall, int> _counts = [];
    private int _changesLeft = int.MaxValue;
    private int _volumeSyncs;

    /// <summary>Called before each call with its kind and path; returns the errno to fail with, or
    /// 0.</summary>
    internal Func<FileCall, string, int> Before { get; set; } = (_, _) => 0;

    /// <summary>What was handed over to be written; null: nobody asks.</summary>
    internal List<ReadOnlyMemory<byte>>? Pieces { get; set; }

    /// <summary>Called once, after the next write was made in full; returns the errno to fail with, or
    /// 0.</summary>
    internal Func<string, int>? AfterWrite { get; set; }

    /// <summary>What the file system claims to have left; null: the truth.</summary>
    internal long? FreeBytesTold { get; set; }

    /// <summary>What the file system claims to have in all; so little that the reserve is its least.</summary>
    internal long TotalBytesTold { get; set; }

    /// <summary>A write that is made to fail has written its first half.</summary>
    internal bool CutsFailedWrites { get; set; }

    /// <summary>So many calls that change something still succeed; then there is no power, and every call
    /// fails. Reads have tests of their own.</summary>
    internal int ChangesLeft
    {
        set => _changesLeft = value;
    }

    /// <summary>A planted defect: every third sync of a volume is passed over.</summary>
    internal bool SkipsSyncs { get; set; }

    internal int Count(FileCall call)
    {
        lock (_lock)
        {
            return _counts.GetValueOrDefault(call);
        }
    }

    public bool FolderExists(string path) => real.FolderExists(path);

    public void CreateFolder(string path)
    {
        Meet(FileCall.CreateFolder, path);
        real.CreateFolder(path);
    }

    public IReadOnlyList<string> List(string folder)
    {
        Meet(FileCall.Look, folder);
        return real.List(folder);
    }

    public IDiskFile Open(string path, FileUse use)
    {
        Meet(FileCall.Open, path);
        return new FaultyFile(this, real.Open(path, use), path);
    }

    public void Rename(string from, string to)
    {
        Meet(FileCall.Rename, from);
        real.Rename(from, to);
    }

    public void Unlink(string path)
    {
        Meet(FileCall.Unlink, path);
        real.Unlink(path);
    }

    public void SyncFolder(string path)
    {
        Meet(FileCall.SyncFolder, path);
        real.SyncFolder(path);
    }

    public FileIdentity? Identify(string path)
    {
        Meet(FileCall.Look, path);
        return real.Identify(path);
    }

    public long FreeBytes(string path)
    {
        Meet(FileCall.Look, path);
        return FreeBytesTold ?? real.FreeBytes(path);
    }

    public long TotalBytes(string path) => TotalBytesTold;

    public IDisposable? TryLock(string path, FileUse use)
    {
        Meet(FileCall.Look, path);
        return real.TryLock(path, use);
    }

    private void Meet(FileCall call, string path)
    {
        lock (_lock)
        {
            _counts[call] = _counts.GetValueOrDefault(call) + 1;
        }

        bool hasPower = call is FileCall.Read or FileCall.Look
            ? Volatile.Read(ref _changesLeft) >= 0
            : Interlocked.Decrement(ref _changesLeft) >= 0;
        int errno = hasPower ? Before(call, path) : InputOutputError;
        if (errno != 0)
        {
            throw new OsException(call.ToString(), path, errno);
        }
    }

    private sealed class FaultyFile(FaultyFiles owner, IDiskFile real, string path) : IDiskFile
    {
        public int Read(Span<byte> target, long offset)
        {
            owner.Meet(FileCall.Read, path);
            return real.Read(target, offset);
        }

        public int ReadUncached(Span<byte> target, long offset)
        {
            owner.Meet(FileCall.Read, path);
            return real.ReadUncached(target, offset);
        }

        public void Write(IReadOnlyList<ReadOnlyMemory<byte>> pieces, long offset)
        {
            try
            {
                owner.Meet(FileCall.Write, path);
            }
            catch (OsException) when (owner.CutsFailedWrites)
            {
                real.Write(FirstHalf(pieces), offset);
                throw;
            }

            owner.Pieces?.AddRange(pieces);
            real.Write(pieces, offset);
            if (owner.AfterWrite is { } after)
            {
                owner.AfterWrite = null;
                int errno = after(path);
                if (errno != 0)
                {
                    throw new OsException("write", path, errno);
                }
            }
        }

        public void Truncate(long length)
        {
            owner.Meet(FileCall.Truncate, path);
            real.Truncate(length);
        }

        public void Sync()
        {
            owner.Meet(FileCall.Sync, path);
            bool isPassedOver = owner.SkipsSyncs
                && path.EndsWith(".vol", StringComparison.Ordinal)
                && Interlocked.Increment(ref owner._volumeSyncs) % 3 == 0;
            if (!isPassedOver)
            {
                real.Sync();
            }
        }

        public FileIdentity Identify()
        {
            owner.Meet(FileCall.Look, path);
            return real.Identify();
        }

        public void Dispose() => real.Dispose();

        private static ReadOnlyMemory<byte>[] FirstHalf(IReadOnlyList<ReadOnlyMemory<byte>> pieces)
        {
            byte[] all = [.. pieces.SelectMany(p => p.ToArray())];
            return [all.AsMemory(0, all.Length / 2)];
        }
    }
}
