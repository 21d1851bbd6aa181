using System.Collections.Immutable;
using System.Runtime.InteropServices;
using ZeroStor.Erasure;

namespace ZeroStor.Paths;

/// <summary>A shard as the disk that holds it describes it.</summary>
internal sealed record HeldShard(
    DiskId Disk, int Place, ShardHeader Header, ImmutableArray<RecordExtension> Extensions);

/// <summary>What a stripe is, found from what its holders say when up to m of them lie. What all records of a
/// stripe share (the digest of the sums among it) is what most disks state, and shards of at least k places
/// must be stated so; the sums are any record's that have that digest. Where two statements are equally
/// common, or nobody has the sums, nothing is known and nothing may be written. Pure.</summary>
internal sealed class StripeTruth
{
    private readonly ShardHeader _common;

    private StripeTruth(Code code, ShardHeader common, Sum128[] sums, ImmutableArray<HeldShard> good)
    {
        _common = common;
        Sums = sums;
        Good = good;
        Extensions = ExtensionsOf(code, sums, good);
        Tick = good.GroupBy(h => h.Header.Tick)
            .OrderByDescending(g => g.Count())
            .ThenBy(g => g.Key)
            .First().Key;
    }

    public Sum128[] Sums { get; }

    /// <summary>Shards whose records agree with all this, in the order they were given. What their bytes are
    /// is still to be seen.</summary>
    public ImmutableArray<HeldShard> Good { get; }

    /// <summary>What a record of the first m+1 places carries.</summary>
    public ImmutableArray<RecordExtension> Extensions { get; }

    public int ShardBytes => _common.ShardBytes;

    public ContentId Content => _common.Content;

    public VaultId Vault => _common.Vault;

    public Code Code => _common.Code;

    public int Ordinal => (int)_common.Ordinal;

    public StripeRef Stripe => new(
        _common.Stripe,
        _common.Group,
        _common.Seal,
        _common.ContentBytes,
        _common.SealedBytes,
        _common.SumsDigest);

    // A stripe that had to wait for homes was placed over several ticks. The lower of two equally common
    // ones, for a tick from the future would have the catalog taken for one that went back.
    private Tick Tick { get; }

    /// <param name="stripe">The stripe that was asked for.</param>
    /// <param name="group">Its group.</param>
    /// <param name="code">The code of the group's class.</param>
    /// <param name="held">What each holder answered.</param>
    /// <param name="planted">For tests alone.</param>
    /// <returns>Null: it cannot be told.</returns>
    public static StripeTruth? Find(
        StripeId stripe,
        GroupId group,
        Code code,
        IReadOnlyCollection<HeldShard> held,
        PlantedDefects planted = PlantedDefects.None)
    {
        IGrouping<ShardHeader, HeldShard>[] stated =
        [
            .. held.Where(h => IsSound(h, stripe, group, code))
                .GroupBy(h => CommonOf(h.Header))
                .OrderByDescending(DisksOf)
                .Take(2),
        ];
        if (stated.Length == 0 || (stated.Length == 2 && DisksOf(stated[0]) == DisksOf(stated[1])))
        {
            return null;
        }

        ShardHeader common = stated[0].Key;
        var sums = new Sum128[code.N];
        if (!stated[0]
            .SelectMany(h => h.Extensions)
            .Where(e => e.Type == ExtensionType.ShardSums)
            .Any(e => ShardSums.TryRead(e.Value.Span, common.SumsDigest, sums)))
        {
            return null;
        }

        if (planted.HasFlag(PlantedDefects.RepairTrustsHomes))
        {
            stated[0].ToList().ForEach(h => sums[h.Place] = h.Header.ShardSum);
        }

        ImmutableArray<HeldShard> good = [.. stated[0].Where(h => h.Header.ShardSum == sums[h.Place])];
        return good.DistinctBy(h => h.Place).Count() >= code.K
            ? new StripeTruth(code, common, sums, good)
            : null;
    }

    /// <summary>The header of the record of this place.</summary>
    public ShardHeader HeaderOf(int place) =>
        _common with { Place = (byte)place, ShardSum = Sums[place], Tick = Tick };

    private static int DisksOf(IEnumerable<HeldShard> shards) => shards.DistinctBy(h => h.Disk).Count();

    private static ShardHeader CommonOf(ShardHeader header) =>
        header with { Place = 0, ShardSum = default, Tick = default };

    private static bool IsSound(HeldShard shard, StripeId stripe, GroupId group, Code code)
    {
        ShardHeader header = shard.Header;
        return header.Stripe == stripe
            && header.Group == group
            && header.Code == code
            && header.Place == shard.Place
            && header.SealedBytes is > 0
            && header.SealedBytes <= Geometry.PlainSealedBytes(Geometry.MaxStripeBytes)
            && header.ShardBytes == Geometry.ShardBytes(code, header.SealedBytes);
    }

    // Nothing vouches for extensions but the sums: what most records carry is taken; of equally common ones
    // that which carries most, for a manifest too many does no harm and one too few may.
    private static ImmutableArray<RecordExtension> ExtensionsOf(
        Code code, Sum128[] sums, ImmutableArray<HeldShard> good)
    {
        RecordExtension[] others = good
            .Where(h => h.Place <= code.M)
            .Select(h => h.Extensions.Where(e => e.Type != ExtensionType.ShardSums).ToArray())
            .GroupBy(SumOf)
            .OrderByDescending(g => g.Count())
            .ThenByDescending(g => g.First().Sum(e => e.Value.Length))
            .Select(g => g.First())
            .FirstOrDefault([]);
        return [ShardSums.ToExtension(sums), .. others];
    }

    private static Sum128 SumOf(RecordExtension[] extensions)
    {
        var parts = new List<Sum128>();
        foreach (RecordExtension extension in extensions)
        {
            parts.Add(new Sum128((ulong)extension.Type, (ulong)extension.Value.Length));
            parts.Add(Sum128.Of(extension.Value.Span));
        }

        return Sum128.Digest(CollectionsMarshal.AsSpan(parts));
    }
}
