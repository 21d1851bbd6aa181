using ZeroStor.Erasure;

namespace ZeroStor.Paths;

/// <summary>Brings one stripe to its homes. All who may hold a shard are asked for its record; what agrees
/// with the <see cref="StripeTruth"/> stays, what a home lacks is copied from another holder or decoded from
/// any k. Every byte is held against the shard sums, when it was read and when it was rebuilt. A home that
/// says it holds something else is named and left as it is: a disk never replaces what it takes for good.
/// Used once, by one caller; disposing gives all buffers back.</summary>
internal sealed class RepairStripe : IDisposable
{
    private readonly RepairHomes _homes;
    private readonly Code _code;
    private readonly IReadObserver _observer;
    private readonly StripeId _stripe;
    private readonly (DiskId Disk, int Place)[] _holders;
    private readonly ShardReadAnswer[] _answers;
    private readonly BufferSlice?[] _shards;
    private readonly HashSet<HeldShard> _tried = [];
    private readonly Lock _lock = new();
    private readonly SortedSet<int> _wanted = [];
    private StripeTruth? _truth;
    private int _left;
    private PlaceSet _placesLeft;
    private bool _isHopeless;
    private long _shardsRead;
    private long _bytesRead;

    /// <param name="homes">The pass.</param>
    /// <param name="code">The code of the group's class.</param>
    /// <param name="observer">Told which disks hold what they should not.</param>
    /// <param name="stripe">The stripe.</param>
    public RepairStripe(RepairHomes homes, Code code, IReadObserver observer, LackingStripe stripe)
    {
        (_homes, _code, _observer, _stripe) = (homes, code, observer, stripe.Stripe);
        _holders =
        [
            .. homes.Group.Places
                .SelectMany((place, i) => place.FormerHomes.Prepend(place.Home).Select(disk => (disk, i)))
                .Concat(stripe.Strays)
                .Distinct(),
        ];
        _answers = new ShardReadAnswer[_holders.Length];
        _shards = new BufferSlice?[code.N];
    }

    /// <summary>Places that somebody was found to hold.</summary>
    public int Held => _truth?.Good.DistinctBy(h => h.Place).Count() ?? 0;

    /// <summary>Asks every holder for its record; true when each home has its shard.</summary>
    public async Task<bool> LookAsync(CancellationToken cancel)
    {
        await Task.WhenAll(_holders.Select(async (holder, i) => _answers[i] = await _homes.HeaderAsync(
            holder.Disk, _stripe, holder.Place, withExtensions: holder.Place <= _code.M, cancel)));
        HeldShard[] held =
        [
            .. _holders.Zip(_answers)
                .Where(h => h.Second is { IsDone: true, Header: not null })
                .Select(h => new HeldShard(
                    h.First.Disk,
                    h.First.Place,
                    h.Second.Header!,
                    h.Second.Extensions.IsDefault ? [] : h.Second.Extensions)),
        ];
        _truth = StripeTruth.Find(_stripe, _homes.Group.Id, _code, held, _homes.Planted);
        if (_truth is null)
        {
            bool isGone = Array.TrueForAll(_answers, a => a.Kind == ErrorKind.NotFound);
            if (!isGone)
            {
                // Nobody knows what is right, so no home is known to be. But where fewer than k places are held by
                // anybody who answers or may come back, waiting helps no place: it is what a dead content left, or a
                // placing that was given up.
                _left = Math.Max(1, Places().Count(p => !AnswerOfHome(p).IsDone));
                _isHopeless = IsHopeless(held);
                _placesLeft = _isHopeless ? default : PlaceSet.Range(0, _code.N);
            }

            return isGone;
        }

        foreach (int place in Places().Where(p => !IsGood(Home(p), p)))
        {
            if (AnswerOfHome(place).Kind is ErrorKind.NotFound or ErrorKind.Corrupt)
            {
                Want(place);
            }
            else
            {
                Leave(place);
            }
        }

        return _wanted.Count == 0 && _left == 0;
    }

    /// <summary>Restores what <see cref="LookAsync"/> found to be missing.</summary>
    public async Task<RepairTally> RunAsync(CancellationToken cancel)
    {
        if (_truth is null)
        {
            return new RepairTally
            {
                ShardsLeft = _left, PlacesLeft = _placesLeft, Hopeless = _isHopeless ? 1 : 0,
            };
        }

        NameLiars();
        await ReadAsync(_wanted.Contains, _code.N, cancel);
        int[] copied = [.. _wanted.Where(p => _shards[p] is not null)];
        if (copied.Length < _wanted.Count)
        {
            await ReadAsync(_ => true, _code.K, cancel);
            Rebuild([.. _wanted.Where(p => _shards[p] is null)]);
        }

        bool[] stored = await Task.WhenAll(_wanted.Select(p => StoreAsync(p, cancel)));
        int[] done = [.. _wanted.Where((_, i) => stored[i])];
        foreach (int place in _wanted.Except(done))
        {
            Leave(place);
        }

        int copies = done.Intersect(copied).Count();
        return new RepairTally
        {
            ShardsCopied = copies,
            ShardsRebuilt = done.Length - copies,
            ShardsLeft = _left,
            PlacesLeft = _placesLeft,
            ShardsRead = _shardsRead,
            BytesRead = _bytesRead,
            BytesWritten = (long)done.Length * _truth.ShardBytes,
        };
    }

