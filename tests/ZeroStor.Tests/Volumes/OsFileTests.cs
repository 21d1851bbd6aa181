using System.Text;
using Microsoft.Win32.SafeHandles;
using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

public sealed class OsFileTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("zs-os-").FullName;
    private readonly IDiskFiles _files = OsFile.Files;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_device_without_room_says_so()
    {
        using IDiskFile full = _files.Open("/dev/full", FileUse.ReadWrite);
        OsException refused = Assert.Throws<OsException>(() => full.Write([new byte[10]], 0));
        Assert.True(refused.IsNoSpace);
        Assert.Contains("/dev/full", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_sync_that_fails_is_never_swallowed()
    {
        // A pipe cannot be synced: .NET's own flush takes this for success.
        using var pipe = new System.IO.Pipes.AnonymousPipeServerStream();
        string path = $"/proc/self/fd/{pipe.SafePipeHandle.DangerousGetHandle()}";
        Assert.Equal(22, Assert.Throws<OsException>(() => OsFile.SyncFile(path)).Errno);
    }

    [Fact]
    public void Files_and_folders_are_synced_and_missing_ones_are_named()
    {
        string file = Name("file");
        File.WriteAllText(file, "x");
        OsFile.SyncFile(file);
        OsFile.SyncFolder(_root);
        Assert.Equal(OsFile.NotThere, Assert.Throws<OsException>(() => OsFile.SyncFile(Name("none"))).Errno);
    }

    [Fact]
    public void Pieces_are_written_behind_one_another_and_read_as_far_as_the_file_goes()
    {
        using IDiskFile file = _files.Open(Name("a"), FileUse.Create);
        file.Write([Encoding.ASCII.GetBytes("one"), default, Encoding.ASCII.GetBytes("two")], 2);
        file.Sync();
        byte[] read = new byte[20];
        Assert.Equal(8, file.Read(read, 0));
        Assert.Equal("\0\0onetwo", Encoding.ASCII.GetString(read, 0, 8));
        Assert.Equal(0, file.Read(read, 100));
        file.Truncate(5);
        Assert.Equal(5, file.Identify().Length);
    }

    [Theory]
    [InlineData(4096)]
    [InlineData(Stage.PieceBytes)]
    [InlineData((2 * Stage.PieceBytes) + (3 * 4096))]
    public void Whole_blocks_are_written_directly_in_whatever_pieces_they_come(int bytes)
    {
        string path = Name("direct");
        byte[] expected = new byte[bytes];
        new Random(bytes).NextBytes(expected);
        using (IDiskFile file = _files.Open(path, FileUse.Create))
        {
            file.Write([new byte[3 * 4096]], 0);
            var pieces = new List<ReadOnlyMemory<byte>>();
            var random = new Random(7);
            for (int at = 0; at < bytes;)
            {
                int length = Math.Min(random.Next(0, 200_000), bytes - at);
                pieces.Add(expected.AsMemory(at, length));
                at += length;
            }

            file.Write(pieces, 4096);

            // What is no whole block goes the other way, and both see each other's bytes.
            file.Write([new byte[] { 1, 2, 3 }], 100);
            byte[] read = new byte[bytes];
            Assert.Equal(bytes, file.Read(read, 4096));
            Assert.Equal(expected, read);
            file.Write([expected.AsMemory(0, 4096)], 0);
            Assert.Equal(4096, file.Read(read.AsSpan(0, 4096), 0));
            Assert.Equal(expected.AsSpan(0, 4096), read.AsSpan(0, 4096));
            file.Sync();
        }

        Assert.Equal(expected, File.ReadAllBytes(path)[4096..(4096 + bytes)]);
    }

    [Fact]
    public void Direct_writing_is_used_where_the_file_system_has_it_and_tells_where_it_has_not()
    {
        using SafeFileHandle file = File.OpenHandle(
            Name("a"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite);
        using var direct = new OsFile.DirectWriter(file, Name("a"));
        bool isWritten = direct.TryWrite([new byte[4096]], 0);
        Assert.NotEqual(isWritten, direct.IsRefused);
        Assert.Equal(isWritten ? 4096 : 0, RandomAccess.GetLength(file));
        Assert.False(direct.TryWrite([new byte[4095]], 4096));
        Assert.False(direct.TryWrite([new byte[4096]], 4095));

        // A pipe is no file that takes them.
        using var pipe = new System.IO.Pipes.AnonymousPipeServerStream();
        using var refused = new OsFile.DirectWriter(
            new SafeFileHandle(pipe.SafePipeHandle.DangerousGetHandle(), ownsHandle: false), "pipe");
        Assert.False(refused.TryWrite([new byte[4096]], 0));
        Assert.True(refused.IsRefused);
    }

    [Theory]
    [InlineData(512)]
    [InlineData(513)]
    [InlineData(4096)]
    public void Direct_writing_takes_pieces_of_any_size_and_address(int pieceBytes)
    {
        using SafeFileHandle file = File.OpenHandle(
            Name("a"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite);
        using var direct = new OsFile.DirectWriter(file, Name("a"));
        bool isOffered = direct.TryWrite([new byte[4096]], 0);

        // More pieces than one call takes.
        byte[] expected = new byte[pieceBytes * 4096];
        new Random(pieceBytes).NextBytes(expected);
        Memory<byte> lies = new BufferPool().Rent(expected.Length + 512).Memory.Slice(512, expected.Length);
        expected.CopyTo(lies);
        Assert.Equal(
            isOffered,
            direct.TryWrite(
                [.. Enumerable.Range(0, 4096).Select(i => (ReadOnlyMemory<byte>)lies.Slice(i * pieceBytes, pieceBytes))],
                4096));
        if (isOffered)
        {
            Assert.Equal(expected, File.ReadAllBytes(Name("a"))[4096..]);
        }
    }

    [Fact]
    public void Direct_writing_goes_to_the_open_file_whoever_has_its_name()
    {
        using IDiskFile file = _files.Open(Name("a"), FileUse.Create);
        _files.Rename(Name("a"), Name("b"));
        File.WriteAllText(Name("a"), "another");
        file.Write([new byte[4096]], 0);
        Assert.Equal("another", File.ReadAllText(Name("a")));
        Assert.Equal(4096, new FileInfo(Name("b")).Length);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Past_the_cache_the_same_is_read_as_through_it_up_to_the_end_of_the_file(bool isDirect)
    {
        IDiskFiles files = isDirect ? OsFile.Files : OsFile.BufferedFiles;
        byte[] expected = new byte[(3 * 4096) + 100];
        new Random(5).NextBytes(expected);
        using IDiskFile file = files.Open(Name("a"), FileUse.Create);
        file.Write([expected], 0);
        files.Rename(Name("a"), Name("b"));
        File.WriteAllText(Name("a"), "another");
        SharedBuffer buffer = new BufferPool().Rent(8 * 4096);
        Assert.Equal(expected.Length, file.ReadUncached(buffer.Span, 0));
        Assert.Equal(expected, buffer.Span[..expected.Length].ToArray());
        Assert.Equal(4196, file.ReadUncached(buffer.Span[..8192], 8192));
        Assert.Equal(expected[8192..], buffer.Span[..4196].ToArray());
        Assert.Equal(0, file.ReadUncached(buffer.Span, 16 * 4096));

        // What was just written through the cache is seen, and what is no whole block is read all the same.
        file.Write([new byte[] { 1, 2, 3 }], 4096);
        Assert.Equal(4096, file.ReadUncached(buffer.Span[..4096], 4096));
        Assert.Equal([1, 2, 3, expected[4099]], buffer.Span[..4].ToArray());
        Assert.Equal(10, file.ReadUncached(buffer.Span.Slice(1, 10), 4097));
        Assert.Equal([2, 3, expected[4099]], buffer.Span[1..4].ToArray());
    }

    [Fact]
    public void Direct_reading_is_used_where_the_file_system_has_it_and_tells_where_it_has_not()
    {
        using SafeFileHandle file = File.OpenHandle(
            Name("a"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite);
        using var writer = new OsFile.DirectWriter(file, Name("a"));
        bool isOffered = writer.TryWrite([new byte[4096]], 0);
        var direct = new OsFile.DirectReader(file, Name("a"));
        Span<byte> target = new BufferPool().Rent(8192).Span;
        Assert.Equal(isOffered, direct.TryRead(target[..4096], 0, out int read));
        Assert.Equal(isOffered ? 4096 : 0, read);
        Assert.False(direct.TryRead(target[..4095], 0, out _));
        Assert.False(direct.TryRead(target[..4096], 512, out _));
        Assert.False(direct.TryRead(target.Slice(512, 4096), 0, out _));
        using var pipe = new System.IO.Pipes.AnonymousPipeServerStream();
        var refused = new OsFile.DirectReader(
            new SafeFileHandle(pipe.SafePipeHandle.DangerousGetHandle(), ownsHandle: false), "pipe");
        Assert.False(refused.TryRead(target[..4096], 0, out _));
    }

    [Fact]
    public void An_identity_follows_the_file_and_not_its_name()
    {
        using IDiskFile file = _files.Open(Name("a"), FileUse.Create);
        FileIdentity made = file.Identify();
        Assert.Equal(1u, made.Links);
        _files.Rename(Name("a"), Name("b"));
        Assert.Null(_files.Identify(Name("a")));
        Assert.True(_files.Identify(Name("b"))!.Value.IsSameFile(made));
        _files.Unlink(Name("b"));
        Assert.Equal(0u, file.Identify().Links);
        File.WriteAllText(Name("b"), "another");
        Assert.False(_files.Identify(Name("b"))!.Value.IsSameFile(made));
        Assert.Null(_files.Identify(Path.Combine(Name("b"), "below-a-file")));
    }

    [Fact]
    public void Creating_refuses_what_is_there_and_opening_what_is_not()
    {
        File.WriteAllText(Name("a"), "");
        Assert.Equal(17, Assert.Throws<OsException>(() => _files.Open(Name("a"), FileUse.Create)).Errno);
        Assert.Equal(
            OsFile.NotThere, Assert.Throws<OsException>(() => _files.Open(Name("b"), FileUse.ReadWrite)).Errno);
    }

    [Fact]
    public void A_lock_is_held_once_and_freed()
    {
        IDisposable? held = _files.TryLock(Name("lock"));
        Assert.NotNull(held);
        Assert.Null(_files.TryLock(Name("lock")));
        held.Dispose();
        using IDisposable? again = _files.TryLock(Name("lock"));
        Assert.NotNull(again);
    }

    [Fact]
    public void Folders_are_made_down_to_the_last()
    {
        string deep = Path.Combine(_root, "x", "y", "z");
        _files.CreateFolder(deep);
        _files.CreateFolder(deep);
        Assert.True(_files.FolderExists(deep));
        Assert.Equal(["z"], _files.List(Path.Combine(_root, "x", "y")));
        Assert.True(_files.FreeBytes(deep) > 0);
    }

    private string Name(string name) => Path.Combine(_root, name);
}
