using ZeroStor.CommandLine.Bench;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Tests.Client.Zs.Bench;

/// <summary>What is written to disks' folders beside the fabric, and that nothing of it stays.</summary>
public sealed class DiskLimitTests : IDisposable
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("zerostor-bench-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Folders_are_measured_and_left_as_they_were()
    {
        string[] folders = [Folder("d1"), Folder("d2"), Folder("d3")];
        DiskLimit limit = DiskLimit.Measure(folders, Moment, Cancel);

        // A folder in memory takes no direct writes, and that is said.
        bool isExplained = limit.WhyNot.Contains(_folder.FullName, StringComparison.Ordinal);
        Assert.True(limit.BytesPerSecond > 0 != isExplained);
        Assert.Empty(Directory.EnumerateFiles(_folder.FullName, "zs-bench*", SearchOption.AllDirectories));
    }

    [Fact]
    public void What_is_not_there_or_may_not_be_written_is_not_measured_and_it_is_said_why()
    {
        DiskLimit limit = DiskLimit.Measure([Folder("d1"), "/no/such/folder"], Moment, Cancel);
        Assert.Null(limit.BytesPerSecond);
        Assert.Contains("may not be written", limit.WhyNot, StringComparison.Ordinal);
        Assert.Equal("no disk is up", DiskLimit.Measure([], Moment, Cancel).WhyNot);
    }

    [Fact]
    public void Disks_count_only_where_all_that_are_up_are_on_this_machine()
    {
        DiskStatus here = Disk(1, "a", Folder("d1"), "up");
        SiloDetails own = ProcessorTimesTests.Silo("a", 1, 0, "127.0.0.1:11111");
        SiloDetails far = ProcessorTimesTests.Silo("b", 2, 0, "192.0.2.1:11111");
        string why = DiskLimit.Measure([own], [here], Moment, Cancel).WhyNot;
        Assert.DoesNotContain("not on this machine", why, StringComparison.Ordinal);
        foreach (DiskStatus other in new[]
        {
            Disk(2, "b", Folder("d2"), "up"),
            Disk(2, "a", Path.Combine(_folder.FullName, "d9"), "up"),
        })
        {
            DiskLimit limit = DiskLimit.Measure([own, far], [here, other], Moment, Cancel);
            Assert.Null(limit.BytesPerSecond);
            Assert.StartsWith(
                $"disk 2 of silo {other.Silo} ({other.Path}) is not on",
                limit.WhyNot,
                StringComparison.Ordinal);
            limit = DiskLimit.Measure([own, far], [here, other with { State = "missing" }], Moment, Cancel);
            Assert.DoesNotContain("not on this machine", limit.WhyNot, StringComparison.Ordinal);
        }
    }

    private string Folder(string name)
    {
        string path = _folder.CreateSubdirectory(name).FullName;
        File.WriteAllText(Path.Combine(path, "superblock"), "");
        return path;
    }

    private static DiskStatus Disk(uint id, string silo, string path, string state) => new()
    {
        Id = new DiskId(id), Silo = silo, Path = path, State = state, UsedBytes = 0, FreeBytes = 0,
    };
}
