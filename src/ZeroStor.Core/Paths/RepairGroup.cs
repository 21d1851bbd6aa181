using System.Collections.Concurrent;
using ZeroStor.Erasure;

namespace ZeroStor.Paths;

/// <summary>What a repair came to.</summary>
/// <param name="Stripes">Stripes that were looked at.</param>
/// <param name="ShardsRebuilt">Shards decoded from others and stored at their homes.</param>
/// <param name="ShardsCopied">Shards brought to their homes from another holder.</param>
/// <param name="ShardsLeft">Shards that still are not at their homes: too few good ones, or a home that is
/// absent or takes none. 0 says that all homes hold all that anybody who answered holds.</param>
/// <param name="BytesRead">Shard bytes read.</param>
/// <param name="BytesWritten">Shard bytes stored.</param>
public readonly record struct RepairTally(
    long Stripes, long ShardsRebuilt, long ShardsCopied, long ShardsLeft, long BytesRead, long BytesWritten)
{
    internal PlaceSet PlacesLeft { get; init; }

    /// <summary>Stripes that fewer than k places hold, though everybody answered: what a dead content left, or a
    /// placing that was given up; or a loss. A census tells which.</summary>
    public long Hopeless { get; init; }

    /// <summary>Whether the home of this place may lack a shard that somebody holds.</summary>
    public bool IsLeft(int place) => PlacesLeft.Contains(place);

    public static RepairTally operator +(RepairTally a, RepairTally b) => new(
        a.Stripes + b.Stripes,
        a.ShardsRebuilt + b.ShardsRebuilt,
        a.ShardsCopied + b.ShardsCopied,
        a.ShardsLeft + b.ShardsLeft,
        a.BytesRead + b.BytesRead,
        a.BytesWritten + b.BytesWritten)
    {
        PlacesLeft = a.PlacesLeft | b.PlacesLeft,
        Hopeless = a.Hopeless + b.Hopeless,
    };
}

/// <summary>A stripe that lacks shards.</summary>
/// <param name="Stripe">The stripe.</param>
/// <param name="Strays">Who holds some of them without being asked anyway: neither a home nor a former one.
/// </param>
public readonly record struct LackingStripe(StripeId Stripe, IReadOnlyList<(DiskId Disk, int Place)> Strays);

