namespace ZeroStor.Cluster.Tests;

/// <summary>The repository that these tests were built from.</summary>
internal static class Checkout
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "ZeroStor.sln")))
            {
                return at.FullName;
            }
        }

        throw new InvalidOperationException("ZeroStor.sln stands in no folder above the tests.");
    }
}

/// <summary>A folder that goes with its test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("zerostor-test-").FullName;

    /// <summary>Whether the test damaged what disks in it hold.</summary>
    public bool LeavesDamage { get; init; }

    public void Dispose()
    {
        if (!LeavesDamage)
        {
            TestDisks.AssertSound(Path);
        }

        Directory.Delete(Path, recursive: true);
    }
}
