using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace ZeroStor.Paths;

/// <summary>The homes of a group as one pass of repair deals with them. Whatever goes wrong comes back as a
/// value and within the time-out; a disk that did not answer is not asked again by this pass, nor by others
/// that go with it, one that refused a shard as a whole is offered none again; shard bytes pass the throttle.
/// When a disk refuses because the map here is behind, the map is read again and the pass is stale.
/// Thread-safe; only its caller's cancellation throws.</summary>
/// <param name="homes">The homes.</param>
/// <param name="map">The map.</param>
/// <param name="throttle">What shard bytes pass.</param>
/// <param name="time">For time-outs.</param>
/// <param name="group">As it is when the pass begins.</param>
/// <param name="silent">Disks that did not answer; shared with the passes over other groups that begin
/// together, so that a silent one is waited for once.</param>
internal sealed class RepairHomes(
    IShardHome homes,
    IFabricMap map,
    Throttle throttle,
    TimeProvider time,
    PlacementGroup group,
    ConcurrentDictionary<DiskId, ErrorKind> silent)
{
    private readonly ConcurrentDictionary<DiskId, ErrorKind> _absent = new();
    private readonly ConcurrentDictionary<DiskId, ErrorKind> _refusing = new();
    private volatile bool _isStale;

    public required TimeSpan HomeTimeout { get; init; }

    public PlantedDefects Planted { get; init; }

    /// <summary>The group as it was when the pass began: appends go under its epoch.</summary>
    public PlacementGroup Group => group;

    /// <summary>The group or a disk's claim has changed since the pass began: it is to end, and to begin
    /// anew.</summary>
    public bool IsStale => _isStale;

    public bool IsAbsent(DiskId disk) =>
        _absent.ContainsKey(disk)
        || silent.ContainsKey(disk)
        || map.Current.Disk(disk) is null or { State: DiskState.Missing or DiskState.Removed };

    /// <summary>Whether a shard may be offered to this disk.</summary>
    public bool Takes(DiskId disk) =>
        !IsAbsent(disk) && !_refusing.ContainsKey(disk) && map.Current.Disk(disk) is { State: DiskState.Up };

    /// <summary>What this disk says is not to be followed in this pass.</summary>
    public void Distrust(DiskId disk) => _absent.TryAdd(disk, ErrorKind.Corrupt);

    /// <summary>A page of a disk's listing; null: it is absent.</summary>
    public Task<IReadOnlyList<ShardEntry>?> ListAsync(
        DiskId disk, StripeId after, int max, CancellationToken cancel) =>
        InTimeAsync(
            disk,
            async (to, stop) =>
            {
                ImmutableArray<ShardEntry> page = await homes.ListAsync(to, group.Id, after, max, stop);
                return (IReadOnlyList<ShardEntry>)(page.IsDefault ? [] : page);
            },
            late: null,
            cancel);

    /// <summary>A shard's header, and its extensions where they are wanted.</summary>
    public Task<ShardReadAnswer> HeaderAsync(
        DiskId disk, StripeId stripe, int place, bool withExtensions, CancellationToken cancel) =>
        ReadAsync(disk, stripe, place, 0, withExtensions, cancel);

    /// <summary>A whole shard; the caller releases the payload.</summary>
    public async Task<ShardReadAnswer> ShardAsync(
        DiskId disk, StripeId stripe, int place, int shardBytes, CancellationToken cancel)
    {
        await throttle.TakeAsync(shardBytes, cancel);
        return await ReadAsync(disk, stripe, place, shardBytes, false, cancel);
    }

    public async Task<HomeAnswer> AppendAsync(
        DiskId home,
        ShardHeader header,
        ImmutableArray<RecordExtension> extensions,
        BufferSlice payload,
        CancellationToken cancel)
    {
        await throttle.TakeAsync(payload.Length, cancel);
        uint claim = 0;
        HomeAnswer? answer = await InTimeAsync(
            home,
            (to, stop) =>
            {
                claim = to.Claim;
                return homes.AppendAsync(
                    new ShardAppend
                    {
                        To = to,
                        Epoch = group.Epoch,
                        Header = header,
                        Extensions = extensions,
                        Payload = payload,
                    },
                    stop);
            },
            late: null,
            cancel);
        switch (answer?.Kind)
        {
            // About this shard, or about this moment.
            case null or ErrorKind.None or ErrorKind.Corrupt or ErrorKind.Busy:
                break;

            case ErrorKind.PreconditionFailed:
                await NoticeAsync(home, claim, answer.MapVersion, _refusing, cancel);
                break;

            default:
                _refusing[home] = answer.Kind;
                break;
        }

        return answer ?? new HomeAnswer(ErrorKind.DiskOffline);
    }

    private async Task<ShardReadAnswer> ReadAsync(
        DiskId disk, StripeId stripe, int place, int length, bool withExtensions, CancellationToken cancel)
    {
        uint claim = 0;
        ShardReadAnswer? answer = await InTimeAsync(
            disk,
            (to, stop) =>
            {
                claim = to.Claim;
                return homes.ReadAsync(
                    new ShardReadOrder
                    {
                        To = to,
                        Stripe = stripe,
                        Place = (byte)place,
                        Length = length,
                        WithExtensions = withExtensions,
                    },
                    stop);
            },
            late => late.Payload.Release(),
            cancel);
        switch (answer?.Kind)
        {
            case ErrorKind.PreconditionFailed:
                await NoticeAsync(disk, claim, answer.MapVersion, _absent, cancel);
                break;
            case ErrorKind.DiskOffline or ErrorKind.DiskFailed:
                silent[disk] = answer.Kind;
                break;
        }

        return answer ?? new ShardReadAnswer(ErrorKind.DiskOffline);
    }

    // Null when the disk is absent, by the map or by not answering.
    private async Task<T?> InTimeAsync<T>(
        DiskId disk,
        Func<DiskAddress, CancellationToken, ValueTask<T>> ask,
        Action<T>? late,
        CancellationToken cancel)
        where T : class
    {
        if (IsAbsent(disk) || map.Current.Disk(disk) is not { } entry)
        {
            return null;
        }

        using var patience = new CancellationTokenSource(HomeTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancel);
        Task<T>? asking = null;
        try
        {
            asking = ask(new DiskAddress(entry.Id, entry.Claim), both.Token).AsTask();
            return await asking.WaitAsync(both.Token);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            _ = asking?.ContinueWith(
                answered => late?.Invoke(answered.Result),
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
            cancel.ThrowIfCancellationRequested();
            if (failure is ZeroStorException { Kind: ErrorKind.PreconditionFailed })
            {
                await NoticeAsync(disk, entry.Claim, map.Current.Version + 1, _absent, cancel);
            }
            else
            {
                silent[disk] = ErrorKind.DiskOffline;
            }

            return null;
        }
    }

    // The map here is behind, or the disk's is. Only the first is a reason to begin anew: a disk that refuses
    // without one is done without.
    private async Task NoticeAsync(
        DiskId disk,
        uint claim,
        long mapVersion,
        ConcurrentDictionary<DiskId, ErrorKind> without,
        CancellationToken cancel)
    {
        without[disk] = ErrorKind.PreconditionFailed;
        try
        {
            FabricMap now = await map.RefreshAsync(mapVersion, cancel).AsTask()
                .WaitAsync(HomeTimeout, time, cancel);
            if (now.Group(group.Id)?.Epoch != group.Epoch || now.Disk(disk)?.Claim != claim)
            {
                _isStale = true;
            }
        }
        catch (Exception e) when (e is ZeroStorException or TimeoutException)
        {
            _isStale = true;
        }
    }
}
