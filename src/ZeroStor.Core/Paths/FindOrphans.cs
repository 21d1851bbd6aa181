using System.Collections.Immutable;

namespace ZeroStor.Paths;

/// <summary>Condemns what was put and never committed: contents of which disks hold stripes, of which the
/// catalog has no row, and which are older than any put that goes without one. Each call looks at the stripes
/// that were placed in a span of ticks, which their ids tell, so that a sweep goes on where the last one
/// ended. What it condemns is reclaimed like all that is dead. Idempotent.</summary>
public sealed class FindOrphans(IShardHome homes, IFabricMap map, ICatalog catalog)
{
    /// <summary>Entries of one listing, and contents of one question to the catalog.</summary>
    private const int EntriesPerPage = 2048;

    /// <summary>Looks at the stripes placed from <paramref name="from"/> up to, and not in, <paramref
    /// name="until"/>.</summary>
    /// <returns>How many contents were condemned.</returns>
    /// <exception cref="ZeroStorException">A disk or the catalog could not be asked: the span is to be looked
    /// at again.</exception>
    public async Task<int> RunAsync(Tick from, Tick until, CancellationToken cancel)
    {
        var seen = new HashSet<ContentId>();
        int condemned = 0;
        FabricMap current = map.Current;
        foreach (DiskEntry disk in current.Disks.Where(d => d.State is DiskState.Up or DiskState.ReadOnly))
        {
            var address = new DiskAddress(disk.Id, disk.Claim);
            ImmutableArray<BucketDigest> digests = await homes.DigestsAsync(address, cancel);
            foreach (GroupId group in digests.Where(d => Overlaps(d, from, until)).Select(d => d.Group).Distinct())
            {
                condemned += await LookAsync(address, group, from, until, seen, cancel);
            }
        }

        return condemned;
    }

    private static bool Overlaps(BucketDigest digest, Tick from, Tick until) =>
        digest.Count > 0
        && digest.Bucket >= from.Value / BucketDigest.TicksPerBucket
        && digest.Bucket <= until.Value / BucketDigest.TicksPerBucket;

    private async Task<int> LookAsync(
        DiskAddress disk, GroupId group, Tick from, Tick until, HashSet<ContentId> seen, CancellationToken cancel)
    {
        var after = StripeId.LastBefore(from);
        int condemned = 0;
        while (true)
        {
            ImmutableArray<ShardEntry> page = await homes.ListAsync(disk, group, after, EntriesPerPage, cancel);
            ShardEntry[] span = [.. page.TakeWhile(e => e.Stripe.Written < until)];
            condemned += await JudgeAsync(disk, [.. span.Where(e => seen.Add(e.Content))], cancel);
            if (span.Length < page.Length || page.Length < EntriesPerPage)
            {
                return condemned;
            }

            after = page[^1].Stripe;
        }
    }

    private async Task<int> JudgeAsync(DiskAddress disk, ShardEntry[] entries, CancellationToken cancel)
    {
        if (entries.Length == 0)
        {
            return 0;
        }

        ImmutableArray<ContentState?> states =
            await catalog.StatesAsync([.. entries.Select(e => e.Content)], cancel);
        int condemned = 0;
        foreach (ShardEntry orphan in entries.Where((_, i) => states[i] is null))
        {
            if (await VaultOfAsync(disk, orphan, cancel) is { } vault)
            {
                await catalog.CondemnAsync(vault, [orphan.Content], map.Tick, cancel);
                condemned++;
            }
        }

        return condemned;
    }

    // Null when the shard went meanwhile, or is damaged: another holder's listing names it as well.
    private async Task<VaultId?> VaultOfAsync(DiskAddress disk, ShardEntry orphan, CancellationToken cancel)
    {
        ShardReadAnswer answer = await homes.ReadAsync(
            new ShardReadOrder { To = disk, Stripe = orphan.Stripe, Place = orphan.Place, Length = 0 }, cancel);
        answer.Payload.Release();
        return answer.Header?.Vault;
    }
}
