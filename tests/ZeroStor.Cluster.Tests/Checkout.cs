namespace ZeroStor.Cluster.Tests;

/// <summary>The repository that these tests were built from.</summary>
internal static class Checkout
{
    public static string Root { get; } = Find();

    /// <summary>The silo's program, built with the tests, where its users find it.</summary>
    public static string Silo { get; } = ProgramIn("silo", "ZeroStor.Silo.dll");

    /// <summary>The command line's.</summary>
    public static string Zs { get; } = ProgramIn("client/zs", "zs.dll");

    // The tests' own folder ends with the configuration and the framework, as those of programs do.
    private static string ProgramIn(string folder, string assembly)
    {
        var framework = new DirectoryInfo(AppContext.BaseDirectory);
        return Path.Combine(Root, folder, "bin", framework.Parent!.Name, framework.Name, assembly);
    }

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
