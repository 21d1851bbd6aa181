using ZeroStor.Erasure;

namespace ZeroStor.Paths;

/// <summary>A stripe that the catalog names, and who was seen to hold it.</summary>
internal sealed class CensusStripe(StripeRef stripe, ContentId content, VersionName version)
{
    private PlaceSet _atHome;
    private PlaceSet _anywhere;

    public StripeRef Ref => stripe;

    public ContentId Content => content;

    /// <summary>One of the versions that name it.</summary>
    public VersionName Version => version;

    /// <summary>Whether each home holds its shard.</summary>
    public bool IsWhole(FabricMap map) =>
        map.Group(stripe.Group) is { } group && _atHome.Count == group.Places.Length;

    /// <summary>Whether a home that lacks its shard could take it now.</summary>
    public bool HasHomeToFill(FabricMap map) =>
        map.Group(stripe.Group) is { } group
        && group.Places.Index().Any(
            p => !_atHome.Contains(p.Index) && map.Disk(p.Item.Home) is { State: DiskState.Up });

    /// <summary>Whether fewer places are held by anybody than it takes to decode it.</summary>
    public bool IsUnreadable(FabricMap map) =>
        map.Group(stripe.Group) is not { } group || _anywhere.Count < map.Class(group.Class)!.Code.K;

    /// <summary>Whether a stray shard is one too many: its place is whole, and its home holds it.</summary>
    public bool IsSurplus(FabricMap map, in ShardEntry stray) =>
        map.Group(stripe.Group)!.Places[stray.Place].IsWhole && _atHome.Contains(stray.Place);

    /// <summary>Takes in what a disk says that it holds.</summary>
    /// <returns>Whether the disk is a stray: neither the home of the place nor a former one.</returns>
    public bool Saw(FabricMap map, DiskId disk, in ShardEntry shard)
    {
        // What states something else is no shard of this stripe; repair names its disk.
        bool isShard = map.Group(stripe.Group) is { } known
            && shard.Group == stripe.Group
            && shard.Place < known.Places.Length
            && shard.SumsDigest == stripe.SumsDigest;
        if (!isShard)
        {
            return false;
        }

        Place place = map.Group(stripe.Group)!.Places[shard.Place];
        _anywhere.Add(shard.Place);
        if (place.Home == disk)
        {
            _atHome.Add(shard.Place);
            return false;
        }

        return !place.FormerHomes.Contains(disk);
    }
}

/// <summary>What a batch of versions names, and what disks hold of it.</summary>
internal sealed class CensusBatch
{
    /// <summary>Contents of which all stripes are known, so that any other stripe of theirs is garbage.
    /// </summary>
    public HashSet<ContentId> Contents { get; } = [];

    public Dictionary<StripeId, CensusStripe> Stripes { get; } = [];

    /// <summary>Shards of stripes that their contents do not name.</summary>
    public List<(DiskId Disk, ShardEntry Shard)> Garbage { get; } = [];

    /// <summary>Shards on disks where they have no place.</summary>
    public List<(DiskId Disk, ShardEntry Shard)> Strays { get; } = [];

    public void Add(ContentId content, IEnumerable<StripeRef> stripes, VersionName version)
    {
        Contents.Add(content);
        foreach (StripeRef stripe in stripes)
        {
            Stripes[stripe.Id] = new CensusStripe(stripe, content, version);
        }
    }

    public void Saw(FabricMap map, DiskId disk, in ShardEntry shard)
    {
        if (!Stripes.TryGetValue(shard.Stripe, out CensusStripe? stripe))
        {
            Garbage.Add((disk, shard));
        }
        else if (stripe.Saw(map, disk, shard))
        {
            Strays.Add((disk, shard));
        }
    }
}
