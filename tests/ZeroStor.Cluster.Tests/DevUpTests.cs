using System.Globalization;
using System.Text.Json;
using ZeroStor.Tests;

namespace ZeroStor.Cluster.Tests;

/// <summary><c>zs dev</c> as a developer runs it: three silos and a PostgreSQL, one killed and started again, and
/// nothing left behind.</summary>
public sealed class DevUpTests : IDisposable
{
    // Short, for the socket, and where PostgreSQL's own user may go when root runs the tests.
    private readonly string _folder = Path.Combine(
        Environment.IsPrivilegedProcess ? "/tmp" : Path.GetTempPath(),
        string.Create(CultureInfo.InvariantCulture, $"zs-dev-{Environment.ProcessId}"));

    private readonly TemporaryFolder _home = new();

    private string Context => Path.Combine(_home.Path, "zerostor", "context.json");

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task Three_silos_come_up_lose_one_get_it_back_and_leave_nothing_behind()
    {
        PostgresServer.Require();
        const string Before = """{"gateway":"127.0.0.1:1"}""";
        Directory.CreateDirectory(Path.GetDirectoryName(Context)!);
        await File.WriteAllTextAsync(Context, Before, TestContext.Current.CancellationToken);
        try
        {
            string up = await ZsAsync(
                "dev", "up", "--silos", "3", "--disks-per-silo", "2", "--code", "4+2", "--sites", "2", "--data", _folder,
                "--json");
            Assert.Equal(["running 1", "running 2", "running 1"], StatesOf(up));
            Assert.NotEmpty(Processes());
            string file = Path.Combine(Checkout.Root, "README.md");
            await ZsAsync("put", file, "default/");
            await ZsAsync("dev", "kill", "--silo", "3");
            string got = Path.Combine(_home.Path, "got");
            await ZsAsync("get", "default/README.md", got);
            Assert.Equal(await ReadAsync(file), await ReadAsync(got));
            Assert.Equal(["running 1", "running 2", "down 1"], StatesOf(await ZsAsync("dev", "ls", "--json")));
            Assert.Equal(["running 1"], StatesOf(await ZsAsync("dev", "start", "--silo", "3", "--json")));
            await ZsAsync("repair", "--wait");
        }
        finally
        {
            await ZsAsync("dev", "down");
        }

        Assert.Empty(Processes());
        Assert.False(Directory.Exists(_folder));
        Assert.Equal(Before, await File.ReadAllTextAsync(Context, TestContext.Current.CancellationToken));
    }

    private static Task<byte[]> ReadAsync(string file) =>
        File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);

    private async Task<string> ZsAsync(params string[] arguments)
    {
        using RunningProcess zs = RunningProcess.StartOwn(
            _home.Path, Checkout.Zs, arguments,
            new() { ["XDG_CONFIG_HOME"] = _home.Path, ["ZS_GATEWAY"] = "" });
        (int code, string output, string errors) = await zs.EndAsync(TimeSpan.FromMinutes(5));
        Assert.True(code == 0, $"zs {string.Join(' ', arguments)} ended with {code}: {output}{errors}");
        return output;
    }

    private static string[] StatesOf(string json)
    {
        using var document = JsonDocument.Parse(json);
        return
        [
            .. document.RootElement.GetProperty("silos").EnumerateArray()
                .Select(s => $"{s.GetProperty("state").GetString()} {s.GetProperty("site").GetString()}"),
        ];
    }

    // All whose command line names the folder: silos, PostgreSQL.
    private string[] Processes() =>
    [
        .. Directory.EnumerateDirectories("/proc").Where(p => Path.GetFileName(p).All(char.IsAsciiDigit))
            .Select(p =>
            {
                try
                {
                    return File.ReadAllText(Path.Combine(p, "cmdline")).Replace('\0', ' ');
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    return "";
                }
            })
            .Where(c => c.Contains(_folder, StringComparison.Ordinal)),
    ];
}
