using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

public sealed class DiskFolderTests : IDisposable
{
    private static readonly SeededEntropy Entropy = new(3);
    private readonly string _root = Directory.CreateTempSubdirectory("zs-folder-").FullName;

    private string Folder => Path.Combine(_root, "a", "disk");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_missing_or_empty_folder_is_no_disk_and_becomes_one()
    {
        Assert.Null(Disk.Peek(Folder));
        Directory.CreateDirectory(Path.Combine(Folder, "lost+found"));
        Assert.Null(Disk.Peek(Folder));
        Format();
        Superblock made = Disk.Peek(Folder)!;
        Assert.Equal((new FabricId(1), new DiskId(2), 0u), (made.Fabric, made.Disk, made.Claim));
    }

    [Fact]
    public void A_disk_is_not_formatted_again()
    {
        Format();
        Assert.Equal(ErrorKind.AlreadyExists, Assert.Throws<ZeroStorException>(Format).Kind);
    }

    [Theory]
    [InlineData("notes.txt")]
    [InlineData("volumes/00000001.vol")]
    public void A_folder_with_something_else_in_it_is_refused_by_name(string name)
    {
        string path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "mine");
        ZeroStorException peeked = Assert.Throws<ZeroStorException>(() => Disk.Peek(Folder));
        Assert.Equal(ErrorKind.Corrupt, peeked.Kind);
        Assert.Contains(name, peeked.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorKind.Corrupt, Assert.Throws<ZeroStorException>(Format).Kind);
        Assert.Equal("mine", File.ReadAllText(path));
    }

    [Fact]
    public void Damaged_superblocks_are_refused()
    {
        Format();
        File.WriteAllText(Path.Combine(Folder, "superblock"), "garbage");
        Assert.Equal(ErrorKind.Corrupt, Assert.Throws<ZeroStorException>(() => Disk.Peek(Folder)).Kind);
        Assert.Equal(ErrorKind.Corrupt, Assert.Throws<ZeroStorException>(() => Open().Abandon()).Kind);
    }

    [Fact]
    public void What_is_no_disk_does_not_open() =>
        Assert.Equal(ErrorKind.NotFound, Assert.Throws<ZeroStorException>(() => Open().Abandon()).Kind);

    [Fact]
    public async Task A_format_that_stops_at_any_call_can_be_made_again()
    {
        for (int stopAt = 1; ; stopAt++)
        {
            string folder = Path.Combine(_root, $"stop{stopAt}");
            var files = new FaultyFiles(OsFile.Files);
            int calls = 0;
            files.Before = (_, _) => ++calls >= stopAt ? 5 : 0;
            try
            {
                DiskFolder.Format(files, folder, new FabricId(1), new DiskId(2), Entropy);
                break;
            }
            catch (ZeroStorException e)
            {
                Assert.Equal(ErrorKind.DiskFailed, e.Kind);
            }

            // Either it is not a disk yet, or (only the last sync was missing) it is a whole one.
            if (Disk.Peek(folder) is null)
            {
                Disk.Format(folder, new FabricId(1), new DiskId(2), Entropy);
            }

            await using Disk disk = Disk.Open(folder, new DiskOptions(), Entropy, TimeProvider.System);
            Assert.Equal(new DiskId(2), disk.Id);
        }
    }

    [Fact]
    public void An_unknown_file_among_the_volumes_is_left_alone()
    {
        Format();
        foreach (string name in (string[])["1.vol", "00000002.vol.bak", "00000003.vol", "x.vol"])
        {
            File.WriteAllText(Path.Combine(Folder, "volumes", name), "");
        }

        Assert.Equal([3u], DiskFolder.ListVolumes(OsFile.Files, Folder));
    }

    private void Format() => Disk.Format(Folder, new FabricId(1), new DiskId(2), Entropy);

    private Disk Open() => Disk.Open(Folder, new DiskOptions(), Entropy, TimeProvider.System);
}
