using System.Collections.Immutable;
using System.IO.Hashing;
using System.Text;

namespace ZeroStor.Tests.Proofs;

/// <summary>What a device holds: names, and the bytes behind them. Never changed; images share the bytes that
/// are equal.</summary>
internal sealed class DiskImage
{
    internal static readonly DiskImage Empty = new([], [], []);

    private readonly Lazy<UInt128> _hash;

    internal DiskImage(
        ImmutableSortedSet<string> folders,
        SortedDictionary<string, ulong> names,
        Dictionary<ulong, FileImage> files)
    {
        Folders = folders;
        Names = names;
        Files = files;
        _hash = new Lazy<UInt128>(MakeHash);
    }

    internal ImmutableSortedSet<string> Folders { get; }

    /// <summary>Full paths of files, and their inodes.</summary>
    internal IReadOnlyDictionary<string, ulong> Names { get; }

    /// <summary>By inode; files without a name among them, whose names may be on the way.</summary>
    internal IReadOnlyDictionary<ulong, FileImage> Files { get; }

    /// <summary>Of all that can be seen: equal hashes, equal devices.</summary>
    internal UInt128 Hash => _hash.Value;

    internal DiskImage With(IEnumerable<FileChange> changes)
    {
        var builder = new ImageBuilder(this);
        foreach (FileChange change in changes)
        {
            change.Apply(builder);
        }

        return builder.ToImage();
    }

    /// <summary>The bytes behind a name.</summary>
    internal ReadOnlySpan<byte> Read(string path) => Files[Names[path]].Bytes;

    private UInt128 MakeHash()
    {
        var hash = new XxHash128();
        Span<byte> sum = stackalloc byte[Id128.Bytes];
        foreach ((string path, ulong inode) in Names)
        {
            hash.Append(Encoding.UTF8.GetBytes(path));
            Id128.Write(sum, Files[inode].Sum);
            hash.Append(sum);
        }

        return hash.GetCurrentHashAsUInt128();
    }
}

/// <summary>The bytes of a file. Never changed.</summary>
internal sealed class FileImage(byte[] bytes)
{
    internal static readonly FileImage Empty = new([]);

    private UInt128? _sum;

    internal byte[] Bytes { get; } = bytes;

    /// <summary>Of length and bytes.</summary>
    internal UInt128 Sum => _sum ??= XxHash128.HashToUInt128(Bytes, seed: Bytes.Length);
}

/// <summary>An image that is being changed: bytes are copied when they are first written.</summary>
internal sealed class ImageBuilder(DiskImage image)
{
    private readonly Dictionary<ulong, FileImage> _untouched = new(image.Files);
    private readonly Dictionary<ulong, (byte[] Bytes, int Length)> _touched = [];

    internal ImmutableSortedSet<string> Folders { get; set; } = image.Folders;

    internal SortedDictionary<string, ulong> Names { get; } = new(
        image.Names.ToDictionary(n => n.Key, n => n.Value), StringComparer.Ordinal);

    internal ulong NewInode() => Math.Max(MaxOf(_untouched.Keys), MaxOf(_touched.Keys)) + 1;

    internal ReadOnlySpan<byte> Read(ulong inode) => _touched.TryGetValue(inode, out var touched)
        ? touched.Bytes.AsSpan(0, touched.Length)
        : _untouched.GetValueOrDefault(inode, FileImage.Empty).Bytes;

    internal void Make(ulong inode) => Resize(inode, Read(inode).Length);

    internal void Write(ulong inode, long at, ReadOnlySpan<byte> bytes)
    {
        Resize(inode, Math.Max(Read(inode).Length, at + bytes.Length));
        bytes.CopyTo(_touched[inode].Bytes.AsSpan((int)at));
    }

    /// <summary>Cuts the file, or lengthens it by zeros.</summary>
    internal void Resize(ulong inode, long length)
    {
        ReadOnlySpan<byte> old = Read(inode);
        byte[] bytes = _touched.GetValueOrDefault(inode).Bytes ?? [];
        if (bytes.Length < length || !_touched.ContainsKey(inode))
        {
            bytes = new byte[Math.Max(length, old.Length)];
            old.CopyTo(bytes);
        }

        if (length < old.Length)
        {
            bytes.AsSpan((int)length..old.Length).Clear();
        }

        _touched[inode] = (bytes, (int)length);
    }

    internal DiskImage ToImage()
    {
        var files = new Dictionary<ulong, FileImage>(_untouched);
        foreach ((ulong inode, (byte[] bytes, int length)) in _touched)
        {
            files[inode] = new FileImage(bytes[..length]);
        }

        return new DiskImage(
            Folders, new SortedDictionary<string, ulong>(Names, StringComparer.Ordinal), files);
    }

    private static ulong MaxOf(IEnumerable<ulong> inodes) => inodes.DefaultIfEmpty().Max();
}
