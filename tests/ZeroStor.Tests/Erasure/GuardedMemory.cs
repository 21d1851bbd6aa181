using System.Buffers;
using System.Runtime.InteropServices;

namespace ZeroStor.Tests.Erasure;

/// <summary>Bytes that end, or begin, right at a page that may not be touched: a read or write beyond them
/// ends the process. Linux.</summary>
internal sealed unsafe partial class GuardedMemory : MemoryManager<byte>
{
    private const int ReadWrite = 3, None = 0, PrivateAnonymous = 0x22;
    private readonly byte* _pages;
    private readonly nuint _mappedBytes;
    private readonly byte* _first;
    private readonly int _bytes;

    public GuardedMemory(int bytes, bool atEnd)
    {
        int pageBytes = Environment.SystemPageSize;
        int roomBytes = (bytes + pageBytes - 1) / pageBytes * pageBytes;
        _bytes = bytes;
        _mappedBytes = (nuint)(roomBytes + (2 * pageBytes));
        _pages = Map(null, _mappedBytes, ReadWrite, PrivateAnonymous, -1, 0);
        Assert.True((nint)_pages != -1, "mmap failed");
        Assert.Equal(0, Protect(_pages, (nuint)pageBytes, None));
        Assert.Equal(0, Protect(_pages + pageBytes + roomBytes, (nuint)pageBytes, None));
        _first = _pages + pageBytes + (atEnd ? roomBytes - bytes : 0);
    }

    public override Span<byte> GetSpan() => new(_first, _bytes);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_first + elementIndex);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing) => _ = Unmap(_pages, _mappedBytes);

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial byte* Map(
        void* address, nuint bytes, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(void* address, nuint bytes, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* address, nuint bytes);
}
