using System.Collections.Immutable;

namespace ZeroStor.Volumes;

/// <summary>A record that is no shard and must be kept: a delete while a volume with its targets is there,
/// and whatever this version does not read.</summary>
internal sealed record KeptRecord(RecordPosition Position, int RecordBytes)
{
    /// <summary>Null: not a delete, or one whose list could not be read; kept for good.</summary>
    internal ImmutableArray<uint>? DeleteTargets { get; init; }

    /// <summary>What a delete kills; null: not a delete.</summary>
    internal DeleteScope? Scope { get; init; }

    /// <summary>A delete kills what stands before this.</summary>
    internal RecordPosition Until { get; init; }
}

/// <summary>A live record of a volume that is being compacted.</summary>
internal readonly record struct LiveRecord(RecordPosition Position, int RecordBytes);

/// <summary>What a disk holds: the shards, the digests over them, the volumes and how much of each is live.
/// Changes only after the bytes they speak of are durable. Of a volume without a footer the memory has all
/// that is known of its shards; of one with a footer only where each lies, found by a hash, and the rest is
/// read where it is wanted. A shard of such a volume is held exactly while the finder has its position; its
/// footer may list more. One lock over everything in memory, held for look-ups and for a page of a pass,
/// never while a file is read. Puts, deletes and moves come from one thread at a time, the writer's; all
/// else may come from any.</summary>
internal sealed partial class DiskContents(Func<ShardName, ulong> hash)
{
    private readonly Lock _lock = new();
    private readonly ShardFinder _finder = new();
    private readonly GroupTotals _totals = new();
    private readonly Dictionary<RecordPosition, KeptRecord> _kept = [];
    private readonly SortedDictionary<uint, Volume> _volumes = [];
    private readonly List<Volume> _recent = [];
    private Tick _highestTick;
    private long _badRecords;
    private long _shards;
    private long _badShards;

    // How often a volume came or got its footer: a pass that began before may have missed what lies there.
    private int _changes;

    internal Tick HighestTick
    {
        get
        {
            lock (_lock)
            {
                return _highestTick;
            }
        }
    }

    /// <summary>Damaged records met since the disk was opened.</summary>
    internal long BadRecords => Interlocked.Read(ref _badRecords);

    /// <summary>What the index of shards takes in memory: finder, slots, and what is kept of footers.
    /// </summary>
    internal long MemoryBytes
    {
        get
        {
            lock (_lock)
            {
                return _finder.MemoryBytes
                    + _volumes.Values.Sum(v => (v.Recent?.MemoryBytes ?? 0) + (v.Footer?.MemoryBytes ?? 0));
            }
        }
    }

    internal void CountBad() => Interlocked.Increment(ref _badRecords);

    internal void SeeTick(Tick tick)
    {
        lock (_lock)
        {
            _highestTick = tick > _highestTick ? tick : _highestTick;
        }
    }

    internal void AddVolume(Volume volume)
    {
        lock (_lock)
        {
            _volumes.Add(volume.Number, volume);
            _changes++;
            if (volume.Footer is null)
            {
                volume.Recent = new RecentShards(volume.Number);
                _recent.Add(volume);
            }
        }
    }

    internal ImmutableArray<Volume> Volumes()
    {
        lock (_lock)
        {
            return [.. _volumes.Values];
        }
    }

    /// <summary>So many shards of footers will be put.</summary>
    internal void Expect(long shards)
    {
        lock (_lock)
        {
            _finder.Reserve(shards);
        }
    }

    /// <summary>Enters a shard whose record is durable. One of the same name that is there already gives way
    /// to the later record.</summary>
    internal void PutShard(in RecordHeader header, RecordPosition at)
    {
        if (Put(HeldShard.Of(header, at)))
        {
            SeeTick(header.Tick);
        }
    }

    /// <summary>Enters shards whose records in one volume are durable: a page of its footer, or what a batch
    /// brought. One of a name that is there already gives way to the later record.</summary>
    internal void PutShards(Volume volume, List<HeldShard> shards)
    {
        List<HeldShard>? met = null;
        lock (_lock)
        {
            foreach (HeldShard shard in shards)
            {
                ulong name = hash(shard.Name);
                if (_finder.MayHold(name) || TryFindRecent(shard.Name, out _, out _))
                {
                    (met ??= []).Add(shard);
                }
                else
                {
                    Enter(volume, shard, name);
                }
            }
        }

        met?.ForEach(shard => Put(shard));
    }

    /// <summary>Enters a record that is no shard. A delete whose targets are gone already is not
    /// kept.</summary>
    internal void PutKept(KeptRecord record)
    {
        lock (_lock)
        {
            if (IsNeeded(record) && _kept.TryAdd(record.Position, record))
            {
                _volumes[record.Position.Volume].LiveBytes += record.RecordBytes;
            }
        }
    }

    /// <summary>What is kept of a volume that is no shard, in the order of offsets.</summary>
    internal List<KeptRecord> KeptOf(Volume volume)
    {
        lock (_lock)
        {
            return [.. _kept.Values.Where(k => k.Position.Volume == volume.Number).OrderBy(k => k.Position)];
        }
    }