    public void Dispose()
    {
        foreach (BufferSlice? shard in _shards)
        {
            shard?.Release();
        }
    }

    // Not even if all who are away come back, and hold all that they may.
    private bool IsHopeless(HeldShard[] held) =>
        held.Select(h => h.Place)
            .Concat(_holders.Where((h, i) => _homes.IsAbsent(h.Disk)
                    || _answers[i].Kind is not (ErrorKind.None or ErrorKind.NotFound or ErrorKind.Corrupt))
                .Select(h => h.Place))
            .Distinct()
            .Count() < _code.K;

    private IEnumerable<int> Places() => Enumerable.Range(0, _code.N);

    private DiskId Home(int place) => _homes.Group.Places[place].Home;

    private ShardReadAnswer AnswerOfHome(int place) =>
        _answers[Array.IndexOf(_holders, (Home(place), place))];

    private bool IsGood(DiskId disk, int place) =>
        _truth!.Good.Any(h => h.Disk == disk && h.Place == place);

    // A home that takes nothing is not worth reading for.
    private void Want(int place)
    {
        if (_homes.Takes(Home(place)))
        {
            _wanted.Add(place);
        }
        else
        {
            Leave(place);
        }
    }

    private void Leave(int place)
    {
        _left++;
        if (!_homes.Planted.HasFlag(PlantedDefects.HidesPlacesLeft))
        {
            _placesLeft.Add(place);
        }
    }

    private void NameLiars()
    {
        foreach (((DiskId disk, int place), ShardReadAnswer answer) in _holders.Zip(_answers))
        {
            if (answer.Kind == ErrorKind.Corrupt || (answer.IsDone && !IsGood(disk, place)))
            {
                _observer.Found(_truth!.Stripe, place, disk, ErrorKind.Corrupt);
            }
        }
    }

    // Reads shards of these places, one holder after the other, until so many good ones are at hand or nobody
    // is left to ask; never more at once than are still needed.
    private async Task ReadAsync(Func<int, bool> places, int shards, CancellationToken cancel)
    {
        while (true)
        {
            HeldShard[] wave =
            [
                .. _truth!.Good
                    .Where(h => places(h.Place) && _shards[h.Place] is null && !_tried.Contains(h))
                    .DistinctBy(h => h.Place)
                    .Take(shards - _shards.Count(s => s is not null)),
            ];
            if (wave.Length == 0)
            {
                return;
            }

            _tried.UnionWith(wave);
            await Task.WhenAll(wave.Select(h => ReadAsync(h, cancel)));
        }
    }

    private async Task ReadAsync(HeldShard shard, CancellationToken cancel)
    {
        ShardReadAnswer answer = await _homes.ShardAsync(
            shard.Disk, _stripe, shard.Place, _truth!.ShardBytes, cancel);
        if (answer.Payload.Length > 0)
        {
            Interlocked.Increment(ref _shardsRead);
            Interlocked.Add(ref _bytesRead, answer.Payload.Length);
        }

        if (answer.IsDone
            && answer.Payload.Length == _truth.ShardBytes
            && Sum128.Of(answer.Payload.Span) == _truth.Sums[shard.Place])
        {
            _shards[shard.Place] = answer.Payload;
            return;
        }

        answer.Payload.Release();
        if (!answer.IsDone && answer.Kind != ErrorKind.Corrupt)
        {
            return;
        }

        _observer.Found(_truth.Stripe, shard.Place, shard.Disk, ErrorKind.Corrupt);
        if (shard.Disk == Home(shard.Place))
        {
            lock (_lock)
            {
                MissAtHome(shard.Place, answer.Kind == ErrorKind.Corrupt);
            }
        }
    }

    // Its own disk found the shard to be damaged, and will take another; or did not, and will not.
    private void MissAtHome(int place, bool isKnownBad)
    {
        if (isKnownBad)
        {
            Want(place);
        }
        else
        {
            Leave(place);
        }
    }

    private void Rebuild(int[] places)
    {
        if (_shards.Count(s => s is not null) < _code.K)
        {
            return;
        }

        var rebuilt = new BufferSlice[places.Length];
        ReadOnlyMemory<byte>[] present = Array.ConvertAll(
            _shards, s => s is { } shard ? (ReadOnlyMemory<byte>)shard.Memory : default);
        var wanted = new Memory<byte>[_code.N];
        for (int i = 0; i < places.Length; i++)
        {
            rebuilt[i] = BufferPool.Shared.RentSlice(_truth!.ShardBytes);
            wanted[places[i]] = rebuilt[i].Memory;
        }

        ReedSolomon.For(_code).Reconstruct(present, wanted);
        for (int i = 0; i < places.Length; i++)
        {
            if (Sum128.Of(rebuilt[i].Span) == _truth!.Sums[places[i]])
            {
                _shards[places[i]] = rebuilt[i];
            }
            else
            {
                rebuilt[i].Release();
            }
        }
    }

    private async Task<bool> StoreAsync(int place, CancellationToken cancel)
    {
        if (_shards[place] is not { } shard)
        {
            return false;
        }

        HomeAnswer answer = await _homes.AppendAsync(
            Home(place), _truth!.HeaderOf(place), place <= _code.M ? _truth.Extensions : [], shard, cancel);
        return answer.IsDone;
    }
}
