using CsCheck;
using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

public sealed class ShardFinderTests
{
    [Fact]
    public void A_shard_takes_at_most_18_bytes_at_any_size_that_matters()
    {
        var entropy = new SeededEntropy(3);
        var finder = new ShardFinder();
        for (int count = 1; count <= 500_000; count++)
        {
            finder.Add(HashOf(entropy), new RecordPosition(1, count * 8L), false);
            if (count > 100_000 && count % 1000 == 0)
            {
                Assert.True(finder.MemoryBytes <= 18 * count, $"{finder.MemoryBytes} for {count}");
            }
        }
    }

    [Fact]
    public void Room_that_was_reserved_is_enough_and_not_much_more()
    {
        var entropy = new SeededEntropy(4);
        var finder = new ShardFinder();
        finder.Reserve(300_000);
        long reserved = finder.MemoryBytes;
        for (int count = 1; count <= 300_000; count++)
        {
            finder.Add(HashOf(entropy), new RecordPosition(1, count * 8L), false);
        }

        Assert.InRange(finder.MemoryBytes, reserved, 16 * 300_000);
    }

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(0xff00_0000_0000_0000)]
    [InlineData(0x00ff_ff00_0000_0000)]
    [InlineData(0x0000_00ff_ffff_ffff)]
    [InlineData(0ul)]
    public void It_finds_what_a_list_finds_however_hashes_collide(ulong mask) =>
        Gen.Select(Gen.ULong[0, 300], Gen.Int[0, 4], Gen.UInt[1, 3]).List[0, 1500].Sample(
            operations =>
            {
                var finder = new ShardFinder();
                var model = new Dictionary<ulong, FinderHit>();
                long at = 0;
                foreach ((ulong number, int operation, uint volume) in operations)
                {
                    ulong hash = Hash(number, mask);
                    FinderHit held = model.GetValueOrDefault(number);
                    switch (operation)
                    {
                        case 0 or 1 when !model.ContainsKey(number):
                            var position = new RecordPosition(volume, at += 8);
                            finder.Add(hash, position, false);
                            model.Add(number, new FinderHit(position, false));
                            break;
                        case 2:
                            finder.Remove(hash, held.Position);
                            model.Remove(number);
                            break;
                        case 3 when model.ContainsKey(number):
                            finder.MarkBad(hash, held.Position);
                            model[number] = held with { IsBad = true };
                            break;
                        case 4 when number < 5:
                            int gone = model.Count(m => m.Value.Position.Volume == volume);
                            Assert.Equal(gone, finder.RemoveVolume(volume));
                            model = model.Where(m => m.Value.Position.Volume != volume).ToDictionary();
                            break;
                    }
                }

                foreach (ulong number in Enumerable.Range(0, 301).Select(n => (ulong)n))
                {
                    ulong hash = Hash(number, mask);
                    FinderHit[] expected =
                        [.. model.Where(m => IsSame(Hash(m.Key, mask), hash)).Select(m => m.Value)];
                    Assert.Equal(
                        expected.OrderBy(h => h.Position), finder.Find(hash).OrderBy(h => h.Position));
                    Assert.Equal(expected.Length > 0, finder.MayHold(hash));
                    FinderHit held = model.GetValueOrDefault(number);
                    Assert.Equal(
                        (model.ContainsKey(number), held.IsBad),
                        (finder.Holds(hash, held.Position, out bool isBad), isBad));
                }
            },
            iter: 60);

    [Fact]
    public void Names_that_differ_in_any_bit_have_hashes_that_differ_in_many()
    {
        var name = new ShardName(new StripeId(0), 0);
        ulong hash = ShardFinder.HashOf(name);
        for (int bit = 0; bit < 136; bit++)
        {
            ShardName other = bit < 128
                ? name with { Stripe = new StripeId(UInt128.One << bit) }
                : name with { Place = (byte)(1 << (bit - 128)) };
            ulong differing = hash ^ ShardFinder.HashOf(other);
            Assert.InRange(System.Numerics.BitOperations.PopCount(differing), 16, 48);
        }
    }

    // What the finder keeps of a hash: a byte to choose the table and four to tell names apart.
    private static bool IsSame(ulong a, ulong b) => a >> 24 == b >> 24;

    private static ulong Hash(ulong number, ulong mask) =>
        ShardFinder.HashOf(new ShardName(new StripeId(number), 0)) & mask;

    private static ulong HashOf(SeededEntropy entropy) =>
        ShardFinder.HashOf(new ShardName(StripeId.New(new Tick(5), entropy), 2));
}
