using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace ZeroStor.Paths;

/// <summary>A content that disks hold whole, and of which the catalog has no row, or one that says it was
/// never committed.</summary>
public sealed record FoundContent
{
    public required ContentId Content { get; init; }

    public required VaultId Vault { get; init; }

    public required Code Code { get; init; }

    /// <summary>All stripes from the first on, in order; each with at least k shards that agree.</summary>
    public required ImmutableArray<StripeRef> Stripes { get; init; }

    /// <summary>The <see cref="CommitDraft"/> as the vault's keys sealed it; empty where no record carries
    /// one, as when the put did not come to its last stripe.</summary>
    public required ReadOnlyMemory<byte> SealedDraft { get; init; }

    /// <summary>The tick in which its last stripe was placed.</summary>
    public Tick Written => Stripes.Max(s => s.Id.Written);
}

/// <summary>Finds on disks what a catalog that went back has lost. All holders of a stripe are asked what it
/// is, and what most say counts (<see cref="StripeTruth"/>), so up to m of them may lie. Changes nothing. Reads
/// a record's header for each shard found: for an operator who asks, not for a loop.</summary>
public sealed class FindContents(IShardHome homes, IFabricMap map, ICatalog catalog)
{
    private const int EntriesPerPage = 2048;

    /// <summary>Contents looked at together: each such batch costs every disk a pass over its index.</summary>
    private const int ContentsPerBatch = 512;

    /// <summary>Unknown contents remembered: 16 MB. What is beyond is found when these are adopted.</summary>
    private const int MaxContents = 1_000_000;

    /// <param name="until">Contents that were begun later are left alone: they may be puts under way.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="ZeroStorException">The catalog could not be asked.</exception>
    public async IAsyncEnumerable<FoundContent> RunAsync(
        Tick until, [EnumeratorCancellation] CancellationToken cancel)
    {
        HashSet<ContentId> unknown = await UnknownAsync(until, cancel);
        foreach (ContentId[] batch in unknown.Order().Chunk(ContentsPerBatch))
        {
            Dictionary<StripeId, List<(DiskEntry Disk, ShardEntry Shard)>> held = await HeldAsync(batch, cancel);
            ILookup<ContentId, StripeTruth> truths = (await TruthsAsync(held, cancel)).ToLookup(t => t.Content);
            foreach (IGrouping<ContentId, StripeTruth> content in truths)
            {
                if (Assemble(content.Key, content) is { } found)
                {
                    yield return found;
                }
            }
        }
    }

    private static FoundContent? Assemble(ContentId content, IEnumerable<StripeTruth> truths)
    {
        // A stripe that was placed twice stands where most of it is.
        StripeTruth[] stripes =
        [
            .. truths.GroupBy(t => t.Ordinal)
                .OrderBy(g => g.Key)
                .Select(g => g.MaxBy(t => t.Good.DistinctBy(h => h.Place).Count())!),
        ];
        bool isOne = stripes.Index().All(s => s.Item.Ordinal == s.Index
            && s.Item.Vault == stripes[0].Vault && s.Item.Code == stripes[0].Code);
        if (!isOne)
        {
            return null;
        }

        RecordExtension draft = stripes[^1].Extensions.FirstOrDefault(e => e.Type == ExtensionType.Manifest);
        return new FoundContent
        {
            Content = content,
            Vault = stripes[0].Vault,
            Code = stripes[0].Code,
            Stripes = [.. stripes.Select(s => s.Stripe)],
            SealedDraft = draft.Value,
        };
    }

    private IEnumerable<DiskEntry> Disks() =>
        map.Current.Disks.Where(d => d.State is not (DiskState.Removed or DiskState.Missing));