/// <summary>Brings the stripes of a group to all its homes. It asks no catalog: it rebuilds whatever the
/// group's disks hold. Which shards are right is said by the shard sums whose digest most disks name, so up
/// to m of them may lie: nothing is stored that does not match its sum, and who holds something else is named
/// to the observer. A stripe that lacks shards may be one that is being written, so it is looked at twice.
/// Repeating it changes nothing. When the map turns out to be older than the homes', the pass ends short,
/// with <see cref="RepairTally.ShardsLeft"/> above 0, and is to be run again. Thread-safe.</summary>
public sealed class RepairGroup(
    IShardHome homes, IFabricMap map, IReadObserver observer, Throttle throttle, TimeProvider time)
{
    /// <summary>Stripes under way at once: enough to hide the homes' answers, few enough to bound memory to
    /// some tens of megabytes.</summary>
    private const int StripesAtOnce = 4;

    /// <summary>Lacking stripes that share one <see cref="InFlightGrace"/>: of small stripes too many to wait
    /// for one by one, of large ones few enough to remember.</summary>
    private const int StripesPerBatch = 4096;

    /// <summary>A stripe that lacks shards is looked at again after this, longer than a coordinator waits for
    /// a slow home; only what is missing then is restored.</summary>
    public TimeSpan InFlightGrace { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>A home gets this long for each answer; who takes longer is absent for the rest of the pass.
    /// </summary>
    public TimeSpan HomeTimeout { get; init; } = TimeSpan.FromSeconds(30);

    internal PlantedDefects Planted { get; init; }

    /// <summary>Repairs all stripes that any home or former home of the group lists.</summary>
    /// <exception cref="ZeroStorException">NotFound: the map has no such group.</exception>
    public async Task<RepairTally> RunAsync(GroupId group, CancellationToken cancel)
    {
        RepairHomes pass = Begin(group, out Code code);
        var tally = default(RepairTally);
        var lacking = new List<LackingStripe>();
        await foreach (ListedStripe stripe in new GroupListing(pass).RunAsync(cancel))
        {
            int[] missing = [.. Enumerable.Range(0, code.N).Where(p => !stripe.IsHome(pass.Group, p))];
            bool isRepairable = Array.Exists(missing, p => !pass.IsAbsent(pass.Group.Places[p].Home));
            tally += new RepairTally { Stripes = 1 };
            if (isRepairable)
            {
                lacking.Add(new LackingStripe(stripe.Stripe, stripe.Strays(pass.Group)));
            }
            else if (missing.Length > 0)
            {
                tally += new RepairTally { ShardsLeft = missing.Length, PlacesLeft = PlaceSet.Of(missing) };
            }

            if (lacking.Count == StripesPerBatch)
            {
                tally += await RepairAsync(pass, code, lacking, cancel);
                lacking.Clear();
            }

            if (pass.IsStale)
            {
                break;
            }
        }

        tally += await RepairAsync(pass, code, lacking, cancel);
        return End(pass, code, tally);
    }

    /// <summary>Repairs these stripes alone, each given once: what a census found to lack shards.</summary>
    /// <exception cref="ZeroStorException">NotFound: the map has no such group.</exception>
    public async Task<RepairTally> RunStripesAsync(
        GroupId group, IReadOnlyCollection<LackingStripe> stripes, CancellationToken cancel)
    {
        RepairHomes pass = Begin(group, out Code code);
        var tally = default(RepairTally);
        foreach (LackingStripe[] batch in stripes.Chunk(StripesPerBatch))
        {
            var lacking = new ConcurrentBag<LackingStripe>();
            await Parallel.ForEachAsync(batch, AtOnce(cancel), async (stripe, token) =>
            {
                using var look = new RepairStripe(pass, code, observer, stripe);
                if (!await look.LookAsync(token))
                {
                    lacking.Add(stripe);
                }
            });
            tally += new RepairTally { Stripes = batch.Length };
            tally += await RepairAsync(pass, code, lacking, cancel);
            if (pass.IsStale)
            {
                break;
            }
        }

        return End(pass, code, tally);
    }

    private static ParallelOptions AtOnce(CancellationToken cancel) =>
        new() { MaxDegreeOfParallelism = StripesAtOnce, CancellationToken = cancel };

    // What a pass that ended short, or hardly saw anybody, did not come to is unknown, and must not pass for
    // none.
    private static RepairTally End(RepairHomes pass, Code code, RepairTally tally)
    {
        bool hidesSome = pass.IsStale || IsBlind(pass, code);
        return tally + pass.Bytes + new RepairTally
        {
            ShardsLeft = hidesSome && tally.ShardsLeft == 0 ? 1 : 0,
            PlacesLeft = hidesSome ? PlaceSet.Range(0, code.N) : default,
        };
    }

    // What is acknowledged stood on more than k places: of any m whole ones at least one lists it. Where
    // fewer answered, an empty newcomer would look whole because nobody was there who knows better.
    private static bool IsBlind(RepairHomes pass, Code code) =>
        pass.Group.Places.Count(p => p.IsWhole && !pass.IsAbsent(p.Home)) < Math.Min(code.K, code.M);

    private RepairHomes Begin(GroupId id, out Code code)
    {
        FabricMap current = map.Current;
        PlacementGroup group = current.Group(id)
            ?? throw ZeroStorException.NotFound($"The map has no group {id} to repair: read the map again.");
        code = current.Class(group.Class)!.Code;
        return new RepairHomes(homes, map, throttle, time, group)
        {
            HomeTimeout = HomeTimeout,
            Planted = Planted,
        };
    }

    private async Task<RepairTally> RepairAsync(
        RepairHomes pass, Code code, IReadOnlyCollection<LackingStripe> lacking, CancellationToken cancel)
    {
        var tally = default(RepairTally);
        if (lacking.Count == 0 || pass.IsStale)
        {
            return tally;
        }

        await Task.Delay(InFlightGrace, time, cancel);
        var gate = new Lock();
        await Parallel.ForEachAsync(lacking, AtOnce(cancel), async (item, token) =>
        {
            if (pass.IsStale)
            {
                return;
            }

            using var stripe = new RepairStripe(pass, code, observer, item);
            if (!await stripe.LookAsync(token))
            {
                RepairTally one = await stripe.RunAsync(token);
                lock (gate)
                {
                    tally += one;
                }
            }
        });
        return tally;
    }
}
