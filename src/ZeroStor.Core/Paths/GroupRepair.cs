using ZeroStor.Erasure;

namespace ZeroStor.Paths;

/// <summary>One pass of repair over a group, in steps: note what lacks shards, and, when what was in flight had
/// its time, restore it. A group may lack more than can be remembered. So the first listing goes through all of
/// it and keeps the stripes with the fewest shards left; if there were more, what is behind is noted batch by
/// batch from a second one, which no stripe that cannot be restored can hold up. Its steps come one after the
/// other.</summary>
internal sealed class GroupRepair(
    RepairHomes homes,
    Code code,
    IReadObserver observer,
    IRepairFollower? follower,
    RepairWindow window,
    TimeProvider time)
{
    /// <summary>Stripes of a group under way at once, where the window lets them.</summary>
    public const int StripesAtOnce = RepairWindow.MaxStripes / RepairGroup.GroupsAtOnce;

    /// <summary>Stripes noted in one step: of small stripes too many to wait for one by one, of large ones few
    /// enough to remember.</summary>
    public const int StripesPerBatch = 4096;

    private readonly Lock _gate = new();
    private List<LackingStripe> _noted = [];
    private RepairTally _tally;
    private StripeId _behind;
    private bool _isSecondListing;

    public required int Batch { get; init; }

    public required int AtOnce { get; init; }

    public GroupId Group => homes.Group.Id;

    /// <summary>Stripes that wait to be restored.</summary>
    public int Noted => _noted.Count;

    /// <summary>Whether all that lacks shards was noted, or the pass must end short.</summary>
    public bool IsListed { get; private set; }

    public bool IsStale => homes.IsStale;

    /// <summary>Notes what lacks shards; nothing, when there is nothing more.</summary>
    public async Task NoteAsync(CancellationToken cancel)
    {
        if (_isSecondListing)
        {
            await NoteNextAsync(cancel);
        }
        else
        {
            await NoteRiskiestAsync(cancel);
        }

        IsListed |= IsStale;
        Sort();
    }

    /// <summary>Notes what lacks shards among these stripes.</summary>
    public async Task NoteAsync(IReadOnlyCollection<LackingStripe> stripes, CancellationToken cancel)
    {
        await Parallel.ForEachAsync(stripes, Parallelism(cancel), async (stripe, token) =>
        {
            using var look = new RepairStripe(homes, code, observer, stripe);
            if (!await look.LookAsync(token))
            {
                lock (_gate)
                {
                    _noted.Add(stripe with { Held = look.Held });
                }
            }
        });
        _tally += new RepairTally { Stripes = stripes.Count };
        Sort();
    }

    /// <summary>Restores what was noted and lacks shards still.</summary>
    public async Task RestoreAsync(CancellationToken cancel)
    {
        await Parallel.ForEachAsync(_noted, Parallelism(cancel), async (item, token) =>
        {
            await window.EnterAsync(token);
            try
            {
                if (!IsStale)
                {
                    await RestoreAsync(item, token);
                }
            }
            finally
            {
                window.Leave();
            }
        });
        _noted = [];
        IsListed |= IsStale;
    }

    /// <summary>What the pass came to. What one that ended short, or hardly saw anybody, did not come to is
    /// unknown, and must not pass for none.</summary>
    public RepairTally End()
    {
        bool hidesSome = IsStale || IsBlind();
        return _tally + new RepairTally
        {
            ShardsLeft = hidesSome && _tally.ShardsLeft == 0 ? 1 : 0,
            PlacesLeft = hidesSome ? PlaceSet.Range(0, code.N) : default,
        };
    }

    private async Task RestoreAsync(LackingStripe lacking, CancellationToken cancel)
    {
        using var stripe = new RepairStripe(homes, code, observer, lacking);
        long began = time.GetTimestamp();
        bool isWhole = await stripe.LookAsync(cancel);
        window.Looked(time.GetElapsedTime(began));
        if (isWhole)
        {
            return;
        }

        RepairTally one = await stripe.RunAsync(cancel);
        lock (_gate)
        {
            _tally += one;
        }

        follower?.Restored(Group, one);
    }

    private async Task NoteRiskiestAsync(CancellationToken cancel)
    {
        // The safest is on top, and goes when there are too many.
        var riskiest = new PriorityQueue<LackingStripe, int>();
        var seen = default(RepairTally);
        await foreach (ListedStripe stripe in new GroupListing(homes).RunAsync(default, cancel))
        {
            seen += Look(stripe, out LackingStripe? lacking);
            if (lacking is { } found)
            {
                riskiest.Enqueue(found, -Rank(found));
            }

            if (riskiest.Count > Batch)
            {
                riskiest.Dequeue();
                _isSecondListing = true;
            }

            if (IsStale)
            {
                break;
            }
        }

        _noted = [.. riskiest.UnorderedItems.Select(i => i.Element)];
        IsListed = !_isSecondListing;

        // A second listing sees all of them again.
        _tally += IsListed || IsStale ? seen : default;
    }

    private async Task NoteNextAsync(CancellationToken cancel)
    {
        await foreach (ListedStripe stripe in new GroupListing(homes).RunAsync(_behind, cancel))
        {
            _behind = stripe.Stripe;
            _tally += Look(stripe, out LackingStripe? lacking);
            if (lacking is { } found)
            {
                _noted.Add(found);
            }

            if (_noted.Count == Batch || IsStale)
            {
                return;
            }
        }

        IsListed = true;
    }

    private RepairTally Look(ListedStripe stripe, out LackingStripe? lacking)
    {
        int[] missing = [.. Enumerable.Range(0, code.N).Where(p => !stripe.IsHome(homes.Group, p))];
        bool isRepairable = Array.Exists(missing, p => !homes.IsAbsent(homes.Group.Places[p].Home));
        lacking = isRepairable
            ? new LackingStripe(stripe.Stripe, stripe.Strays(homes.Group)) { Held = stripe.Held }
            : null;
        return isRepairable || missing.Length == 0
            ? new RepairTally { Stripes = 1 }
            : new RepairTally { Stripes = 1, ShardsLeft = missing.Length, PlacesLeft = PlaceSet.Of(missing) };
    }

    // What too few hold cannot be helped now, and must keep nobody waiting.
    private int Rank(in LackingStripe stripe) => stripe.Held < code.K ? int.MaxValue : stripe.Held;

    private void Sort() => _noted = [.. _noted.OrderBy(s => Rank(s)).ThenBy(s => s.Stripe)];

    // What is acknowledged stood on more than k places: of any m whole ones at least one lists it. Where
    // fewer answered, an empty newcomer would look whole because nobody was there who knows better.
    private bool IsBlind() =>
        homes.Group.Places.Count(p => p.IsWhole && !homes.IsAbsent(p.Home)) < Math.Min(code.K, code.M);

    private ParallelOptions Parallelism(CancellationToken cancel) =>
        new() { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancel };
}
