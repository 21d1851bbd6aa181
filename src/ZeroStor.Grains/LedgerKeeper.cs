using System.Collections.Immutable;
using ZeroStor.Contracts.Doors;
using ZeroStor.Paths;

namespace ZeroStor.Grains;

/// <summary>Counts the stripes of all groups by how many of their shards stand: from digests where the homes of
/// a group are equal, one by one where they differ. Thread-safe.</summary>
internal sealed class LedgerKeeper(
    IShardHome homes, SiloMap map, SweepGroup sweep, ZeroStorOptions options)
{
    /// <param name="state">Tells the last census.</param>
    /// <param name="cancel">Ends it.</param>
    public async Task<Ledger> CountAsync(FabricState state, CancellationToken cancel)
    {
        FabricMap current = map.Current;
        Dictionary<DiskId, ImmutableArray<BucketDigest>> digests =
            await SweepGroup.DigestsAsync(homes, current, cancel);
        var classes = ImmutableArray.CreateBuilder<ClassLedger>();
        foreach (PlacementClass placement in current.Classes.OrderBy(c => c.Id.Value))
        {
            classes.Add(await CountAsync(placement, current.GroupsOf(placement.Id), digests, cancel));
        }

        long stripes = classes.Sum(c => c.Stripes);
        long whole = classes.Sum(c => c.Whole);
        bool isCensusFresh = state.Census is { } last
            && state.Tick.Since(last.Began) <= options.CensusOverdueTicks;
        return new Ledger
        {
            Stripes = stripes,
            Whole = whole,
            ByMissing = Sum(classes.SelectMany(c => c.ByMissing)),
            Classes = classes.ToImmutable(),
            Census = state.Census?.Began,
            Lost = state.Census?.Lost ?? 0,
            IsGreen = whole == stripes && isCensusFresh && state is { Census.Lost: 0, WentBack: null },
        };
    }

    private async Task<ClassLedger> CountAsync(
        PlacementClass placement,
        ImmutableArray<PlacementGroup> groups,
        Dictionary<DiskId, ImmutableArray<BucketDigest>> digests,
        CancellationToken cancel)
    {
        var tallies = new List<GroupTally>();
        foreach (PlacementGroup group in groups)
        {
            tallies.Add(await sweep.RunAsync(group, digests, cancel));
        }

        ImmutableSortedDictionary<int, long> byMissing = Sum(tallies
            .SelectMany(t => t.ByMissing.Index())
            .Where(t => t.Item > 0)
            .Select(t => KeyValuePair.Create(t.Index, t.Item)));
        return new ClassLedger
        {
            Class = placement.Id,
            Code = placement.Code,
            Spread = placement.Spread,
            Stripes = byMissing.Values.Sum(),
            Whole = byMissing.GetValueOrDefault(0),
            ByMissing = byMissing,
        };
    }

    private static ImmutableSortedDictionary<int, long> Sum(IEnumerable<KeyValuePair<int, long>> counts) =>
        counts.GroupBy(c => c.Key).ToImmutableSortedDictionary(g => g.Key, g => g.Sum(c => c.Value));
}
