using System.Collections.Immutable;
using ZeroStor.Erasure;
using ZeroStor.Paths;

namespace ZeroStor.Tests.Paths;

public sealed class StripeTruthTests
{
    private static readonly Code Code = new(4, 2);
    private static readonly StripeId Id = new(5);
    private static readonly GroupId Group = new(1);
    private static readonly Sum128[] Sums = [.. Enumerable.Range(0, 6).Select(i => new Sum128(1, (ulong)i))];

    [Fact]
    public void All_that_agree_are_good()
    {
        StripeTruth truth = Find(Held())!;
        Assert.Equal(6, truth.Good.Length);
        Assert.Equal(Sums, truth.Sums);
        Assert.Equal(Sum128.Digest(Sums), truth.Stripe.SumsDigest);
        Assert.Equal(Header(3), truth.HeaderOf(3));
    }

    [Fact]
    public void Fewer_than_k_that_agree_tell_nothing() => Assert.Null(Find(Held()[..3]));

    [Fact]
    public void Without_anybody_who_has_the_sums_nothing_is_known() => Assert.Null(
        Find(Change(
            Held(), 0, 3, h => h with { Extensions = [new(ExtensionType.ShardSums, new byte[6 * 16])] })));

    [Fact]
    public void One_holder_of_the_sums_is_enough() => Assert.NotNull(
        Find(Change(Held(), 0, 2, h => h with { Extensions = [] })));

    [Fact]
    public void Who_states_other_facts_is_not_good()
    {
        Func<ShardHeader, ShardHeader>[] lies =
        [
            h => h with { Vault = new VaultId(9) },
            h => h with { Content = new ContentId(9) },
            h => h with { Seal = new SealId(9) },
            h => h with { Ordinal = 9 },
            h => h with { ContentBytes = 9 },
            h => h with { SealedBytes = 401, ShardBytes = 101 },
            h => h with { ShardBytes = 99 },
            h => h with { Code = new Code(5, 1) },
            h => h with { Group = new GroupId(9) },
            h => h with { Stripe = new StripeId(9) },
            h => h with { Place = 5 },
            h => h with { ShardSum = new Sum128(9, 9) },
            h => h with { SumsDigest = new Sum128(9, 9) },
        ];
        foreach (Func<ShardHeader, ShardHeader> lie in lies)
        {
            StripeTruth truth = Find(Change(Held(), 0, 2, h => h with { Header = lie(h.Header) }))!;
            Assert.Equal([2, 3, 4, 5], truth.Good.Select(h => h.Place));
            Assert.Equal(Header(0), truth.HeaderOf(0));
        }
    }

    [Fact]
    public void A_disk_has_one_vote_however_many_shards_it_claims_to_hold()
    {
        HeldShard[] liar = [.. Enumerable.Range(0, 6).Select(
            p => new HeldShard(new DiskId(66), p, Header(p) with { Vault = new VaultId(9) }, []))];
        Assert.Equal(new VaultId(2), Find([.. liar, .. Held()[1..5]])!.HeaderOf(0).Vault);
    }

    [Fact]
    public void Two_equally_common_statements_tell_nothing()
    {
        var code = new Code(1, 1);
        var sums = new Sum128[] { new(1, 1), new(1, 1) };
        HeldShard[] held =
        [
            .. Enumerable.Range(0, 2).Select(p => new HeldShard(
                new DiskId((uint)p + 1),
                p,
                Header(p) with
                {
                    Code = code,
                    ShardBytes = 400,
                    ShardSum = sums[p],
                    SumsDigest = Sum128.Digest(sums),
                    Vault = new VaultId((UInt128)p),
                },
                [ShardSums.ToExtension(sums)])),
        ];
        Assert.Null(StripeTruth.Find(Id, Group, code, held));
        Assert.NotNull(StripeTruth.Find(Id, Group, code, held[..1]));
    }

    [Fact]
    public void The_tick_is_the_most_common_one_and_of_two_the_lower()
    {
        Assert.Equal(new Tick(7), Find(Ticks(7, 7, 7, 9, 9, 8))!.HeaderOf(0).Tick);
        Assert.Equal(new Tick(7), Find(Ticks(9, 9, 9, 7, 7, 7))!.HeaderOf(0).Tick);
    }

    [Fact]
    public void Extensions_are_those_of_most_and_unknown_ones_are_kept()
    {
        RecordExtension known = new(ExtensionType.Manifest, new byte[] { 1, 2, 3 });
        RecordExtension unknown = new((ExtensionType)77, new byte[] { 4 });
        RecordExtension other = new(ExtensionType.Manifest, new byte[] { 9, 9, 9, 9 });
        HeldShard[] held = Change(
            Held(), 0, 3, h => h with { Extensions = [known, .. h.Extensions, unknown] });
        held = Change(held, 1, 2, h => h with { Extensions = [ShardSums.ToExtension(Sums), other] });
        ImmutableArray<RecordExtension> extensions = Find(held)!.Extensions;
        Assert.Equal(
            [ExtensionType.ShardSums, ExtensionType.Manifest, (ExtensionType)77],
            extensions.Select(e => e.Type));
        Assert.Equal(known.Value.ToArray(), extensions[1].Value.ToArray());
    }

    [Fact]
    public void Of_equally_common_extensions_the_fuller_is_taken()
    {
        RecordExtension manifest = new(ExtensionType.Manifest, new byte[] { 1, 2, 3 });
        HeldShard[] held = Change(Held(), 0, 1, h => h with { Extensions = [.. h.Extensions, manifest] });
        Assert.Equal(2, Find([held[1], held[0], .. held[3..]])!.Extensions.Length);
    }

    private static StripeTruth? Find(HeldShard[] held) => StripeTruth.Find(Id, Group, Code, held);

    private static HeldShard[] Held() => [.. Enumerable.Range(0, 6).Select(p => new HeldShard(
        new DiskId((uint)p + 1), p, Header(p), p <= Code.M ? [ShardSums.ToExtension(Sums)] : []))];

    private static HeldShard[] Ticks(params uint[] ticks) => [.. Held().Select(
        h => h with { Header = h.Header with { Tick = new Tick(ticks[h.Place]) } })];

    private static HeldShard[] Change(HeldShard[] held, int from, int to, Func<HeldShard, HeldShard> how) =>
        [.. held.Select((h, i) => i >= from && i < to ? how(h) : h)];

    private static ShardHeader Header(int place) => new()
    {
        Stripe = Id,
        Content = new ContentId(1),
        Vault = new VaultId(2),
        Seal = new SealId(3),
        Group = Group,
        Place = (byte)place,
        Code = Code,
        Ordinal = 4,
        ContentBytes = 384,
        SealedBytes = 400,
        ShardBytes = 100,
        Tick = new Tick(6),
        ShardSum = Sums[place],
        SumsDigest = Sum128.Digest(Sums),
    };
}
