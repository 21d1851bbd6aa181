using System.Buffers;
using System.Security.Cryptography;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Cluster.Tests;

/// <summary>Objects in a vault over silos, 4+2, at most two shards of a stripe on each; and what was put, to hold
/// against what is got.</summary>
internal sealed class TestObjects
{
    public const string VaultName = "spread";

    private readonly Dictionary<string, byte[]> _objects = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<TestObjects> MakeVaultAsync(TestSilos fabric)
    {
        await fabric.Client.CreateVaultAsync(
            VaultName, new VaultSpec { Code = new Code(4, 2), Spread = Spread.Silo }, Cancel);
        return new TestObjects();
    }

    public async Task PutSomeAsync(TestSilos fabric, int count)
    {
        for (int i = 0; i < count; i++)
        {
            byte[] content = RandomNumberGenerator.GetBytes(1 + (i * 250_000));
            string key = $"key{_objects.Count}";
            await fabric.Client.Vault(VaultName).PutAsync(key, new ReadOnlySequence<byte>(content), cancel: Cancel);
            _objects[key] = content;
        }
    }

    public async Task VerifyAsync(TestSilos fabric)
    {
        foreach ((string key, byte[] content) in _objects)
        {
            await using ObjectStream read = await fabric.Client.Vault(VaultName).OpenReadAsync(key, cancel: Cancel);
            using var all = new MemoryStream();
            await read.CopyToAsync(all, Cancel);
            Assert.Equal(content, all.ToArray());
        }
    }
}
