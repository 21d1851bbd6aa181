using System.Text.RegularExpressions;

namespace ZeroStor.Cluster.Tests;

/// <summary>The packages, and the sample of client/README.md, as somebody would use them who has no checkout.
/// </summary>
public sealed partial class PackageTests
{
    private const string Version = "0.0.1-test";

    private static readonly string[] Packages =
    [
        "src/ZeroStor.Core", "src/ZeroStor.Contracts", "src/ZeroStor.Catalog", "src/ZeroStor.Grains",
        "client/ZeroStor.Client",
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_sample_builds_against_the_packages_of_a_folder_feed()
    {
        using var folder = new TemporaryFolder();
        string feed = Path.Combine(folder.Path, "feed");
        foreach (string package in Packages)
        {
            // Into folders of its own: the checkout's build must not be written over while others use it.
            await DotnetAsync(
                Checkout.Root, "pack", package, "-c", "Release", "-o", feed, $"-p:Version={Version}",
                $"--artifacts-path={Path.Combine(folder.Path, "artifacts")}");
        }

        string readme = await File.ReadAllTextAsync(Path.Combine(Checkout.Root, "client", "README.md"), Cancel);
        string sample = CsharpBlock().Match(readme).Groups[1].Value;
        Assert.InRange(sample.TrimEnd().Split('\n').Length, 5, 20);

        string project = Path.Combine(folder.Path, "sample");
        Directory.CreateDirectory(project);
        await File.WriteAllTextAsync(Path.Combine(project, "Program.cs"), sample, Cancel);
        await File.WriteAllTextAsync(Path.Combine(project, "sample.csproj"), Project(folder.Path, feed), Cancel);
        await DotnetAsync(project, "build");
        Assert.True(File.Exists(Path.Combine(project, "bin", "Debug", "net10.0", "ZeroStor.Client.dll")));
    }

    // What is in the user's package cache is used from there; what is new is not left behind in it.
    private static string Project(string folder, string feed)
    {
        string cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        return $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <RestoreAdditionalProjectSources>{feed}</RestoreAdditionalProjectSources>
                <RestorePackagesPath>{Path.Combine(folder, "packages")}</RestorePackagesPath>
                <RestoreAdditionalProjectFallbackFolders>{cache}</RestoreAdditionalProjectFallbackFolders>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="ZeroStor.Client" Version="{Version}" />
                <PackageReference Include="ZeroStor.Grains" Version="{Version}" />
                <PackageReference Include="ZeroStor.Catalog" Version="{Version}" />
              </ItemGroup>
            </Project>
            """;
    }

    private static async Task DotnetAsync(string folder, params string[] arguments)
    {
        using RunningProcess dotnet = RunningProcess.Start(
            folder, "dotnet", [.. arguments, "-nologo", "-nodeReuse:false"]);
        (int code, string output, string errors) = await dotnet.EndAsync(TimeSpan.FromMinutes(5));
        Assert.True(code == 0, $"dotnet {string.Join(' ', arguments)}: {output}{errors}");
    }

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CsharpBlock();
}
