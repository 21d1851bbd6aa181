using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace ZeroStor.Paths;

/// <summary>How many stripes of a group have how many of their shards: index is the number of missing ones.
/// </summary>
public sealed record GroupTally(GroupId Group, long Stripes, ImmutableArray<long> ByMissing);

/// <summary>Compares what the homes of a group say they hold. n short digests a bucket tell whether they hold
/// the same stripes; only where they differ are the stripes listed and counted one by one. What a former home
/// holds counts until the place is whole. Equal means equal, not whole: that every stripe of a live content
/// is there is for the census to say.</summary>
public sealed class SweepGroup(IShardHome homes, IFabricMap map)
{
    /// <summary>Stripes of one listing: some hundred kilobytes in one answer.</summary>
    private const int StripesPerListing = 4096;

    /// <param name="group">The group.</param>
    /// <param name="digests">Of every disk that answers; those that are absent hold nothing now.</param>
    /// <param name="cancel">Stops it.</param>
    public async Task<GroupTally> RunAsync(
        PlacementGroup group,
        IReadOnlyDictionary<DiskId, ImmutableArray<BucketDigest>> digests,
        CancellationToken cancel)
    {
        int n = group.Places.Length;
        var byMissing = new long[n + 1];
        if (TryCountEqual(group, digests, out long whole))
        {
            byMissing[0] = whole;
        }
        else
        {
            foreach (int present in (await ListAsync(group, digests, cancel)).Values)
            {
                byMissing[n - present]++;
            }
        }

        return new GroupTally(group.Id, byMissing.Sum(), [.. byMissing]);
    }

    /// <summary>The digests of every disk that answers; those that are absent hold nothing now.</summary>
    public static async Task<Dictionary<DiskId, ImmutableArray<BucketDigest>>> DigestsAsync(
        IShardHome homes, FabricMap map, CancellationToken cancel)
    {
        var digests = new Dictionary<DiskId, ImmutableArray<BucketDigest>>();
        foreach (DiskEntry disk in map.Disks.Where(d => d.State is not (DiskState.Removed or DiskState.Missing)))
        {
            try
            {
                digests[disk.Id] = await homes.DigestsAsync(new DiskAddress(disk.Id, disk.Claim), cancel);
            }
            catch (Exception e) when (e is not OutOfMemoryException && !cancel.IsCancellationRequested)
            {
                // It does not answer, however that is said: nothing of it counts.
            }
        }

        return digests;
    }

    /// <summary>Whether all homes of the group hold the same stripes.</summary>
    public static bool AreEqual(
        PlacementGroup group, IReadOnlyDictionary<DiskId, ImmutableArray<BucketDigest>> digests) =>
        TryCountEqual(group, digests, out _);

    private static bool TryCountEqual(
        PlacementGroup group,
        IReadOnlyDictionary<DiskId, ImmutableArray<BucketDigest>> digests,
        out long whole)
    {
        whole = 0;
        ImmutableArray<BucketDigest>? first = null;
        foreach (Place place in group.Places)
        {
            if (!digests.TryGetValue(place.Home, out ImmutableArray<BucketDigest> all))
            {
                return false;
            }

            ImmutableArray<BucketDigest> own =
                [.. all.Where(d => d.Group == group.Id && d.Count > 0).OrderBy(d => d.Bucket)];
            first ??= own;
            if (!own.SequenceEqual(first.Value))
            {
                return false;
            }
        }

        whole = first!.Value.Sum(d => d.Count);
        return true;
    }

    private async Task<Dictionary<StripeId, int>> ListAsync(
        PlacementGroup group,
        IReadOnlyDictionary<DiskId, ImmutableArray<BucketDigest>> digests,
        CancellationToken cancel)
    {
        var places = new Dictionary<StripeId, HashSet<byte>>();
        IEnumerable<DiskId> holders = group.Places.SelectMany(p => p.FormerHomes.Add(p.Home)).Distinct();
        foreach (DiskId disk in holders)
        {
            if (map.Current.Disk(disk) is not { } entry
                || !digests.TryGetValue(disk, out ImmutableArray<BucketDigest> held)
                || !held.Any(d => d.Group == group.Id))
            {
                continue;
            }

            await foreach (ShardEntry shard in ListDiskAsync(entry, group.Id, cancel))
            {
                if (!places.TryGetValue(shard.Stripe, out HashSet<byte>? present))
                {
                    places[shard.Stripe] = present = [];
                }

                present.Add(shard.Place);
            }
        }

        return places.ToDictionary(p => p.Key, p => Math.Min(p.Value.Count, group.Places.Length));
    }

    private async IAsyncEnumerable<ShardEntry> ListDiskAsync(
        DiskEntry disk, GroupId group, [EnumeratorCancellation] CancellationToken cancel)
    {
        var address = new DiskAddress(disk.Id, disk.Claim);
        StripeId after = default;
        while (true)
        {
            ImmutableArray<ShardEntry> page =
                await homes.ListAsync(address, group, after, StripesPerListing, cancel);
            foreach (ShardEntry shard in page)
            {
                yield return shard;
            }

            if (page.Length < StripesPerListing)
            {
                yield break;
            }

            after = page[^1].Stripe;
        }
    }
}
