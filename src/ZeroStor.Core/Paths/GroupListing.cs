using System.Runtime.CompilerServices;
using ZeroStor.Erasure;

namespace ZeroStor.Paths;

/// <summary>One stripe in the merged listing: which disk says that it holds which place.</summary>
internal sealed class ListedStripe(StripeId stripe)
{
    private readonly List<(DiskId Disk, ShardEntry Entry)> _shards = [];

    public StripeId Stripe => stripe;

    public void Add(DiskId disk, in ShardEntry entry) => _shards.Add((disk, entry));

    /// <summary>How many of its places anybody holds, under the digest that most disks name.</summary>
    public int Held
    {
        get
        {
            Sum128 digest = Digest();
            var places = default(PlaceSet);
            foreach ((_, ShardEntry entry) in _shards)
            {
                if (entry.SumsDigest == digest)
                {
                    places.Add(entry.Place);
                }
            }

            return places.Count;
        }
    }

    /// <summary>Whether the home of this place holds it, under the digest that most disks name.</summary>
    public bool IsHome(PlacementGroup group, int place)
    {
        DiskId home = group.Places[place].Home;
        Sum128 digest = Digest();
        return _shards.Exists(s => s.Disk == home && s.Entry.Place == place && s.Entry.SumsDigest == digest);
    }

    /// <summary>Disks that hold a place without being its home or a former one: a past of the group left
    /// them.</summary>
    public IReadOnlyList<(DiskId Disk, int Place)> Strays(PlacementGroup group) =>
    [
        .. _shards
            .Where(s => s.Entry.Place < group.Places.Length)
            .Where(s => group.Places[s.Entry.Place] is var place
                && place.Home != s.Disk && !place.FormerHomes.Contains(s.Disk))
            .Select(s => (s.Disk, (int)s.Entry.Place)),
    ];

    private Sum128 Digest()
    {
        Sum128 first = _shards[0].Entry.SumsDigest;
        return _shards.TrueForAll(s => s.Entry.SumsDigest == first)
            ? first
            : _shards.GroupBy(s => s.Entry.SumsDigest).MaxBy(g => g.DistinctBy(s => s.Disk).Count())!.Key;
    }
}

/// <summary>Lists the stripes of a group, with all that its homes and former homes say they hold, in the
/// order of their ids: a merge of one ordered listing a disk, a page of each in memory. A disk that fails on
/// the way is absent from there on.</summary>
internal sealed class GroupListing(RepairHomes homes)
{
    /// <summary>Entries of one page: some hundred kilobytes in one answer.</summary>
    private const int EntriesPerPage = 2048;

    /// <param name="after">Only stripes behind this one.</param>
    /// <param name="cancel">Stops it.</param>
    public async IAsyncEnumerable<ListedStripe> RunAsync(
        StripeId after, [EnumeratorCancellation] CancellationToken cancel)
    {
        var heads = new PriorityQueue<Source, StripeId>();
        Source[] sources =
        [
            .. homes.Group.Places.SelectMany(p => p.FormerHomes.Add(p.Home)).Distinct()
                .Select(disk => new Source(homes, disk, after)),
        ];
        bool[] any = await Task.WhenAll(sources.Select(s => s.NextAsync(cancel)));
        foreach ((int i, Source source) in sources.Index())
        {
            if (any[i])
            {
                heads.Enqueue(source, source.Current.Stripe);
            }
        }

        ListedStripe? stripe = null;
        while (heads.TryDequeue(out Source? source, out StripeId id))
        {
            if (stripe is not null && stripe.Stripe != id)
            {
                yield return stripe;
                stripe = null;
            }

            stripe ??= new ListedStripe(id);
            stripe.Add(source.Disk, source.Current);
            if (await source.NextAsync(cancel))
            {
                heads.Enqueue(source, source.Current.Stripe);
            }
        }

        if (stripe is not null)
        {
            yield return stripe;
        }
    }

    /// <summary>One disk's listing. A page always ends with the last place of its last stripe, so the next
    /// one begins behind that stripe.</summary>
    private sealed class Source(RepairHomes homes, DiskId disk, StripeId after)
    {
        private IReadOnlyList<ShardEntry> _page = [];
        private int _at = -1;
        private StripeId _behind = after;
        private bool _isLast;

        public DiskId Disk => disk;

        public ShardEntry Current => _page[_at];

        public async Task<bool> NextAsync(CancellationToken cancel)
        {
            if (++_at < _page.Count)
            {
                return true;
            }

            if (_isLast)
            {
                return false;
            }

            _page = await homes.ListAsync(disk, _behind, EntriesPerPage, cancel) ?? [];
            if (!IsOrdered())
            {
                // Going on would merge wrongly, or never end.
                homes.Distrust(disk);
                _page = [];
            }

            _at = 0;
            _isLast = _page.Count < EntriesPerPage;
            _behind = _page.Count == 0 ? _behind : _page[^1].Stripe;
            return _page.Count > 0;
        }

        private bool IsOrdered()
        {
            StripeId previous = _behind;
            for (int i = 0; i < _page.Count; i++)
            {
                int order = _page[i].Stripe.CompareTo(previous);
                if (order < 0 || (order == 0 && i == 0))
                {
                    return false;
                }

                previous = _page[i].Stripe;
            }

            return true;
        }
    }
}
