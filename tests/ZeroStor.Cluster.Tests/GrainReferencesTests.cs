using Microsoft.Extensions.DependencyInjection;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Doors;
using ZeroStor.Contracts.Inner;

namespace ZeroStor.Cluster.Tests;

/// <summary>Every reference is the one that Orleans' factory gives, the first of an interface and those behind it.</summary>
public sealed class GrainReferencesTests
{
    [Fact]
    public async Task They_are_those_of_the_factory_on_a_client_and_in_a_silo()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        IGrainFactory[] factories = [fabric.Grains, fabric.Silo.GetRequiredService<IGrainFactory>()];
        foreach (IGrainFactory grains in factories)
        {
            AssertSame<IStripeDoor>(grains);
            AssertSame<IVaultDoor>(grains);
            AssertSame<IObjectDoor>(grains);
            AssertSame<IDiskGrain>(grains);
        }

        var vaults = new GrainReferences<IVaultDoor>(fabric.Grains);
        foreach (int _ in new[] { 0, 1 })
        {
            Assert.Equal(
                "default", (await vaults.Of("default").DescribeAsync(TestContext.Current.CancellationToken)).Name);
        }
    }

    private static void AssertSame<T>(IGrainFactory grains)
        where T : class, IGrainWithStringKey
    {
        var references = new GrainReferences<T>(grains);
        foreach (string key in new[] { "a", "b", "a", "naïve / \u0001" })
        {
            T expected = grains.GetGrain<T>(key);
            T reference = references.Of(key);
            Assert.Equal(expected, reference);
            Assert.Equal(expected.GetType(), reference.GetType());
            Assert.Equal(key, reference.GetPrimaryKeyString());
        }
    }
}
