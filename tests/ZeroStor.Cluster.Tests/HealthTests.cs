using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using ZeroStor.Tests;

namespace ZeroStor.Cluster.Tests;

/// <summary>A silo as a process, watched from outside: whether it lives, whether it can serve, and what it does not
/// start with.</summary>
public sealed class HealthTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _http = new();
    private readonly int _port = SiloUnderTest.FreePort();
    private PostgresServer? _server;
    private SiloUnderTest? _silo;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string[] Small => ["--data", Path.Combine(_folder.Path, "data"), "--disks", "3", "--code", "2+1"];

    private string[] Health =>
        ["--health", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_port}")];

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _silo?.Dispose();
        _http.Dispose();
        _folder.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_silo_without_its_database_lives_and_is_not_ready_until_it_is_back()
    {
        _server = await PostgresServer.StartAsync();
        string where = await _server.MakeDatabaseAsync();
        _silo = new SiloUnderTest(_folder.Path, [.. Small, .. Health, "--postgres", where]);
        await _silo.StartAsync();
        await Eventually.HoldsAsync(
            async () => (await GetAsync("ready")).Code == HttpStatusCode.OK, "it is ready once it heard of its catalog");
        (HttpStatusCode code, JsonElement ready) = await GetAsync("ready");
        Assert.True(ready.GetProperty("ready").GetBoolean());
        Assert.Equal("active", ready.GetProperty("membership").GetString());
        Assert.Equal(3, ready.GetProperty("disks").GetProperty("up").GetInt32());
        Assert.Equal(3, ready.GetProperty("disks").GetProperty("of").GetInt32());
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("live")).Code);
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync("secrets")).Code);
        using HttpResponseMessage post = await _http.PostAsync(At("live"), null, Cancel);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, post.StatusCode);

        string file = Path.Combine(_folder.Path, "file");
        await File.WriteAllTextAsync(file, "what was put", Cancel);
        (int exit, string output, string errors) = await _silo.ZsAsync("put", file, "default/key");
        Assert.True(exit == 0, errors);

        await _server.CrashAsync();
        await Eventually.HoldsAsync(
            async () => (await GetAsync("ready")).Code == HttpStatusCode.ServiceUnavailable,
            "a silo that cannot ask its catalog is not ready");
        string reason = Assert.Single(
            (await GetAsync("ready")).Body.GetProperty("reasons").EnumerateArray()).GetString()!;
        Assert.StartsWith("the catalog has not answered for", reason, StringComparison.Ordinal);
        (code, JsonElement live) = await GetAsync("live");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.True(live.GetProperty("live").GetBoolean());

        (exit, output, errors) = await _silo.ZsAsync("get", "default/key", "-", "--allow-stale");
        Assert.Equal((0, "what was put"), (exit, output));
        Assert.Contains("a silo saw last", errors, StringComparison.Ordinal);
        (_, output, errors) = await _silo.ZsAsync("stat", "default/key", "--allow-stale", "--json");
        Assert.True(JsonDocument.Parse(output).RootElement.GetProperty("isStale").GetBoolean());
        Assert.Empty(errors);

        await _server.StartAgainAsync();
        await Eventually.HoldsAsync(
            async () => (await GetAsync("ready")).Code == HttpStatusCode.OK, "it is ready again by itself");
        (_, output, errors) = await _silo.ZsAsync("stat", "default/key", "--allow-stale", "--json");
        Assert.False(JsonDocument.Parse(output).RootElement.GetProperty("isStale").GetBoolean());
        await _silo.StopAsync();
    }

    [Fact]
    public async Task A_silo_answers_before_it_serves_and_one_whose_disks_are_all_gone_is_not_ready()
    {
        string mount = Directory.CreateDirectory(Path.Combine(_folder.Path, "mount")).FullName;
        _silo = new SiloUnderTest(
            _folder.Path,
            ["--data", Path.Combine(_folder.Path, "data"), "--disk", mount, "--code", "1+1", .. Health, "--disks", "1"]);
        RunningProcess process = _silo.Begin();
        await Eventually.HoldsAsync(
            async () => await IsListeningAsync() || process.HasExited, "it listens");
        await Eventually.HoldsAsync(
            async () => (await GetAsync("ready")).Code == HttpStatusCode.OK || process.HasExited, "it is ready");
        Directory.Move(mount, mount + "-away");
        await Eventually.HoldsAsync(
            async () => (await GetAsync("ready")).Body.GetProperty("disks").GetProperty("up").GetInt32() == 1,
            "one disk of two is told to be up");
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("ready")).Code);
        await _silo.StopAsync();
        Assert.False(await IsListeningAsync());
    }

    [Theory]
    [InlineData("nowhere")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:99999")]
    [InlineData(":80")]
    public async Task What_is_no_address_is_refused_in_a_sentence_before_anything_is_made(string told)
    {
        (int code, _, string errors) = await RunAsync([.. Small, "--health", told]);
        Assert.Equal(2, code);
        Assert.StartsWith($"--health {told} is not an address and a port:", errors, StringComparison.Ordinal);
        Assert.Single(errors.TrimEnd().Split('\n'));
        Assert.False(Directory.Exists(Path.Combine(_folder.Path, "data")));
    }

    [Fact]
    public async Task Migrating_says_what_the_catalog_took_and_starts_nothing()
    {
        (int code, string output, string errors) = await RunAsync([.. Small, "--migrate"]);
        Assert.True(code == 0, errors);
        Assert.Contains("010-zerostor", output, StringComparison.Ordinal);
        string data = Path.Combine(_folder.Path, "data");
        Assert.Equal(
            ["catalog.db", "silo.lock"],
            Directory.EnumerateFileSystemEntries(data).Select(p => Path.GetFileName(p)).Order());
        (code, output, _) = await RunAsync([.. Small, "--migrate"]);
        Assert.Equal(0, code);
        Assert.Contains("nothing was to be done", output, StringComparison.Ordinal);

        _silo = new SiloUnderTest(_folder.Path, Small);
        await _silo.StartAsync();
        (code, _, errors) = await RunAsync([.. Small, "--migrate"]);
        Assert.Equal(1, code);
        Assert.Contains("another silo runs on", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_of_many_silos_is_migrated_while_they_run_and_without_a_data_folder()
    {
        _server = await PostgresServer.StartAsync();
        string where = await _server.MakeDatabaseAsync();
        (int code, string output, string errors) = await RunAsync([.. Small, "--postgres", where, "--migrate"]);
        Assert.True(code == 0, errors);
        Assert.Contains("003-orleans-clustering", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder.Path, "data")));
        _silo = new SiloUnderTest(_folder.Path, [.. Small, "--postgres", where]);
        await _silo.StartAsync();
        (code, output, _) = await RunAsync([.. Small, "--postgres", where, "--migrate"]);
        Assert.Equal(0, code);
        Assert.Contains("nothing was to be done", output, StringComparison.Ordinal);
        await _silo.StopAsync();
    }

    private async Task<(int Code, string Output, string Errors)> RunAsync(string[] arguments)
    {
        using RunningProcess silo = RunningProcess.StartOwn(_folder.Path, Checkout.Silo, arguments);
        return await silo.EndAsync(TimeSpan.FromSeconds(120));
    }

    private Uri At(string path) =>
        new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_port}/{path}"));

    private async Task<bool> IsListeningAsync()
    {
        try
        {
            await GetAsync("live");
            return true;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async Task<(HttpStatusCode Code, JsonElement Body)> GetAsync(string path)
    {
        using HttpResponseMessage answer = await _http.GetAsync(At(path), Cancel);
        return answer.Content.Headers.ContentType?.MediaType == "application/json"
            ? (answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel))
            : (answer.StatusCode, default);
    }
}
