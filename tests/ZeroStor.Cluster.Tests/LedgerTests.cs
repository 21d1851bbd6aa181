using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using ZeroStor.Client;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Doors;
using ZeroStor.Grains;

namespace ZeroStor.Cluster.Tests;

/// <summary>The ledger against a count of our own, from the volumes' bytes alone.</summary>
public sealed class LedgerTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_the_ledger_says_of_each_class_is_what_the_volumes_hold()
    {
        using var mounts = new TemporaryFolder();
        string[] disks = [.. Enumerable.Range(1, 6).Select(i => Path.Combine(mounts.Path, $"mount{i}"))];
        Array.ForEach(disks, d => Directory.CreateDirectory(d));
        await using TestFabric fabric = await TestFabric.StartAsync(o => UseDisks(o, disks));
        await fabric.Client.CreateVaultAsync(
            "thin", new VaultSpec { Code = new Code(2, 1) }, Cancel);
        await PutSomeAsync(fabric, "default", 12);
        await PutSomeAsync(fabric, "thin", 9);
        await SettleAsync(fabric);
        await AssertCountedAsync(fabric, disks, expectMissing: false);

        // Two folders are gone, which are nobody's to make anew, and some shards rot.
        await fabric.StopAsync();
        Directory.Delete(disks[1], recursive: true);
        Directory.Delete(disks[4], recursive: true);
        Array.ForEach([disks[1], disks[4]], d => Directory.CreateDirectory(d));
        await fabric.StartSiloAsync(o => UseDisks(o, disks));
        await Eventually.HoldsAsync(
            async () => (await fabric.Client.StatusAsync(Cancel)).Disks.Count(d => d.State == "missing") == 2,
            "the disks are missing");
        Ledger ledger = await AssertCountedAsync(fabric, disks, expectMissing: true);
        Assert.False(ledger.IsGreen);
        Assert.DoesNotContain(ledger.Classes[0].ByMissing.Keys, m => m != 2);
        AssertVaults(ledger);
    }

    [Fact]
    public async Task The_ledger_is_green_when_a_census_has_seen_it_and_not_for_ever()
    {
        await using TestFabric fabric = await TestFabric.StartAsync(o =>
        {
            o.CensusTicks = 1_000_000;
            o.CensusOverdueTicks = 3;
            o.TickSeconds = 0.5;
        });
        await PutSomeAsync(fabric, "default", 3);
        CensusProgress census = await TakeCensusAsync(fabric);
        Assert.Equal((0, 0, true), (census.Lost, census.Lacking, census.MetAllDisks));
        await Eventually.HoldsAsync(
            async () => (await fabric.Client.StatusAsync(Cancel)).Ledger is { Census: not null },
            "the census is told");
        await Eventually.HoldsAsync(
            async () => !(await fabric.Client.StatusAsync(Cancel)).Ledger.IsGreen, "the census is too long ago");
        await TakeCensusAsync(fabric);
        Assert.True((await fabric.Client.StatusAsync(Cancel)).Ledger.IsGreen);
    }

    [Fact]
    public async Task A_stripe_that_all_homes_dropped_is_lost_and_its_object_is_named()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        fabric.LeavesDamage = true;
        await PutSomeAsync(fabric, "default", 3);
        ShardPlace[] places =
            [.. await fabric.Client.Vault("default").LocateAsync("key1", Cancel).ToArrayAsync(Cancel)];
        foreach (ShardPlace place in places)
        {
            await using FileStream file = new(
                place.File, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            file.Position = place.Offset;
            file.WriteByte((byte)~file.ReadByte());
        }

        // A read finds all of it rotten, after which no disk lists it: for the sweep all homes are equal.
        ZeroStorException refused = await Assert.ThrowsAsync<ZeroStorException>(async () =>
        {
            await using ObjectStream read = await fabric.Client.Vault("default").OpenReadAsync("key1", cancel: Cancel);
            await read.CopyToAsync(Stream.Null, Cancel);
        });
        Assert.Equal(ErrorKind.TooFewShards, refused.Kind);
        await Eventually.HoldsAsync(
            async () => await TakeCensusAsync(fabric) is { Lost: > 0 } lost && lost.LostObjects is ["default/key1"],
            "the census names it");
        FabricStatus status = await fabric.Client.StatusAsync(Cancel);
        Assert.True(status.Ledger.Lost > 0);
        Assert.False(status.Ledger.IsGreen);
        Assert.Contains(status.Notices, n => n.Contains("lost", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_placing_that_was_given_up_goes_though_the_last_census_was_a_moment_ago()
    {
        // An hour's worth of ticks, which is when the next census would come by itself, is longer than this test may take.
        await using TestFabric fabric = await TestFabric.StartAsync(o => o.TickSeconds = 4);
        await PutSomeAsync(fabric, "default", 2);
        await SettleAsync(fabric);
        await PlaceForNobodyAsync(fabric, "key1");
        Ledger before = (await fabric.Client.StatusAsync(Cancel)).Ledger;
        Assert.Equal(before.Stripes - 1, before.Whole);
        await Eventually.HoldsAsync(
            async () => (await fabric.Client.StatusAsync(Cancel)).Ledger is { } now && now.Stripes == now.Whole,
            "what nothing names is gone");
    }

    // One shard of a stripe of a living object under another id: a coordinator died when it had placed no more.
    private static async Task PlaceForNobodyAsync(TestFabric fabric, string key)
    {
        ICatalog catalog = fabric.Silo.GetRequiredService<ICatalog>();
        var homes = fabric.Silo.GetRequiredService<IShardHome>();
        FabricMap map = fabric.Silo.GetRequiredService<IFabricMap>().Current;
        VaultEntry vault = (await catalog.FindVaultAsync("default", Cancel))!;
        VersionRow row = (await catalog.HeadAsync(vault.Id, [key], Cancel))[0]!;
        StripeRef stripe = Manifest.Decode(row.Manifest).Contents[0].Stripes[0];
        PlacementGroup group = map.Group(stripe.Group)!;
        DiskEntry home = map.Disk(group.Places[0].Home)!;
        var to = new DiskAddress(home.Id, home.Claim);
        ShardReadAnswer read = await homes.ReadAsync(
            new ShardReadOrder { To = to, Stripe = stripe.Id, Place = 0, Length = 0, WithExtensions = true }, Cancel);
        read = await homes.ReadAsync(
            new ShardReadOrder
            {
                To = to, Stripe = stripe.Id, Place = 0, Length = read.Header!.ShardBytes, WithExtensions = true,
            },
            Cancel);
        HomeAnswer answer = await homes.AppendAsync(
            new ShardAppend
            {
                To = to,
                Epoch = group.Epoch,
                Header = read.Header! with { Stripe = StripeId.New(read.Header!.Tick, SystemEntropy.Instance) },
                Extensions = read.Extensions,
                Payload = read.Payload,
            },
            Cancel);
        read.Payload.Release();
        Assert.True(answer.IsDone, answer.Detail);
    }

    // Two of six disks are gone: a stripe of the first lacks two of its six, one of the other up to two of three.
    private static void AssertVaults(Ledger ledger)
    {
        Assert.Equal(["default", "thin"], ledger.Vaults.Select(v => v.Vault).Order());
        Assert.Equal(ledger.Vaults.OrderBy(v => v.Spare), ledger.Vaults);
        foreach (VaultLedger vault in ledger.Vaults)
        {
            ClassLedger ofClass = ledger.Classes.Single(c => c.Code == vault.Code);
            Assert.Equal(ofClass.ByMissing.Remove(0), vault.ByMissing);
            Assert.Equal(ofClass.Stripes - ofClass.Whole, vault.AtRisk);
        }
    }

    private static void UseDisks(ZeroStorOptions options, string[] disks)
    {
        options.Disks = 0;
        options.DiskPaths = [.. disks];
    }

    private static async Task<CensusProgress> TakeCensusAsync(TestFabric fabric)
    {
        long ended = (await fabric.Client.CensusAsync(cancel: Cancel)).Ended;
        CensusProgress census = await fabric.Client.CensusAsync(begin: true, Cancel);
        await Eventually.HoldsAsync(
            async () => (census = await fabric.Client.CensusAsync(cancel: Cancel)) is { IsRunning: false }
                && census.Ended > ended,
            "the census has ended");
        return census;
    }

    // A home that was slow for once leaves a stripe short, or a placing that was given up.
    private static Task SettleAsync(TestFabric fabric) => Eventually.HoldsAsync(
        async () =>
        {
            await TakeCensusAsync(fabric);
            RepairProgress repair = await fabric.Client.RepairAsync(hurry: true, Cancel);
            Ledger ledger = (await fabric.Client.StatusAsync(Cancel)).Ledger;
            return ledger.Whole == ledger.Stripes && repair.GroupsToRepair == 0;
        },
        "every stripe has all its shards");

    private static async Task PutSomeAsync(TestFabric fabric, string vault, int count)
    {
        for (int i = 0; i < count; i++)
        {
            byte[] content = RandomNumberGenerator.GetBytes(1 + (i * 400_000));
            await fabric.Client.Vault(vault).PutAsync(
                $"key{i}", new ReadOnlySequence<byte>(content), cancel: Cancel);
        }
    }

    private static async Task<Ledger> AssertCountedAsync(TestFabric fabric, string[] disks, bool expectMissing)
    {
        Ledger ledger = (await fabric.Client.StatusAsync(Cancel)).Ledger;
        var stripes = disks.SelectMany(ColdDisk.Read)
            .GroupBy(s => (s.Stripe, s.K, s.M))
            .Select(g => (Code: new Code(g.Key.K, g.Key.M), Places: g.DistinctBy(s => s.Place).Count()))
            .ToList();
        Assert.Equal(expectMissing, stripes.Exists(s => s.Places < s.Code.N));
        Assert.Equal(stripes.Count, ledger.Stripes);
        foreach (ClassLedger ofClass in ledger.Classes)
        {
            var counted = stripes.Where(s => s.Code == ofClass.Code)
                .GroupBy(s => s.Code.N - s.Places)
                .ToDictionary(g => g.Key, g => (long)g.Count());
            Assert.Equal(counted, new Dictionary<int, long>(ofClass.ByMissing));
        }

        return ledger;
    }
}
