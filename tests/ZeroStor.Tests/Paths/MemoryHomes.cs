using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace ZeroStor.Tests.Paths;

/// <summary>A record as a home in memory holds it.</summary>
internal sealed record StoredShard(
    ShardHeader Header, byte[] Payload, ImmutableArray<RecordExtension> Extensions)
{
    /// <summary>The home has found it to be damaged.</summary>
    public bool IsKnownBad { get; init; }
}

/// <summary>Homes without disks: shards in memory, epochs held as a home holds them, and a conduct for each
/// disk that a test may change at any moment.</summary>
internal sealed class MemoryHomes(IFabricMap map) : IShardHome
{
    private readonly ConcurrentDictionary<(DiskId Disk, StripeId Stripe, byte Place), StoredShard> _shards =
        new();

    private readonly ConcurrentDictionary<DiskId, Conduct> _conduct = new();

    public ConcurrentBag<(DiskId Disk, int Length)> Reads { get; } = [];

    public int Appends;

    /// <summary>Listings of groups that were asked for, by disk.</summary>
    public ConcurrentBag<DiskId> Listings { get; } = [];

    /// <summary>Payloads that were given out, in buffers that nobody else rents; null: not kept.</summary>
    public ConcurrentBag<BufferSlice>? GivenOut { get; set; }

    /// <summary>Called before a disk answers a read.</summary>
    public Action<ShardReadOrder>? OnRead { get; set; }

    /// <summary>Called before a disk answers an append.</summary>
    public Action<ShardAppend>? OnAppend { get; set; }

    public Conduct this[DiskId disk]
    {
        get => _conduct.GetValueOrDefault(disk);
        set => _conduct[disk] = value;
    }

    /// <summary>Shards that all homes hold.</summary>
    public int Shards => _shards.Count;

    public int ShardsOf(StripeId stripe) => _shards.Keys.Count(k => k.Stripe == stripe);

    public StoredShard? Stored(DiskId disk, StripeId stripe, int place) =>
        _shards.GetValueOrDefault((disk, stripe, (byte)place));

    public void Put(DiskId disk, StoredShard shard) =>
        _shards[(disk, shard.Header.Stripe, shard.Header.Place)] = shard;

    public void Drop(StripeId stripe, int place)
    {
        foreach (var key in _shards.Keys.Where(k => k.Stripe == stripe && k.Place == place))
        {
            _shards.TryRemove(key, out _);
        }
    }

    public void DropAll(DiskId disk)
    {
        foreach (var key in _shards.Keys.Where(k => k.Disk == disk))
        {
            _shards.TryRemove(key, out _);
        }
    }

    /// <summary>Damages a payload; the home notices when it is read whole.</summary>
    public void Rot(DiskId disk, StripeId stripe, int place)
    {
        StoredShard shard = _shards[(disk, stripe, (byte)place)];
        byte[] rotten = [.. shard.Payload];
        rotten[rotten.Length / 3] ^= 1;
        _shards[(disk, stripe, (byte)place)] = shard with { Payload = rotten };
    }

