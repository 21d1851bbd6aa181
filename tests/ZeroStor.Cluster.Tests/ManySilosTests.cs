using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ZeroStor.Client;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Doors;
using ZeroStor.Sealing;
using ZeroStor.Tests;

namespace ZeroStor.Cluster.Tests;

/// <summary>Many silos as processes on one PostgreSQL: they find each other, hold one fabric, and refuse what would
/// split it.</summary>
public sealed class ManySilosTests : IAsyncLifetime
{
    private const double TickSeconds = 1;

    private readonly TemporaryFolder _folder = new();
    private readonly List<SiloUnderTest> _silos = [];
    private PostgresServer? _server;
    private string _where = "";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string MasterKeyFile => Path.Combine(_folder.Path, "master.key");

    public async ValueTask InitializeAsync()
    {
        _server = await SharedPostgres.StartAsync();
        _where = await _server.MakeDatabaseAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (SiloUnderTest silo in _silos)
        {
            silo.Dispose();
        }

        _folder.Dispose();
        if (_server is not null)
        {
            await _server.RemoveDatabaseAsync(_where);
        }
    }

    [Fact]
    public async Task Three_silos_go_on_without_one_and_are_whole_again_when_it_is_back()
    {
        long began = TimeProvider.System.GetTimestamp();
        SiloUnderTest a = Silo("a");
        SiloUnderTest b = Silo("b");
        SiloUnderTest c = Silo("c");
        await a.StartAsync();
        await Task.WhenAll(b.StartAsync(), c.StartAsync());
        await using ZeroStorClient client = await ConnectAsync(a, b);
        await Eventually.HoldsAsync(
            async () => (await client.ListVaultsAsync(Cancel)).Any(v => v.Name == "default"),
            "the first vault is made once there are disks enough");
        await client.CreateVaultAsync("small", new VaultSpec { Code = new Code(2, 2) }, Cancel);
        byte[] content = RandomNumberGenerator.GetBytes(2_000_000);
        await PutAsync(client, "default", "before", content);
        await PutAsync(client, "small", "before", content);
        foreach (SiloUnderTest silo in _silos)
        {
            await using ZeroStorClient through = await ConnectAsync(silo);
            Assert.Equal(content, await GetAsync(through, "default", "before"));
        }

        c.Kill();
        Assert.Equal(content, await GetAsync(client, "default", "before"));
        await PutAsync(client, "small", "meanwhile", content);
        Assert.Equal(content, await GetAsync(client, "small", "meanwhile"));
        await Eventually.HoldsAsync(
            async () => (await client.StatusAsync(Cancel)).Silos.Count(s => s.State == "active") == 2,
            "the killed silo is missed");

        // A policy is never relaxed: four disks of six are below the write floor of 4+2.
        ZeroStorException refusal = await Assert.ThrowsAsync<ZeroStorException>(
            () => PutAsync(client, "default", "refused", content));
        Assert.Equal(ErrorKind.PolicyUnsatisfiable, refusal.Kind);

        await c.StartAsync();
        await Eventually.HoldsAsync(
            async () => (await client.StatusAsync(Cancel)).Ledger is { Stripes: > 0 } ledger
                && ledger.Whole == ledger.Stripes,
            "what was put meanwhile is whole by itself");
        Assert.Equal(content, await GetAsync(client, "small", "meanwhile"));

        // Three silos raise it no faster than one does: each counts a whole tick from where it saw it rise.
        FabricStatus status = await client.StatusAsync(Cancel);
        Assert.InRange(status.Tick.Value, 1, TimeProvider.System.GetElapsedTime(began).TotalSeconds / TickSeconds);
    }

