using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using ZeroStor.Client;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Doors;
using ZeroStor.Contracts.Inner;
using ZeroStor.Grains;

namespace ZeroStor.Cluster.Tests;

/// <summary>What a silo does with its disks, its vaults and its callers.</summary>
public sealed class SiloTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_silo_that_was_started_again_has_everything()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        byte[] content = RandomNumberGenerator.GetBytes(3_000_000);
        await fabric.Client.CreateVaultAsync("photos", new VaultSpec { Code = new Code(2, 1) }, Cancel);
        await PutAsync(fabric, "photos", "a", content);
        await PutAsync(fabric, "default", "b", content);
        await fabric.StopAsync();
        await fabric.StartSiloAsync();
        Assert.Equal(content, await GetAsync(fabric, "photos", "a"));
        Assert.Equal(content, await GetAsync(fabric, "default", "b"));
        Assert.Equal(new Code(2, 1), (await fabric.Client.Vault("photos").DescribeAsync(Cancel)).Code);
    }

    [Fact]
    public async Task Two_disks_whose_folders_vanished_are_made_anew_and_nothing_is_lost()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        byte[] content = RandomNumberGenerator.GetBytes(3_000_000);
        await PutAsync(fabric, "default", "key", content);
        await fabric.StopAsync();
        Directory.Delete(Path.Combine(fabric.Folder, "disk02"), recursive: true);
        Directory.Delete(Path.Combine(fabric.Folder, "disk05"), recursive: true);
        await fabric.StartSiloAsync();
        Assert.Equal(content, await GetAsync(fabric, "default", "key"));
        FabricStatus status = await fabric.Client.StatusAsync(Cancel);
        Assert.True(status.Counters["stripesDecoded"] > 0);
        Assert.Equal(status.Ledger.Stripes, status.Ledger.ByMissing[2]);
        byte[] more = RandomNumberGenerator.GetBytes(100_000);
        await PutAsync(fabric, "default", "more", more);
        Assert.Equal(more, await GetAsync(fabric, "default", "more"));
    }

    [Fact]
    public async Task One_disk_more_than_parity_lost_is_an_error_and_no_wrong_byte()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        await PutAsync(fabric, "default", "key", RandomNumberGenerator.GetBytes(3_000_000));
        await fabric.StopAsync();
        foreach (string disk in new[] { "disk01", "disk03", "disk06" })
        {
            Directory.Delete(Path.Combine(fabric.Folder, disk), recursive: true);
        }

        await fabric.StartSiloAsync();
        ZeroStorException refusal = await Assert.ThrowsAsync<ZeroStorException>(
            () => GetAsync(fabric, "default", "key"));
        Assert.Equal(ErrorKind.TooFewShards, refusal.Kind);
        Assert.Contains("key", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mount_that_vanishes_while_the_silo_runs_is_missing_and_reads_and_writes_go_on()
    {
        using var mounts = new TemporaryFolder();
        string mount = Path.Combine(mounts.Path, "mount");
        Directory.CreateDirectory(mount);
        await using TestFabric fabric = await TestFabric.StartAsync(options =>
        {
            options.Disks = 5;
            options.DiskPaths.Add(mount);
        });
        byte[] content = RandomNumberGenerator.GetBytes(1_000_000);
        await PutAsync(fabric, "default", "key", content);
        Directory.Move(mount, mount + "-away");
        await Eventually.HoldsAsync(
            async () => (await fabric.Client.StatusAsync(Cancel)).Disks.Count(d => d.State == "missing") == 1,
            "the disk is missing");
        Assert.Equal(content, await GetAsync(fabric, "default", "key"));
        ObjectVersion put = await PutAsync(fabric, "default", "short", content);
        Assert.Equal(1, put.ShortStripes);
        Assert.False(Directory.Exists(mount));

        Directory.Move(mount + "-away", mount);
        await Eventually.HoldsAsync(
            async () => (await fabric.Client.StatusAsync(Cancel)).Ledger is { Whole: 2, Stripes: 2 },
            "the mount is taken in again and gets what it missed");
    }

    [Fact]
    public async Task A_folder_that_vanishes_twice_is_made_anew_twice()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        byte[] content = RandomNumberGenerator.GetBytes(500_000);
        await PutAsync(fabric, "default", "key", content);
        for (int round = 0; round < 2; round++)
        {
            await fabric.StopAsync();
            Directory.Delete(Path.Combine(fabric.Folder, "disk04"), recursive: true);
            await fabric.StartSiloAsync();
            await Eventually.HoldsAsync(
                async () =>
                {
                    FabricStatus status = await fabric.Client.StatusAsync(Cancel);
                    return status.Ledger is { Whole: 1, Stripes: 1 } && status.Disks.Length == 6;
                },
                "the newcomer is whole and the lost disk is not missed");
        }

        Assert.Equal(content, await GetAsync(fabric, "default", "key"));
    }

    [Fact]
    public async Task The_ledger_counts_every_stripe()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        await PutAsync(fabric, "default", "one", RandomNumberGenerator.GetBytes(1));
        await PutAsync(fabric, "default", "five", RandomNumberGenerator.GetBytes(5 * 1024 * 1024));
        Ledger ledger = (await fabric.Client.StatusAsync(Cancel)).Ledger;
        Assert.Equal((6, 6), (ledger.Stripes, ledger.Whole));
        Assert.Equal(6, ledger.ByMissing[0]);
    }

    [Fact]
    public async Task Space_of_the_deleted_comes_back()
    {
        await using TestFabric fabric = await TestFabric.StartAsync(options =>
        {
            options.TickSeconds = 0.2;
            options.ReclaimAfterTicks = 2;
        });
        for (int i = 0; i < 8; i++)
        {
            await PutAsync(fabric, "default", $"key{i}", RandomNumberGenerator.GetBytes(16 * 1024 * 1024));
        }

        long full = await UsedAsync(fabric);
        for (int i = 0; i < 7; i++)
        {
            await fabric.Client.Vault("default").DeleteAsync($"key{i}", cancel: Cancel);
        }

        await Eventually.HoldsAsync(async () => await UsedAsync(fabric) < full / 2, "space comes back");
        Assert.Equal(16 * 1024 * 1024, (await GetAsync(fabric, "default", "key7")).Length);
        Ledger ledger = (await fabric.Client.StatusAsync(Cancel)).Ledger;
        Assert.Equal((16, 16), (ledger.Stripes, ledger.Whole));
    }

    [Fact]
    public async Task What_was_put_and_never_committed_leaves_the_disks_and_what_was_committed_stays()
    {
        await using TestFabric fabric = await TestFabric.StartAsync(options =>
        {
            options.TickSeconds = 0.2;
            options.OrphanAfterTicks = 10;
            options.ForgetAfterTicks = 5;
        });
        byte[] content = RandomNumberGenerator.GetBytes(1_500_000);
        await PutAsync(fabric, "default", "kept", content);
        IStripeDoor door = fabric.Grains.GetGrain<IStripeDoor>("silo1/1");
        for (int i = 0; i < 20; i++)
        {
            // As a client that dies between its last shard and its commit.
            PutTicket ticket = await door.OpenPutAsync(new OpenPut { Vault = "default" }, Cancel);
            BufferSlice piece = BufferPool.Shared.RentSlice(5000);
            await door.WriteStripeAsync(
                new WriteStripeOrder
                {
                    LastPiece = new PutPiece
                    {
                        Put = ticket.Put, Ordinal = 0, StripeBytes = 5000, Offset = 0, Bytes = new Parcel(piece),
                    },
                },
                Cancel);
        }

        await Eventually.HoldsAsync(
            async () => (await fabric.Client.StatusAsync(Cancel)).Ledger is { Stripes: 2, Whole: 2 },
            "only the stripes of the committed object are left");
        Assert.Equal(content, await GetAsync(fabric, "default", "kept"));
    }

    [Fact]
    public async Task Clients_are_refused_at_inner_doors()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        ZeroStorException refusal = await Assert.ThrowsAsync<ZeroStorException>(
            () => fabric.Grains.GetGrain<IVaultGrain>("default").OpenAsync(Cancel));
        Assert.Equal(ErrorKind.Forbidden, refusal.Kind);
        refusal = await Assert.ThrowsAsync<ZeroStorException>(
            () => fabric.Grains.GetGrain<IDiskGrain>("silo1/1").ReportAsync(1, Cancel));
        Assert.Equal(ErrorKind.Forbidden, refusal.Kind);
    }

    [Fact]
    public async Task Vaults_are_made_listed_and_removed()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        ZeroStorClient client = fabric.Client;
        await client.CreateVaultAsync("alpha", null, Cancel);
        Assert.Equal(ErrorKind.AlreadyExists, await KindAsync(() => client.CreateVaultAsync("alpha", null, Cancel)));
        Assert.Equal(ErrorKind.InvalidArgument, await KindAsync(() => client.CreateVaultAsync("A/b", null, Cancel)));
        Assert.Equal(
            ErrorKind.PolicyUnsatisfiable,
            await KindAsync(() => client.CreateVaultAsync("big", new VaultSpec { Code = new Code(20, 4) }, Cancel)));
        Assert.Equal(
            ErrorKind.PolicyUnsatisfiable,
            await KindAsync(() => client.CreateVaultAsync("wide", new VaultSpec { Spread = Spread.Site }, Cancel)));
        await PutAsync(fabric, "alpha", "key", [1]);
        Assert.Equal(
            ErrorKind.PreconditionFailed, await KindAsync(() => client.RemoveVaultAsync("alpha", false, Cancel)));
        await client.RemoveVaultAsync("alpha", true, Cancel);
        Assert.Equal(ErrorKind.NotFound, await KindAsync(() => GetAsync(fabric, "alpha", "key")));

        await client.CreateVaultAsync("alpha", new VaultSpec { Code = new Code(2, 2) }, Cancel);
        Assert.Equal(ErrorKind.NotFound, await KindAsync(() => GetAsync(fabric, "alpha", "key")));
        await PutAsync(fabric, "alpha", "key", [2]);
        Assert.Equal([2], await GetAsync(fabric, "alpha", "key"));
    }

    [Fact]
    public async Task A_front_ends_own_silo_can_hold_the_fabric_and_use_it_from_its_own_grains()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        IServiceProvider silo = fabric.Silo;
        var map = silo.GetRequiredService<IFabricMap>();
        Assert.Equal(6, map.Current.Disks.Length);
        await using ServiceProvider frontEnd = new ServiceCollection()
            .AddSingleton(silo.GetRequiredService<IGrainFactory>())
            .AddZeroStorClient()
            .BuildServiceProvider();
        Vault vault = frontEnd.GetRequiredService<ZeroStorClient>().Vault(ZeroStorSilo.DefaultVault);
        byte[] content = RandomNumberGenerator.GetBytes(2_000_000);
        await vault.PutAsync("key", new ReadOnlySequence<byte>(content), cancel: Cancel);
        Assert.Equal(content, await GetAsync(fabric, "default", "key"));
    }

    [Fact]
    public async Task Another_fabrics_disk_is_refused()
    {
        await using TestFabric first = await TestFabric.StartAsync();
        await using TestFabric second = await TestFabric.StartAsync();
        await first.StopAsync();
        await second.StopAsync();
        Directory.Delete(Path.Combine(first.Folder, "disk01"), recursive: true);
        Directory.Move(Path.Combine(second.Folder, "disk01"), Path.Combine(first.Folder, "disk01"));
        Exception refusal = await Assert.ThrowsAnyAsync<Exception>(() => first.StartSiloAsync());
        Assert.Contains("fabric", refusal.ToString(), StringComparison.Ordinal);
    }

    private static async Task<ErrorKind> KindAsync(Func<Task> call) =>
        (await Assert.ThrowsAsync<ZeroStorException>(call)).Kind;

    private static Task<ObjectVersion> PutAsync(TestFabric fabric, string vault, string key, byte[] content) =>
        fabric.Client.Vault(vault).PutAsync(key, new ReadOnlySequence<byte>(content), cancel: Cancel);

    private static async Task<byte[]> GetAsync(TestFabric fabric, string vault, string key)
    {
        await using ObjectStream read = await fabric.Client.Vault(vault).OpenReadAsync(key, cancel: Cancel);
        using var all = new MemoryStream();
        await read.CopyToAsync(all, Cancel);
        return all.ToArray();
    }

    private static async Task<long> UsedAsync(TestFabric fabric) =>
        (await fabric.Client.StatusAsync(Cancel)).Disks.Sum(d => d.UsedBytes);
}
