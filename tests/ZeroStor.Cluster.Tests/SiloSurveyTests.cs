using System.Buffers;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using ZeroStor.Contracts.Doors;
using ZeroStor.Contracts.Inner;
using ZeroStor.Grains;
using ZeroStor.Paths;

namespace ZeroStor.Cluster.Tests;

/// <summary>What is asked of all silos together: what they counted, what they saw of disks, what gets take.
/// </summary>
public sealed class SiloSurveyTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_silos_counted_is_summed_and_the_slowest_is_told()
    {
        await using TestSilos fabric = await TestSilos.StartAsync(2);
        await fabric.Client.CreateVaultAsync("two", new VaultSpec { Code = new Code(2, 1) }, Cancel);

        // Coordinators are taken by chance: both silos have worked after a while.
        int puts = 0;
        await Eventually.HoldsAsync(
            async () =>
            {
                byte[] content = RandomNumberGenerator.GetBytes(1000);
                await fabric.Client.Vault("two").PutAsync(
                    $"key{puts++}", new ReadOnlySequence<byte>(content), cancel: Cancel);
                return Each(fabric).All(c => c["stripesWritten"] > 0);
            },
            "both silos have written");
        FabricStatus status = await fabric.Client.StatusAsync(Cancel);
        Assert.Equal(Each(fabric).Sum(c => c["stripesWritten"]), status.Counters["stripesWritten"]);
        Assert.Equal(puts, status.Counters["stripesWritten"]);

        DiskStatus seen = status.Disks[4];
        int gets = 0;
        foreach (string silo in fabric.Names)
        {
            // Each saw the disk lie once, and had slower gets than the one before.
            IServiceProvider services = fabric.Services(silo);
            services.GetRequiredService<IReadObserver>().Found(default, 0, seen.Id, ErrorKind.Corrupt);
            LatencyWindow window = services.GetRequiredService<HomeHealth>().Gets;
            gets++;
            for (int i = 0; i < 512; i++)
            {
                window.Stop(window.Start() - (gets * 3600 * TimeProvider.System.TimestampFrequency));
            }
        }

        status = await fabric.Client.StatusAsync(Cancel);
        Assert.Equal(2, status.Disks.Single(d => d.Id == seen.Id).WrongShards);
        Assert.Equal(2, (await fabric.Client.ShowDiskAsync(seen.Id, Cancel)).Status.WrongShards);
        Assert.Contains(status.Notices, n => n.StartsWith($"disk {seen.Id} ", StringComparison.Ordinal)
            && n.Contains("answered 2 times", StringComparison.Ordinal));
        Assert.True((await fabric.Client.RepairAsync(cancel: Cancel)).GetP99 >= TimeSpan.FromHours(2));
    }

    [Fact]
    public async Task Each_silo_tells_what_its_process_used_of_processors()
    {
        await using TestSilos fabric = await TestSilos.StartAsync(2);
        ImmutableArray<SiloDetails> before = await fabric.Client.ListSilosAsync(Cancel);
        ImmutableArray<SiloDetails> after = await fabric.Client.ListSilosAsync(Cancel);
        ProcessorUse[] told = [.. before.Concat(after).Select(s => s.Processor!)];

        // All silos of a test are of one process, which goes on working.
        Assert.Equal(4, told.Length);
        Assert.Single(told.Select(u => u.Process).Distinct());
        Assert.True(before.Min(s => s.Processor!.Time) > TimeSpan.Zero);
        Assert.True(after.Max(s => s.Processor!.Time) > before.Min(s => s.Processor!.Time));
    }

    [Fact]
    public async Task A_silo_that_hangs_is_named_and_nobody_waits_for_it()
    {
        await using TestSilos fabric = await TestSilos.StartAsync(3);
        string hung = fabric.Names.Last();
        foreach (string silo in fabric.Names)
        {
            fabric.Services(silo).GetRequiredService<Counters>().Scrubbed(1, 0);
        }

        string notice = $"silo {hung} did not answer";
        Assert.DoesNotContain(
            (await fabric.Client.StatusAsync(Cancel)).Notices,
            n => n.StartsWith(notice, StringComparison.Ordinal));
        fabric.Hang(hung);
        FabricStatus status = await fabric.Client.StatusAsync(Cancel);

        // Whichever silo was asked: its own it knows all the same.
        Assert.True(
            status.Notices.Any(n => n.StartsWith(notice, StringComparison.Ordinal))
                ? status.Counters["shardsScrubbed"] == 2
                : status.Counters["shardsScrubbed"] == 3);
        SiloReports reports = await fabric.Services(fabric.Names.First()).GetRequiredService<SiloSurvey>()
            .AskAsync(Cancel);
        Assert.Equal([hung], reports.Silent);
        Assert.Equal(2, reports.Counters["shardsScrubbed"]);
    }

    [Fact]
    public void Of_no_answers_there_is_nothing_to_tell()
    {
        var reports = new SiloReports(
            ImmutableDictionary<string, SiloReport?>.Empty.Add("b", null).Add("a", null));
        Assert.Equal(["a", "b"], reports.Silent);
        Assert.Empty(reports.Counters);
        Assert.Equal((TimeSpan.Zero, 0L), (reports.GetP99, reports.WrongShards(new DiskId(1))));
    }

    private static ImmutableSortedDictionary<string, long>[] Each(TestSilos fabric) =>
        [.. fabric.Names.Select(s => fabric.Services(s).GetRequiredService<Counters>().Snapshot())];
}