    public async ValueTask<HomeAnswer> AppendAsync(ShardAppend order, CancellationToken cancel)
    {
        Interlocked.Increment(ref Appends);
        OnAppend?.Invoke(order);
        switch (this[order.To.Disk])
        {
            case Conduct.Offline:
                return new HomeAnswer(ErrorKind.DiskOffline, "offline");
            case Conduct.Full:
                return new HomeAnswer(ErrorKind.DiskFull, "full");
            case Conduct.Silent:
                await Task.Delay(Timeout.Infinite, cancel);
                break;
            case Conduct.Behind:
                return new HomeAnswer(ErrorKind.PreconditionFailed, "epoch", map.Current.Version - 1);
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

        if (Stored(order.To.Disk, order.Header.Stripe, order.Header.Place) is { IsKnownBad: false } stored)
        {
            return stored.Header.ShardSum == order.Header.ShardSum
                ? HomeAnswer.Done
                : new HomeAnswer(ErrorKind.Corrupt, "stored with other bytes");
        }

        Put(order.To.Disk, new StoredShard(order.Header, order.Payload.Span.ToArray(), order.Extensions));
        return HomeAnswer.Done;
    }

    public async ValueTask<ShardReadAnswer> ReadAsync(ShardReadOrder order, CancellationToken cancel)
    {
        await Task.Yield();
        Reads.Add((order.To.Disk, order.Length));
        OnRead?.Invoke(order);
        Conduct conduct = this[order.To.Disk];
        if (conduct == Conduct.Silent)
        {
            await Task.Delay(Timeout.Infinite, cancel);
        }

        if (conduct == Conduct.Offline
            || Stored(order.To.Disk, order.Stripe, order.Place) is not { } shard)
        {
            return new ShardReadAnswer(
                conduct == Conduct.Offline ? ErrorKind.DiskOffline : ErrorKind.NotFound, "no shard");
        }

        if (order.Offset + order.Length > shard.Payload.Length)
        {
            return new ShardReadAnswer(ErrorKind.InvalidArgument, "beyond the shard's end");
        }

        bool isDamaged = order.Length == shard.Payload.Length
            && Sum128.Of(shard.Payload) != shard.Header.ShardSum;
        if (isDamaged || shard.IsKnownBad)
        {
            Put(order.To.Disk, shard with { IsKnownBad = true });
            return new ShardReadAnswer(ErrorKind.Corrupt, "damaged");
        }

        BufferPool pool = GivenOut is null ? BufferPool.Shared : new BufferPool();
        BufferSlice payload = pool.RentSlice(order.Length);
        GivenOut?.Add(payload);
        shard.Payload.AsSpan(order.Offset, order.Length).CopyTo(payload.Span);
        conduct.Twist(payload.Span);
        return new ShardReadAnswer(ErrorKind.None)
        {
            Payload = payload,
            Header = conduct.Stated(shard.Header, shard.Payload),
            Extensions = order.WithExtensions ? shard.Extensions : [],
        };
    }

    public ValueTask<HomeAnswer> ReclaimAsync(
        DiskAddress to, IReadOnlyCollection<ContentId> dead, CancellationToken cancel) =>
        throw new NotSupportedException();

    public async ValueTask<HomeAnswer> DropAsync(ShardDrop order, CancellationToken cancel)
    {
        switch (this[order.To.Disk])
        {
            case Conduct.Offline:
                return new HomeAnswer(ErrorKind.DiskOffline, "offline");
            case Conduct.Silent:
                await Task.Delay(Timeout.Infinite, cancel);
                break;
        }

        if (map.Current.Version > order.MapVersion)
        {
            return new HomeAnswer(ErrorKind.PreconditionFailed, "an older map", map.Current.Version);
        }

        foreach (ShardName shard in order.Shards)
        {
            _shards.TryRemove((order.To.Disk, shard.Stripe, shard.Place), out _);
        }

        return HomeAnswer.Done;
    }

    public ValueTask<ImmutableArray<BucketDigest>> DigestsAsync(DiskAddress to, CancellationToken cancel) =>
        ValueTask.FromResult<ImmutableArray<BucketDigest>>(
        [
            .. _shards
                .Where(s => s.Key.Disk == to.Disk)
                .GroupBy(s => (s.Value.Header.Group, Bucket: BucketDigest.BucketOf(s.Key.Stripe)))
                .Select(g => new BucketDigest(
                    g.Key.Group,
                    g.Key.Bucket,
                    g.Count(),
                    g.Aggregate(
                        UInt128.Zero, (sum, s) => sum + s.Key.Stripe.Value + s.Value.Header.SumsDigest.Low))),
        ]);

    public ValueTask<ImmutableArray<ShardEntry>> ListAsync(
        DiskAddress to, GroupId group, StripeId after, int max, CancellationToken cancel)
    {
        Listings.Add(to.Disk);
        return FirstAsync(to, h => h.Group == group, after, max, cancel);
    }

    public ValueTask<ImmutableArray<ShardEntry>> HeldAsync(
        DiskAddress to,
        IReadOnlyCollection<ContentId> contents,
        StripeId after,
        int max,
        CancellationToken cancel) =>
        FirstAsync(to, h => contents.Contains(h.Content), after, max, cancel);

    private async ValueTask<ImmutableArray<ShardEntry>> FirstAsync(
        DiskAddress to, Func<ShardHeader, bool> isAsked, StripeId after, int max, CancellationToken cancel)
    {
        Conduct conduct = this[to.Disk];
        if (conduct == Conduct.Silent)
        {
            await Task.Delay(Timeout.Infinite, cancel);
        }

        if (conduct == Conduct.Offline)
        {
            throw new ZeroStorException(ErrorKind.DiskOffline, $"Disk {to.Disk} is offline.");
        }

        var entries = ImmutableArray.CreateBuilder<ShardEntry>();
        foreach (var stripe in _shards
            .Where(s => s.Key.Disk == to.Disk && !s.Value.IsKnownBad && s.Key.Stripe.CompareTo(after) > 0)
            .Where(s => isAsked(s.Value.Header))
            .GroupBy(s => s.Key.Stripe)
            .OrderBy(s => s.Key))
        {
            if (entries.Count >= max)
            {
                break;
            }

            entries.AddRange(stripe
                .OrderBy(s => s.Key.Place)
                .Select(s => conduct.Stated(s.Value.Header, s.Value.Payload))
                .Select(h => new ShardEntry(h.Stripe, h.Place, h.Content, h.SumsDigest, h.Group)));
        }

        return entries.ToImmutable();
    }

    public ValueTask<ShardLocation?> LocateAsync(
        DiskAddress to, StripeId stripe, byte place, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<DiskReport> ReportAsync(DiskAddress to, CancellationToken cancel) =>
        throw new NotSupportedException();
}
