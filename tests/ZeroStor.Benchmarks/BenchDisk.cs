using System.Security.Cryptography;
using ZeroStor.Contracts;
using ZeroStor.Volumes;

namespace ZeroStor.Benchmarks;

/// <summary>An open disk in a folder of its own, which is removed with it.</summary>
internal sealed class BenchDisk : IAsyncDisposable
{
    private static readonly FabricId Fabric = new(1);
    private static readonly DiskId Id = new(1);
    private static int _made;

    private readonly FastEntropy _ids = new();
    private readonly DiskOptions _options;

    internal BenchDisk(string folder, DiskOptions options)
    {
        Folder = Path.Combine(folder, $"disk{Interlocked.Increment(ref _made)}");
        _options = options;
        Disk.Format(Folder, Fabric, Id, SystemEntropy.Instance);
        Open = Disk.Open(Folder, options, SystemEntropy.Instance, TimeProvider.System);
    }

    internal string Folder { get; }

    internal Disk Open { get; private set; }

    internal async Task ReopenAsync()
    {
        await Open.DisposeAsync();
        Open = Disk.Open(Folder, _options, SystemEntropy.Instance, TimeProvider.System);
    }

    /// <summary>The header of a new shard with these bytes.</summary>
    internal ShardHeader NewShard(BufferSlice payload, Sum128 sum)
    {
        var tick = new Tick(1);
        var stripe = StripeId.New(tick, _ids);
        return new ShardHeader
        {
            Stripe = stripe,
            Content = new ContentId(stripe.Value),
            Vault = new VaultId(1),
            Seal = new SealId(stripe.Value),
            Group = new GroupId((uint)(stripe.Value % 240) + 1),
            Place = 0,
            Code = new Code(20, 4),
            Ordinal = 0,
            ContentBytes = payload.Length,
            SealedBytes = payload.Length,
            ShardBytes = payload.Length,
            Tick = tick,
            ShardSum = sum,
            SumsDigest = sum,
        };
    }

    /// <summary>Appends new shards with these bytes, one after the other, until it is told to stop; returns
    /// how many. </summary>
    internal async Task<long> AppendAsync(BufferSlice payload, Sum128 sum, Func<bool> goesOn)
    {
        long count = 0;
        while (goesOn())
        {
            HomeAnswer answer = await Open.AppendAsync(
                NewShard(payload, sum), [], payload, CancellationToken.None);
            if (!answer.IsDone)
            {
                throw new ZeroStorException(answer.Kind, answer.Detail);
            }

            count++;
        }

        return count;
    }

    /// <summary>Bytes that do not compress, of the caller's to release.</summary>
    internal static BufferSlice RentPayload(int bytes)
    {
        BufferSlice payload = BufferPool.Shared.RentSlice(bytes);
        RandomNumberGenerator.Fill(payload.Span);
        return payload;
    }

    public async ValueTask DisposeAsync()
    {
        await Open.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
