using System.Text;
using System.Text.Json;
using ZeroStor.Client;
using ZeroStor.CommandLine;
using ZeroStor.CommandLine.Bench;

namespace ZeroStor.Tests.Client.Zs.Bench;

/// <summary>Whole runs against a fabric in memory: what they do, and what they leave.</summary>
public sealed class BenchRunTests : IDisposable
{
    private static readonly BenchPlan Plan =
        BenchPlan.Parse("4KiB,1MiB", "1,3", "put,get,get-degraded", 0.01) with
        {
            LimitTime = TimeSpan.FromMilliseconds(1),
        };

    private readonly StringWriter _lines = new();
    private readonly StringWriter _errors = new();
    private readonly MemoryStream _json = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _lines.Dispose();
        _errors.Dispose();
        _json.Dispose();
    }

    [Fact]
    public async Task Each_operation_size_and_concurrency_has_a_line_and_nothing_stays()
    {
        FakeFabric fake = Fabric();
        await RunAsync(fake, Plan, isJson: false, Cancel);
        string[] lines = [.. _lines.ToString().Split('\n').SkipWhile(l => l != BenchLine.Head).Skip(1)];
        Assert.Equal(
            [
                "put 4KiB 1", "put 4KiB 3", "get 4KiB 1", "get 4KiB 3",
                "get-degraded 4KiB 1", "get-degraded 4KiB 3",
                "put 1MiB 1", "put 1MiB 3", "get 1MiB 1", "get 1MiB 3",
                "get-degraded 1MiB 1", "get-degraded 1MiB 3",
                "",
            ],
            lines.Select(l => string.Join(' ', l.Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(3))));
        Assert.Contains("limit 4KiB: seal+code ", _lines.ToString(), StringComparison.Ordinal);
        Assert.Contains(
            "limit disks: not measured, because no disk", _lines.ToString(), StringComparison.Ordinal);
        Assert.Empty(fake.Keys);
        Assert.Equal("zs: measuring what this machine could do\n", _errors.ToString());
    }

    [Fact]
    public async Task Degraded_gets_pass_over_as_many_homes_as_the_code_can_lose()
    {
        FakeFabric fake = Fabric("6+3");
        await RunAsync(fake, Plan with { Ops = [BenchOp.Get] }, isJson: false, Cancel);
        Assert.NotEmpty(fake.AbsentHomes);
        Assert.All(fake.AbsentHomes, absent => Assert.Equal(0, absent));
        fake = Fabric("6+3");
        await RunAsync(fake, Plan with { Ops = [BenchOp.GetDegraded] }, isJson: false, Cancel);
        Assert.NotEmpty(fake.AbsentHomes);
        Assert.All(fake.AbsentHomes, absent => Assert.Equal(3, absent));
        Assert.Empty(fake.Keys);
    }

    [Fact]
    public async Task The_JSON_has_the_shape_that_scripts_rely_on()
    {
        BenchPlan plan = Plan with { SizesBytes = [4096], Concurrencies = [2], Ops = [BenchOp.Put] };
        await RunAsync(Fabric(), plan, isJson: true, Cancel);
        using var document = JsonDocument.Parse(Encoding.UTF8.GetString(_json.ToArray()));
        JsonElement root = document.RootElement;
        Assert.Equal(
            ["vault", "code", "secondsPerLine", "processors", "limits", "lines"],
            root.EnumerateObject().Select(p => p.Name));
        Assert.Equal(
            ["coding", "diskBytesPerSecond", "whyNoDisks"],
            root.GetProperty("limits").EnumerateObject().Select(p => p.Name));
        JsonElement coding = Assert.Single(root.GetProperty("limits").GetProperty("coding").EnumerateArray());
        Assert.Equal(["op", "sizeBytes", "bytesPerSecond"], coding.EnumerateObject().Select(p => p.Name));
        JsonElement line = Assert.Single(root.GetProperty("lines").EnumerateArray());
        Assert.Equal(("put", 4096, 2), (
            line.GetProperty("op").GetString(),
            line.GetProperty("sizeBytes").GetInt32(),
            line.GetProperty("concurrency").GetInt32()));
        Assert.True(line.GetProperty("operations").GetInt32() >= 2);
        Assert.Equal(("", ""), (_lines.ToString(), _errors.ToString()));
    }

    [Fact]
    public async Task Interrupted_it_removes_what_it_put_and_also_what_was_under_way()
    {
        FakeFabric fake = Fabric();
        using var stop = new CancellationTokenSource();
        int commits = 0;
        fake.After = (_, method) =>
        {
            // The answer to this one is lost: it is committed, and nobody here knows.
            if (method == "commit" && Interlocked.Increment(ref commits) == 5)
            {
                stop.Cancel();
            }
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => RunAsync(fake, Plan with { Ops = [BenchOp.Put] }, isJson: false, stop.Token));
        Assert.True(fake.Count("commit") >= 5);
        Assert.Empty(fake.Keys);
    }

    [Fact]
    public async Task The_first_failure_ends_it_and_what_was_put_is_removed()
    {
        FakeFabric fake = Fabric();
        fake.Before = (_, method, _) => method == "write-stripe" && fake.StripesWritten >= 7
            ? throw new ZeroStorException(ErrorKind.PolicyUnsatisfiable, "Too few disks.")
            : Task.CompletedTask;
        ZeroStorException failure = await Assert.ThrowsAsync<ZeroStorException>(
            () => RunAsync(fake, Plan, isJson: false, Cancel));
        Assert.Equal(ErrorKind.PolicyUnsatisfiable, failure.Kind);
        Assert.True(fake.Count("commit") > 0);
        Assert.Empty(fake.Keys);
    }

    [Fact]
    public async Task What_cannot_be_removed_is_told_with_what_removes_it()
    {
        FakeFabric fake = Fabric();
        fake.Before = (_, method, _) => method == "delete"
            ? throw new ZeroStorException(ErrorKind.Forbidden, "No.")
            : Task.CompletedTask;
        int errors = await RunAsync(
            fake, Plan with { Ops = [BenchOp.Put], SizesBytes = [1] }, isJson: false, Cancel);
        Assert.Equal(1, errors);
        Assert.Contains("zs rm vault/zs-bench -r removes it", _errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_vault_that_is_not_there_is_said_before_anything_is_measured()
    {
        FakeFabric fake = Fabric();
        await using var client = new ZeroStorClient(fake.Connect());
        ZeroStorException failure = await Assert.ThrowsAsync<ZeroStorException>(() => BenchRun.RunAsync(
            client, "other", Plan, new Output(false, false, _lines, _json, _errors), Cancel));
        Assert.Equal(ErrorKind.NotFound, failure.Kind);
        Assert.Equal("", _lines.ToString());
    }

    private static FakeFabric Fabric(string code = "2+1")
    {
        var fake = new FakeFabric(code) { Silos = [ProcessorTimesTests.Silo("a", 1, 1)] };
        fake.DiskLists.Enqueue([]);
        return fake;
    }

    private async Task<int> RunAsync(FakeFabric fake, BenchPlan plan, bool isJson, CancellationToken cancel)
    {
        await using var client = new ZeroStorClient(fake.Connect());
        var output = new Output(isJson, false, _lines, _json, _errors);
        await BenchRun.RunAsync(client, FakeFabric.VaultName, plan, output, cancel);
        return output.Errors;
    }
}