    [Fact]
    public async Task A_silo_that_hangs_stops_neither_puts_nor_gets_and_its_gateway_is_passed_over()
    {
        SiloUnderTest[] silos = [.. Enumerable.Range(1, 4).Select(i => Silo($"silo{i}"))];
        await silos[0].StartAsync();
        await Task.WhenAll(silos[1..].Select(s => s.StartAsync()));
        await using ZeroStorClient client = await ConnectAsync(silos);
        await client.CreateVaultAsync(
            "small", new VaultSpec { Code = new Code(2, 2), Spread = Spread.Silo }, Cancel);
        byte[] content = RandomNumberGenerator.GetBytes(700_000);
        await PutAsync(client, "small", "before", content);
        Assert.Equal(silos.Length, (await AnsweringAsync(silos, calls: 4 * silos.Length)).Count);
        silos[2].Hang();
        try
        {
            // Far more calls than would end if each fourth one waited for its time to be over.
            await Parallel.ForEachAsync(
                Enumerable.Range(0, 400),
                new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = Cancel },
                async (i, _) =>
                {
                    if (i % 4 == 0)
                    {
                        await PutAsync(client, "small", $"meanwhile{i}", content);
                    }

                    Assert.Equal(content, await GetAsync(client, "small", "before"));
                });
            await Eventually.HoldsAsync(
                async () => (await client.StatusAsync(Cancel)).Silos.Count(s => s.State == "active") == 3,
                "the silo that hangs is voted out");
            Assert.Equal(content, await GetAsync(client, "small", "meanwhile396"));
        }
        finally
        {
            silos[2].Hang(goesOn: true);
        }
    }

    [Fact]
    public async Task A_silo_with_another_key_without_one_or_with_the_name_of_another_is_refused()
    {
        SiloUnderTest a = Silo("a");
        await a.StartAsync();
        string other = Path.Combine(_folder.Path, "other.key");
        using (MasterKey key = MasterKey.Generate(SystemEntropy.Instance))
        {
            await File.WriteAllBytesAsync(other, MasterKeyText.Write(key, [], SystemEntropy.Instance), Cancel);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(other, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            (int code, string errors) = await RunAsync("b", "--master-key", other);
            Assert.Equal(1, code);
            Assert.Contains(key.Id, errors, StringComparison.Ordinal);
            Assert.Contains(IdOf(MasterKeyFile), errors, StringComparison.Ordinal);
        }

        (int without, string why) = await RunAsync("b");
        Assert.Equal(1, without);
        Assert.Contains("--master-key", why, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_folder.Path, "b", "keys", "master.key")));

        (int twice, string taken) = await RunAsync(
            "a", "--master-key", MasterKeyFile, "--data", Path.Combine(_folder.Path, "a-again"));
        Assert.Equal(1, twice);
        Assert.Contains("another --name", taken, StringComparison.Ordinal);
        await using ZeroStorClient client = await ConnectAsync(a);
        FabricStatus status = await client.StatusAsync(Cancel);
        Assert.All(status.Disks, d => Assert.Equal(("a", "up"), (d.Silo, d.State)));
        Assert.Equal(2, status.Disks.Length);
    }

    [Theory]
    [InlineData("--insecure-network", "--address", "10.0.0.5")]
    [InlineData("--insecure-network", "--bind", "0.0.0.0")]
    [InlineData("not an IP address", "--address", "here")]
    [InlineData("connection string", "--postgres", "@no-such-file")]
    public async Task What_a_silo_cannot_do_is_said_before_anything_is_made(string said, params string[] told)
    {
        string data = Path.Combine(_folder.Path, "none");
        using RunningProcess silo = RunningProcess.StartOwn(
            _folder.Path, Checkout.Silo, ["--data", data, .. told]);
        (int code, _, string errors) = await silo.EndAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(2, code);
        Assert.Contains(said, errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(data));
    }

    private SiloUnderTest Silo(string name)
    {
        var silo = new SiloUnderTest(_folder.Path, [.. Arguments(name), "--master-key", MasterKeyFile]);
        _silos.Add(silo);
        return silo;
    }

    // The connection string in a file, so that it shows in no list of processes.
    private string[] Arguments(string name)
    {
        string data = Path.Combine(_folder.Path, name);
        string where = Path.Combine(_folder.Path, "postgres.txt");
        Directory.CreateDirectory(data);
        File.WriteAllText(where, _where + "\n");
        File.WriteAllText(
            Path.Combine(data, "appsettings.json"),
            $$$"""{"ZeroStor":{"TickSeconds":{{{TickSeconds}}},"PutPatienceSeconds":10}}""");
        return ["--postgres", "@" + where, "--name", name, "--data", data, "--disks", "2", "--code", "4+2"];
    }

    private async Task<(int Code, string Errors)> RunAsync(string name, params string[] more)
    {
        // What comes later wins.
        string[] arguments = [.. Arguments(name).Where((_, i) => !more.Contains("--data") || i is not (4 or 5)), .. more];
        var ports = new SiloUnderTest(_folder.Path);
        using RunningProcess silo = RunningProcess.StartOwn(
            _folder.Path, Checkout.Silo, [.. ports.Ports, .. arguments]);
        (int code, _, string errors) = await silo.EndAsync(TimeSpan.FromSeconds(120));
        return (code, errors);
    }

    private static string IdOf(string file)
    {
        using MasterKey key = MasterKeyText.Read(File.ReadAllBytes(file), []);
        return key.Id;
    }

    private static Task<ZeroStorClient> ConnectAsync(params SiloUnderTest[] silos) => ZeroStorClient.ConnectAsync(
        options =>
        {
            foreach (SiloUnderTest silo in silos)
            {
                options.Gateways.Add(silo.Gateway);
            }
        },
        Cancel);

    // The silos whose gateways so many calls of one client go through.
    private static async Task<HashSet<string>> AnsweringAsync(SiloUnderTest[] silos, int calls)
    {
        await using ServiceProvider services = new ServiceCollection()
            .AddLogging()
            .AddZeroStorClient(o => Array.ForEach(silos, s => o.Gateways.Add(s.Gateway)))
            .BuildServiceProvider();
        foreach (IHostedService service in services.GetServices<IHostedService>())
        {
            await service.StartAsync(Cancel);
        }

        IFabricDoor door = services.GetRequiredService<IGrainFactory>().GetGrain<IFabricDoor>(0);
        return [.. await Task.WhenAll(Enumerable.Range(0, calls).Select(_ => door.SiloAsync(Cancel)))];
    }

    private static Task<ObjectVersion> PutAsync(ZeroStorClient client, string vault, string key, byte[] content) =>
        client.Vault(vault).PutAsync(key, new ReadOnlySequence<byte>(content), cancel: Cancel);

    private static async Task<byte[]> GetAsync(ZeroStorClient client, string vault, string key)
    {
        await using ObjectStream read = await client.Vault(vault).OpenReadAsync(key, cancel: Cancel);
        using var all = new MemoryStream();
        await read.CopyToAsync(all, Cancel);
        return all.ToArray();
    }
}
