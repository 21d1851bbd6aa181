using System.Text.RegularExpressions;

namespace ZeroStor.Cluster.Tests;

/// <summary>The READMEs' commands, run as they stand there.</summary>
public sealed partial class ReadmeTests
{
    [Fact]
    public async Task The_first_put_and_get_of_the_readme_work_as_written()
    {
        string readme = await File.ReadAllTextAsync(Path.Combine(Checkout.Root, "README.md"), Cancel);
        string[] commands =
        [
            .. ShellBlock().Matches(readme)
                .SelectMany(block => block.Groups[1].Value.Split('\n'))
                .Where(line => line.StartsWith("zs ", StringComparison.Ordinal)
                    || line.StartsWith("mkdir ", StringComparison.Ordinal)
                    || line.StartsWith("rm ", StringComparison.Ordinal)),
        ];
        Assert.Contains(commands, c => c.StartsWith("zs put", StringComparison.Ordinal));
        Assert.Contains(commands, c => c.StartsWith("rm -r zerostor-data", StringComparison.Ordinal));

        using var folder = new TemporaryFolder();
        File.Copy(Path.Combine(Checkout.Root, "README.md"), Path.Combine(folder.Path, "README.md"));
        using var silo = new SiloUnderTest(folder.Path);
        await silo.StartAsync();
        string script = $"""
            set -euo pipefail
            zs() (exec dotnet '{Checkout.Zs}' "$@")
            {string.Join('\n', commands)}
            """;
        using RunningProcess shell = RunningProcess.Start(folder.Path, "bash", ["-c", script], silo.Environment);
        (int code, string output, string errors) = await shell.EndAsync(TimeSpan.FromMinutes(2));
        Assert.True(code == 0, $"{code}: {output}\n{errors}");
        await silo.StopAsync();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [GeneratedRegex("```sh\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex ShellBlock();
}
