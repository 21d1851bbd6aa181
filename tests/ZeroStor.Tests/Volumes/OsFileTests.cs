using System.Text;
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
