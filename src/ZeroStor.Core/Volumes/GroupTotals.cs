using System.Collections.Immutable;
using System.IO.Hashing;

namespace ZeroStor.Volumes;

/// <summary>What a disk holds of each group: the digests of its buckets, kept as shards come and go, and the
/// places of which there are shards, damaged ones among them. Shards that come in the order of footers cost
/// least. Not thread-safe.</summary>
internal sealed class GroupTotals
{
    private readonly Dictionary<(GroupId Group, uint Bucket), Tally> _buckets = [];
    private readonly Dictionary<(GroupId Group, byte Place), Tally> _places = [];
    private (GroupId Group, uint Bucket) _lastBucket;
    private (GroupId Group, byte Place) _lastPlace;
    private Tally? _lastBucketTally;
    private Tally? _lastPlaceTally;

    /// <summary>A shard is here now, whether good or damaged.</summary>
    internal void AddPlace(in HeldShard shard) =>
        Of(_places, (shard.Group, shard.Place), ref _lastPlace, ref _lastPlaceTally).Count++;

    internal void RemovePlace(in HeldShard shard)
    {
        (GroupId, byte) key = (shard.Group, shard.Place);
        if (--Of(_places, key, ref _lastPlace, ref _lastPlaceTally).Count == 0)
        {
            _places.Remove(key);
            _lastPlaceTally = null;
        }
    }

    /// <summary>A shard counts as held from now on.</summary>
    internal void AddDigest(in HeldShard shard)
    {
        (GroupId, uint) key = (shard.Group, BucketDigest.BucketOf(shard.Stripe));
        Tally tally = Of(_buckets, key, ref _lastBucket, ref _lastBucketTally);
        tally.Count++;
        tally.Hash = unchecked(tally.Hash + HashOf(shard));
    }

    internal void RemoveDigest(in HeldShard shard)
    {
        (GroupId, uint) key = (shard.Group, BucketDigest.BucketOf(shard.Stripe));
        Tally tally = Of(_buckets, key, ref _lastBucket, ref _lastBucketTally);
        tally.Hash = unchecked(tally.Hash - HashOf(shard));
        if (--tally.Count == 0)
        {
            _buckets.Remove(key);
            _lastBucketTally = null;
        }
    }

    internal ImmutableArray<BucketDigest> Digests() =>
    [
        .. _buckets.OrderBy(b => b.Key)
            .Select(b => new BucketDigest(b.Key.Group, b.Key.Bucket, b.Value.Count, b.Value.Hash)),
    ];

    internal ImmutableArray<(GroupId Group, byte Place)> Places() => [.. _places.Keys.Order()];

    private static Tally Of<TKey>(
        Dictionary<TKey, Tally> tallies, TKey key, ref TKey lastKey, ref Tally? last)
        where TKey : notnull
    {
        if (last is not null && EqualityComparer<TKey>.Default.Equals(key, lastKey))
        {
            return last;
        }

        if (!tallies.TryGetValue(key, out Tally? tally))
        {
            tallies.Add(key, tally = new Tally());
        }

        (lastKey, last) = (key, tally);
        return tally;
    }

    private static UInt128 HashOf(in HeldShard shard)
    {
        Span<byte> bytes = stackalloc byte[Id128.Bytes + Sum128.Bytes];
        Id128.Write(bytes, shard.Stripe.Value);
        shard.SumsDigest.Write(bytes[Id128.Bytes..]);
        return XxHash128.HashToUInt128(bytes);
    }

    private sealed class Tally
    {
        internal long Count { get; set; }

        internal UInt128 Hash { get; set; }
    }
}
