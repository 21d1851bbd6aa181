using System.Runtime.CompilerServices;
using CsCheck;
using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

public sealed class RecentShardsTests
{
    [Fact]
    public void A_shard_takes_at_most_64_bytes_the_table_included()
    {
        Assert.Equal(62, Unsafe.SizeOf<RecentSlot>());
        var table = new RecentShards(1);
        for (uint i = 1; i <= 1_300_000; i++)
        {
            table.Add(Shard(new StripeId(i * (UInt128.One << 61)), 3, i * 8));
            if (table.Count % 1024 == 0)
            {
                Assert.True(table.MemoryBytes <= 64 * table.Count, $"{table.MemoryBytes} for {table.Count}");
            }
        }
    }

    [Fact]
    public void A_shard_of_any_size_group_and_place_comes_out_as_it_went_in() =>
        Gen.Select(
            Gen.ULong, Gen.Byte, Gen.UInt, Gen.Int[1, RecordFormat.MaxRecordBytes / 8], Gen.UInt, Gen.Bool)
            .Sample((stripe, place, group, eighths, offset, isBad) =>
            {
                var shard = new HeldShard
                {
                    Stripe = new StripeId(stripe),
                    Place = place,
                    Group = new GroupId(group),
                    Content = new ContentId(~(UInt128)stripe),
                    SumsDigest = new Sum128(stripe, offset),
                    Position = new RecordPosition(7, offset * 8L),
                    RecordBytes = eighths * 8,
                    IsBad = isBad,
                };
                var table = new RecentShards(7);
                table.Add(shard);
                Assert.True(table.TryFind(shard.Name, out HeldShard found));
                Assert.Equal(shard, found);
                Assert.Equal(shard, table.FindAt(shard.Position));
            });

    [Fact]
    public void It_holds_what_a_dictionary_holds_after_any_operations() =>
        Gen.Select(Gen.UInt[0, 400], Gen.Byte[0, 2], Gen.Int[0, 2]).List[0, 4000].Sample(
            operations =>
            {
                var table = new RecentShards(1);
                var model = new Dictionary<ShardName, HeldShard>();
                long at = 0;
                foreach ((uint number, byte place, int operation) in operations)
                {
                    HeldShard shard = Shard(new StripeId(number * (UInt128.One << 61)), place, at += 8);
                    if (operation == 0 && model.TryAdd(shard.Name, shard))
                    {
                        table.Add(shard);
                    }
                    else if (operation == 1)
                    {
                        table.Remove(shard.Name);
                        model.Remove(shard.Name);
                    }
                    else if (operation == 2)
                    {
                        table.MarkBad(shard.Name);
                        if (model.TryGetValue(shard.Name, out HeldShard held))
                        {
                            model[shard.Name] = held with { IsBad = true };
                        }
                    }
                }

                Assert.Equal(model.Count, table.Count);
                Assert.All(model, m => Assert.True(table.TryFind(m.Key, out HeldShard f) && f == m.Value));
                Assert.False(table.TryFind(new ShardName(new StripeId(5), 0), out _));
                Comparer<HeldShard> byName = Comparer<HeldShard>.Create((a, b) => a.CompareNames(b));
                Assert.Equal(model.Values.Order(byName), table.InOrder());
                var paged = new List<HeldShard>();
                for (int page = 0; page < table.Pages; page++)
                {
                    table.CopyPage(page, paged);
                }

                Assert.Equal(model.Values.Order(byName), paged.Order(byName));
            },
            iter: 100);

    [Fact]
    public void Half_of_the_groups_that_it_has_numbers_for_are_many()
    {
        var table = new RecentShards(1);
        for (uint i = 0; i < 2 * RecentShards.ManyGroups; i++)
        {
            Assert.Equal(i >= RecentShards.ManyGroups, table.HasManyGroups);
            table.Add(Shard(new StripeId(i), 0, i * 8) with { Group = new GroupId(i) });
        }

        Assert.True(table.TryFind(new ShardName(new StripeId(50_000), 0), out HeldShard last));
        Assert.Equal(new GroupId(50_000), last.Group);
    }

    private static HeldShard Shard(StripeId stripe, byte place, long at) => new()
    {
        Stripe = stripe,
        Place = place,
        Group = new GroupId((uint)(at % 7)),
        Position = new RecordPosition(1, at),
        RecordBytes = 216,
    };
}
