using System.Collections.Immutable;
using Microsoft.Extensions.Time.Testing;
using ZeroStor.Erasure;
using ZeroStor.Tests.Proofs;
using ZeroStor.Tests.Volumes;
using ZeroStor.Volumes;

namespace ZeroStor.Tests.Paths;

/// <summary>A disk of the model: a real one on files in memory, and what may be done to it.</summary>
internal sealed class ModelDisk(DiskEntry entry, MemoryFiles memory, FaultyFiles files)
{
    public DiskAddress Address { get; } = new(entry.Id, entry.Claim);

    public MemoryFiles Memory => memory;

    public FaultyFiles Files => files;

    public required SeededEntropy Entropy { get; init; }

    public required Disk Disk { get; set; }

    public bool IsUnplugged { get; set; }

    /// <summary>Never to come back.</summary>
    public bool IsLost { get; set; }

    public Conduct Conduct { get; set; }

    public bool IsThere => !IsUnplugged && !IsLost;

    /// <summary>Shards that it answered for. Under a lock of itself, as the next.</summary>
    public HashSet<(StripeId Stripe, byte Place, ContentId Content)> Owed { get; } = [];

    /// <summary>Those that it was told to reclaim.</summary>
    public HashSet<(StripeId Stripe, byte Place, ContentId Content)> Condemned { get; } = [];

    /// <summary>Those that it answered to have reclaimed.</summary>
    public HashSet<(StripeId Stripe, byte Place, ContentId Content)> Dropped { get; } = [];
}

/// <summary>What a home really has, whatever it says.</summary>
internal enum Truth
{
    Absent,
    Right,
    Wrong,
}

/// <summary>Homes on real disks, each of which can lose power, be unplugged, be lost and lie. They keep
/// account of what the disks promised, and hold them to it.</summary>
internal sealed class ModelHomes(PathFixture fabric, int seed, Defect planted) : IShardHome, IAsyncDisposable
{
    // One volume, so that the calls of an append are a write and a sync, and a cut falls where it is meant
    // to.
    private static readonly DiskOptions Options = new() { GrowBytes = 64 * 1024 };

    private readonly LocalHomes _local = new(fabric);
    private readonly SortedDictionary<DiskId, ModelDisk> _disks = [];
    private readonly Dictionary<StripeId, Sum128[]> _sums = [];

    public ImmutableArray<ModelDisk> All => [.. _disks.Values];

    public ModelDisk this[DiskId disk] => _disks[disk];

    public void Add(DiskEntry entry)
    {
        int diskSeed = (seed * 31) + (int)entry.Id.Value;
        var memory = new MemoryFiles(diskSeed);
        var entropy = new SeededEntropy(diskSeed);
        DiskFolder.Format(memory, Folder(entry.Id), fabric.Current.Fabric, entry.Id, entropy);
        var files = new FaultyFiles(memory) { SkipsSyncs = planted == Defect.SkippedSync };
        var disk = new ModelDisk(entry, memory, files)
        {
            Entropy = entropy,
            Disk = Open(entry.Id, files, entropy),
        };
        disk.Disk.DemandClaim(entry.Claim - 1);
        disk.Disk.TakeClaim(entry.Claim);
        _disks.Add(entry.Id, disk);
        _local.Add(disk.Disk);
    }

    /// <summary>The disk loses what it did not sync, opens again, and must have what it answered
    /// for.</summary>
    public async Task CutPowerAsync(ModelDisk disk)
    {
        _local.Remove(disk.Disk);
        disk.Disk.Abandon();
        disk.Memory.CutPower();
        disk.Files.ChangesLeft = int.MaxValue;
        disk.Disk = Open(disk.Address.Disk, disk.Files, disk.Entropy);
        _local.Add(disk.Disk);
        foreach ((StripeId stripe, byte place, _) in disk.Owed)
        {
            BrokenPromiseException.Unless(
                await LookAsync(disk, stripe, place) == Truth.Right,
                Promise.AcknowledgedIsKept,
                $"disk {disk.Address.Disk} answered for place {place} of {stripe} and lost it");
        }

        foreach ((StripeId stripe, byte place, _) in disk.Dropped)
        {
            BrokenPromiseException.Unless(
                await LookAsync(disk, stripe, place) == Truth.Absent,
                Promise.ReclaimedIsGone,
                $"disk {disk.Address.Disk} reclaimed place {place} of {stripe} and has it again");
        }
    }

    public void Lose(ModelDisk disk)
    {
        disk.IsLost = true;
        _local.Remove(disk.Disk);
        disk.Disk.Abandon();
    }

    /// <summary>What the disk has, held against the sums of those who wrote the stripe.</summary>
    public async Task<Truth> LookAsync(ModelDisk disk, StripeId stripe, int place)
    {
        if (disk.IsLost)
        {
            return Truth.Absent;
        }

        ShardReadAnswer head = await disk.Disk.ReadAsync(stripe, (byte)place, 0, 0, false, default);
        if (head.Header is null)
        {
            return head.Kind == ErrorKind.NotFound ? Truth.Absent : Truth.Wrong;
        }

        ShardReadAnswer shard = await disk.Disk.ReadAsync(
            stripe, (byte)place, 0, head.Header.ShardBytes, false, default);
        bool isRight = shard.IsDone && Sum128.Of(shard.Payload.Span) == _sums[stripe][place];
        shard.Payload.Release();
        return isRight ? Truth.Right : Truth.Wrong;
    }