    /// <summary>A volume has a durable footer that lists all that is held there: the memory lets go of what
    /// it says.</summary>
    internal void TakeFooter(Volume volume, VolumeFooter footer)
    {
        lock (_lock)
        {
            volume.Recent!.AddTo(_finder, hash);
            volume.Footer = footer;
            volume.Recent = null;
            _recent.Remove(volume);
            _changes++;
        }
    }

    /// <summary>A footer that was believed is not good, before anything of it was put.</summary>
    internal void LoseFooter(Volume volume)
    {
        lock (_lock)
        {
            volume.Footer = null;
            volume.Recent = new RecentShards(volume.Number);
            _recent.Add(volume);
        }
    }

    /// <summary>Whether a record that is about to be copied still is the one that counts.</summary>
    internal bool IsLive(in RecordHeader header, RecordPosition at)
    {
        lock (_lock)
        {
            return header.Kind == RecordKind.Shard
                ? Holds(header.Shard, at, out bool isBad) && !isBad
                : _kept.ContainsKey(at);
        }
    }

    /// <summary>A copy of the record at <paramref name="from"/> is durable at
    /// <paramref name="to"/>.</summary>
    internal void Move(in RecordHeader header, RecordPosition from, RecordPosition to)
    {
        lock (_lock)
        {
            Volume source = _volumes[from.Volume];
            if (header.Kind != RecordKind.Shard)
            {
                if (_kept.Remove(from, out KeptRecord? kept))
                {
                    source.LiveBytes -= kept.RecordBytes;
                    PutKept(kept with { Position = to });
                }
            }
            else if (Drop(HeldShard.Of(header, from)))
            {
                source.MayHoldUnnamed = true;
                Enter(_volumes[to.Volume], HeldShard.Of(header, to), hash(header.Shard));
            }
        }
    }

    /// <summary>Finds a shard and pins its volume, by memory alone; the caller unpins. A guess may be another
    /// shard's record: where it is, <see cref="TryPin"/> knows better.</summary>
    internal bool TryGuess(ShardName name, out HeldShard shard, out Volume volume)
    {
        lock (_lock)
        {
            if (!TryFindRecent(name, out shard, out volume))
            {
                FinderHit[] hits = _finder.Find(hash(name));
                if (hits.Length != 1)
                {
                    return false;
                }

                shard = GuessOf(name, hits[0]);
                volume = _volumes[hits[0].Position.Volume];
            }

            volume.Pin();
            return true;
        }
    }

    /// <summary>Finds a shard and pins its volume; the caller unpins. Reads a record's header, or its
    /// footer, where the finder has to be asked.</summary>
    internal bool TryPin(ShardName name, out HeldShard shard, out Volume volume)
    {
        (HeldShard Guess, Volume Volume)[] guesses;
        lock (_lock)
        {
            if (TryFindRecent(name, out shard, out volume))
            {
                volume.Pin();
                return true;
            }

            FinderHit[] hits = _finder.Find(hash(name));
            if (hits.Length == 0)
            {
                // As of every shard that is new.
                return false;
            }

            guesses = [.. hits.Select(h => (GuessOf(name, h), _volumes[h.Position.Volume]))];
            Array.ForEach(guesses, g => g.Volume.Pin());
        }

        bool isFound = false;
        foreach ((HeldShard guess, Volume where) in guesses)
        {
            if (!isFound && Identify(where, guess.Position) is { } found && found.Name == name)
            {
                (isFound, shard, volume) = (true, found with { IsBad = guess.IsBad }, where);
            }
            else
            {
                where.Unpin();
            }
        }

        return isFound;
    }

    /// <summary>The record of this shard was found damaged: it is no longer counted as held, so that digests
    /// differ and repair writes it anew; who reads it hears that it is corrupt. Of several who find it at
    /// once one is counted.</summary>
    internal void MarkBad(in HeldShard shard)
    {
        lock (_lock)
        {
            if (Holds(shard.Name, shard.Position, out bool isBad) && !isBad)
            {
                Volume volume = _volumes[shard.Position.Volume];
                CountBad();
                _badShards++;
                volume.Recent?.MarkBad(shard.Name);
                _finder.MarkBad(hash(shard.Name), shard.Position);
                Uncount(volume, shard);
                volume.MayHoldUnnamed = true;
            }
        }
    }

    /// <summary>The record here is damaged and can never be copied: a shard is marked, any other is given up.
    /// </summary>
    internal void DropBad(RecordPosition at)
    {
        Volume? volume;
        lock (_lock)
        {
            if (!_volumes.TryGetValue(at.Volume, out volume))
            {
                return;
            }

            volume.Pin();
        }

        HeldShard? shard = Identify(volume, at);
        volume.Unpin();
        if (shard is { } known)
        {
            MarkBad(known);
            return;
        }

        lock (_lock)
        {
            if (_kept.Remove(at, out KeptRecord? kept))
            {
                CountBad();
                volume.LiveBytes -= kept.RecordBytes;
            }
        }
    }

