using System.Collections.Immutable;

namespace ZeroStor.Volumes;

/// <summary>The disks that are open in this process, as homes of shards. Every order is checked against what
/// the disk and the map say before the disk hears of it: a DiskId that is not open here, or a claim above the
/// one held (another owner was granted it), is DiskOffline; an older claim, another epoch than the group's,
/// a disk that is not the home of that place, or a drop that was judged by an older map than the one here, is
/// PreconditionFailed with the version of the map here, so that a caller behind it reads the map again.
/// Thread-safe.</summary>
public sealed class LocalHomes(IFabricMap map) : IShardHome, IAsyncDisposable
{
    private ImmutableDictionary<DiskId, Disk> _disks = ImmutableDictionary<DiskId, Disk>.Empty;

    /// <summary>The disks that are open now: a snapshot.</summary>
    public IReadOnlyCollection<Disk> All => [.. Volatile.Read(ref _disks).Values];

    /// <summary>Takes a disk in, and with it the duty to close it.</summary>
    public void Add(Disk disk)
    {
        if (!ImmutableInterlocked.TryAdd(ref _disks, disk.Id, disk))
        {
            throw new ZeroStorException(
                ErrorKind.AlreadyExists, $"Disk {disk.Id} is open here already: remove it before adding another.");
        }
    }

    /// <summary>The disk, if it is open here.</summary>
    public Disk? Find(DiskId disk) => Volatile.Read(ref _disks).GetValueOrDefault(disk);

    /// <summary>Lets this opening of a disk go; who is told true closes it. False when somebody else let it
    /// go before: a later opening stays.</summary>
    public bool Remove(Disk disk) => ImmutableInterlocked.Update(
        ref _disks,
        static (disks, gone) => disks.TryGetValue(gone.Id, out Disk? open) && ReferenceEquals(open, gone)
            ? disks.Remove(gone.Id)
            : disks,
        disk);

    public ValueTask<HomeAnswer> AppendAsync(ShardAppend order, CancellationToken cancel)
    {
        if (Find(order.To, out Disk disk) is { } refusal)
        {
            return new(refusal);
        }

        FabricMap current = map.Current;
        bool isHere = (current.Group(order.Header.Group)?.Epoch ?? 0) >= order.Epoch;
        return isHere ? AppendAsync(disk, order, current, cancel) : AppendByNewerAsync(disk, order, cancel);
    }

    // The order names an epoch that is not known here yet: the map is read before it is refused.
    private async ValueTask<HomeAnswer> AppendByNewerAsync(
        Disk disk, ShardAppend order, CancellationToken cancel)
    {
        FabricMap now = await map.RefreshAsync(map.Current.Version + 1, cancel);
        return await AppendAsync(disk, order, now, cancel);
    }

    private static ValueTask<HomeAnswer> AppendAsync(
        Disk disk, ShardAppend order, FabricMap current, CancellationToken cancel)
    {
        ShardHeader header = order.Header;
        PlacementGroup? group = current.Group(header.Group);
        bool isHome = group is not null
            && header.Place < group.Places.Length
            && group.Places[header.Place].Home == disk.Id
            && group.Epoch == order.Epoch;
        return isHome
            ? disk.AppendAsync(header, order.Extensions, order.Payload, cancel)
            : new(new HomeAnswer(
                ErrorKind.PreconditionFailed,
                $"Disk {disk.Id} is not the home of place {header.Place} of group {header.Group} in epoch "
                + $"{order.Epoch}: read the map again.",
                current.Version));
    }

    public ValueTask<ShardReadAnswer> ReadAsync(ShardReadOrder order, CancellationToken cancel) =>
        Find(order.To, out Disk disk) is { } refusal
            ? new(new ShardReadAnswer(refusal.Kind, refusal.Detail, refusal.MapVersion))
            : disk.ReadAsync(
                order.Stripe, order.Place, order.Offset, order.Length, order.WithExtensions, cancel);

    public ValueTask<HomeAnswer> ReclaimAsync(
        DiskAddress to, IReadOnlyCollection<ContentId> dead, CancellationToken cancel) =>
        Find(to, out Disk disk) is { } refusal ? new(refusal) : disk.ReclaimAsync(dead, cancel);

