using ZeroStor.Grains;

namespace ZeroStor.Cluster.Tests;

public sealed class DiskFoldersTests
{
    [Fact]
    public void A_first_start_makes_what_it_is_told_or_what_the_default_code_needs()
    {
        Assert.Equal(24, DiskFolders.Of(new ZeroStorOptions(), []).Count);
        Assert.Equal(3, DiskFolders.Of(new ZeroStorOptions { Disks = 3 }, []).Count);
        DiskFolder mount = Assert.Single(DiskFolders.Of(new ZeroStorOptions { DiskPaths = ["/mnt/a"] }, []));
        Assert.Equal(new DiskFolder("/mnt/a", IsManaged: false), mount);
    }

    [Fact]
    public void A_later_start_has_the_disks_it_had_wherever_they_are_and_none_in_place_of_a_removed_one()
    {
        var options = new ZeroStorOptions { Data = "/data" };
        DiskEntry[] known = [Entry(1, "/data/disk01", true), Entry(3, "/data/disk03", true), Entry(4, "/mnt/a", false)];
        Assert.Equal(
            [new("/data/disk01", true), new("/data/disk03", true), new DiskFolder("/mnt/a", false)],
            DiskFolders.Of(options, known));
        options.Disks = 3;
        options.DiskPaths = ["/mnt/a", "/mnt/b"];
        Assert.Equal(
            ["/data/disk01", "/data/disk02", "/data/disk03", "/mnt/a", "/mnt/b"],
            DiskFolders.Of(options, known).Select(f => f.Path));
    }

    private static DiskEntry Entry(uint id, string path, bool isManaged) => new()
    {
        Id = new DiskId(id),
        Silo = "silo1",
        Labels = Labels.None,
        Path = path,
        State = DiskState.Up,
        Claim = 1,
        IsManaged = isManaged,
    };
}
