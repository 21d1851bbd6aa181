using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using ZeroStor.Client;

namespace ZeroStor.Cluster.Tests;

/// <summary>Puts and gets side by side, until it is told that it is enough; whatever fails or differs fails the
/// test. Thread-safe.</summary>
internal sealed class TestLoad(Vault vault)
{
    private const int Putters = 2;
    private const int Getters = 3;
    private const int LargestBytes = 600_000;

    private readonly ConcurrentDictionary<string, byte[]> _objects = new();
    private int _gets;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public int Puts => _objects.Count;

    public int Gets => Volatile.Read(ref _gets);

    public async Task PutAsync(string key)
    {
        byte[] content = RandomNumberGenerator.GetBytes(RandomNumberGenerator.GetInt32(1, LargestBytes));
        await vault.PutAsync(key, new ReadOnlySequence<byte>(content), cancel: Cancel);
        _objects[key] = content;
    }

    public async Task RunAsync(string name, Func<bool> isEnough)
    {
        IEnumerable<Task> putters = Enumerable.Range(0, Putters).Select(async p =>
        {
            for (int i = 0; !isEnough(); i++)
            {
                await PutAsync($"{name}.{p}.{i}");
            }
        });
        IEnumerable<Task> getters = Enumerable.Range(0, Getters).Select(async _ =>
        {
            while (!isEnough())
            {
                string[] keys = [.. _objects.Keys];
                await GetAsync(keys[RandomNumberGenerator.GetInt32(keys.Length)]);
            }
        });
        await Task.WhenAll([.. putters, .. getters]);
    }

    /// <summary>Gets all that was put.</summary>
    public async Task VerifyAsync()
    {
        foreach (string key in _objects.Keys)
        {
            await GetAsync(key);
        }
    }

    private async Task GetAsync(string key)
    {
        await using ObjectStream read = await vault.OpenReadAsync(key, cancel: Cancel);
        using var all = new MemoryStream();
        await read.CopyToAsync(all, Cancel);
        Assert.Equal(_objects[key], all.ToArray());
        Interlocked.Increment(ref _gets);
    }
}
