using System.Buffers;
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

    /// <summary>Writes whole blocks of one file past the page cache (O_DIRECT), over a descriptor of its own.
    /// The device has a cache too, so a sync is needed as ever. All goes to the device in one call, so that it
    /// can do parts of it at once: from where it lies, if that is in whole pages, else from a copy. Where the file system does not offer it, or wants something else, it says so and writes nothing.
    /// Used by one writer.</summary>
    internal sealed class DirectWriter(SafeFileHandle file, string path) : IDisposable
    {
        /// <summary>Addresses, offsets and lengths are multiples of this: no device wants more.</summary>
        internal const int AlignmentBytes = RecordFormat.BlockBytes;

        // Of one call, as Linux has it.
        private const int VectorsPerCall = 1024;

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

            if (TryWriteAsTheyLie(pieces, total, offset))
            {
                return true;
            }

            var copy = new Stage(BufferPool.Shared);
            try
            {
                foreach (ReadOnlyMemory<byte> piece in pieces)
                {
                    copy.Add(piece.Span);
                }

                IsRefused = !TryWriteAsTheyLie(copy.Pieces(), total, offset);
                return !IsRefused;
            }
            finally
            {
                copy.Release();
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

        // False where they are no whole pages, or the device refuses them all the same.
        private unsafe bool TryWriteAsTheyLie(
            IReadOnlyList<ReadOnlyMemory<byte>> pieces, long total, long offset)
        {
            var pins = new MemoryHandle[pieces.Count];
            var vectors = new WriteVector[pieces.Count];
            nuint bits = 0;
            try
            {
                for (int i = 0; i < pieces.Count; i++)
                {
                    pins[i] = pieces[i].Pin();
                    byte* address = (byte*)pins[i].Pointer;
                    vectors[i] = new WriteVector { Address = address, Bytes = pieces[i].Length };
                    bits |= (nuint)address | (nuint)vectors[i].Bytes;
                }

                return bits % AlignmentBytes == 0 && TryWrite(vectors, total, offset);
            }
            finally
            {
                foreach (ref MemoryHandle pin in pins.AsSpan())
                {
                    pin.Dispose();
                }
            }
        }

        // False where the device refuses them, and nothing was written. A write that ends short goes on from the block
        // in which it ended: what is written twice is the same.
        private unsafe bool TryWrite(ReadOnlySpan<WriteVector> vectors, long total, long offset)
        {
            WriteVector* call = stackalloc WriteVector[VectorsPerCall];
            for (long done = 0; done < total;)
            {
                int count = VectorsFrom(vectors, done, call, out long bytes);
                nint written = Native.Pwritev(_handle!, call, count, offset + done);
                int errno = Marshal.GetLastPInvokeError();
                if (written > 0)
                {
                    long whole = written == bytes ? bytes : written / AlignmentBytes * AlignmentBytes;
                    done += whole > 0 ? whole : throw new OsException("write", path, NoSpace);
                }
                else if (written < 0 && errno == NotValid && done == 0)
                {
                    return false;
                }
                else if (written == 0 || errno != Interrupted)
                {
                    throw new OsException("write", path, written == 0 ? NoSpace : errno);
                }
            }

            return true;
        }

        // What one call takes of that which is behind the first so many bytes.
        private static unsafe int VectorsFrom(
            ReadOnlySpan<WriteVector> vectors, long skip, WriteVector* call, out long bytes)
        {
            int count = 0;
            bytes = 0;
            for (int i = 0; i < vectors.Length && count < VectorsPerCall; i++)
            {
                nint skipped = (nint)Math.Min(skip, vectors[i].Bytes);
                skip -= skipped;
                if (skipped < vectors[i].Bytes)
                {
                    call[count] = new WriteVector
                    {
                        Address = vectors[i].Address + skipped,
                        Bytes = vectors[i].Bytes - skipped,
                    };
                    bytes += call[count++].Bytes;
                }
            }

            return count;
        }
    }

    // As writev(2) has it.
    private unsafe struct WriteVector
    {
        internal byte* Address;
        internal nint Bytes;
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
