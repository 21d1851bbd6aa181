using Microsoft.Extensions.DependencyInjection;
using ZeroStor.Contracts.Doors;
using ZeroStor.Contracts.Inner;
using ZeroStor.Volumes;

namespace ZeroStor.Cluster.Tests;

/// <summary>What operators say to silos: how they are, that one goes for good, that one is to be emptied.</summary>
public sealed class SiloOrdersTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_dead_silo_is_removed_and_the_others_are_whole_at_once_though_nobody_was_to_wait_for_so_long()
    {
        await using TestSilos fabric = await StartAsync(4);
        TestObjects objects = await TestObjects.MakeVaultAsync(fabric);
        await objects.PutSomeAsync(fabric, 6);
        string lost = fabric.Names.Last();
        SiloDetails before = await SiloAsync(fabric, lost);
        Assert.Equal(("active", 3, 3), (before.Status.State, before.Disks, before.DisksUp));
        Assert.True(before is { UsedBytes: > 0, FreeBytes: > 0, ResidentBytes: > 0, LastSeen: null });
        Assert.NotEqual("", before.Address);

        await fabric.KillAsync(lost);
        await Eventually.HoldsAsync(
            async () => (await SiloAsync(fabric, lost)).Status.State == "away", "it is known to be away");
        SiloDetails away = await SiloAsync(fabric, lost);
        Assert.Equal((3, 0, before.Address), (away.Disks, away.DisksUp, away.Address));
        Assert.True(away is { ResidentBytes: null, LastSeen: not null });
        await RefusedAsync(ErrorKind.PreconditionFailed, "zs silo remove", () => fabric.Client.DrainSiloAsync(lost, Cancel));

        SiloRemoved removed = await fabric.Client.RemoveSiloAsync(lost, cancel: Cancel);
        Assert.Equal((3, 0), (removed.Disks.Length, removed.PlacesShort));
        Assert.True(removed.PlacesMoved > 0);
        await WholeAsync(fabric);
        await objects.VerifyAsync(fabric);
        Assert.Equal("gone", (await SiloAsync(fabric, lost)).Status.State);
        Assert.DoesNotContain(await fabric.Client.ListDisksAsync(Cancel), d => d.Silo == lost);
        Assert.Equal(3, (await fabric.Client.ListSilosAsync(Cancel)).Count(s => s.Status.State == "active"));
        await RefusedAsync(
            ErrorKind.NotFound, fabric.Names.First(), () => fabric.Client.RemoveSiloAsync(lost, cancel: Cancel));
    }

    [Fact]
    public async Task A_silo_is_emptied_by_copying_and_when_it_is_stopped_then_nobody_misses_it()
    {
        await using TestSilos fabric = await StartAsync(4);
        TestObjects objects = await TestObjects.MakeVaultAsync(fabric);
        await objects.PutSomeAsync(fabric, 8);
        await WholeAsync(fabric);
        RepairProgress before = await fabric.Client.RepairAsync(cancel: Cancel);
        string silo = fabric.Names.ElementAt(1);
        Assert.True(await fabric.Client.DrainSiloAsync(silo, Cancel) > 0);
        await objects.VerifyAsync(fabric);
        await DrainedAsync(fabric, silo);
        RepairProgress after = await fabric.Client.RepairAsync(cancel: Cancel);
        Assert.True(after.ShardsCopied > before.ShardsCopied);
        Assert.Equal(before.ShardsRebuilt, after.ShardsRebuilt);

        await fabric.StopAsync(silo);
        await Eventually.HoldsAsync(
            async () => (await SiloAsync(fabric, silo)).Status.State == "away", "it has left");
        await objects.VerifyAsync(fabric);
        await WholeAsync(fabric);
        Assert.Equal(3, (await SiloAsync(fabric, silo)).DisksDrained);
        SiloRemoved removed = await fabric.Client.RemoveSiloAsync(silo, cancel: Cancel);
        Assert.Equal((0, 0), (removed.PlacesMoved, removed.PlacesShort));
        await objects.VerifyAsync(fabric);
    }

    [Fact]
    public async Task What_the_others_cannot_hold_is_neither_drained_nor_removed_unless_places_may_wait()
    {
        await using TestSilos fabric = await StartAsync(3);
        TestObjects objects = await TestObjects.MakeVaultAsync(fabric);
        await objects.PutSomeAsync(fabric, 3);
        await WholeAsync(fabric);
        string silo = fabric.Names.ElementAt(1);
        await RefusedAsync(
            ErrorKind.PolicyUnsatisfiable,
            $"no other disk can take a place of silo {silo}",
            () => fabric.Client.DrainSiloAsync(silo, Cancel));
        await RefusedAsync(
            ErrorKind.PolicyUnsatisfiable, "or say --yes", () => fabric.Client.RemoveSiloAsync(silo, cancel: Cancel));
        await RefusedAsync(
            ErrorKind.NotFound,
            string.Join(", ", fabric.Names.Order(StringComparer.Ordinal)),
            () => fabric.Client.DrainSiloAsync("nobody", Cancel));
        Assert.Equal(3, (await SiloAsync(fabric, silo)).DisksUp);

        // It lives, and closes its disks; it goes on as a silo without any.
        SiloRemoved removed = await fabric.Client.RemoveSiloAsync(silo, leaveShort: true, Cancel);
        Assert.True(removed.PlacesShort > 0);
        Assert.Empty(fabric.Services(silo).GetRequiredService<LocalHomes>().All);
        SiloDetails now = await SiloAsync(fabric, silo);
        Assert.Equal(("active", 0), (now.Status.State, now.Disks));
        await objects.VerifyAsync(fabric);
    }

    [Fact]
    public async Task A_drain_goes_on_when_the_silo_that_schedules_it_dies()
    {
        await using TestSilos fabric = await StartAsync(5, lostAfterSeconds: 1);
        TestObjects objects = await TestObjects.MakeVaultAsync(fabric);
        await objects.PutSomeAsync(fabric, 6);
        SiloAddress? scheduler = await fabric.Grains.GetGrain<IManagementGrain>(0).GetActivationAddress(
            fabric.Grains.GetGrain<IRepairSchedulerGrain>(0), Cancel);
        string[] others =
        [
            .. fabric.Names.Where(s => !fabric.Services(s).GetRequiredService<ILocalSiloDetails>().SiloAddress
                .Equals(scheduler)),
        ];
        Assert.Equal(4, others.Length);
        string first = fabric.Names.Except(others).Single();
        Assert.True(await fabric.Client.DrainSiloAsync(others[0], Cancel) > 0);
        await fabric.KillAsync(first);
        await DrainedAsync(fabric, others[0]);
        await WholeAsync(fabric);
        await objects.VerifyAsync(fabric);
    }

    // The first vault's groups can lose a silo, too: of their nine disks no more than three are on one.
    private static Task<TestSilos> StartAsync(int count, double lostAfterSeconds = 3600) =>
        TestSilos.StartAsync(count, o =>
        {
            o.IsShared = true;
            o.Code = "6+3";
            o.LostAfterSeconds = lostAfterSeconds;
        });

    private static async Task<SiloDetails> SiloAsync(TestSilos fabric, string name) =>
        Assert.Single(await fabric.Client.ListSilosAsync(Cancel), s => s.Status.Name == name);

    private static Task DrainedAsync(TestSilos fabric, string silo) => Eventually.HoldsAsync(
        async () =>
        {
            await fabric.Client.RepairAsync(hurry: true, Cancel);
            return (await SiloAsync(fabric, silo)).DisksDrained == TestSilos.DisksPerSilo;
        },
        "all its disks are drained");

    // Nobody hurries it.
    private static Task WholeAsync(TestSilos fabric) => Eventually.HoldsAsync(
        async () =>
        {
            Ledger ledger = (await fabric.Client.StatusAsync(Cancel)).Ledger;
            return ledger.Stripes > 0 && ledger.Whole == ledger.Stripes
                && (await fabric.Client.RepairAsync(cancel: Cancel)).GroupsToRepair == 0;
        },
        "every stripe has all its shards");

    private static async Task RefusedAsync(ErrorKind kind, string says, Func<Task> order)
    {
        ZeroStorException refusal = await Assert.ThrowsAsync<ZeroStorException>(order);
        Assert.Equal(kind, refusal.Kind);
        Assert.Contains(says, refusal.Message, StringComparison.Ordinal);
    }
}
