using System.Collections.Immutable;
using ZeroStor.Contracts.Doors;
using ZeroStor.Paths;

namespace ZeroStor.Grains;

/// <summary>Counts the stripes of all groups by how many of their shards stand: from digests where the homes of
/// a group are equal, one by one where they differ. What the catalog says comes into it where it answers.
/// Thread-safe.</summary>
internal sealed class LedgerKeeper(
    IShardHome homes, SiloMap map, ICatalog catalog, SweepGroup sweep, ZeroStorOptions options, TimeProvider time)
{
    /// <summary>A count that takes longer lists what many homes hold: it must not be made anew as fast as somebody
    /// asks.</summary>
    private static readonly TimeSpan LongCount = TimeSpan.FromSeconds(1);

    /// <summary>For millions of stripes that lack shards.</summary>
    private static readonly TimeSpan CountPatience = TimeSpan.FromMinutes(5);

    private readonly Lock _lock = new();
    private Task<Ledger>? _counting;
    private bool _asksCatalog;
    private long _began;
    private long? _endedAt;
    private TimeSpan _took;

    /// <summary>How things stand: who asks while somebody counts gets that count, and one that took long is good
    /// for as long as it took.</summary>
    /// <param name="state">Tells the last census; null: the catalog does not answer, and is not asked.</param>
    /// <param name="cancel">Gives up waiting.</param>
    public Task<Ledger> TellAsync(FabricState? state, CancellationToken cancel)
    {
        lock (_lock)
        {
            if (_counting is null || _asksCatalog != state is not null || !IsGood(_counting))
            {
                (_asksCatalog, _began, _endedAt) = (state is not null, time.GetTimestamp(), null);
                _counting = Task.Run(() => BoundAsync(state), CancellationToken.None);
                _ = _counting.ContinueWith(
                    Ended, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            }

            return _counting.WaitAsync(cancel);
        }
    }

    private bool IsGood(Task<Ledger> counting) =>
        !counting.IsCompleted
        || (counting.IsCompletedSuccessfully && _endedAt is { } ended && _took > LongCount
            && time.GetElapsedTime(ended) < _took);

    private void Ended(Task<Ledger> counting)
    {
        lock (_lock)
        {
            if (counting == _counting)
            {
                (_took, _endedAt) = (time.GetElapsedTime(_began), time.GetTimestamp());
            }
        }
    }

    private async Task<Ledger> BoundAsync(FabricState? state)
    {
        using var bound = new CancellationTokenSource(CountPatience, time);
        return await CountAsync(state, bound.Token);
    }

    private async Task<Ledger> CountAsync(FabricState? state, CancellationToken cancel)
    {
        FabricMap current = map.Current;
        Dictionary<DiskId, ImmutableArray<BucketDigest>> digests =
            await SweepGroup.DigestsAsync(homes, current, cancel);
        var classes = ImmutableArray.CreateBuilder<ClassLedger>();
        var vaults = new List<(Code Code, VaultTally Tally)>();
        Tick inFlightSince = InFlightSince(state);
        foreach (PlacementClass placement in current.Classes.OrderBy(c => c.Id.Value))
        {
            var tallies = new List<GroupTally>();
            foreach (PlacementGroup group in current.GroupsOf(placement.Id))
            {
                tallies.Add(
                    await sweep.RunAsync(group, digests, state is null ? null : catalog, inFlightSince, cancel));
            }

            classes.Add(ClassOf(placement, tallies));
            vaults.AddRange(tallies.SelectMany(t => t.Vaults).Select(v => (placement.Code, v)));
        }

        long stripes = classes.Sum(c => c.Stripes);
        long whole = classes.Sum(c => c.Whole);
        bool isCensusFresh = state?.Census is { } last
            && state.Tick.Since(last.Began) <= options.CensusOverdueTicks;
        return new Ledger
        {
            Stripes = stripes,
            Whole = whole,
            ByMissing = Sum(classes.SelectMany(c => c.ByMissing)),
            Classes = classes.ToImmutable(),
            Census = state?.Census?.Began,
            Lost = state?.Census?.Lost ?? 0,
            IsGreen = whole == stripes && isCensusFresh && state is { Census.Lost: 0, WentBack: null },
            Vaults = await VaultsAsync(vaults, state is not null, cancel),
        };
    }

    // A catalog that went back knows nothing of what was committed since: then all of it counts.
    private Tick InFlightSince(FabricState? state) => state is { WentBack: null }
        ? new Tick(state.Tick.Value - Math.Min(state.Tick.Value, options.OrphanAfterTicks))
        : new Tick(uint.MaxValue);

    private static ClassLedger ClassOf(PlacementClass placement, List<GroupTally> tallies)
    {
        ImmutableSortedDictionary<int, long> byMissing = Sum(tallies.SelectMany(t => Counts(t.ByMissing)));
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

    private async Task<ImmutableArray<VaultLedger>> VaultsAsync(
        List<(Code Code, VaultTally Tally)> tallies, bool isCatalogThere, CancellationToken cancel)
    {
        Dictionary<VaultId, string> names = tallies.Exists(t => t.Tally.Vault is not null) && isCatalogThere
            ? await NamesAsync(cancel)
            : [];
        IEnumerable<VaultLedger> vaults = tallies
            .GroupBy(t => (t.Code, t.Tally.Vault), (of, all) => new VaultLedger
            {
                Vault = of.Vault is { } id ? names.GetValueOrDefault(id, id.ToString()) : "",
                Code = of.Code,
                ByMissing = Sum(all.SelectMany(t => Counts(t.Tally.ByMissing))),
            });
        return
        [
            .. vaults.OrderBy(v => v.Spare)
                .ThenByDescending(v => v.AtRisk)
                .ThenBy(v => v.Vault, StringComparer.Ordinal),
        ];
    }

    private async Task<Dictionary<VaultId, string>> NamesAsync(CancellationToken cancel)
    {
        try
        {
            return (await catalog.ListVaultsAsync(cancel)).ToDictionary(v => v.Id, v => v.Name);
        }
        catch (ZeroStorException e) when (e.Kind == ErrorKind.Unavailable)
        {
            // It went away meanwhile: ids tell it too.
            return [];
        }
    }

    private static IEnumerable<KeyValuePair<int, long>> Counts(ImmutableArray<long> byMissing) =>
        byMissing.Index().Where(c => c.Item > 0).Select(c => KeyValuePair.Create(c.Index, c.Item));

    private static ImmutableSortedDictionary<int, long> Sum(IEnumerable<KeyValuePair<int, long>> counts) =>
        counts.GroupBy(c => c.Key).ToImmutableSortedDictionary(g => g.Key, g => g.Sum(c => c.Value));
}
