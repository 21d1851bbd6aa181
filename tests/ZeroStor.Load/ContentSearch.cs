using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace ZeroStor.Load;

/// <summary>Looks for pieces of a content in files, whatever they are: any 48 bytes of it in a row are found, at any
/// offset, for they hold a slice of 32 that begins at a multiple of 16.</summary>
internal sealed class ContentSearch
{
    private const int SliceBytes = 32;
    private const int StrideBytes = 16;
    private const int WindowBytes = 16 * 1024 * 1024;
    private const int FilterBits = 26;

    private readonly byte[] _content;
    private readonly Dictionary<ulong, int> _slices = [];
    private readonly ulong[] _filter = new ulong[1 << (FilterBits - 6)];

    /// <param name="content">Such as no two slices of begin alike: random bytes.</param>
    public ContentSearch(byte[] content)
    {
        _content = content;
        for (int at = 0; at + SliceBytes <= content.Length; at += StrideBytes)
        {
            ulong head = BinaryPrimitives.ReadUInt64LittleEndian(content.AsSpan(at));
            _slices[head] = at;
            _filter[Bit(head) >> 6] |= 1UL << (Bit(head) & 63);
        }
    }

    public long SearchedBytes { get; private set; }

    /// <summary>How many slices lie in a file.</summary>
    public long Count(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        byte[] window = new byte[WindowBytes];
        long hits = 0;
        int kept = 0;
        while (true)
        {
            int read = file.ReadAtLeast(window.AsSpan(kept), window.Length - kept, throwOnEndOfStream: false);
            int filled = kept + read;
            SearchedBytes += read;
            hits += Count(window.AsSpan(0, filled));
            if (filled < window.Length)
            {
                return hits;
            }

            // A slice may lie across two windows.
            kept = SliceBytes - 1;
            window.AsSpan(filled - kept).CopyTo(window);
        }
    }

    private long Count(ReadOnlySpan<byte> bytes)
    {
        long hits = 0;
        for (int at = 0; at + SliceBytes <= bytes.Length; at++)
        {
            ulong head = MemoryMarshal.Read<ulong>(bytes[at..]);
            int bit = Bit(head);
            if ((_filter[bit >> 6] >> (bit & 63) & 1) != 0
                && _slices.TryGetValue(head, out int slice)
                && bytes.Slice(at, SliceBytes).SequenceEqual(_content.AsSpan(slice, SliceBytes)))
            {
                hits++;
            }
        }

        return hits;
    }

    private static int Bit(ulong head) => (int)((head * 0x9E3779B97F4A7C15) >> (64 - FilterBits));
}
