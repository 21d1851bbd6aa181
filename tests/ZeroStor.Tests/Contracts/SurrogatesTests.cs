using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using ZeroStor.Contracts.Inner;

namespace ZeroStor.Tests.Contracts;

public sealed class SurrogatesTests
{
    private static readonly StripeId Stripe = new(UInt128.MaxValue - 5);

    [Fact]
    public void An_entry_of_a_listing_arrives_as_it_was_sent()
    {
        var sent = new ShardEntry(Stripe, 200, new ContentId(7), new Sum128(8, 9), new GroupId(10));
        Assert.Equal(sent, Travel(sent));
    }

    [Fact]
    public void An_order_to_drop_arrives_as_it_was_sent()
    {
        var sent = new WireDrop
        {
            Claim = 3,
            MapVersion = long.MaxValue,
            Shards = [new ShardName(Stripe, 1), new ShardName(new StripeId(2), 255)],
        };
        WireDrop came = Travel(sent);
        Assert.Equal((sent.Claim, sent.MapVersion), (came.Claim, came.MapVersion));
        Assert.Equal(sent.Shards.AsEnumerable(), came.Shards);
    }

    private static T Travel<T>(T sent)
    {
        using ServiceProvider services = new ServiceCollection()
            .AddSerializer(s => s.AddAssembly(typeof(WireDrop).Assembly))
            .BuildServiceProvider();
        var serializer = services.GetRequiredService<Serializer>();
        return serializer.Deserialize<T>(serializer.SerializeToArray(sent))!;
    }
}
