using ZeroStor.Volumes;

namespace ZeroStor.Cluster.Tests;

/// <summary>The end of every test that ran a silo: each disk that is left is checked to its last byte, as <c>zs disk
/// check</c> does.</summary>
internal static class TestDisks
{
    /// <param name="folder">Of a fabric that no longer runs; its disks lie anywhere below.</param>
    public static void AssertSound(string folder)
    {
        foreach (string superblock in Directory.EnumerateFiles(folder, "superblock", SearchOption.AllDirectories))
        {
            string disk = Path.GetDirectoryName(superblock)!;
            using DiskCheck check = DiskCheck.Open(disk, repairs: false);
            check.Run(f => Assert.False(f.IsDamage, $"{disk}: {f}"), CancellationToken.None);
        }
    }
}
