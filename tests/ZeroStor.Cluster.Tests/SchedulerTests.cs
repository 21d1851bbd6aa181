using Microsoft.Extensions.DependencyInjection;
using Orleans.Core.Internal;
using ZeroStor.Contracts.Doors;
using ZeroStor.Contracts.Inner;

namespace ZeroStor.Cluster.Tests;

/// <summary>The grain that repairs, reclaims and takes censuses, as Orleans moves it about.</summary>
public sealed class SchedulerTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_scheduler_that_shall_end_in_the_middle_of_a_long_census_has_a_successor_at_once()
    {
        // At such a share a census waits for hours behind its first batch.
        await using TestFabric fabric = await TestFabric.StartAsync(o => o.CensusShare = 1e-9);
        await fabric.Client.Vault("default").PutAsync(
            "k", new MemoryStream(new byte[1000]), cancel: Cancel);
        IRepairSchedulerGrain scheduler = SchedulerOf(fabric);
        await Eventually.HoldsAsync(async () => await IsInCensusAsync(scheduler), "the first census runs");
        long rounds = (await scheduler.ProgressAsync(hurry: false)).Rounds;

        // As the directory does, when the silo dies that had the entry.
        await scheduler.AsReference<IGrainManagementExtension>().DeactivateOnIdle(Cancel);

        await scheduler.WakeAsync();
        await Eventually.HoldsAsync(
            async () => (await scheduler.ProgressAsync(hurry: false)).Rounds > rounds + 1, "it goes on repairing");
        await Eventually.HoldsAsync(async () => await IsInCensusAsync(scheduler), "it takes the census anew");
    }

    [Fact]
    public async Task What_is_hurried_does_not_wait_for_its_pause()
    {
        // A quarter of a tick is the pause of a census.
        await using TestFabric fabric = await TestFabric.StartAsync(o => o.TickSeconds = 100_000);
        IRepairSchedulerGrain scheduler = SchedulerOf(fabric);
        await Eventually.HoldsAsync(async () => await EndedAsync(scheduler) == 1, "the first census ends");
        await scheduler.CensusAsync(begin: true);
        await Eventually.HoldsAsync(async () => await EndedAsync(scheduler) == 2, "a census that was asked for ends");
    }

    private static IRepairSchedulerGrain SchedulerOf(TestFabric fabric) =>
        fabric.Silo.GetRequiredService<IGrainFactory>().GetGrain<IRepairSchedulerGrain>(0);

    private static async Task<bool> IsInCensusAsync(IRepairSchedulerGrain scheduler)
    {
        CensusProgress census = await scheduler.CensusAsync(begin: false);
        return census.IsRunning && census.Ended == 0;
    }

    private static async Task<long> EndedAsync(IRepairSchedulerGrain scheduler) =>
        (await scheduler.CensusAsync(begin: false)).Ended;
}