    public async ValueTask<HomeAnswer> AppendAsync(ShardAppend order, CancellationToken cancel)
    {
        ModelDisk disk = _disks[order.To.Disk];
        if (!disk.IsThere)
        {
            return new HomeAnswer(ErrorKind.DiskOffline, "unplugged");
        }

        Note(order);
        bool isStale = order.Epoch < fabric.Current.Group(order.Header.Group)!.Epoch;
        HomeAnswer answer = isStale && planted == Defect.StaleEpoch
            ? await disk.Disk.AppendAsync(order.Header, order.Extensions, order.Payload, cancel)
            : await _local.AppendAsync(order, cancel);
        if (answer.IsDone)
        {
            lock (disk)
            {
                disk.Owed.Add((order.Header.Stripe, order.Header.Place, order.Header.Content));
            }
        }

        return answer;
    }

    public async ValueTask<ShardReadAnswer> ReadAsync(ShardReadOrder order, CancellationToken cancel)
    {
        ModelDisk disk = _disks[order.To.Disk];
        if (!disk.IsThere)
        {
            return new ShardReadAnswer(ErrorKind.DiskOffline, "unplugged");
        }

        ShardReadAnswer answer = await _local.ReadAsync(order, cancel);
        if (answer.Header is null || disk.Conduct == Conduct.Honest)
        {
            return answer;
        }

        ShardReadAnswer whole = await _local.ReadAsync(
            order with { Offset = 0, Length = answer.Header.ShardBytes }, cancel);
        ShardHeader stated = disk.Conduct.Stated(answer.Header, whole.Payload.Span);
        whole.Payload.Release();
        disk.Conduct.Twist(answer.Payload.Span);
        return answer with { Header = stated };
    }

    public async ValueTask<HomeAnswer> ReclaimAsync(
        DiskAddress to, IReadOnlyCollection<ContentId> dead, CancellationToken cancel)
    {
        ModelDisk disk = _disks[to.Disk];
        if (!disk.IsThere)
        {
            return new HomeAnswer(ErrorKind.DiskOffline, "unplugged");
        }

        disk.Condemned.UnionWith(disk.Owed.Where(o => dead.Contains(o.Content)));
        disk.Owed.ExceptWith(disk.Condemned);
        HomeAnswer answer = await _local.ReclaimAsync(to, dead, cancel);
        if (answer.IsDone)
        {
            disk.Dropped.UnionWith(disk.Condemned.Where(o => dead.Contains(o.Content)));
        }

        return answer;
    }

    public async ValueTask<ImmutableArray<ShardEntry>> ListAsync(
        DiskAddress to, GroupId group, StripeId after, int max, CancellationToken cancel)
    {
        ModelDisk disk = Demand(to);
        return Stated(disk.Conduct, await _local.ListAsync(to, group, after, max, cancel));
    }

    public async ValueTask<ImmutableArray<ShardEntry>> HeldAsync(
        DiskAddress to,
        IReadOnlyCollection<ContentId> contents,
        StripeId after,
        int max,
        CancellationToken cancel)
    {
        ModelDisk disk = Demand(to);
        return Stated(disk.Conduct, await _local.HeldAsync(to, contents, after, max, cancel));
    }

    public ValueTask<HomeAnswer> DropAsync(ShardDrop order, CancellationToken cancel) =>
        throw new NotSupportedException("The model drops whole contents.");

    public ValueTask<ImmutableArray<BucketDigest>> DigestsAsync(DiskAddress to, CancellationToken cancel) =>
        _local.DigestsAsync(Demand(to).Address, cancel);

    public ValueTask<ShardLocation?> LocateAsync(
        DiskAddress to, StripeId stripe, byte place, CancellationToken cancel) =>
        _local.LocateAsync(Demand(to).Address, stripe, place, cancel);

    public ValueTask<DiskReport> ReportAsync(DiskAddress to, CancellationToken cancel) =>
        _local.ReportAsync(Demand(to).Address, cancel);

    public ValueTask DisposeAsync() => _local.DisposeAsync();

    private static ImmutableArray<ShardEntry> Stated(Conduct conduct, ImmutableArray<ShardEntry> listed) =>
        conduct == Conduct.Forging
            ? [.. listed.Select(e => e with { SumsDigest = new Sum128(e.SumsDigest.High ^ 1, 7) })]
            : listed;

    private static string Folder(DiskId disk) => $"/disk{disk}";

    private Disk Open(DiskId disk, FaultyFiles files, SeededEntropy entropy) => Disk.Open(
        Folder(disk),
        Options with { Planted = planted.InCore() },
        entropy,
        new FakeTimeProvider(),
        files,
        BufferPool.Shared);

    private ModelDisk Demand(DiskAddress to) => _disks[to.Disk] is { IsThere: true } disk
        ? disk
        : throw new ZeroStorException(ErrorKind.DiskOffline, $"Disk {to.Disk} is unplugged: plug it in.");

    // The first who says what a stripe's sums are is the coordinator that made them.
    private void Note(ShardAppend order)
    {
        foreach (RecordExtension extension in order.Extensions.Where(e => e.Type == ExtensionType.ShardSums))
        {
            var sums = new Sum128[order.Header.Code.N];
            if (ShardSums.TryRead(extension.Value.Span, order.Header.SumsDigest, sums))
            {
                lock (_sums)
                {
                    _sums.TryAdd(order.Header.Stripe, sums);
                }
            }
        }
    }
}
