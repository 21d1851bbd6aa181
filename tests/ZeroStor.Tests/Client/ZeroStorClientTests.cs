using Microsoft.Extensions.DependencyInjection;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Tests.Client;

public sealed class ZeroStorClientTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_vault_whose_making_lost_its_answer_was_made()
    {
        var fake = new FakeFabric("2+1");
        await using var client = new ZeroStorClient(fake.Connect());
        int tries = 0;
        fake.Before = (_, method, _) => method != "create" ? Task.CompletedTask
            : ++tries == 1 ? throw new TimeoutException()
            : throw new ZeroStorException(ErrorKind.AlreadyExists, "There is one.");
        VaultInfo made = await client.CreateVaultAsync(
            FakeFabric.VaultName, new VaultSpec { Code = new Code(2, 1) }, None);
        Assert.Equal(new Code(2, 1), made.Code);
        tries = 0;
        await RefusedAsync(ErrorKind.AlreadyExists, client, new VaultSpec { Code = new Code(3, 1) });
    }

    [Fact]
    public async Task A_vault_that_is_there_is_not_made_again()
    {
        var fake = new FakeFabric("2+1")
        {
            Before = (_, method, _) => method == "create"
                ? throw new ZeroStorException(ErrorKind.AlreadyExists, "There is one.")
                : Task.CompletedTask,
        };
        await using var client = new ZeroStorClient(fake.Connect());
        await RefusedAsync(ErrorKind.AlreadyExists, client, new VaultSpec { Code = new Code(2, 1) });
    }

    [Fact]
    public async Task A_removal_whose_answer_was_lost_happened()
    {
        var fake = new FakeFabric();
        await using var client = new ZeroStorClient(fake.Connect());
        int tries = 0;
        fake.Before = (_, method, _) => method != "remove" ? Task.CompletedTask
            : ++tries == 1 ? throw new TimeoutException()
            : throw ZeroStorException.NotFound("There is none.");
        await client.RemoveVaultAsync("vault", withContent: true, None);
        Assert.Equal(2, tries);
        ZeroStorException failure = await Assert.ThrowsAsync<ZeroStorException>(
            () => client.RemoveVaultAsync("vault", withContent: true, None));
        Assert.Equal(ErrorKind.NotFound, failure.Kind);
    }

    [Fact]
    public async Task A_drain_of_a_silo_is_asked_for_again_and_its_removal_is_not()
    {
        var fake = new FakeFabric();
        await using var client = new ZeroStorClient(fake.Connect());
        fake.Before = (_, method, _) => fake.Count(method) == 1 ? throw new TimeoutException() : Task.CompletedTask;
        Assert.Equal(3, await client.DrainSiloAsync("a", None));
        Assert.Equal(2, fake.Count("drain-silo"));
        ZeroStorException failure = await Assert.ThrowsAsync<ZeroStorException>(
            () => client.RemoveSiloAsync("a", cancel: None));
        Assert.Equal(ErrorKind.Unavailable, failure.Kind);
        Assert.Equal(1, fake.Count("remove-silo"));
        Assert.Equal([new(1), new(2)], (await client.RemoveSiloAsync("a", cancel: None)).Disks);
    }

    [Fact]
    public async Task Connecting_to_nobody_is_unavailable_and_names_the_gateways()
    {
        ZeroStorException failure = await Assert.ThrowsAsync<ZeroStorException>(
            () => ZeroStorClient.ConnectAsync(
            options =>
            {
                options.Gateways.Add("127.0.0.1:1");
                options.ConnectPatience = TimeSpan.FromMilliseconds(300);
            },
            None));
        Assert.Equal(ErrorKind.Unavailable, failure.Kind);
        Assert.Contains("127.0.0.1:1 within 0.3 s", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Beside_an_Orleans_client_no_second_one_is_added()
    {
        IServiceCollection beside = new ServiceCollection().AddZeroStorClient();
        Assert.DoesNotContain(beside, s => s.ServiceType == typeof(IClusterClient));
        Assert.Contains(beside, s => s.ServiceType == typeof(ZeroStorClient));
        IServiceCollection own = new ServiceCollection().AddZeroStorClient(o => o.Gateways.Add("silo:30000"));
        Assert.Contains(own, s => s.ServiceType == typeof(IClusterClient));
        Assert.Throws<ZeroStorException>(
            () => new ServiceCollection().AddZeroStorClient(o => o.Gateways.Add("silo")));
    }

    [Fact]
    public async Task A_scrub_whose_answer_was_lost_is_asked_for_again_under_its_name()
    {
        var fake = new FakeFabric();
        await using var client = new ZeroStorClient(fake.Connect());
        int tries = 0;
        fake.After = (_, _) =>
        {
            if (++tries == 1)
            {
                throw new TimeoutException();
            }
        };
        await client.BeginScrubAsync([new DiskId(3)], None);
        Assert.Equal(2, fake.Scrubs.Count);
        Assert.Equal(fake.Scrubs[0].Name, fake.Scrubs[1].Name);
        await client.BeginScrubAsync(cancel: None);
        Assert.NotEqual(fake.Scrubs[0].Name, fake.Scrubs[2].Name);
    }

    [Fact]
    public async Task A_disk_is_asked_to_be_added_once()
    {
        var fake = new FakeFabric { After = (_, _) => throw new TimeoutException() };
        await using var client = new ZeroStorClient(fake.Connect());
        ZeroStorException failure = await Assert.ThrowsAsync<ZeroStorException>(
            () => client.AddDiskAsync(new AddDisk { Path = "/mnt/a" }, None));
        Assert.Equal(ErrorKind.Unavailable, failure.Kind);
        Assert.Equal(1, fake.Count("add-disk"));
    }

    private static async Task RefusedAsync(ErrorKind kind, ZeroStorClient client, VaultSpec spec) =>
        Assert.Equal(
        kind,
        (await Assert.ThrowsAsync<ZeroStorException>(
            () => client.CreateVaultAsync(FakeFabric.VaultName, spec, None))).Kind);
}