    internal long LiveBytes(Volume volume)
    {
        lock (_lock)
        {
            return volume.LiveBytes;
        }
    }

    /// <summary>Where the last durable record ends: what is written from now on lies at or behind
    /// it.</summary>
    internal RecordPosition End()
    {
        lock (_lock)
        {
            return _volumes.Count == 0
                ? default
                : _volumes.Values.Max(v => new RecordPosition(v.Number, v.End));
        }
    }

    /// <summary>A volume's file is durably gone: deletes that were kept for its sake alone are dead
    /// now.</summary>
    internal void ForgetVolume(uint number)
    {
        lock (_lock)
        {
            if (_volumes.Remove(number, out Volume? gone))
            {
                _recent.Remove(gone);
            }

            KeptRecord[] dead = [.. _kept.Values.Where(k => !IsNeeded(k))];
            foreach (KeptRecord record in dead)
            {
                _kept.Remove(record.Position);
                _volumes[record.Position.Volume].LiveBytes -= record.RecordBytes;
            }
        }
    }

    internal ImmutableArray<BucketDigest> Digests()
    {
        lock (_lock)
        {
            return _totals.Digests();
        }
    }

    /// <summary>The places of which there are shards here, in order; damaged ones tell it too.</summary>
    internal ImmutableArray<(GroupId Group, byte Place)> Places()
    {
        lock (_lock)
        {
            return _totals.Places();
        }
    }

    /// <summary>Bytes of live records, and how many shards there are.</summary>
    internal (long LiveBytes, long Shards) Totals()
    {
        lock (_lock)
        {
            return (_volumes.Values.Sum(v => v.LiveBytes), _shards - _badShards);
        }
    }

    private static HeldShard GuessOf(ShardName name, FinderHit hit) => new()
    {
        Stripe = name.Stripe,
        Place = name.Place,
        Position = hit.Position,
        IsBad = hit.IsBad,
    };

    // False when it gave way to a later record that is here already.
    private bool Put(in HeldShard shard)
    {
        bool isThere = TryPin(shard.Name, out HeldShard old, out Volume volume);
        if (isThere)
        {
            volume.Unpin();
        }

        lock (_lock)
        {
            if (isThere)
            {
                bool isLater = old.Position.CompareTo(shard.Position) < 0;
                RecordPosition loser = isLater ? old.Position : shard.Position;
                if (_volumes.TryGetValue(loser.Volume, out Volume? losers))
                {
                    losers.MayHoldUnnamed = true;
                }

                if (!isLater)
                {
                    return false;
                }

                Drop(old);
            }

            Enter(_volumes[shard.Position.Volume], shard, hash(shard.Name));
            return true;
        }
    }

    private void Enter(Volume volume, in HeldShard shard, ulong name)
    {
        if (volume.Recent is { } recent)
        {
            recent.Add(shard);
        }
        else
        {
            _finder.Add(name, shard.Position, shard.IsBad);
        }

        volume.Shards++;
        _shards++;
        _totals.AddPlace(shard);
        if (shard.IsBad)
        {
            _badShards++;
        }
        else
        {
            volume.LiveBytes += shard.RecordBytes;
            _totals.AddDigest(shard);
        }
    }

    // False when it is not here any more.
    private bool Drop(in HeldShard gone)
    {
        if (!Holds(gone.Name, gone.Position, out bool isBad))
        {
            return false;
        }

        Volume volume = _volumes[gone.Position.Volume];
        volume.Recent?.Remove(gone.Name);
        _finder.Remove(hash(gone.Name), gone.Position);
        volume.Shards--;
        _shards--;
        _totals.RemovePlace(gone);
        if (isBad)
        {
            _badShards--;
        }
        else
        {
            Uncount(volume, gone);
        }

        return true;
    }

    private void Uncount(Volume volume, in HeldShard shard)
    {
        volume.LiveBytes -= shard.RecordBytes;
        _totals.RemoveDigest(shard);
    }

    // Whether this record is the one that counts for its name.
    private bool Holds(ShardName name, RecordPosition at, out bool isBad)
    {
        isBad = false;
        if (!_volumes.TryGetValue(at.Volume, out Volume? volume) || volume.Recent is not { } recent)
        {
            return volume is not null && _finder.Holds(hash(name), at, out isBad);
        }

        bool isHere = recent.TryFind(name, out HeldShard shard) && shard.Position == at;
        isBad = isHere && shard.IsBad;
        return isHere;
    }

    private bool TryFindRecent(ShardName name, out HeldShard shard, out Volume volume)
    {
        foreach (Volume recent in _recent)
        {
            if (recent.Recent!.TryFind(name, out shard))
            {
                volume = recent;
                return true;
            }
        }

        (shard, volume) = (default, null!);
        return false;
    }

    private bool IsNeeded(KeptRecord record) =>
        record.DeleteTargets is not { } targets || targets.Any(_volumes.ContainsKey);
}
