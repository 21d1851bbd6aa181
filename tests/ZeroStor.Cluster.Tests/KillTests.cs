using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using ZeroStor.Client;

namespace ZeroStor.Cluster.Tests;

/// <summary>Promise 3 with real processes: kill -9 in the middle of parallel puts.</summary>
public sealed class KillTests
{
    private const int Rounds = 3;
    private const int Writers = 4;
    private const int AcknowledgedPerRound = 60;
    private const int MaxObjectBytes = 2_000_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_acknowledged_before_a_kill_is_there_and_equal_after()
    {
        using var folder = new TemporaryFolder();
        using var silo = new SiloUnderTest(folder.Path, "--disks", "6", "--code", "4+2");
        var acknowledged = new ConcurrentDictionary<string, byte[]>();
        for (int round = 0; round < Rounds; round++)
        {
            await silo.StartAsync();
            await using (ZeroStorClient client = await ConnectAsync(silo))
            {
                await VerifyAsync(client.Vault("default"), acknowledged);
                int before = acknowledged.Count;
                Task[] writers =
                [
                    .. Enumerable.Range(0, Writers)
                        .Select(w => WriteUntilKilledAsync(client.Vault("default"), $"{round}.{w}", acknowledged)),
                ];
                await Eventually.HoldsAsync(
                    () => Task.FromResult(acknowledged.Count >= before + AcknowledgedPerRound), "puts are acknowledged");
                silo.Kill();
                await Task.WhenAll(writers);
            }
        }

        await silo.StartAsync();
        await using (ZeroStorClient client = await ConnectAsync(silo))
        {
            await VerifyAsync(client.Vault("default"), acknowledged);
            Assert.True(acknowledged.Count >= Rounds * AcknowledgedPerRound);
        }

        await silo.StopAsync();
    }

    private static Task<ZeroStorClient> ConnectAsync(SiloUnderTest silo) =>
        ZeroStorClient.ConnectAsync(
            options =>
            {
                options.Gateways.Add(silo.Gateway);
                options.Patience = TimeSpan.FromSeconds(5);
            },
            Cancel);

    private static async Task WriteUntilKilledAsync(
        Vault vault, string prefix, ConcurrentDictionary<string, byte[]> acknowledged)
    {
        var random = new Random(prefix.GetHashCode(StringComparison.Ordinal));
        for (int i = 0; ; i++)
        {
            byte[] content = new byte[random.Next(MaxObjectBytes)];
            random.NextBytes(content);
            try
            {
                await vault.PutAsync($"{prefix}.{i}", new ReadOnlySequence<byte>(content), cancel: Cancel);
                acknowledged[$"{prefix}.{i}"] = SHA256.HashData(content);
            }
            catch (ZeroStorException)
            {
                return;
            }
        }
    }

    private static async Task VerifyAsync(Vault vault, ConcurrentDictionary<string, byte[]> acknowledged)
    {
        foreach ((string key, byte[] hash) in acknowledged)
        {
            await using ObjectStream read = await vault.OpenReadAsync(key, cancel: Cancel);
            Assert.Equal(hash, await SHA256.HashDataAsync(read, Cancel));
        }
    }
}