    public ValueTask<HomeAnswer> DropAsync(ShardDrop order, CancellationToken cancel) =>
        Find(order.To, out Disk disk) is { } refusal
            ? new(refusal)
            : disk.DropAsync(order.Shards, () => Outdated(order), cancel);

    /// <exception cref="ZeroStorException">DiskOffline, PreconditionFailed: as above.</exception>
    public ValueTask<ImmutableArray<BucketDigest>> DigestsAsync(DiskAddress to, CancellationToken cancel) =>
        new(Demand(to).Digests());

    /// <exception cref="ZeroStorException">DiskOffline, PreconditionFailed: as above.</exception>
    public ValueTask<ImmutableArray<ShardEntry>> ListAsync(
        DiskAddress to, GroupId group, StripeId after, int max, CancellationToken cancel) =>
        OffTheTurn(to, disk => disk.List(group, after, max), cancel);

    /// <exception cref="ZeroStorException">DiskOffline, PreconditionFailed: as above.</exception>
    public ValueTask<ImmutableArray<ShardEntry>> HeldAsync(
        DiskAddress to,
        IReadOnlyCollection<ContentId> contents,
        StripeId after,
        int max,
        CancellationToken cancel) =>
        OffTheTurn(to, disk => disk.Held(contents, after, max), cancel);

    /// <exception cref="ZeroStorException">DiskOffline, PreconditionFailed: as above.</exception>
    public ValueTask<ShardLocation?> LocateAsync(
        DiskAddress to, StripeId stripe, byte place, CancellationToken cancel) =>
        new(Demand(to).Locate(stripe, place));

    /// <exception cref="ZeroStorException">DiskOffline, PreconditionFailed: as above.</exception>
    public ValueTask<DiskReport> ReportAsync(DiskAddress to, CancellationToken cancel) => new(Demand(to).Report());

    /// <summary>Closes all disks in order, at once.</summary>
    public async ValueTask DisposeAsync()
    {
        ImmutableDictionary<DiskId, Disk> disks =
            Interlocked.Exchange(ref _disks, ImmutableDictionary<DiskId, Disk>.Empty);
        await Task.WhenAll(disks.Values.Select(d => d.DisposeAsync().AsTask()));
    }

    // Null when the order is for the disk; else why not.
    private HomeAnswer? Find(DiskAddress to, out Disk disk)
    {
        if (!Volatile.Read(ref _disks).TryGetValue(to.Disk, out disk!))
        {
            return new HomeAnswer(
                ErrorKind.DiskOffline,
                $"Disk {to.Disk} is not open here: ask the map who has it.",
                map.Current.Version);
        }

        uint held = disk.Claim;
        return to.Claim == held
            ? null
            : new HomeAnswer(
                to.Claim > held ? ErrorKind.DiskOffline : ErrorKind.PreconditionFailed,
                $"Disk {to.Disk} is held here under claim {held}, and the order names {to.Claim}: read the map "
                + "again.",
                map.Current.Version);
    }

    // The disk's writer asks, so an append that stands before the drop was let in by no newer map than this.
    private HomeAnswer? Outdated(ShardDrop order)
    {
        long version = map.Current.Version;
        return version <= order.MapVersion
            ? null
            : new HomeAnswer(
                ErrorKind.PreconditionFailed,
                $"What disk {order.To.Disk} should drop was judged by version {order.MapVersion} of the map, "
                + $"and {version} is known here: judge by that.",
                version);
    }

    // Lists read footers, and whoever asks may have a thread that others wait for.
    private ValueTask<ImmutableArray<ShardEntry>> OffTheTurn(
        DiskAddress to, Func<Disk, ImmutableArray<ShardEntry>> list, CancellationToken cancel)
    {
        Disk disk = Demand(to);
        return new(Task.Run(() => list(disk), cancel));
    }

    private Disk Demand(DiskAddress to) => Find(to, out Disk disk) is { } refusal
        ? throw new ZeroStorException(refusal.Kind, refusal.Detail)
        : disk;
}
