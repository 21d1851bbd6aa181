using System.Globalization;
using System.Text.Json;

namespace ZeroStor.Cluster.Tests;

/// <summary><c>zs disk</c> and <c>zs scrub</c> as their users meet them: processes, exit codes,
/// JSON.</summary>
public sealed class DiskVerbsTests
{
    [Fact]
    public async Task A_disk_is_added_scrubbed_removed_and_refused_by_the_command_line()
    {
        using var folder = new TemporaryFolder { LeavesDamage = true };
        string data = Directory.CreateDirectory(Path.Combine(folder.Path, "zerostor-data")).FullName;

        // The background must not find first what the command line is to find.
        await File.WriteAllTextAsync(
            Path.Combine(data, "appsettings.json"),
            """{"ZeroStor":{"ScrubMaxMiBPerSecond":0}}""",
            TestContext.Current.CancellationToken);
        using var silo = new SiloUnderTest(folder.Path, "--disks", "6", "--code", "4+2");
        await silo.StartAsync();
        string file = Path.Combine(folder.Path, "file");
        await File.WriteAllBytesAsync(file, new byte[3_000_000], TestContext.Current.CancellationToken);
        await JsonAsync(silo, "put", file, "default/key");
        string mount = Directory.CreateDirectory(Path.Combine(folder.Path, "mount")).FullName;

        JsonElement added = await JsonAsync(silo, "disk", "add", mount);
        Assert.Equal((7, false, 6), (Number(added, "id"), added.GetProperty("adopted").GetBoolean(), Number(added, "places")));
        JsonElement disks = (await JsonAsync(silo, "disk", "ls")).GetProperty("disks");
        Assert.Equal(7, disks.GetArrayLength());
        Assert.Equal(mount, disks[6].GetProperty("path").GetString());
        (int code, string output, _) = await ZsAsync(silo, "disk", "ls");
        Assert.Equal((0, 8), (code, output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length));
        (code, output, _) = await ZsAsync(silo, "disk", "show", "7");
        Assert.Equal(0, code);
        Assert.Contains("home of 6, former home of 0", output, StringComparison.Ordinal);

        JsonElement shard = (await JsonAsync(silo, "stat", "default/key", "--shards")).GetProperty("shards")[0];
        Rot.Flip(shard.GetProperty("file").GetString()!, shard.GetProperty("offset").GetInt64());
        string rotten = shard.GetProperty("disk").GetInt32().ToString(CultureInfo.InvariantCulture);
        JsonElement scrub = await JsonAsync(silo, "scrub", "--wait", "--disk", rotten, "--timeout", "60");
        Assert.Equal((1, 1), (Number(scrub, "bad"), Number(scrub, "repaired")));
        Assert.True(scrub.GetProperty("whole").GetBoolean());
        (code, output, _) = await ZsAsync(silo, "scrub", "--wait");
        Assert.Equal(0, code);
        Assert.Contains("bad    0 shards found damaged", output, StringComparison.Ordinal);
        Assert.Equal(0, (await ZsAsync(silo, "scrub")).Code);

        Assert.Equal(7, Number(await JsonAsync(silo, "disk", "remove", "7"), "removed"));
        Assert.Equal(0, (await ZsAsync(silo, "repair", "--wait", "--timeout", "60")).Code);
        Assert.True((await JsonAsync(silo, "disk", "reset", "1")).GetProperty("wasUp").GetBoolean());
        Assert.Equal("removed", (await JsonAsync(silo, "disk", "show", "7")).GetProperty("state").GetString());
        foreach ((int exit, string kind, string[] arguments) in new[]
        {
            (1, "PolicyUnsatisfiable", (string[])["disk", "remove", "1"]),
            (4, "NotFound", ["disk", "remove", "7"]),
            (4, "NotFound", ["disk", "show", "99"]),
            (4, "NotFound", ["scrub", "--disk", "7"]),
            (4, "NotFound", ["disk", "add", mount + "-absent"]),
            (5, "PreconditionFailed", ["disk", "add", mount]),
            (5, "PreconditionFailed", ["disk", "reset", "7"]),
            (2, "InvalidArgument", ["disk", "add", "mount"]),
        })
        {
            (code, _, string errors) = await ZsAsync(silo, [.. arguments, "--json"]);
            Assert.Equal(exit, code);
            Assert.Equal(
                kind, JsonDocument.Parse(errors).RootElement.GetProperty("error").GetProperty("kind").GetString());
        }

        Assert.Equal(0, (await ZsAsync(silo, "disk", "remove", "1", "--yes")).Code);
        Assert.Equal(1, (await ZsAsync(silo, "repair", "--wait", "--timeout", "1")).Code);
        await silo.StopAsync();
        await silo.StartAsync();
        Assert.Equal(5, (await JsonAsync(silo, "disk", "ls")).GetProperty("disks").GetArrayLength());
        await silo.StopAsync();
    }

    private static async Task<JsonElement> JsonAsync(SiloUnderTest silo, params string[] arguments)
    {
        (int code, string output, string errors) = await ZsAsync(silo, [.. arguments, "--json"]);
        Assert.True(code == 0, $"zs {string.Join(' ', arguments)} ended with {code}: {errors}");
        return JsonDocument.Parse(output).RootElement;
    }

    // On a machine under load a connection may take longer than zs waits for it; then nothing was asked.
    private static async Task<(int Code, string Output, string Errors)> ZsAsync(
        SiloUnderTest silo, params string[] arguments)
    {
        (int Code, string Output, string Errors) end = await silo.ZsAsync(arguments);
        for (int tries = 0; tries < 5 && end.Code == 3; tries++)
        {
            end = await silo.ZsAsync(arguments);
        }

        return end;
    }

    private static int Number(JsonElement json, string name) => json.GetProperty(name).GetInt32();
}
