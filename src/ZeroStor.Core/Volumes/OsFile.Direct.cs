using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ZeroStor.Volumes;

public static partial class OsFile
{
    // The number of the flag differs between architectures.
    private static int DirectFlag => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 0x4000,
        Architecture.Arm64 => 0x10000,
        _ => 0,
    };

    /// <summary>Opens a file once more, for direct reading and writing; null where the file system does not
    /// offer that.</summary>
    internal static SafeFileHandle? TryOpenDirect(SafeFileHandle file) => TryOpenDirect(file, ReadWriteFlag);

    private static SafeFileHandle? TryOpenDirect(SafeFileHandle file, int access)
    {
        if (DirectFlag == 0 || !OperatingSystem.IsLinux())
        {
            return null;
        }

        try
        {
            // By the descriptor, not by the name, which may lead to another file by now.
            return Open($"/proc/self/fd/{file.DangerousGetHandle()}", access | DirectFlag);
        }
        catch (OsException e) when (e.Errno is NotValid or NotThere)
        {
            return null;
        }
    }

    /// <summary>Writes whole blocks of one file past the page cache (O_DIRECT), from memory that is aligned as the
    /// device wants it, over a descriptor of its own. The device has a cache too, so a sync is needed as ever.
    /// Where the file system does not offer it, or wants something else, it says so and writes nothing. Used by one
    /// writer.</summary>
    internal sealed class DirectWriter(SafeFileHandle file, string path) : IDisposable
    {
        /// <summary>Offsets and lengths are multiples of this: no device wants more.</summary>
        internal const int AlignmentBytes = RecordFormat.BlockBytes;

        /// <summary>Of one call: so many that its cost does not count, so few that they stay in the processor's
        /// cache while they are copied together.</summary>
        internal const int StageBytes = 1024 * 1024;

        // As many as ever wrote at once: one a disk.
        private static readonly ConcurrentBag<Stage> Stages = [];

        private SafeFileHandle? _handle;

        /// <summary>Whether the file takes no direct writes.</summary>
        internal bool IsRefused { get; private set; }

        /// <summary>Writes all pieces; false when they are no whole blocks, or the file takes none, and nothing was
        /// written.</summary>
        internal bool TryWrite(IReadOnlyList<ReadOnlyMemory<byte>> pieces, long offset)
        {
            long total = 0;
            for (int i = 0; i < pieces.Count; i++)
            {
                total += pieces[i].Length;
            }

            if (total == 0 || total % AlignmentBytes != 0 || offset % AlignmentBytes != 0 || !TryOpen())
            {
                return false;
            }

            Stage stage = Stages.TryTake(out Stage? used) ? used : new Stage();
            try
            {
                return TryWrite(pieces, offset, total, stage);
            }
            finally
            {
                Stages.Add(stage);
            }
        }

        public void Dispose() => _handle?.Dispose();

        private bool TryOpen()
        {
            if (_handle is null && !IsRefused)
            {
                _handle = TryOpenDirect(file, ReadWriteFlag);
                IsRefused = _handle is null;
            }

            return !IsRefused;
        }

        private bool TryWrite(IReadOnlyList<ReadOnlyMemory<byte>> pieces, long offset, long total, Stage stage)
        {
            int staged = 0;
            long done = 0;
            foreach (ReadOnlyMemory<byte> piece in pieces)
            {
                for (ReadOnlyMemory<byte> rest = piece; !rest.IsEmpty;)
                {
                    int bytes = Math.Min(rest.Length, StageBytes - staged);
                    rest.Span[..bytes].CopyTo(stage.Bytes[staged..]);
                    rest = rest[bytes..];
                    staged += bytes;
                    if (staged == StageBytes || done + staged == total)
                    {
                        if (!TryWrite(stage, staged, offset + done, isFirst: done == 0))
                        {
                            return false;
                        }

                        done += staged;
                        staged = 0;
                    }
                }
            }

            return true;
        }

        // A write that ends short goes on from the block in which it ended: what is written twice is the same.
        private unsafe bool TryWrite(Stage stage, int bytes, long offset, bool isFirst)
        {
            fixed (byte* memory = stage.Bytes)
            {
                for (int done = 0; done < bytes;)
                {
                    nint written = Native.Pwrite(_handle!, memory + done, bytes - done, offset + done);
                    int errno = Marshal.GetLastPInvokeError();
                    if (written > 0)
                    {
                        int end = done + (int)written;
                        int whole = end == bytes ? bytes : end / AlignmentBytes * AlignmentBytes;
                        if (whole == done)
                        {
                            throw new OsException("write", path, NoSpace);
                        }

                        done = whole;
                    }
                    else if (written < 0 && errno == NotValid && isFirst && done == 0)
                    {
                        IsRefused = true;
                        return false;
                    }
                    else if (written == 0 || errno != Interrupted)
                    {
                        throw new OsException("write", path, written == 0 ? NoSpace : errno);
                    }
                }
            }

            return true;
        }

        /// <summary>Aligned memory, of the heap whose objects do not move.</summary>
        private sealed class Stage
        {
            private readonly byte[] _memory =
                GC.AllocateUninitializedArray<byte>(StageBytes + AlignmentBytes, pinned: true);

            private readonly int _start;

            internal unsafe Stage()
            {
                nuint address = (nuint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_memory));
                _start = (int)((AlignmentBytes - (address % AlignmentBytes)) % AlignmentBytes);
            }

            internal Span<byte> Bytes => _memory.AsSpan(_start, StageBytes);
        }
    }

    /// <summary>Reads whole blocks of one file past the page cache into aligned memory. Each read opens a
    /// descriptor and closes it: that is a hundredth of what a large read takes, and no volume holds a second
    /// one for as long as its disk is open. Where the file system does not offer it, it says so.
    /// Thread-safe.</summary>
    internal sealed class DirectReader(SafeFileHandle file, string path)
    {
        private const int AlignmentBytes = DirectWriter.AlignmentBytes;

        private volatile bool _isRefused;

        /// <summary>Fills a target; fewer bytes are read only where the file ends. False when these are no
        /// whole blocks, or the file takes no direct reads.</summary>
        internal unsafe bool TryRead(Span<byte> target, long offset, out int read)
        {
            read = 0;
            fixed (byte* memory = target)
            {
                if (_isRefused
                    || target.Length % AlignmentBytes != 0
                    || offset % AlignmentBytes != 0
                    || (nuint)memory % AlignmentBytes != 0)
                {
                    return false;
                }

                using SafeFileHandle? handle = TryOpenDirect(file, ReadOnlyFlag);
                _isRefused = handle is null || !TryRead(handle, memory, target.Length, offset, out read);
                return !_isRefused;
            }
        }

        private unsafe bool TryRead(SafeFileHandle handle, byte* memory, int bytes, long offset, out int done)
        {
            // What is no whole block ends the file.
            for (done = 0; done < bytes && done % AlignmentBytes == 0;)
            {
                nint read = Native.Pread(handle, memory + done, bytes - done, offset + done);
                int errno = Marshal.GetLastPInvokeError();
                if (read == 0)
                {
                    break;
                }

                if (read > 0)
                {
                    done += (int)read;
                }
                else if (errno == NotValid && done == 0)
                {
                    return false;
                }
                else if (errno != Interrupted)
                {
                    throw new OsException("read", path, errno);
                }
            }

            return true;
        }
    }
}
