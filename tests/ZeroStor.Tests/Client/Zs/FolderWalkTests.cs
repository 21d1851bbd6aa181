using System.Diagnostics;
using System.Net.Sockets;
using ZeroStor.CommandLine;

namespace ZeroStor.Tests.Client.Zs;

public sealed class FolderWalkTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("zs-walk-").FullName;
    private readonly List<string> _reported = [];

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Files_come_by_their_path_and_empty_folders_with_a_slash()
    {
        Write("b.txt");
        Write("a/x/1");
        Directory.CreateDirectory(At("a/empty"));
        Assert.Equal(["a/empty/", "a/x/1", "b.txt"], Walk());
        Assert.Empty(_reported);
    }

    [Fact]
    public void An_empty_root_is_an_empty_folder_of_no_name() => Assert.Equal([""], Walk());

    [Fact]
    public void Links_are_followed_and_loops_and_dangling_ones_reported()
    {
        Write("real/file");
        File.CreateSymbolicLink(At("to-file"), "real/file");
        Directory.CreateSymbolicLink(At("to-folder"), "real");
        Directory.CreateSymbolicLink(At("real/up"), "../real");
        File.CreateSymbolicLink(At("dangling"), "nowhere");
        File.CreateSymbolicLink(At("self"), "self");
        Assert.Equal(["real/file", "to-file", "to-folder/file"], Walk());
        Assert.Equal(4, _reported.Count);
        Assert.Contains(_reported, r => r.Contains("leads nowhere", StringComparison.Ordinal));
        Assert.Contains(_reported, r => r.Contains("loop of links", StringComparison.Ordinal));
        Assert.Equal(2, _reported.Count(r => r.Contains("leads back", StringComparison.Ordinal)));
    }

    [Fact]
    public void Pipes_and_sockets_are_reported_and_not_waited_for()
    {
        Write("file");
        using (Process make = Process.Start("mkfifo", At("pipe")))
        {
            make.WaitForExit();
        }

        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(At("socket")));
        File.CreateSymbolicLink(At("device"), "/dev/null");
        Assert.Equal(["file"], Walk());
        Assert.Equal(["a device", "a named pipe", "a socket"], _reported
            .Select(r => r.Split(" is ")[1].Split(',')[0]).Order());
    }

    [Fact]
    public void A_file_is_no_folder_and_nothing_is_nothing()
    {
        Write("file");
        Assert.Contains(
            "not a folder",
            Assert.Throws<IOException>(() => FolderWalk.Of(At("file"), _ => { })).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "does not exist",
            Assert.Throws<IOException>(() => FolderWalk.Of(At("absent"), _ => { })).Message,
            StringComparison.Ordinal);
    }

    private string[] Walk() =>
        [.. FolderWalk.Of(_root, failure => _reported.Add(failure.Message)).Select(f => f.Relative)];

    private string At(string path) => Path.Combine(_root, path);

    private void Write(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        File.WriteAllText(At(path), "x");
    }
}
