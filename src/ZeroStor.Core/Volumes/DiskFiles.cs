namespace ZeroStor.Volumes;

// The seam between a disk and the operating system. OsFile is the one real form; tests put faults before it.

/// <summary>Who a file is, apart from its name: two names lead to the same file exactly when device and inode
/// are equal.</summary>
internal readonly record struct FileIdentity(ulong Device, ulong Inode, uint Links, long Length)
{
    public bool IsSameFile(FileIdentity other) => Device == other.Device && Inode == other.Inode;
}

internal enum FileUse
{
    /// <summary>The file must not be there; it is made.</summary>
    Create,

    ReadWrite,
    Read,
}

/// <summary>What a disk asks of the operating system. Every failure is an <see cref="OsException"/>.
/// Thread-safe. </summary>
internal interface IDiskFiles
{
    bool FolderExists(string path);

    /// <summary>Makes the folder, and those above it that are missing, each synced into its parent.</summary>
    void CreateFolder(string path);

    /// <summary>Names, without the folder, in no order.</summary>
    IReadOnlyList<string> List(string folder);

    IDiskFile Open(string path, FileUse use);

    void Rename(string from, string to);

    void Unlink(string path);

    /// <summary>Makes the names in a folder durable: a file created, renamed or unlinked is so only after
    /// this. </summary>
    void SyncFolder(string path);

    /// <summary>Whom a name leads to; null when there is no such name.</summary>
    FileIdentity? Identify(string path);

    /// <summary>Bytes that the file system would still take from this process.</summary>
    long FreeBytes(string path);

    /// <summary>Bytes that the file system has in all.</summary>
    long TotalBytes(string path);

    /// <summary>An exclusive lock on the file until disposed; null when somebody else has it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="use">ReadWrite makes it where it is missing; Read wants it there and no right to write.
    /// </param>
    IDisposable? TryLock(string path, FileUse use = FileUse.ReadWrite);
}

/// <summary>An open file. Reads may run at once with one another and with the one writer.</summary>
internal interface IDiskFile : IDisposable
{
    /// <summary>Fills <paramref name="target"/> from <paramref name="offset"/>; returns less than its length
    /// only where the file ends.</summary>
    int Read(Span<byte> target, long offset);

    /// <summary>As <see cref="Read"/>, past the page cache where the file system allows that and address,
    /// offset and length are whole blocks: what the device has is read, and what others read soon stays in
    /// the cache. </summary>
    int ReadUncached(Span<byte> target, long offset) => Read(target, offset);

    /// <summary>Writes all pieces, one behind the other. Whole blocks go past the page cache where the file system
    /// allows that: nobody reads soon what was just written, and syncing finds it done.</summary>
    void Write(IReadOnlyList<ReadOnlyMemory<byte>> pieces, long offset);

    void Truncate(long length);

    /// <summary>Returns when data and length are durable (fdatasync).</summary>
    void Sync();

    FileIdentity Identify();
}

/// <summary>A call of the operating system failed.</summary>
internal sealed class OsException(string call, string path, int errno)
    : IOException($"{call} of {path} failed: {OsFile.Describe(errno)} (errno {errno})")
{
    public int Errno { get; } = errno;

    /// <summary>No room left, on the file system or in the quota.</summary>
    public bool IsNoSpace => Errno is OsFile.NoSpace or OsFile.QuotaExceeded;
}
