using System.Buffers;
using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;
using ZeroStor.Grains;

namespace ZeroStor.Cluster.Tests;

/// <summary>The fabric heals by itself: what is lost is restored at new homes, what returns counts
/// again.</summary>
public sealed class HealingTests : IAsyncLifetime
{
    private readonly Dictionary<string, byte[]> _objects = [];
    private TestFabric _fabric = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _fabric = await TestFabric.StartAsync(
            options => (options.ScrubPauseSeconds, options.ScrubPeriodDays) = (1, 0));
        for (int i = 0; i < 10; i++)
        {
            byte[] content = RandomNumberGenerator.GetBytes(1 + (i * 150_000));
            _objects[$"key{i}"] = content;
            await _fabric.Client.Vault("default").PutAsync(
                $"key{i}", new ReadOnlySequence<byte>(content), cancel: Cancel);
        }
    }

    public ValueTask DisposeAsync() => _fabric.DisposeAsync();

    [Fact]
    public async Task Disks_lost_while_the_silo_runs_are_made_anew_and_filled_round_after_round()
    {
        foreach ((string first, string second) in new[] { ("disk01", "disk04"), ("disk02", "disk06"), ("disk01", "disk05") })
        {
            long repaired = (await StatusAsync()).Counters["shardsRepaired"];
            Remove(first);
            Remove(second);
            await Eventually.HoldsAsync(
                async () => (await StatusAsync()).Counters["shardsRepaired"] > repaired, "repair has begun");
            await WholeAsync();
            await VerifyAsync();
        }

        await _fabric.StopAsync();
        await _fabric.StartSiloAsync();
        await WholeAsync();
        await VerifyAsync();
    }

    [Fact]
    public async Task A_folder_that_comes_back_under_another_name_counts_again()
    {
        string away = Path.Combine(_fabric.Folder, "elsewhere");
        Directory.CreateDirectory(away);
        string[] lost = ["disk02", "disk03", "disk05"];
        foreach (string disk in lost)
        {
            Directory.Move(Path.Combine(_fabric.Folder, disk), Path.Combine(away, disk));
        }

        await Eventually.HoldsAsync(
            async () => (await StatusAsync()).Disks.Count(d => d.State == "missing") >= 3, "the disks are missing");
        ZeroStorException refusal = await Assert.ThrowsAsync<ZeroStorException>(VerifyAsync);
        Assert.Equal(ErrorKind.TooFewShards, refusal.Kind);
        Assert.Contains("default/key", refusal.Message, StringComparison.Ordinal);

        Directory.Move(Path.Combine(away, "disk03"), Path.Combine(_fabric.Folder, "the-old-disk03"));
        await WholeAsync();
        await VerifyAsync();
    }

    [Theory]
    [InlineData("disk04")]
    [InlineData("disk22")]
    public async Task Five_of_24_folders_away_hide_what_needs_them_and_nothing_else(string returned)
    {
        await using TestFabric fabric = await TestFabric.StartAsync(o => (o.Disks, o.Code) = (24, "20+4"));
        Vault vault = fabric.Client.Vault("default");
        byte[] content = RandomNumberGenerator.GetBytes(5_000_000);
        await vault.PutAsync("before", new ReadOnlySequence<byte>(content), cancel: Cancel);
        ShardPlace[] places = [.. await vault.LocateAsync("before", Cancel).ToArrayAsync(Cancel)];
        string away = Directory.CreateDirectory(Path.Combine(fabric.Folder, "elsewhere")).FullName;
        string[] folders = ["disk04", "disk09", "disk13", "disk18", "disk22"];
        foreach (string folder in folders)
        {
            Directory.Move(Path.Combine(fabric.Folder, folder), Path.Combine(away, folder));
        }

        await Eventually.HoldsAsync(
            async () => (await fabric.Client.StatusAsync(Cancel)).Disks.Count(d => d.State == "missing") == 5,
            "five disks are missing");
        ZeroStorException refusal = await Assert.ThrowsAsync<ZeroStorException>(
            () => VerifyAsync(vault, "before", content));
        Assert.Equal(ErrorKind.TooFewShards, refusal.Kind);
        Assert.Contains("default/before", refusal.Message, StringComparison.Ordinal);

        // A range within a data shard that is there needs no other; and what comes now has other homes.
        ShardPlace here = places.First(p => p is { Stripe: 0, Index: < 20 } && !folders.Any(
            f => p.File.Contains($"/{f}/", StringComparison.Ordinal)));
        int segment = Geometry.SegmentBytes;
        int from = (int)((long)here.Index * here.Length / (segment + 16) * segment) + segment;
        var options = new ReadOptions { Range = ByteRange.OfLength(from, segment) };
        await using (ObjectStream range = await vault.OpenReadAsync("before", options, Cancel))
        {
            byte[] part = new byte[segment];
            await range.ReadExactlyAsync(part, Cancel);
            Assert.Equal(content[from..(from + segment)], part);
        }

        await vault.PutAsync("after", new ReadOnlySequence<byte>(content), cancel: Cancel);
        await VerifyAsync(vault, "after", content);
        Directory.Move(Path.Combine(away, returned), Path.Combine(fabric.Folder, "returned"));
        await Eventually.HoldsAsync(
            async () => (await fabric.Client.StatusAsync(Cancel)).Ledger is { } ledger
                && ledger.Whole == ledger.Stripes,
            "the fabric heals");
        await VerifyAsync(vault, "before", content);
        await VerifyAsync(vault, "after", content);
    }

    [Fact]
    public async Task A_folder_that_comes_back_when_all_is_healed_is_taken_in_and_gives_back_what_is_too_much()
    {
        string away = Path.Combine(Directory.CreateDirectory(Path.Combine(_fabric.Folder, "elsewhere")).FullName, "d");
        Directory.Move(Path.Combine(_fabric.Folder, "disk02"), away);
        await Eventually.HoldsAsync(
            async () => (await StatusAsync()).Disks is { Length: 6 } disks
                && disks.Any(d => d.Id.Value == 7 && d.State == "up")
                && disks.All(d => d.Id.Value != 2),
            "another takes its places and it is missed no more");
        await WholeAsync();
        Directory.Move(away, Path.Combine(_fabric.Folder, "found-again"));
        await Eventually.HoldsAsync(
            async () => (await StatusAsync()).Disks.Any(d => d.Id.Value == 2 && d.State == "up"), "it is taken in");
        await Eventually.HoldsAsync(
            async () => (await _fabric.Client.ShowDiskAsync(new DiskId(2), Cancel)).Shards == 0,
            "a census finds that nobody needs what it holds");
        await VerifyAsync();
        Assert.Equal(7, (await StatusAsync()).Disks.Length);
    }

    [Fact]
    public async Task Rotten_shards_that_a_read_meets_are_repaired()
    {
        _fabric.LeavesDamage = true;
        ShardPlace[] places = [.. await _fabric.Client.Vault("default").LocateAsync("key9", Cancel).ToArrayAsync(Cancel)];
        int stripes = places.Max(p => p.Stripe) + 1;
        foreach (ShardPlace place in places.Where(p => p.Index < 2))
        {
            Rot.Flip(place.File, place.Offset + (place.Length / 2));
        }

        await VerifyAsync();
        await Eventually.HoldsAsync(
            async () => (await StatusAsync()).Counters["shardsRepaired"] >= 2 * stripes, "rot is repaired");
        await WholeAsync();
        long wrong = (await StatusAsync()).Disks.Sum(d => d.WrongShards);
        Assert.True(wrong > 0);
        await VerifyAsync();
        Assert.Equal(wrong, (await StatusAsync()).Disks.Sum(d => d.WrongShards));
    }

    [Fact]
    public async Task Rotten_shards_that_nobody_reads_are_found_by_scrub_and_repaired()
    {
        _fabric.LeavesDamage = true;
        ShardPlace[] places = [.. await _fabric.Client.Vault("default").LocateAsync("key5", Cancel).ToArrayAsync(Cancel)];
        foreach (ShardPlace place in places.Where(p => p.Index is 1 or 4))
        {
            Rot.Flip(place.File, place.Offset + (place.Length / 3));
        }

        await Eventually.HoldsAsync(
            async () => (await StatusAsync()).Counters is { } counters
                && counters["shardsRotten"] == 2 && counters["shardsRepaired"] >= 2,
            "scrub finds the rot and repair mends it");
        await WholeAsync();
        await VerifyAsync();
    }

    [Fact]
    public async Task A_copy_of_a_folder_in_use_takes_nothing_from_it()
    {
        string original = Path.Combine(_fabric.Folder, "disk02");
        string copy = Path.Combine(_fabric.Folder, "a-copy");
        using (Process cp = Process.Start("cp", ["-a", original, copy]))
        {
            await cp.WaitForExitAsync(Cancel);
            Assert.Equal(0, cp.ExitCode);
        }

        await _fabric.Silo.GetRequiredService<DiskOpener>().AdoptAsync(Cancel);
        Assert.All((await StatusAsync()).Disks, d => Assert.Equal("up", d.State));
        await _fabric.StopAsync();
        await _fabric.StartSiloAsync();
        Assert.All((await StatusAsync()).Disks, d => Assert.Equal("up", d.State));
        await VerifyAsync();
    }

    [Fact]
    public async Task A_disk_that_was_made_anew_and_is_lost_again_while_the_silo_is_down_is_replaced()
    {
        Remove("disk03");
        await Eventually.HoldsAsync(
            async () => (await StatusAsync()).Counters["shardsRepaired"] > 0, "repair has begun");
        await WholeAsync();
        await _fabric.StopAsync();
        Remove("disk03");
        await _fabric.StartSiloAsync();
        await WholeAsync();
        await VerifyAsync();
        Assert.Equal(6, (await StatusAsync()).Disks.Count(d => d.State == "up"));
    }

    private Task<FabricStatus> StatusAsync() => _fabric.Client.StatusAsync(Cancel);

    private void Remove(string disk) => Directory.Delete(Path.Combine(_fabric.Folder, disk), recursive: true);

    private Task WholeAsync() => Eventually.HoldsAsync(
        async () =>
        {
            FabricStatus status = await StatusAsync();
            RepairProgress progress = await _fabric.Client.RepairAsync(cancel: Cancel);
            return status.Ledger.Whole == status.Ledger.Stripes && progress.GroupsToRepair == 0;
        },
        "every stripe has all its shards");

    private async Task VerifyAsync()
    {
        foreach ((string key, byte[] content) in _objects)
        {
            await VerifyAsync(_fabric.Client.Vault("default"), key, content);
        }
    }

    private static async Task VerifyAsync(Vault vault, string key, byte[] content)
    {
        await using ObjectStream read = await vault.OpenReadAsync(key, cancel: Cancel);
        using var all = new MemoryStream();
        await read.CopyToAsync(all, Cancel);
        Assert.Equal(content, all.ToArray());
    }
}
