using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ZeroStor.Volumes;

/// <summary>The only file that touches the operating system. Linux: .NET's own flush to disk swallows sync
/// errors there (its native fsync returns 1 where managed code looks for a negative number) and cannot sync a
/// folder at all, so what must be durable goes to libc directly, and every errno is looked at.</summary>
public static partial class OsFile
{
    internal const int NotThere = 2;
    internal const int NoSpace = 28;
    internal const int QuotaExceeded = 122;

    private const int Interrupted = 4;
    private const int NotAllowed = 13;
    private const int NoFolder = 20;
    private const int WouldBlock = 11;
    private const int NotValid = 22;

    // open(2), as on every Linux architecture that .NET runs on. O_DIRECTORY is left out on purpose: its
    // number differs between x64 and arm64, and a folder opens for reading without it.
    private const int ReadOnlyFlag = 0;
    private const int ReadWriteFlag = 2;
    private const int CreateFlag = 0x40;
    private const int ExclusiveFlag = 0x80;
    private const int CloseOnExecFlag = 0x80000;
    private const int FileMode = 0b110_100_000;

    private const int LockExclusiveNoWait = 2 | 4;
    private const int Unlock = 8;

    // statx(2) has one layout on all architectures, which stat(2) has not.
    private const int CurrentFolder = -100;
    private const int EmptyPath = 0x1000;
    private const uint BasicStats = 0x7ff;
    private const int StatxBytes = 256;

    /// <summary>The real files.</summary>
    internal static IDiskFiles Files { get; } = new RealFiles(isDirect: true);

    /// <summary>The real files, as on a file system without direct writing.</summary>
    internal static IDiskFiles BufferedFiles { get; } = new RealFiles(isDirect: false);

    /// <summary>Makes a file's bytes and length durable.</summary>
    /// <exception cref="IOException">The file could not be opened, or the sync failed: what was written may
    /// be lost, and syncing again would not say so.</exception>
    public static void SyncFile(string path)
    {
        using SafeFileHandle file = Open(path, ReadOnlyFlag);
        Check(Retry(() => Native.Fsync(file)), "fsync", path);
    }

    /// <summary>Makes the names in a folder durable: needed after creating, renaming or unlinking in
    /// it.</summary>
    /// <exception cref="IOException">As for <see cref="SyncFile"/>.</exception>
    public static void SyncFolder(string path) => SyncFile(path);

    internal static string Describe(int errno) => new Win32Exception(errno).Message;

    private static SafeFileHandle Open(string path, int flags)
    {
        int descriptor = Retry(() => Native.Open(path, flags | CloseOnExecFlag, FileMode));
        Check(descriptor, "open", path);
        return new SafeFileHandle(descriptor, ownsHandle: true);
    }

    private static int Retry(Func<int> call)
    {
        int result;
        do
        {
            result = call();
        }
        while (result < 0 && Marshal.GetLastPInvokeError() == Interrupted);

        return result;
    }

    private static void Check(int result, string call, string path)
    {
        if (result < 0)
        {
            throw new OsException(call, path, Marshal.GetLastPInvokeError());
        }
    }

    private static FileIdentity? Identify(int folder, string name, int flags, string path)
    {
        Span<byte> stat = stackalloc byte[StatxBytes];
        int result;
        unsafe
        {
            fixed (byte* target = stat)
            {
                result = Native.Statx(folder, name, flags, BasicStats, target);
            }
        }

        if (result < 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            return errno is NotThere or NoFolder ? null : throw new OsException("statx", path, errno);
        }

        uint links = MemoryMarshal.Read<uint>(stat[16..]);
        ulong inode = MemoryMarshal.Read<ulong>(stat[32..]);
        long length = MemoryMarshal.Read<long>(stat[40..]);
        uint deviceMajor = MemoryMarshal.Read<uint>(stat[136..]);
        uint deviceMinor = MemoryMarshal.Read<uint>(stat[140..]);
        return new FileIdentity(((ulong)deviceMajor << 32) | deviceMinor, inode, links, length);
    }

    private sealed class RealFiles(bool isDirect) : IDiskFiles
    {
        public bool FolderExists(string path) => Directory.Exists(path);

        public void CreateFolder(string path)
        {
            string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
            if (FolderExists(full))
            {
                return;
            }

            string? parent = Path.GetDirectoryName(full);
            if (parent is not null)
            {
                CreateFolder(parent);
            }

            Guard("mkdir", full, () => Directory.CreateDirectory(full));
            OsFile.SyncFolder(full);
            if (parent is not null)
            {
                OsFile.SyncFolder(parent);
            }
        }

        public IReadOnlyList<string> List(string folder)
        {
            var names = new List<string>();
            Guard("readdir", folder, () =>
            {
                foreach (string entry in Directory.EnumerateFileSystemEntries(folder))
                {
                    names.Add(Path.GetFileName(entry));
                }
            });
            return names;
        }

        public IDiskFile Open(string path, FileUse use) => new RealFile(
            OsFile.Open(path, use switch
            {
                FileUse.Create => ReadWriteFlag | CreateFlag | ExclusiveFlag,
                FileUse.ReadWrite => ReadWriteFlag,
                _ => ReadOnlyFlag,
            }),
            path,
            isDirect);

