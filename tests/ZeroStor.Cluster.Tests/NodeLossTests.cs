using Microsoft.Extensions.DependencyInjection;
using ZeroStor.Contracts.Doors;
using ZeroStor.Grains;

namespace ZeroStor.Cluster.Tests;

/// <summary>Silos die and others take over: shards spread over silos, 4+2, at most two of a stripe on each.</summary>
public sealed class NodeLossTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_silo_that_is_lost_is_replaced_by_the_others_and_nothing_is_lost_with_it()
    {
        await using TestSilos fabric = await TestSilos.StartAsync(4);
        TestObjects objects = await TestObjects.MakeVaultAsync(fabric);
        await objects.PutSomeAsync(fabric, 10);
        string[] names = [.. fabric.Names];

        // The one that runs the scheduler is among them sooner or later; two of four may go, one after the other.
        await fabric.KillAsync(names[3]);
        await objects.VerifyAsync(fabric);
        await objects.PutSomeAsync(fabric, 5);
        await WholeAsync(fabric, names[3]);
        await objects.VerifyAsync(fabric);
        Assert.All(
            (await fabric.Client.StatusAsync(Cancel)).Disks.Where(d => d.Silo != names[3]),
            d => Assert.Equal("up", d.State));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Puts_and_gets_go_on_while_a_silo_is_killed_and_wiped(int lost)
    {
        await using TestSilos fabric = await TestSilos.StartAsync(5);
        await TestObjects.MakeVaultAsync(fabric);
        var load = new TestLoad(fabric.Client.Vault(TestObjects.VaultName));
        await load.PutAsync("first");
        string name = fabric.Names.ElementAt(lost);
        bool isWhole = false;
        Task running = load.RunAsync("meanwhile", () => Volatile.Read(ref isWhole) && load.Gets >= 100);
        await Eventually.HoldsAsync(() => Task.FromResult(load.Puts > 20 || running.IsCompleted), "puts are under way");
        await fabric.WipeAsync(name);
        await Task.WhenAny(WholeAsync(fabric, name), running);
        Volatile.Write(ref isWhole, true);
        await running;
        await WholeAsync(fabric, name);
        await load.VerifyAsync();
    }

    [Fact]
    public async Task A_disk_is_drained_by_copying_and_serves_meanwhile()
    {
        await using TestSilos fabric = await TestSilos.StartAsync(4);
        TestObjects objects = await TestObjects.MakeVaultAsync(fabric);
        await objects.PutSomeAsync(fabric, 8);
        DiskId disk = (await fabric.Client.ListDisksAsync(Cancel))[4].Id;
        Assert.True(await fabric.Client.DrainDiskAsync(disk, Cancel) > 0);
        await objects.VerifyAsync(fabric);
        await Eventually.HoldsAsync(
            async () =>
            {
                await fabric.Client.RepairAsync(hurry: true, Cancel);
                return (await fabric.Client.ShowDiskAsync(disk, Cancel)).Status.State == "drained";
            },
            "it is drained");
        await objects.VerifyAsync(fabric);

        // Of all silos: the client hears what the one counted that schedules now, which may be another one's successor.
        Assert.True(
            fabric.Names.Sum(silo => fabric.Services(silo).GetRequiredService<Repairer>().Progress.ShardsCopied) > 0);
        await fabric.Client.RemoveDiskAsync(disk, cancel: Cancel);
        await objects.VerifyAsync(fabric);
    }

    [Fact]
    public async Task The_first_silo_may_be_the_one_that_goes()
    {
        await using TestSilos fabric = await TestSilos.StartAsync(4);
        TestObjects objects = await TestObjects.MakeVaultAsync(fabric);
        await objects.PutSomeAsync(fabric, 5);
        string first = fabric.Names.First();
        await fabric.KillAsync(first);
        await objects.VerifyAsync(fabric);
        await WholeAsync(fabric, first);
        await objects.VerifyAsync(fabric);
    }

    [Fact]
    public async Task When_much_is_away_at_once_nothing_is_replaced()
    {
        await using TestSilos fabric = await TestSilos.StartAsync(5, o => o.MassLossShare = 0.3);
        TestObjects objects = await TestObjects.MakeVaultAsync(fabric);
        await objects.PutSomeAsync(fabric, 5);
        string[] names = [.. fabric.Names];
        await fabric.KillAsync(names[3]);
        await fabric.KillAsync(names[4]);
        var map = fabric.Services(names[1]).GetRequiredService<SiloMap>();
        var watch = fabric.Services(names[1]).GetRequiredService<SiloWatch>();
        await Eventually.HoldsAsync(
            () => Task.FromResult(watch.Lost.Count == 2 * TestSilos.DisksPerSilo), "both silos are lost");
        long rounds = (await fabric.Client.RepairAsync(hurry: true, Cancel)).Rounds;
        await Eventually.HoldsAsync(
            async () => (await fabric.Client.RepairAsync(hurry: true, Cancel)).Rounds > rounds + 1,
            "rounds of repair have come and gone");
        PlacementClass spread = map.Current.Classes.Single(c => c.Spread == Spread.Silo);
        Assert.All(map.Current.GroupsOf(spread.Id), g => Assert.Equal(1u, g.Epoch));
    }

    private static Task WholeAsync(TestSilos fabric, string lost) => Eventually.HoldsAsync(
        async () =>
        {
            FabricStatus status = await fabric.Client.StatusAsync(Cancel);
            RepairProgress repair = await fabric.Client.RepairAsync(hurry: true, Cancel);
            ClassLedger spread = status.Ledger.Classes.Single(c => c.Spread == Spread.Silo);
            return spread.Stripes > 0 && spread.Whole == spread.Stripes && repair.Rounds > 0
                && status.Silos.All(s => s.Name != lost || s.State != "active");
        },
        "every stripe has all its shards on the silos that are left");
}
