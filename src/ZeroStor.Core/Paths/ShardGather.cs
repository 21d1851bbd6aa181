using System.Threading.Channels;
using ZeroStor.Erasure;

namespace ZeroStor.Paths;

/// <summary>Brings a range of a stripe's sealed bytes together from its homes. All shards are asked for the
/// same columns (<see cref="ShardColumns"/>). Used once, by one caller; disposing gives back all that came, and
/// what comes late.</summary>
internal sealed class ShardGather : IDisposable
{
    private readonly IShardHome _homes;
    private readonly IFabricMap _map;
    private readonly HomeHealth _health;
    private readonly TimeProvider _time;
    private readonly IReadObserver _observer;
    private readonly Code _code;
    private readonly StripeRef _stripe;
    private readonly PlacementGroup _group;

    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<(int Place, ShardReadAnswer Answer)> _answers;
    private readonly ShardColumns _columns;
    private readonly bool[] _asked;
    private int _underWay;

    public ShardGather(
        IShardHome homes,
        IFabricMap map,
        HomeHealth health,
        TimeProvider time,
        IReadObserver observer,
        Code code,
        StripeRef stripe,
        int sealedOffset,
        int sealedBytes)
    {
        (_homes, _map, _health, _time, _observer) = (homes, map, health, time, observer);
        (_code, _stripe) = (code, stripe);
        _group = map.Current.Group(stripe.Group)
            ?? throw ZeroStorException.Corrupt($"stripe {stripe.Id} lies in group {stripe.Group}, which the map lacks");
        _columns = new ShardColumns(code, stripe.SealedBytes, sealedOffset, sealedBytes);
        _asked = new bool[code.N];
        _answers = Channel.CreateBounded<(int, ShardReadAnswer)>(code.N);
    }

    public required TimeSpan MinHedge { get; init; }

    public required TimeSpan HomeTimeout { get; init; }

    /// <summary>So many of the places that the range touches, the first ones, are not asked.</summary>
    public int AbsentHomes { get; init; }

    public PlantedDefects Planted { get; init; }

    /// <summary>The range, from the data shards or rebuilt from any others; this keeps it until disposed. Nothing
    /// but the homes' own checks vouches for it.</summary>
    /// <exception cref="ZeroStorException">TooFewShards.</exception>
    public async Task<ShardColumns> RunAsync(CancellationToken cancel)
    {
        using CancellationTokenRegistration linked = cancel.Register(_stop.Cancel);
        TimeSpan hedge = _health.Reads.P95 > MinHedge ? _health.Reads.P95 : MinHedge;
        long deadline = _time.GetTimestamp() + (long)(HomeTimeout.TotalSeconds * _time.TimestampFrequency);
        for (int place = _columns.First; place <= _columns.Last; place++)
        {
            Ask(place);
        }

        AskInsteadOfDoubtful();
        Task<bool>? next = null;
        while (!_columns.IsEnough)
        {
            if (_underWay == 0 && !AskOthers(_code.K - _columns.Count))
            {
                throw TooFew();
            }

            next ??= _answers.Reader.WaitToReadAsync(cancel).AsTask();
            if (await Task.WhenAny(next, Task.Delay(hedge, _time, _stop.Token)) != next)
            {
                cancel.ThrowIfCancellationRequested();
                if (_time.GetTimestamp() > deadline)
                {
                    throw TooFew();
                }

                // Whoever has not answered by now is slow: enough others are asked to do without all of them.
                AskOthers(_code.K - _columns.Count);
                continue;
            }

            await next;
            next = null;
            Collect();
        }

        // Whoever has not answered need not any more.
        _stop.Cancel();
        return Complete();
    }