        public void Rename(string from, string to) =>
            Check(Native.Rename(from, to), "rename", from);

        public void Unlink(string path) => Check(Native.Unlink(path), "unlink", path);

        public void SyncFolder(string path) => OsFile.SyncFolder(path);

        public FileIdentity? Identify(string path) => OsFile.Identify(CurrentFolder, path, 0, path);

        public long FreeBytes(string path)
        {
            long free = 0;
            Guard("statvfs", path, () => free = new DriveInfo(path).AvailableFreeSpace);
            return free;
        }

        public long TotalBytes(string path)
        {
            long total = 0;
            Guard("statvfs", path, () => total = new DriveInfo(path).TotalSize);
            return total;
        }

        public IDisposable? TryLock(string path, FileUse use)
        {
            SafeFileHandle file = OsFile.Open(
                path, use == FileUse.Read ? ReadOnlyFlag : ReadWriteFlag | CreateFlag);
            if (Retry(() => Native.Flock(file, LockExclusiveNoWait)) == 0)
            {
                return new HeldLock(file);
            }

            int errno = Marshal.GetLastPInvokeError();
            file.Dispose();
            return errno == WouldBlock ? null : throw new OsException("flock", path, errno);
        }
    }

    // Closing alone would not do: while a child process is being started it has a copy of the handle, and with it
    // the lock, until it becomes another program. Unlocking ends it for all copies.
    private sealed class HeldLock(SafeFileHandle file) : IDisposable
    {
        public void Dispose()
        {
            if (!file.IsClosed)
            {
                _ = Retry(() => Native.Flock(file, Unlock));
                file.Dispose();
            }
        }
    }

    private sealed class RealFile(SafeFileHandle handle, string path, bool isDirect) : IDiskFile
    {
        public int Read(Span<byte> target, long offset)
        {
            int done = 0;
            try
            {
                while (done < target.Length)
                {
                    int read = RandomAccess.Read(handle, target[done..], offset + done);
                    if (read == 0)
                    {
                        break;
                    }

                    done += read;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new OsException("read", path, ErrnoOf(e));
            }

            return done;
        }

        private DirectReader? _directReader;
        private DirectWriter? _direct;

        public int ReadUncached(Span<byte> target, long offset) =>
            isDirect && (_directReader ??= new DirectReader(handle, path)).TryRead(target, offset, out int read)
                ? read
                : Read(target, offset);

        public void Write(IReadOnlyList<ReadOnlyMemory<byte>> pieces, long offset)
        {
            if (!isDirect || !(_direct ??= new DirectWriter(handle, path)).TryWrite(pieces, offset))
            {
                Guard("write", path, () => RandomAccess.Write(handle, pieces, offset));
            }
        }

        public void Truncate(long length) =>
            Check(Retry(() => Native.Ftruncate(handle, length)), "ftruncate", path);

        public void Sync() => Check(Retry(() => Native.Fdatasync(handle)), "fdatasync", path);

        public FileIdentity Identify()
        {
            bool added = false;
            try
            {
                handle.DangerousAddRef(ref added);
                return OsFile.Identify((int)handle.DangerousGetHandle(), "", EmptyPath, path)
                    ?? throw new OsException("statx", path, NotThere);
            }
            finally
            {
                if (added)
                {
                    handle.DangerousRelease();
                }
            }
        }

        public void Dispose()
        {
            _direct?.Dispose();
            handle.Dispose();
        }
    }

    private static void Guard(string call, string path, Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OsException(call, path, ErrnoOf(e));
        }
    }

    // .NET hands the errno of a failed call on as the HResult of a plain IOException.
    private static int ErrnoOf(Exception failure) => failure switch
    {
        FileNotFoundException or DirectoryNotFoundException => NotThere,
        UnauthorizedAccessException => NotAllowed,
        _ => failure.HResult,
    };

    private static partial class Native
    {
        [LibraryImport("libc", EntryPoint = "open", SetLastError = true,
            StringMarshalling = StringMarshalling.Utf8)]
        internal static partial int Open(string path, int flags, int mode);

        [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
        internal static partial int Fsync(SafeFileHandle file);

        [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
        internal static partial int Fdatasync(SafeFileHandle file);

        [LibraryImport("libc", EntryPoint = "pwritev", SetLastError = true)]
        internal static unsafe partial nint Pwritev(
            SafeFileHandle file, WriteVector* vectors, int count, long offset);

        [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)]
        internal static unsafe partial nint Pread(SafeFileHandle file, byte* to, nint bytes, long offset);

        [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
        internal static partial int Ftruncate(SafeFileHandle file, long length);

        [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
        internal static partial int Flock(SafeFileHandle file, int operation);

        [LibraryImport("libc", EntryPoint = "rename", SetLastError = true,
            StringMarshalling = StringMarshalling.Utf8)]
        internal static partial int Rename(string from, string to);

        [LibraryImport("libc", EntryPoint = "unlink", SetLastError = true,
            StringMarshalling = StringMarshalling.Utf8)]
        internal static partial int Unlink(string path);

        [LibraryImport("libc", EntryPoint = "statx", SetLastError = true,
            StringMarshalling = StringMarshalling.Utf8)]
        internal static unsafe partial int Statx(int folder, string path, int flags, uint mask, byte* target);
    }
}
