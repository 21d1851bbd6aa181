using System.Buffers;
using System.Collections.Immutable;
using System.Security.Cryptography;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Cluster.Tests;

/// <summary>Reads that take homes for absent which are there: they cost what a loss costs, and do no harm.</summary>
public sealed class AbsentHomesTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_read_without_homes_is_the_same_and_is_rebuilt_and_nobody_is_blamed()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        Vault vault = fabric.Client.Vault("default");

        // 4+2 has stripes of 1 MiB: two whole ones, and a short third.
        byte[] content = RandomNumberGenerator.GetBytes(2_500_000);
        await vault.PutAsync("key", new ReadOnlySequence<byte>(content), cancel: Cancel);
        ImmutableSortedDictionary<string, long> before = (await fabric.Client.StatusAsync(Cancel)).Counters;
        Assert.Equal(content, await GetAsync(vault, absentHomes: 2));
        FabricStatus status = await fabric.Client.StatusAsync(Cancel);
        Assert.Equal(3, Grown("stripesRead"));
        Assert.Equal(3, Grown("stripesDecoded"));
        Assert.Equal(0, Grown("shardsMissed"));
        Assert.Equal(0, Grown("shardsRepaired"));
        Assert.All(status.Disks, d => Assert.Equal(("up", 0L), (d.State, d.WrongShards)));

        // Who asks for nothing of the kind gets all from where it lies.
        before = status.Counters;
        Assert.Equal(content, await GetAsync(vault, absentHomes: 0));
        status = await fabric.Client.StatusAsync(Cancel);
        Assert.Equal((3L, 0L), (Grown("stripesRead"), Grown("stripesDecoded")));

        long Grown(string counter) => status.Counters[counter] - before[counter];
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(3)]
    public async Task More_homes_than_the_code_can_lose_are_refused(int absentHomes)
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        Vault vault = fabric.Client.Vault("default");
        await vault.PutAsync("key", new ReadOnlySequence<byte>(new byte[1000]), cancel: Cancel);
        ZeroStorException refusal = await Assert.ThrowsAsync<ZeroStorException>(
            () => GetAsync(vault, absentHomes));
        Assert.Equal(ErrorKind.InvalidArgument, refusal.Kind);
    }

    private static async Task<byte[]> GetAsync(Vault vault, int absentHomes)
    {
        await using ObjectStream read = await vault.OpenReadAsync(
            "key", new ReadOptions { AbsentHomes = absentHomes }, Cancel);
        using var all = new MemoryStream();
        await read.CopyToAsync(all, Cancel);
        return all.ToArray();
    }
}
