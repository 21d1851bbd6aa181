using Microsoft.Win32.SafeHandles;
using ZeroStor.Volumes;

namespace ZeroStor.Benchmarks;

/// <summary>A file without anything around it: what the device and its file system give one thread. Past the
/// page cache where that is offered, as a disk does.</summary>
internal sealed class RawFile : IDisposable
{
    private const int FillBytes = 8 * 1024 * 1024;

    private readonly SafeFileHandle _plain;
    private readonly SafeFileHandle? _direct;
    private readonly IDiskFile _file;

    private RawFile(string path, SafeFileHandle plain)
    {
        _plain = plain;
        _direct = OsFile.TryOpenDirect(plain);
        _file = OsFile.Files.Open(path, FileUse.ReadWrite);
    }

    internal bool IsDirect => _direct is not null;

    private SafeFileHandle Handle => _direct ?? _plain;

    /// <summary>Makes a file whose blocks are all written, so that writing over them changes nothing
    /// else.</summary>
    internal static RawFile Create(string path, long bytes)
    {
        RawFile file = Open(path, FileMode.CreateNew);
        SharedBuffer zeros = BufferPool.Shared.Rent(FillBytes);
        zeros.Span.Clear();
        for (long at = 0; at < bytes; at += FillBytes)
        {
            file.Write(zeros.Span[..FillBytes], at);
        }

        zeros.Release();
        file.Sync();
        return file;
    }

    /// <summary>Makes a file without a block: what is written takes fresh ones.</summary>
    internal static RawFile CreateEmpty(string path) => Open(path, FileMode.CreateNew);

    internal static RawFile Open(string path) => Open(path, FileMode.Open);

    internal void Write(ReadOnlySpan<byte> bytes, long offset) => RandomAccess.Write(Handle, bytes, offset);

    internal void Sync() => _file.Sync();

    /// <summary>Reads everything, so many bytes at once; returns how many that were.</summary>
    internal long ReadAll(int bytesAtOnce)
    {
        SharedBuffer buffer = BufferPool.Shared.Rent(bytesAtOnce);
        long total = 0;
        for (int read = bytesAtOnce; read == bytesAtOnce;)
        {
            read = RandomAccess.Read(Handle, buffer.Span[..bytesAtOnce], total);
            total += read;
        }

        buffer.Release();
        return total;
    }

    private static RawFile Open(string path, FileMode mode) =>
        new(path, File.OpenHandle(path, mode, FileAccess.ReadWrite, FileShare.ReadWrite));

    public void Dispose()
    {
        _file.Dispose();
        _direct?.Dispose();
        _plain.Dispose();
    }
}
