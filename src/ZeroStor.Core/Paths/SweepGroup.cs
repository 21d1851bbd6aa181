using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ZeroStor.Erasure;

namespace ZeroStor.Paths;

/// <summary>How many stripes of a group have how many of their shards: index is the number of missing ones.
/// </summary>
/// <param name="Group">The group.</param>
/// <param name="Stripes">All that any holder has.</param>
/// <param name="ByMissing">Of all vaults.</param>
/// <param name="Vaults">Those that lack shards, by vault.</param>
public sealed record GroupTally(
    GroupId Group, long Stripes, ImmutableArray<long> ByMissing, ImmutableArray<VaultTally> Vaults);

/// <summary>The stripes of a vault that lack shards.</summary>
/// <param name="Vault">Null: of contents that nobody committed in time; or nobody could tell.</param>
/// <param name="ByMissing">Index is the number of missing shards.</param>
public sealed record VaultTally(VaultId? Vault, ImmutableArray<long> ByMissing);

/// <summary>Compares what the homes of a group say they hold. n short digests a bucket tell which of them hold the
/// same stripes; only in buckets where some differ are stripes listed and counted one by one, and those that agree
/// are listed once for all of them. What a former home holds counts until the place is whole. A stripe that lacks
/// shards because its content is dead, and so is on its way out, or because it is being written, is not counted.
/// Equal means equal, not whole: that every stripe of a live content is there is for the census to say.</summary>
public sealed class SweepGroup(IShardHome homes, IFabricMap map)
{
    /// <summary>Stripes of one listing: some hundred kilobytes in one answer.</summary>
    private const int StripesPerListing = 4096;

    /// <summary>Contents of one question to the catalog.</summary>
    private const int ContentsPerQuestion = 2048;

    /// <param name="group">The group.</param>
    /// <param name="digests">Of every disk that answers; those that are absent hold nothing now.</param>
    /// <param name="catalog">Tells what is dead, and of which vault; null where it does not answer.</param>
    /// <param name="inFlightSince">A stripe written since then whose content has no row is a write in flight: what
    /// it lacks may be on its way, and nobody was promised it.</param>
    /// <param name="cancel">Stops it.</param>
    public async Task<GroupTally> RunAsync(
        PlacementGroup group,
        IReadOnlyDictionary<DiskId, ImmutableArray<BucketDigest>> digests,
        ICatalog? catalog,
        Tick inFlightSince,
        CancellationToken cancel)
    {
        // The default id is no vault's.
        var vaults = new Dictionary<VaultId, long[]>();
        int n = group.Places.Length;
        var byMissing = new long[n + 1];
        ILookup<uint, Holding> buckets = Holdings(group, digests).ToLookup(h => h.Digest.Bucket);
        foreach (IGrouping<uint, Holding> bucket in buckets)
        {
            if (TryCountEqual(group, bucket, out long whole))
            {
                byMissing[0] += whole;
                continue;
            }

            Dictionary<StripeId, Sighting> seen = await ListAsync(group, bucket, cancel);
            Dictionary<ContentId, ContentOwner?> owners = await OwnersAsync(
                catalog,
                [.. seen.Values.Where(s => s.Places.Count < n).Select(s => s.Content).Distinct()],
                cancel);
            foreach ((StripeId id, Sighting stripe) in seen)
            {
                int missing = n - Math.Min(stripe.Places.Count, n);
                bool isKnown = owners.TryGetValue(stripe.Content, out ContentOwner? owner);
                bool isInFlight = isKnown && owner is null && id.Written >= inFlightSince;
                if (missing == 0)
                {
                    byMissing[0]++;
                }
                else if (!isInFlight && owner is not { State: ContentState.Dead })
                {
                    byMissing[missing]++;
                    ref long[]? ofVault =
                        ref CollectionsMarshal.GetValueRefOrAddDefault(vaults, owner?.Vault ?? default, out _);
                    ofVault ??= new long[n + 1];
                    ofVault[missing]++;
                }
            }
        }

        return new GroupTally(
            group.Id,
            byMissing.Sum(),
            [.. byMissing],
            [.. vaults.Select(v => new VaultTally(v.Key == default ? null : v.Key, [.. v.Value]))]);
    }

