using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Cluster.Tests;

/// <summary>What an operator has scrubbed is read, and what rotted is repaired.</summary>
public sealed class ScrubTests
{
    private const int Objects = 130;
    private const int Flips = 200;
    private const int MaxBadOfStripe = 2;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_hundred_rotten_shards_are_found_and_repaired_while_every_get_is_right()
    {
        await using TestFabric fabric = await TestFabric.StartAsync(options => options.ScrubMaxMiBPerSecond = 0);
        fabric.LeavesDamage = true;
        Vault vault = fabric.Client.Vault("default");
        var objects = new ConcurrentDictionary<string, byte[]>();
        for (int i = 0; i < Objects; i++)
        {
            byte[] content = RandomNumberGenerator.GetBytes(1 + RandomNumberGenerator.GetInt32(60_000));
            objects[$"key{i}"] = content;
            await vault.PutAsync($"key{i}", new ReadOnlySequence<byte>(content), cancel: Cancel);
        }

        await RotAsync(vault);
        RepairProgress before = await fabric.Client.RepairAsync(cancel: Cancel);
        ScrubProgress scrub = await fabric.Client.BeginScrubAsync(cancel: Cancel);
        using var stop = new CancellationTokenSource();
        Task gets = Task.Run(
            async () =>
            {
                do
                {
                    await VerifyAsync(vault, objects);
                }
                while (!stop.IsCancellationRequested);
            },
            Cancel);
        scrub = await EndedAsync(fabric, scrub);
        RepairProgress after = await WholeAsync(fabric);
        await stop.CancelAsync();
        await gets;
        Assert.All(scrub.Disks, d => Assert.Equal("", d.Failure));
        Assert.Equal(6, scrub.Disks.Length);
        Assert.Equal(Flips, scrub.Bad);
        Assert.Equal(
            Flips, after.ShardsRebuilt + after.ShardsCopied - before.ShardsRebuilt - before.ShardsCopied);

        ScrubProgress again = await EndedAsync(fabric, await fabric.Client.BeginScrubAsync(cancel: Cancel));
        Assert.Equal((6 * Objects, 0), (again.Shards, again.Bad));
        Assert.Equal(again.TotalBytes, again.Bytes);
        await VerifyAsync(vault, objects);
        Assert.All(await PlacesAsync(vault), place => Assert.Equal("present", place.State));
    }

    [Fact]
    public async Task Only_the_disks_that_were_named_are_read_and_it_is_told_when()
    {
        await using TestFabric fabric = await TestFabric.StartAsync(options => options.ScrubMaxMiBPerSecond = 0);
        await fabric.Client.Vault("default").PutAsync(
            "key", new ReadOnlySequence<byte>(RandomNumberGenerator.GetBytes(3_000_000)), cancel: Cancel);
        Assert.Null((await fabric.Client.ShowDiskAsync(new DiskId(2), Cancel)).Notes!.LastScrubbed);
        ScrubProgress scrub = await EndedAsync(
            fabric, await fabric.Client.BeginScrubAsync([new(2), new(5), new(2)], Cancel));
        Assert.Equal([new DiskId(2), new DiskId(5)], scrub.Disks.Select(d => d.Disk));
        Assert.Equal((6, 0), (scrub.Shards, scrub.Bad));
        foreach (uint disk in new uint[] { 1, 2, 5 })
        {
            DiskNotes notes = (await fabric.Client.ShowDiskAsync(new DiskId(disk), Cancel)).Notes!;
            Assert.Equal(disk == 1 ? 0 : 3, notes.ShardsScrubbed);
            Assert.Equal(disk != 1, notes.LastScrubbed is not null);
            Assert.False(notes.IsScrubbing);
        }
    }

    [Fact]
    public async Task A_silo_that_was_started_again_has_forgotten_its_scrubs_and_says_so()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        ScrubProgress scrub = await EndedAsync(fabric, await fabric.Client.BeginScrubAsync([new(2)], Cancel));
        await fabric.StopAsync();
        await fabric.StartSiloAsync();
        scrub = await fabric.Client.ScrubProgressAsync(scrub, Cancel);
        Assert.True(scrub.IsEnded);
        Assert.Contains("started again", Assert.Single(scrub.Disks).Failure, StringComparison.Ordinal);
    }

    // One byte each in shards of the default vault, chosen by chance, at most m of a stripe.
    private static async Task RotAsync(Vault vault)
    {
        ShardPlace[] places = await PlacesAsync(vault);
        RandomNumberGenerator.Shuffle(places.AsSpan());
        var ofStripe = new Dictionary<StripeId, int>();
        int flipped = 0;
        foreach (ShardPlace place in places.TakeWhile(_ => flipped < Flips))
        {
            if (ofStripe.GetValueOrDefault(place.StripeId) < MaxBadOfStripe)
            {
                ofStripe[place.StripeId] = ofStripe.GetValueOrDefault(place.StripeId) + 1;
                Rot.Flip(place.File, place.Offset + RandomNumberGenerator.GetInt32(place.Length));
                flipped++;
            }
        }

        Assert.Equal(Flips, flipped);
    }

    private static async Task<ShardPlace[]> PlacesAsync(Vault vault)
    {
        var places = new List<ShardPlace>();
        for (int i = 0; i < Objects; i++)
        {
            await foreach (ShardPlace place in vault.LocateAsync($"key{i}", Cancel))
            {
                places.Add(place);
            }
        }

        return [.. places];
    }

    private static async Task<ScrubProgress> EndedAsync(TestFabric fabric, ScrubProgress scrub)
    {
        await Eventually.HoldsAsync(
            async () => (scrub = await fabric.Client.ScrubProgressAsync(scrub, Cancel)).IsEnded, "the scrub has ended");
        return scrub;
    }

    private static async Task<RepairProgress> WholeAsync(TestFabric fabric)
    {
        RepairProgress? now = null;
        await Eventually.HoldsAsync(
            async () =>
            {
                Ledger ledger = (await fabric.Client.StatusAsync(Cancel)).Ledger;
                now = await fabric.Client.RepairAsync(hurry: true, Cancel);
                return ledger.Whole == ledger.Stripes && now.GroupsToRepair == 0;
            },
            "what was bad is repaired");
        return now!;
    }

    private static async Task VerifyAsync(Vault vault, ConcurrentDictionary<string, byte[]> objects)
    {
        foreach ((string key, byte[] content) in objects)
        {
            await using ObjectStream read = await vault.OpenReadAsync(key, cancel: Cancel);
            using var all = new MemoryStream();
            await read.CopyToAsync(all, Cancel);
            Assert.Equal(content, all.ToArray());
        }
    }
}

/// <summary>Damages files as disks do.</summary>
internal static class Rot
{
    public static void Flip(string file, long offset)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        stream.Position = offset;
        int value = stream.ReadByte();
        stream.Position = offset;
        stream.WriteByte((byte)(value ^ 1));
    }
}