    /// <summary>As <see cref="RunAsync"/>, but of whole shards, each held against the shard sums whose digest
    /// the StripeRef names: up to m homes may lie. Homes whose shards do not match are named to the
    /// observer.</summary>
    /// <exception cref="ZeroStorException">TooFewShards.</exception>
    public async Task<ShardColumns> RunVerifiedAsync(CancellationToken cancel)
    {
        using CancellationTokenRegistration linked = cancel.Register(_stop.Cancel);
        Sum128[] sums = await FindSumsAsync(cancel)
            ?? throw new ZeroStorException(
                ErrorKind.TooFewShards,
                $"no home of stripe {_stripe.Id} gives the shard sums that its digest names: bring lost disks back");
        IEnumerable<Task> reads = Enumerable.Range(0, _code.N).Select(place => ReadCheckedAsync(place, sums));
        await Task.WhenAll(reads);
        cancel.ThrowIfCancellationRequested();
        return _columns.Count >= _code.K ? Complete() : throw TooFew();
    }

    public void Dispose()
    {
        _stop.Cancel();
        _answers.Writer.TryComplete();
        while (_answers.Reader.TryRead(out (int Place, ShardReadAnswer Answer) late))
        {
            late.Answer.Payload.Release();
        }

        _columns.Dispose();
    }

    private void Ask(int place)
    {
        _asked[place] = true;
        _underWay++;
        _ = FetchAsync(place);
    }

    // A home that is away, or that waits for what a lost one held, likely has nothing to give. Where the range touches so many shards that
    // doing without them takes few others, these are asked at once: waiting to hear so would double what a get takes
    // while homes are lost.
    private void AskInsteadOfDoubtful()
    {
        int doubtful = 0;
        for (int place = _columns.First; place <= _columns.Last; place++)
        {
            doubtful += IsDoubtful(_group.Places[place]) ? 1 : 0;
        }

        int others = _code.K - (_underWay - doubtful);
        if (doubtful > 0 && others <= _code.M)
        {
            AskOthers(others);
        }
    }

    // The ones likely to answer first; those that failed a moment ago last.
    private bool AskOthers(int count)
    {
        int[] others = [.. Enumerable.Range(0, _code.N)
            .Where(p => !_asked[p])
            .OrderBy(p => IsPromising(_group.Places[p].Home) ? 0 : 1)
            .Take(count)];
        foreach (int place in others)
        {
            Ask(place);
        }

        return others.Length > 0;
    }

    private bool IsDoubtful(Place place) =>
        place.IsWhole ? !IsPromising(place.Home) : !place.FormerHomes.Any(IsPromising);

    private bool IsPromising(DiskId disk) =>
        _map.Current.Disk(disk) is { State: DiskState.Up } && !_health.Avoids(disk);

    private async Task FetchAsync(int place)
    {
        ShardReadAnswer answer = await ReadPlaceAsync(place);
        if (!_answers.Writer.TryWrite((place, answer)))
        {
            answer.Payload.Release();
        }
    }

    // The home first; until it is whole a former home may be the one that holds the shard.
    private async Task<ShardReadAnswer> ReadPlaceAsync(int place)
    {
        ShardReadAnswer answer = new(ErrorKind.DiskOffline, "no home");
        if (IsTakenForAbsent(place))
        {
            return answer;
        }

        foreach (DiskId disk in HoldersOf(place))
        {
            answer = await ReadHomeAsync(
                disk, place, _columns.Offset, _columns.Bytes, withExtensions: false);
            if (answer.IsDone)
            {
                return answer;
            }

            if (!_stop.IsCancellationRequested)
            {
                _observer.Found(_stripe, place, disk, answer.Kind);
            }
        }

        return answer;
    }

    private bool IsTakenForAbsent(int place) =>
        place >= _columns.First && place < _columns.First + AbsentHomes;

    private IEnumerable<DiskId> HoldersOf(int place) =>
        _group.Places[place].FormerHomes.Prepend(_group.Places[place].Home);

    private async Task<ShardReadAnswer> ReadHomeAsync(
        DiskId disk, int place, int offset, int length, bool withExtensions)
    {
        DiskEntry? entry = _map.Current.Disk(disk);
        if (entry is null or { State: DiskState.Missing or DiskState.Removed })
        {
            return new ShardReadAnswer(ErrorKind.DiskOffline, "not up in the map");
        }

        long started = _health.Reads.Start();
        try
        {
            ShardReadAnswer answer = await _homes.ReadAsync(
                new ShardReadOrder
                {
                    To = new DiskAddress(entry.Id, entry.Claim),
                    Stripe = _stripe.Id,
                    Place = (byte)place,
                    Offset = offset,
                    Length = length,
                    WithExtensions = withExtensions,
                },
                _stop.Token);
            if (answer.IsDone)
            {
                _health.Reads.Stop(started);
                return Checked(answer, length);
            }

            return answer;
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            if (!_stop.IsCancellationRequested)
            {
                _health.Failed(disk);
            }

            return new ShardReadAnswer(ErrorKind.DiskOffline, failure.Message);
        }
    }