    /// <summary>The digests of every disk that answers; those that are absent hold nothing now. All are asked at
    /// once, so that several that hang are waited for together.</summary>
    public static async Task<Dictionary<DiskId, ImmutableArray<BucketDigest>>> DigestsAsync(
        IShardHome homes, FabricMap map, CancellationToken cancel)
    {
        var answers = await Task.WhenAll(map.Disks
            .Where(d => d.State is not (DiskState.Removed or DiskState.Missing))
            .Select(async d => (d.Id, Digests: await DigestsAsync(homes, d, cancel))));
        return answers.Where(a => !a.Digests.IsDefault).ToDictionary(a => a.Id, a => a.Digests);
    }

    private static async Task<ImmutableArray<BucketDigest>> DigestsAsync(
        IShardHome homes, DiskEntry disk, CancellationToken cancel)
    {
        try
        {
            return await homes.DigestsAsync(new DiskAddress(disk.Id, disk.Claim), cancel);
        }
        catch (Exception e) when (e is not OutOfMemoryException && !cancel.IsCancellationRequested)
        {
            // It does not answer, however that is said: nothing of it counts.
            return default;
        }
    }

    /// <summary>Whether all homes of the group hold the same stripes.</summary>
    public static bool AreEqual(
        PlacementGroup group, IReadOnlyDictionary<DiskId, ImmutableArray<BucketDigest>> digests) =>
        group.Places.All(p => digests.ContainsKey(p.Home))
        && Holdings(group, digests)
            .ToLookup(h => h.Digest.Bucket)
            .All(bucket => TryCountEqual(group, bucket, out _));

    /// <summary>The groups that need repair: those whose homes hold different stripes, or whose places are not
    /// all whole. Those that can lose the fewest disks more go first: of one class, those with the fewest whole
    /// places on disks that answer.</summary>
    public static ImmutableArray<PlacementGroup> FindUnequal(
        FabricMap map, IReadOnlyDictionary<DiskId, ImmutableArray<BucketDigest>> digests) =>
    [
        .. map.Groups
            .Where(g => g.Places.Any(p => !p.IsWhole) || !AreEqual(g, digests))
            .OrderBy(g => g.Places.Count(p => p.IsWhole && digests.ContainsKey(p.Home))
                - map.Class(g.Class)!.Code.K)
            .ThenBy(g => g.Id),
    ];

    /// <summary>How many shards the homes of the group that answer lack, about: as if each bucket had no more
    /// stripes than the home or former home that holds most of it.</summary>
    public static long CountLacking(
        PlacementGroup group, IReadOnlyDictionary<DiskId, ImmutableArray<BucketDigest>> digests)
    {
        ILookup<DiskId, BucketDigest> held = group.Places.SelectMany(p => p.FormerHomes.Add(p.Home)).Distinct()
            .SelectMany(disk => digests.GetValueOrDefault(disk, [])
                .Where(d => d.Group == group.Id)
                .Select(d => (disk, d)))
            .ToLookup(d => d.disk, d => d.d);
        long stripes = held.SelectMany(d => d).GroupBy(d => d.Bucket).Sum(b => b.Max(d => d.Count));
        return group.Places
            .Where(p => digests.ContainsKey(p.Home))
            .Sum(p => Math.Max(0, stripes - held[p.Home].Sum(d => d.Count)));
    }

    // What the homes and former homes that answer hold of the group.
    private static IEnumerable<Holding> Holdings(
        PlacementGroup group, IReadOnlyDictionary<DiskId, ImmutableArray<BucketDigest>> digests)
    {
        ILookup<DiskId, int> places = group.Places
            .SelectMany((p, i) => p.FormerHomes.Add(p.Home).Select(disk => (disk, Place: i)))
            .ToLookup(h => h.disk, h => h.Place);
        foreach (IGrouping<DiskId, int> holder in places)
        {
            int first = holder.First();
            bool hasOne = holder.Count() == 1 && group.Places[first].Home == holder.Key;
            foreach (BucketDigest digest in digests.GetValueOrDefault(holder.Key, []))
            {
                if (digest.Group == group.Id && digest.Count > 0)
                {
                    yield return new Holding(holder.Key, hasOne ? first : null, digest);
                }
            }
        }
    }

