using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ZeroStor.Volumes;

public static partial class OsFile
{
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

        private const int NotValid = 22;

        // As many as ever wrote at once: one a disk.
        private static readonly ConcurrentBag<Stage> Stages = [];

        private SafeFileHandle? _handle;

        /// <summary>Whether the file takes no direct writes.</summary>
        internal bool IsRefused { get; private set; } = Flag == 0 || !OperatingSystem.IsLinux();

        // The number of the flag differs between architectures.
        private static int Flag => RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => 0x4000,
            Architecture.Arm64 => 0x10000,
            _ => 0,
        };

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
                try
                {
                    // By the descriptor, not by the name, which may lead to another file by now.
                    _handle = Open($"/proc/self/fd/{file.DangerousGetHandle()}", ReadWriteFlag | Flag);
                }
                catch (OsException e) when (e.Errno is NotValid or NotThere)
                {
                    IsRefused = true;
                }
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
}