    // A well-meant answer about another stripe is no answer.
    private ShardReadAnswer Checked(ShardReadAnswer answer, int length)
    {
        bool belongs = answer.Payload.Length == length
            && (answer.Header is null || answer.Header.SumsDigest == _stripe.SumsDigest);
        if (belongs)
        {
            return answer;
        }

        answer.Payload.Release();
        return new ShardReadAnswer(ErrorKind.Corrupt, "answered with another shard");
    }

    private void Collect()
    {
        while (_answers.Reader.TryRead(out (int Place, ShardReadAnswer Answer) next))
        {
            _underWay--;
            if (next.Answer.IsDone)
            {
                _columns.Take(next.Place, next.Answer.Payload);
            }
            else if (!_columns.HasWanted)
            {
                AskOthers(Math.Max(0, _code.K - _columns.Count - _underWay));
            }
        }
    }

    private async Task<Sum128[]?> FindSumsAsync(CancellationToken cancel)
    {
        for (int place = 0; place <= _code.M; place++)
        {
            foreach (DiskId disk in HoldersOf(place))
            {
                ShardReadAnswer answer = await ReadInTimeAsync(disk, place, 0, withExtensions: true);
                cancel.ThrowIfCancellationRequested();
                answer.Payload.Release();
                var sums = new Sum128[_code.N];
                if (answer.Extensions.Any(e => e.Type == ExtensionType.ShardSums
                    && ShardSums.TryRead(e.Value.Span, _stripe.SumsDigest, sums)))
                {
                    return sums;
                }
            }
        }

        return null;
    }

    private async Task ReadCheckedAsync(int place, Sum128[] sums)
    {
        foreach (DiskId disk in HoldersOf(place))
        {
            ShardReadAnswer answer = await ReadInTimeAsync(disk, place, _columns.Bytes, withExtensions: false);
            Sum128? right =
                Planted.HasFlag(PlantedDefects.ReadTrustsHomes) ? answer.Header?.ShardSum : sums[place];
            if (answer.IsDone && Sum128.Of(answer.Payload.Span) == right)
            {
                _columns.Take(place, answer.Payload);
                return;
            }

            answer.Payload.Release();
            _observer.Found(_stripe, place, disk, answer.IsDone ? ErrorKind.Corrupt : answer.Kind);
        }
    }

    private async Task<ShardReadAnswer> ReadInTimeAsync(DiskId disk, int place, int length, bool withExtensions)
    {
        Task<ShardReadAnswer> reading = ReadHomeAsync(disk, place, 0, length, withExtensions);
        try
        {
            return await reading.WaitAsync(HomeTimeout, _time, _stop.Token);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            _ = reading.ContinueWith(
                late => late.Result.Payload.Release(),
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
            return new ShardReadAnswer(ErrorKind.DiskOffline, "no answer in time");
        }
    }

    private ShardColumns Complete()
    {
        if (!_columns.HasWanted)
        {
            _columns.Rebuild();
            _observer.Decoded(_stripe);
        }

        return _columns;
    }

    private ZeroStorException TooFew()
    {
        IEnumerable<string> absent = Enumerable.Range(0, _code.N)
            .Where(p => !_columns.Has(p) && _asked[p] && !IsTakenForAbsent(p))
            .Select(p => _group.Places[p].Home.ToString());
        return new ZeroStorException(
            ErrorKind.TooFewShards,
            $"{_columns.Count} shards of stripe {_stripe.Id} answer and {_code} needs {_code.K}: bring back disks "
            + $"{string.Join(", ", absent.Distinct())}");
    }
}
