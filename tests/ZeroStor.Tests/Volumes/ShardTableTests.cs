using CsCheck;
using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

public sealed class ShardTableTests
{
    [Fact]
    public void A_shard_takes_at_most_a_hundred_bytes()
    {
        Assert.Equal(72, System.Runtime.CompilerServices.Unsafe.SizeOf<ShardSlot>());
    }

    [Fact]
    public void It_holds_what_a_dictionary_holds_after_any_operations() =>
        Gen.Select(Gen.UInt[0, 400], Gen.Byte[0, 2], Gen.Bool).List[0, 4000].Sample(
            operations =>
            {
                var table = new ShardTable();
                var model = new Dictionary<(StripeId, byte), RecordPosition>();
                long at = 0;
                foreach ((uint number, byte place, bool isAdd) in operations)
                {
                    var stripe = new StripeId(number * (UInt128.One << 61));
                    var key = (stripe, place);
                    if (isAdd && !model.ContainsKey(key))
                    {
                        var position = new RecordPosition(1, at += 8);
                        table.Add(new ShardSlot(Header(stripe, place), position));
                        model.Add(key, position);
                    }
                    else if (!isAdd)
                    {
                        table.Remove(stripe, place);
                        model.Remove(key);
                    }
                }

                foreach (((StripeId stripe, byte place), RecordPosition position) in model)
                {
                    Assert.Equal(position, table.Find(stripe, place).Position);
                }

                Assert.Equal(model.Count, table.Count);
                Assert.Equal(
                    model.OrderBy(m => m.Value).Select(m => (m.Key, m.Value)),
                    table.All().OrderBy(s => s.Position).Select(s => ((s.Stripe, s.Place), s.Position)));
                Assert.True(ShardTable.IsNone(ref table.Find(new StripeId(5), 0)));
            },
            iter: 100);

    private static RecordHeader Header(StripeId stripe, byte place)
    {
        byte[] bytes = new byte[RecordFormat.HeaderBytes];
        RecordFormat.WriteDelete(bytes, DeleteScope.Of(new ContentId(1)), default, default, []);
        RecordFormat.WritePlacing(bytes, 0, new DiskId(1), 1, new RecordPosition(1, 0), null);
        Assert.True(RecordFormat.TryRead(bytes, 0, new RecordPosition(1, 0), out RecordHeader header));
        return header with { Stripe = stripe, Place = place };
    }
}
