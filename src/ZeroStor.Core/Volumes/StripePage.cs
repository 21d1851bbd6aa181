using System.Collections.Immutable;

namespace ZeroStor.Volumes;

/// <summary>The first stripes behind one of all that are offered, with the shards of them: what a listing
/// tells at once, however much it passes over. A shard that is offered twice counts once.</summary>
internal sealed class StripePage(StripeId after, int max)
{
    private readonly SortedSet<StripeId> _order = [];
    private readonly Dictionary<StripeId, List<ShardEntry>> _stripes = [];

    internal void Offer(in HeldShard shard)
    {
        if (shard.IsBad
            || shard.Stripe.CompareTo(after) <= 0
            || (_order.Count == max && shard.Stripe.CompareTo(_order.Max) > 0))
        {
            return;
        }

        if (!_stripes.TryGetValue(shard.Stripe, out List<ShardEntry>? entries))
        {
            _stripes.Add(shard.Stripe, entries = []);
            _order.Add(shard.Stripe);
            if (_order.Count > max)
            {
                _stripes.Remove(_order.Max);
                _order.Remove(_order.Max);
            }
        }

        byte place = shard.Place;
        if (!entries.Exists(e => e.Place == place))
        {
            entries.Add(shard.Entry);
        }
    }

    /// <summary>At most so many as were asked for; but of the last stripe all places, beyond that if need
    /// be.</summary>
    internal ImmutableArray<ShardEntry> ToEntries()
    {
        ImmutableArray<ShardEntry>.Builder told = ImmutableArray.CreateBuilder<ShardEntry>();
        foreach (StripeId stripe in _order)
        {
            if (told.Count >= max)
            {
                break;
            }

            told.AddRange(_stripes[stripe].OrderBy(e => e.Place));
        }

        return told.ToImmutable();
    }
}