    private async Task<HashSet<ContentId>> UnknownAsync(Tick until, CancellationToken cancel)
    {
        var unknown = new HashSet<ContentId>();
        var seen = new HashSet<ContentId>();
        foreach (DiskEntry disk in Disks())
        {
            var address = new DiskAddress(disk.Id, disk.Claim);
            ImmutableArray<BucketDigest> digests = await homes.DigestsAsync(address, cancel);
            foreach (GroupId group in digests.Select(d => d.Group).Distinct())
            {
                await foreach (ContentId[] page in PagesAsync(address, group, cancel))
                {
                    ContentId[] fresh = [.. page.Where(c => c.Begun <= until && seen.Add(c))];
                    ImmutableArray<ContentState?> states = await catalog.StatesAsync(fresh, cancel);
                    unknown.UnionWith(fresh.Where((_, i) => states[i] is null or ContentState.Open));
                    if (unknown.Count >= MaxContents)
                    {
                        return unknown;
                    }
                }
            }
        }

        return unknown;
    }

    private async IAsyncEnumerable<ContentId[]> PagesAsync(
        DiskAddress disk, GroupId group, [EnumeratorCancellation] CancellationToken cancel)
    {
        StripeId after = default;
        while (true)
        {
            ImmutableArray<ShardEntry> page = await homes.ListAsync(disk, group, after, EntriesPerPage, cancel);
            yield return [.. page.Select(e => e.Content).Distinct()];
            if (page.Length < EntriesPerPage)
            {
                yield break;
            }

            after = page[^1].Stripe;
        }
    }

    private async Task<Dictionary<StripeId, List<(DiskEntry Disk, ShardEntry Shard)>>> HeldAsync(
        ContentId[] contents, CancellationToken cancel)
    {
        var held = new Dictionary<StripeId, List<(DiskEntry, ShardEntry)>>();
        foreach (DiskEntry disk in Disks())
        {
            StripeId after = default;
            while (true)
            {
                ImmutableArray<ShardEntry> page = await homes.HeldAsync(
                    new DiskAddress(disk.Id, disk.Claim), contents, after, EntriesPerPage, cancel);
                foreach (ShardEntry shard in page)
                {
                    if (!held.TryGetValue(shard.Stripe, out List<(DiskEntry, ShardEntry)>? holders))
                    {
                        held.Add(shard.Stripe, holders = []);
                    }

                    holders.Add((disk, shard));
                }

                if (page.Length < EntriesPerPage)
                {
                    break;
                }

                after = page[^1].Stripe;
            }
        }

        return held;
    }

    private async Task<List<StripeTruth>> TruthsAsync(
        Dictionary<StripeId, List<(DiskEntry Disk, ShardEntry Shard)>> held, CancellationToken cancel)
    {
        var truths = new List<StripeTruth>();
        foreach ((StripeId stripe, List<(DiskEntry Disk, ShardEntry Shard)> holders) in held)
        {
            // Of a group that the map lost too nothing can be read.
            if (map.Current.Group(holders[0].Shard.Group) is { } group
                && await TruthAsync(stripe, group, holders, cancel) is { } truth)
            {
                truths.Add(truth);
            }
        }

        return truths;
    }

    private async Task<StripeTruth?> TruthAsync(
        StripeId stripe,
        PlacementGroup group,
        List<(DiskEntry Disk, ShardEntry Shard)> holders,
        CancellationToken cancel)
    {
        Code code = map.Current.Class(group.Class)!.Code;
        HeldShard?[] answers = await Task.WhenAll(holders.Select(h => HeaderAsync(h.Disk, h.Shard, code, cancel)));
        return StripeTruth.Find(stripe, group.Id, code, [.. answers.OfType<HeldShard>()]);
    }

    private async Task<HeldShard?> HeaderAsync(
        DiskEntry disk, ShardEntry shard, Code code, CancellationToken cancel)
    {
        ShardReadAnswer answer = await homes.ReadAsync(
            new ShardReadOrder
            {
                To = new DiskAddress(disk.Id, disk.Claim),
                Stripe = shard.Stripe,
                Place = shard.Place,
                Length = 0,
                WithExtensions = shard.Place <= code.M,
            },
            cancel);
        answer.Payload.Release();
        return answer is { IsDone: true, Header: { } header }
            ? new HeldShard(disk.Id, shard.Place, header, answer.Extensions.IsDefault ? [] : answer.Extensions)
            : null;
    }
}
