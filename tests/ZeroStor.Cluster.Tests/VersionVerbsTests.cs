using System.Text.Json;
using ZeroStor.Client;

namespace ZeroStor.Cluster.Tests;

/// <summary>What <c>zs</c> says of versions and uploads, as its users meet it: processes, exit codes, JSON.</summary>
public sealed class VersionVerbsTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Versions_are_listed_got_and_removed_and_uploads_given_up_by_the_command_line()
    {
        using var folder = new TemporaryFolder();
        using var silo = new SiloUnderTest(folder.Path, "--disks", "6", "--code", "4+2");
        await silo.StartAsync();
        string file = Path.Combine(folder.Path, "file");
        JsonElement set = await JsonAsync(silo, "vault", "set", "default", "--versioning", "on");
        Assert.Equal("on", set.GetProperty("versioning").GetString());
        Assert.Equal("auto", set.GetProperty("compression").GetString());
        set = await JsonAsync(silo, "vault", "set", "default", "--versioning", "on", "--compression", "off");
        Assert.Equal("off", set.GetProperty("compression").GetString());
        Assert.Contains(
            "compression off", (await silo.ZsAsync("vault", "show", "default")).Output, StringComparison.Ordinal);
        Assert.Equal(5, (await silo.ZsAsync("vault", "set", "default", "--versioning", "off")).Code);
        Assert.NotEqual("", (await JsonAsync(silo, "vault", "show", "default")).GetProperty("created").GetString());
        foreach (string content in (string[])["one", "two"])
        {
            await File.WriteAllTextAsync(file, content, Cancel);
            await JsonAsync(silo, "put", file, "default/key");
        }

        await JsonAsync(silo, "rm", "default/key");
        Assert.Equal(4, (await silo.ZsAsync("stat", "default/key")).Code);
        JsonElement[] versions =
            [.. (await JsonAsync(silo, "ls", "--versions", "default/")).GetProperty("versions").EnumerateArray()];
        Assert.Equal([true, false, false], versions.Select(v => v.GetProperty("isMark").GetBoolean()));
        Assert.Equal([true, false, false], versions.Select(v => v.GetProperty("isLatest").GetBoolean()));
        string[] names = [.. versions.Select(v => v.GetProperty("version").GetString()!)];
        (int code, string lines, _) = await silo.ZsAsync("ls", "--versions", "default/");
        Assert.Equal((0, 3), (code, lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length));
        Assert.Contains("deleted", lines, StringComparison.Ordinal);
        await JsonAsync(silo, "get", "default/key", file, "--force", "--version", names[2]);
        Assert.Equal("one", await File.ReadAllTextAsync(file, Cancel));
        await JsonAsync(silo, "rm", "default/key", "--version", names[0]);
        await JsonAsync(silo, "get", "default/key", file, "--force");
        Assert.Equal("two", await File.ReadAllTextAsync(file, Cancel));
        Assert.Equal(4, (await silo.ZsAsync("rm", "default/key", "--version", names[0])).Code);

        UploadId upload;
        await using (ZeroStorClient client = await ZeroStorClient.ConnectAsync(o => o.Gateways.Add(silo.Gateway), Cancel))
        {
            upload = (await client.Vault("default").BeginUploadAsync("film", cancel: Cancel)).Id;
        }

        JsonElement listed = Assert.Single(
            (await JsonAsync(silo, "uploads", "ls", "default/fi")).GetProperty("uploads").EnumerateArray());
        Assert.Equal(
            ("film", upload.ToString()),
            (listed.GetProperty("key").GetString(), listed.GetProperty("upload").GetString()));
        await JsonAsync(silo, "uploads", "abort", "default/film", upload.ToString());
        Assert.Equal(4, (await silo.ZsAsync("uploads", "abort", "default/film", upload.ToString())).Code);
        (code, lines, _) = await silo.ZsAsync("uploads", "ls", "default");
        Assert.Equal((0, ""), (code, lines));
        await silo.StopAsync();
    }

    private static async Task<JsonElement> JsonAsync(SiloUnderTest silo, params string[] arguments)
    {
        (int code, string output, string errors) = await silo.ZsAsync([.. arguments, "--json"]);
        Assert.True(code == 0, $"zs {string.Join(' ', arguments)} ended with {code}: {errors}");
        return JsonDocument.Parse(output).RootElement;
    }
}
