using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace ZeroStor.Tests.Paths;

/// <summary>What a home does to those who ask it.</summary>
internal enum Conduct
{
    Honest,

    /// <summary>Answers at once that it is not there.</summary>
    Offline,

    /// <summary>Never answers.</summary>
    Silent,

    /// <summary>Answers with bytes of its own and vouches for them.</summary>
    Lying,

    Full,
}

/// <summary>Homes without disks: shards in memory, epochs held as a home holds them, and a conduct for each disk
/// that a test may change at any moment.</summary>
internal sealed class MemoryHomes(IFabricMap map) : IShardHome
{
    private readonly ConcurrentDictionary<(DiskId, StripeId, byte), (ShardHeader Header, byte[] Payload,
        ImmutableArray<RecordExtension> Extensions)> _shards = new();

    private readonly ConcurrentDictionary<DiskId, Conduct> _conduct = new();

    public ConcurrentBag<(DiskId Disk, int Length)> Reads { get; } = [];

    public int Appends;

    public Conduct this[DiskId disk]
    {
        get => _conduct.GetValueOrDefault(disk);
        set => _conduct[disk] = value;
    }

    public int ShardsOf(StripeId stripe) => _shards.Keys.Count(k => k.Item2 == stripe);

    public void Drop(StripeId stripe, int place)
    {
        foreach ((DiskId, StripeId, byte) key in _shards.Keys.Where(k => k.Item2 == stripe && k.Item3 == place))
        {
            _shards.TryRemove(key, out _);
        }
    }

    public async ValueTask<HomeAnswer> AppendAsync(ShardAppend order, CancellationToken cancel)
    {
        Interlocked.Increment(ref Appends);
        switch (this[order.To.Disk])
        {
            case Conduct.Offline:
                return new HomeAnswer(ErrorKind.DiskOffline, "offline");
            case Conduct.Full:
                return new HomeAnswer(ErrorKind.DiskFull, "full");
            case Conduct.Silent:
                await Task.Delay(Timeout.Infinite, cancel);
                break;
        }

        PlacementGroup group = map.Current.Group(order.Header.Group)!;
        if (group.Epoch != order.Epoch || group.Places[order.Header.Place].Home != order.To.Disk)
        {
            return new HomeAnswer(ErrorKind.PreconditionFailed, "epoch", map.Current.Version);
        }

        if (Sum128.Of(order.Payload.Span) != order.Header.ShardSum)
        {
            return new HomeAnswer(ErrorKind.Corrupt, "sum");
        }

        _shards[(order.To.Disk, order.Header.Stripe, order.Header.Place)] =
            (order.Header, order.Payload.Span.ToArray(), order.Extensions);
        return HomeAnswer.Done;
    }

    public async ValueTask<ShardReadAnswer> ReadAsync(ShardReadOrder order, CancellationToken cancel)
    {
        await Task.Yield();
        Reads.Add((order.To.Disk, order.Length));
        Conduct conduct = this[order.To.Disk];
        if (conduct == Conduct.Silent)
        {
            await Task.Delay(Timeout.Infinite, cancel);
        }

        if (conduct == Conduct.Offline
            || !_shards.TryGetValue((order.To.Disk, order.Stripe, order.Place), out var shard))
        {
            return new ShardReadAnswer(
                conduct == Conduct.Offline ? ErrorKind.DiskOffline : ErrorKind.NotFound, "no shard");
        }

        BufferSlice payload = BufferPool.Shared.RentSlice(order.Length);
        shard.Payload.AsSpan(order.Offset, order.Length).CopyTo(payload.Span);
        if (conduct == Conduct.Lying && order.Length > 0)
        {
            payload.Span[order.Length / 2] ^= 0x55;
        }

        return new ShardReadAnswer(ErrorKind.None)
        {
            Payload = payload,
            Header = shard.Header,
            Extensions = order.WithExtensions ? shard.Extensions : [],
        };
    }

    public ValueTask<HomeAnswer> ReclaimAsync(
        DiskAddress to, IReadOnlyCollection<ContentId> dead, CancellationToken cancel) =>
        throw new NotSupportedException();

    public ValueTask<ImmutableArray<BucketDigest>> DigestsAsync(DiskAddress to, CancellationToken cancel) =>
        throw new NotSupportedException();

    public ValueTask<ImmutableArray<ShardEntry>> ListAsync(
        DiskAddress to, GroupId group, StripeId after, int max, CancellationToken cancel) =>
        ValueTask.FromResult<ImmutableArray<ShardEntry>>(
        [
            .. _shards
                .Where(s => s.Key.Item1 == to.Disk && s.Value.Header.Group == group && s.Key.Item2.CompareTo(after) > 0)
                .OrderBy(s => s.Key.Item2)
                .Take(max)
                .Select(s => new ShardEntry(
                    s.Key.Item2, s.Key.Item3, s.Value.Header.Content, s.Value.Header.SumsDigest)),
        ]);

    public ValueTask<ShardLocation?> LocateAsync(
        DiskAddress to, StripeId stripe, byte place, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<DiskReport> ReportAsync(DiskAddress to, CancellationToken cancel) =>
        throw new NotSupportedException();
}
