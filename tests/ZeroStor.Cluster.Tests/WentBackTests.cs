using System.Buffers;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;
using ZeroStor.Grains;
using ZeroStor.Volumes;

namespace ZeroStor.Cluster.Tests;

/// <summary>Yesterday's catalog under today's disks: nothing is reclaimed by its word, and what it lacks is found.
/// </summary>
public sealed class WentBackTests : IAsyncLifetime
{
    private readonly Dictionary<string, byte[]> _objects = [];
    private readonly Random _random = new(5);
    private TestFabric _fabric = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _fabric = await TestFabric.StartAsync(Patient);

    public ValueTask DisposeAsync() => _fabric.DisposeAsync();

    [Fact]
    public async Task A_catalog_of_yesterday_deletes_nothing_and_is_adopted_with_all_that_disks_hold()
    {
        await PutAsync("old/kept", 700_000);
        await PutAsync("old/overwritten", 5_000_000);
        await RestartAsync(Backup, Patient);
        byte[] overwritten = _objects["old/overwritten"];
        for (int i = 0; i < 10; i++)
        {
            await PutAsync($"new/{i}", 100_000 + (i * 777_777));
        }

        await PutAsync("old/overwritten", 3_000_000);
        await LoseDiskAsync("disk03");
        await RestartAsync(Restore, Hasty);

        // By the word of that catalog all of it would be orphans by now, many times over.
        FabricStatus status = await StatusAsync();
        Assert.True(status.IsBehind);
        Assert.False(status.Ledger.IsGreen);
        Assert.Contains(status.Notices, n => n.Contains("zs catalog adopt", StringComparison.Ordinal));
        ImmutableArray<(uint Disk, long Shards)> held = Held();
        Tick later = new(status.Tick.Value + 12);
        await Eventually.HoldsAsync(async () => (await StatusAsync()).Tick >= later, "a dozen ticks pass");
        Assert.Equal(held, Held());
        Assert.Equal(0, (await StatusAsync()).Counters["contentsReclaimed"]);
        await VerifyAsync("old/kept", _objects["old/kept"]);
        await VerifyAsync("old/overwritten", overwritten);

        // What is lost from the catalog is listed first, and changes nothing.
        AdoptProgress look = await AdoptAsync(AdoptStep.Look);
        Assert.Equal((11, 0), (look.Found, look.Entered));
        Assert.All(look.Versions, v => Assert.Equal("", v.Refusal));
        Assert.Equal(
            [.. Enumerable.Range(0, 10).Select(i => $"new/{i}"), "old/overwritten"],
            look.Versions.Select(v => v.EnteredAs).Order(StringComparer.Ordinal));
        Assert.True((await StatusAsync()).IsBehind);
        Assert.Equal(held, Held());

        AdoptProgress adopted = await AdoptAsync(AdoptStep.Adopt);
        Assert.Equal((11, 11), (adopted.Found, adopted.Entered));
        Assert.False((await StatusAsync()).IsBehind);
        await VerifyAllAsync();
        ListPage beside = await Default.ListPageAsync(new ListOptions { Prefix = "old/overwritten.found-" }, 10, Cancel);
        await VerifyAsync(Assert.Single(beside.Entries).Key, overwritten);
        await using (ObjectStream found = await Default.OpenReadAsync("new/3", cancel: Cancel))
        {
            Assert.Contains(Adopter.FoundHeader, found.Version.Headers.Keys);
        }

        // And the fabric goes on: it heals, reclaims, and stays right over a restart.
        await WholeAsync();
        await RestartAsync(() => { }, Hasty);
        Assert.False((await StatusAsync()).IsBehind);
        await VerifyAllAsync();
        ZeroStorException none = await Assert.ThrowsAsync<ZeroStorException>(
            () => _fabric.Client.AdoptAsync(AdoptStep.Look, Cancel));
        Assert.Equal(ErrorKind.PreconditionFailed, none.Kind);
    }

    [Fact]
    public async Task Parts_of_an_upload_that_the_catalog_lost_become_an_object_beside_its_key()
    {
        await PutAsync("old", 10_000);
        await RestartAsync(Backup, Patient);
        Upload upload = await Default.BeginUploadAsync("film", cancel: Cancel);
        byte[][] contents = [.. new[] { 7_000_000, 5, 300_000 }.Select(RandomNumberGenerator.GetBytes)];
        var parts = new List<PartName>();
        foreach ((int i, byte[] content) in contents.Index())
        {
            await upload.PutPartAsync(3 * (i + 1), new ReadOnlySequence<byte>(new byte[9]), cancel: Cancel);
            PartInfo part = await upload.PutPartAsync(
                3 * (i + 1), new ReadOnlySequence<byte>(content), cancel: Cancel);
            parts.Add(new PartName(part.Number, part.ETag));
        }

        await upload.CompleteAsync(parts, cancel: Cancel);
        byte[] whole = [.. contents.SelectMany(c => c)];
        await VerifyAsync("film", whole);
        await RestartAsync(Restore, Hasty);
        AdoptProgress look = await AdoptAsync(AdoptStep.Look);
        Assert.Equal((6, 0), (look.Found, look.Entered));
        string key = Assert.Single(look.Versions.Select(v => v.EnteredAs).Distinct());
        Assert.StartsWith("film.found-upload-", key, StringComparison.Ordinal);
        Assert.Equal(3, look.Versions.Count(v => v.Refusal.Contains("put again", StringComparison.Ordinal)));
        AdoptProgress adopted = await AdoptAsync(AdoptStep.Adopt);
        Assert.Equal((6, 3), (adopted.Found, adopted.Entered));
        await VerifyAsync(key, whole);
        ZeroStorException none = await Assert.ThrowsAsync<ZeroStorException>(() => Default.HeadAsync("film", Cancel));
        Assert.Equal(ErrorKind.NotFound, none.Kind);
        await VerifyAllAsync();
    }