    // Whether all homes of the group hold the same stripes of a bucket.
    private static bool TryCountEqual(PlacementGroup group, IEnumerable<Holding> bucket, out long whole)
    {
        Dictionary<DiskId, BucketDigest> held = bucket.ToDictionary(h => h.Disk, h => h.Digest);
        BucketDigest first = held.GetValueOrDefault(group.Places[0].Home);
        whole = first.Count;
        return whole > 0 && group.Places.All(p => held.GetValueOrDefault(p.Home) == first);
    }

    private async Task<Dictionary<StripeId, Sighting>> ListAsync(
        PlacementGroup group, IEnumerable<Holding> bucket, CancellationToken cancel)
    {
        var seen = new Dictionary<StripeId, Sighting>();

        // A disk that is or was the home of several places may hold any of their shards; the others hold their own.
        foreach (IGrouping<object, Holding> equal in bucket.GroupBy(h => h.Place is null ? (object)h.Disk : h.Digest))
        {
            if (map.Current.Disk(equal.First().Disk) is not { } entry)
            {
                continue;
            }

            int[] others = [.. equal.Skip(1).Select(h => h.Place!.Value)];
            await foreach (ShardEntry shard in ListDiskAsync(entry, group.Id, equal.First().Digest.Bucket, cancel))
            {
                ref Sighting stripe =
                    ref CollectionsMarshal.GetValueRefOrAddDefault(seen, shard.Stripe, out _);
                stripe.Content = shard.Content;
                stripe.Places.Add(shard.Place);
                foreach (int place in others)
                {
                    stripe.Places.Add(place);
                }
            }
        }

        return seen;
    }

    // Null: no row. A catalog that does not answer keeps nobody from counting: then the dead, and what is being
    // written, count as the living do.
    private static async Task<Dictionary<ContentId, ContentOwner?>> OwnersAsync(
        ICatalog? catalog, ContentId[] contents, CancellationToken cancel)
    {
        var owners = new Dictionary<ContentId, ContentOwner?>();
        if (catalog is null)
        {
            return owners;
        }

        foreach (ContentId[] chunk in contents.Chunk(ContentsPerQuestion))
        {
            try
            {
                ImmutableArray<ContentOwner?> told = await catalog.OwnersAsync(chunk, cancel);
                foreach ((int i, ContentId content) in chunk.Index())
                {
                    owners[content] = told[i];
                }
            }
            catch (ZeroStorException e) when (e.Kind == ErrorKind.Unavailable)
            {
                break;
            }
        }

        return owners;
    }

    private async IAsyncEnumerable<ShardEntry> ListDiskAsync(
        DiskEntry disk, GroupId group, uint bucket, [EnumeratorCancellation] CancellationToken cancel)
    {
        var address = new DiskAddress(disk.Id, disk.Claim);
        var after = StripeId.LastBefore(BucketDigest.FirstTickOf(bucket));
        while (true)
        {
            ImmutableArray<ShardEntry> page =
                await homes.ListAsync(address, group, after, StripesPerListing, cancel);
            foreach (ShardEntry shard in page)
            {
                if (BucketDigest.BucketOf(shard.Stripe) != bucket)
                {
                    yield break;
                }

                yield return shard;
            }

            if (page.Length < StripesPerListing)
            {
                yield break;
            }

            after = page[^1].Stripe;
        }
    }

    /// <summary>What a disk holds of a bucket.</summary>
    /// <param name="Disk">A home or former home.</param>
    /// <param name="Place">The one place it is the home of; null where it is a former home, or has several.</param>
    /// <param name="Digest">Not of nothing.</param>
    private readonly record struct Holding(DiskId Disk, int? Place, BucketDigest Digest);

    /// <summary>What was seen of a stripe: 56 bytes, for a group that differs may hold millions.</summary>
    private struct Sighting
    {
        public ContentId Content;
        public PlaceSet Places;
    }
}
