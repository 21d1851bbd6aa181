using ZeroStor.Volumes;

namespace ZeroStor.Tests.Proofs;

/// <summary>A disk that is opened to be read, without the thread that writes.</summary>
internal sealed class SmallDisk : IDisposable
{
    private static readonly BufferPool Pool = new();

    private readonly SuperblockFile _superblock;
    private readonly DiskContents _contents;

    private SmallDisk(IDiskFiles files)
    {
        _superblock = SuperblockFile.Open(files, CrashRun.Folder, FileUse.ReadWrite);
        _contents = DiskReplay.Run(files, CrashRun.Folder, _superblock, CrashRun.Tiny).Contents;
        DiskId id = _superblock.Current.Disk;
        var health = new DiskHealth(id);
        Reader = new DiskReader(id, CrashRun.Tiny, _contents, health, Pool);
        Scrub = new ScrubReader(_contents, health, Reader, Pool);
    }

    internal DiskReader Reader { get; }

    internal ScrubReader Scrub { get; }

    /// <exception cref="ZeroStorException">As by <see cref="Disk"/>.</exception>
    internal static SmallDisk Open(IDiskFiles files) => new(files);

    /// <summary>Where the index says that a shard is.</summary>
    internal bool TryFind(ShardName name, out HeldShard shard)
    {
        bool isThere = _contents.TryPin(name, out shard, out Volume volume);
        if (isThere)
        {
            volume.Unpin();
        }

        return isThere;
    }

    public void Dispose()
    {
        Reader.Dispose();
        foreach (Volume volume in _contents.Volumes())
        {
            volume.Unpin();
        }

        _superblock.Dispose();
    }
}

/// <summary>Files that note which bytes were read.</summary>
internal sealed class NotingFiles(IDiskFiles real) : IDiskFiles
{
    internal HashSet<(string Path, long Byte)> Read { get; } = [];

    public bool FolderExists(string path) => real.FolderExists(path);

    public void CreateFolder(string path) => real.CreateFolder(path);

    public IReadOnlyList<string> List(string folder) => real.List(folder);

    public IDiskFile Open(string path, FileUse use) => new NotingFile(this, real.Open(path, use), path);

    public void Rename(string from, string to) => real.Rename(from, to);

    public void Unlink(string path) => real.Unlink(path);

    public void SyncFolder(string path) => real.SyncFolder(path);

    public FileIdentity? Identify(string path) => real.Identify(path);

    public long FreeBytes(string path) => real.FreeBytes(path);

    public long TotalBytes(string path) => real.TotalBytes(path);

    public IDisposable? TryLock(string path, FileUse use) => real.TryLock(path, use);

    private sealed class NotingFile(NotingFiles owner, IDiskFile real, string path) : IDiskFile
    {
        public int Read(Span<byte> target, long offset)
        {
            int read = real.Read(target, offset);
            for (int i = 0; i < read; i++)
            {
                owner.Read.Add((path, offset + i));
            }

            return read;
        }

        public void Write(IReadOnlyList<ReadOnlyMemory<byte>> pieces, long offset) => real.Write(pieces, offset);

        public void Truncate(long length) => real.Truncate(length);

        public void Sync() => real.Sync();

        public FileIdentity Identify() => real.Identify();

        public void Dispose() => real.Dispose();
    }
}