    [Fact]
    public async Task The_right_catalog_put_back_in_its_place_ends_the_alarm()
    {
        await PutAsync("a", 10_000);
        await RestartAsync(Backup);
        await PutAsync("b", 10_000);
        string right = Path.Combine(_fabric.Folder, "right");
        await _fabric.StopAsync();
        Directory.CreateDirectory(right);
        CopyCatalog(_fabric.Folder, right);
        Restore();
        await _fabric.StartSiloAsync(Hasty);
        Assert.True((await StatusAsync()).IsBehind);
        await _fabric.StopAsync();
        CopyCatalog(right, _fabric.Folder);
        await _fabric.StartSiloAsync(Hasty);

        // The disks have seen the tick that the other catalog was raised to, and claims it granted: this one is behind
        // as well, but knows all that was put.
        FabricStatus status = await StatusAsync();
        AdoptProgress? look = status.IsBehind ? await AdoptAsync(AdoptStep.Adopt) : null;
        Assert.Equal(0, look?.Found ?? 0);
        await VerifyAllAsync();
    }

    private Vault Default => _fabric.Client.Vault("default");

    // What dies before the catalog goes back is still there afterwards.
    private static void Patient(ZeroStorOptions options) => options.ReclaimAfterTicks = 100_000;

    // A tick is short and so is all that is counted in ticks.
    private static void Hasty(ZeroStorOptions options)
    {
        options.TickSeconds = 0.4;
        options.OrphanAfterTicks = 1;
        options.ReclaimAfterTicks = 1;
        options.ForgetAfterTicks = 2;
        options.UploadIdleTicks = 1;
    }

    private async Task RestartAsync(Action whileDown, Action<ZeroStorOptions>? configure = null)
    {
        await _fabric.StopAsync();
        whileDown();
        await _fabric.StartSiloAsync(configure);
    }

    private void Backup()
    {
        string backup = Path.Combine(_fabric.Folder, "backup");
        Directory.CreateDirectory(backup);
        CopyCatalog(_fabric.Folder, backup);
    }

    private void Restore() => CopyCatalog(Path.Combine(_fabric.Folder, "backup"), _fabric.Folder);

    private static void CopyCatalog(string from, string to)
    {
        foreach (string old in Directory.GetFiles(to, "catalog.db*"))
        {
            File.Delete(old);
        }

        foreach (string file in Directory.GetFiles(from, "catalog.db*"))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }
    }

    private async Task LoseDiskAsync(string disk)
    {
        Directory.Delete(Path.Combine(_fabric.Folder, disk), recursive: true);
        await Eventually.HoldsAsync(
            async () => (await StatusAsync()).Disks.Any(d => d.Id.Value == 7 && d.State == "up"), "it is made anew");
        await WholeAsync();
    }

    private ImmutableArray<(uint Disk, long Shards)> Held() =>
    [
        .. _fabric.Silo.GetRequiredService<LocalHomes>().All
            .Select(d => d.Report())
            .OrderBy(r => r.Disk)
            .Select(r => (r.Disk.Value, r.Shards)),
    ];

    private async Task<AdoptProgress> AdoptAsync(AdoptStep step)
    {
        long ended = (await _fabric.Client.AdoptAsync(cancel: Cancel)).Ended;
        await _fabric.Client.AdoptAsync(step, Cancel);
        AdoptProgress now = await _fabric.Client.AdoptAsync(cancel: Cancel);
        await Eventually.HoldsAsync(
            async () => (now = await _fabric.Client.AdoptAsync(cancel: Cancel)).Ended > ended, "it has ended");
        Assert.Null(now.Failure);
        return now;
    }

    private Task<FabricStatus> StatusAsync() => _fabric.Client.StatusAsync(Cancel);

    private Task WholeAsync() => Eventually.HoldsAsync(
        async () =>
        {
            Ledger ledger = (await StatusAsync()).Ledger;
            RepairProgress repair = await _fabric.Client.RepairAsync(hurry: true, Cancel);
            return ledger.Whole == ledger.Stripes && repair.GroupsToRepair == 0;
        },
        "every stripe has all its shards");

    private async Task PutAsync(string key, int bytes)
    {
        byte[] content = new byte[bytes];
        _random.NextBytes(content);
        await Default.PutAsync(key, new ReadOnlySequence<byte>(content), cancel: Cancel);
        _objects[key] = content;
    }

    private async Task VerifyAllAsync()
    {
        foreach ((string key, byte[] content) in _objects)
        {
            await VerifyAsync(key, content);
        }
    }

    private async Task VerifyAsync(string key, byte[] content)
    {
        await using ObjectStream read = await Default.OpenReadAsync(key, cancel: Cancel);
        using var all = new MemoryStream();
        await read.CopyToAsync(all, Cancel);
        Assert.Equal(content, all.ToArray());
    }
}
