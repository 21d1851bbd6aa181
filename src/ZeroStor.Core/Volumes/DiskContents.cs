using System.Collections.Immutable;
using System.IO.Hashing;

namespace ZeroStor.Volumes;

/// <summary>A record that is no shard and must be kept: a delete while a volume with its targets is there,
/// and whatever this version does not read.</summary>
internal sealed record KeptRecord(RecordPosition Position, int RecordBytes)
{
    /// <summary>Null: not a delete, kept for good.</summary>
    internal ImmutableArray<uint>? DeleteTargets { get; init; }
}

/// <summary>A live record of a volume that is being compacted.</summary>
internal readonly record struct LiveRecord(RecordPosition Position, int RecordBytes);

/// <summary>A shard that is held, and where it was when somebody looked.</summary>
internal readonly record struct LiveShard(StripeId Stripe, byte Place, RecordPosition Position, int RecordBytes);

/// <summary>What a disk holds, in memory: the shards, the digests over them, the volumes and how much of each
/// is live. Changes only after the bytes they speak of are durable. One lock over everything, held for
/// look-ups, and for a whole pass over the table where a content is reclaimed, a group listed, a volume
/// compacted or a page of shards scrubbed: some milliseconds for a million shards. Thread-safe.</summary>
internal sealed class DiskContents
{
    private readonly Lock _lock = new();
    private readonly ShardTable _shards = new();
    private readonly Dictionary<(GroupId Group, uint Bucket), BucketDigest> _digests = [];
    private readonly Dictionary<RecordPosition, KeptRecord> _kept = [];
    private readonly SortedDictionary<uint, Volume> _volumes = [];
    private Tick _highestTick;
    private long _badRecords;
    private long _badShards;

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
        }
    }

    internal ImmutableArray<Volume> Volumes()
    {
        lock (_lock)
        {
            return [.. _volumes.Values];
        }
    }

    /// <summary>Enters a shard whose record is durable. One of the same name that is there already gives way
    /// to the later record.</summary>
    internal void PutShard(in RecordHeader header, RecordPosition at)
    {
        lock (_lock)
        {
            ref ShardSlot old = ref _shards.Find(header.Stripe, header.Place);
            if (!ShardTable.IsNone(ref old))
            {
                RecordPosition loser = old.Position.CompareTo(at) < 0 ? old.Position : at;
                if (_volumes.TryGetValue(loser.Volume, out Volume? volume))
                {
                    volume.MayHoldUnnamed = true;
                }

                if (loser == at)
                {
                    return;
                }

                Drop(old);
            }

            _shards.Add(new ShardSlot(header, at));
            _volumes[at.Volume].LiveBytes += header.RecordBytes;
            AddDigest(header.Group, header.Stripe, header.SumsDigest, 1);
            _highestTick = header.Tick > _highestTick ? header.Tick : _highestTick;
        }
    }

    /// <summary>Enters a record that is no shard. A delete whose targets are gone already is not
    /// kept.</summary>
    internal void PutKept(KeptRecord record)
    {
        lock (_lock)
        {
            if (IsNeeded(record))
            {
                _kept[record.Position] = record;
                _volumes[record.Position.Volume].LiveBytes += record.RecordBytes;
            }
        }
    }

    /// <summary>Whether a record that is about to be copied still is the one that counts.</summary>
    internal bool IsLive(in RecordHeader header, RecordPosition at)
    {
        lock (_lock)
        {
            if (header.Kind != RecordKind.Shard)
            {
                return _kept.ContainsKey(at);
            }

            ref ShardSlot slot = ref _shards.Find(header.Stripe, header.Place);
            return !ShardTable.IsNone(ref slot) && slot.Position == at && !slot.IsBad;
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

                return;
            }

            ref ShardSlot slot = ref _shards.Find(header.Stripe, header.Place);
            if (!ShardTable.IsNone(ref slot) && slot.Position == from)
            {
                source.MayHoldUnnamed = true;
                Drop(slot);
                _shards.Add(new ShardSlot(header, to));
                _volumes[to.Volume].LiveBytes += header.RecordBytes;
                AddDigest(header.Group, header.Stripe, header.SumsDigest, 1);
            }
        }
    }

    /// <summary>The volumes in which records of these contents lie, or may lie. A content without any shard
    /// is not in the answer.</summary>
    internal Dictionary<DeleteScope, SortedSet<uint>> FindContents(HashSet<ContentId> contents)
    {
        var found = new Dictionary<DeleteScope, SortedSet<uint>>();
        lock (_lock)
        {
            foreach (ShardSlot slot in _shards.All())
            {
                if (contents.Contains(slot.Content))
                {
                    var scope = DeleteScope.Of(slot.Content);
                    if (!found.TryGetValue(scope, out SortedSet<uint>? volumes))
                    {
                        found.Add(scope, volumes = []);
                    }

                    volumes.Add(slot.Position.Volume);
                }
            }

            AddUnnamed(found);
        }

        return found;
    }

    /// <summary>As <see cref="FindContents"/>, for single shards; those that are not there are not in the
    /// answer.</summary>
    internal Dictionary<DeleteScope, SortedSet<uint>> FindShards(HashSet<ShardName> shards)
    {
        var found = new Dictionary<DeleteScope, SortedSet<uint>>();
        lock (_lock)
        {
            foreach (ShardName shard in shards)
            {
                ref ShardSlot slot = ref _shards.Find(shard.Stripe, shard.Place);
                if (!ShardTable.IsNone(ref slot))
                {
                    found.Add(DeleteScope.Of(shard), [slot.Position.Volume]);
                }
            }

            AddUnnamed(found);
        }

        return found;
    }

    /// <summary>Drops what these deletes kill: every such shard whose record stands before the delete's
    /// position. A pass over the table where a content is among them.</summary>
    internal void Delete(Dictionary<DeleteScope, RecordPosition> untilOf)
    {
        lock (_lock)
        {
            foreach ((DeleteScope scope, RecordPosition until) in untilOf.Where(d => d.Key.IsShard))
            {
                ref ShardSlot slot = ref _shards.Find(scope.Shard.Stripe, scope.Shard.Place);
                if (!ShardTable.IsNone(ref slot) && slot.Position.CompareTo(until) < 0)
                {
                    Drop(slot);
                }
            }

            var untilOfContent = untilOf.Where(d => !d.Key.IsShard)
                .ToDictionary(d => d.Key.Content, d => d.Value);
            if (untilOfContent.Count > 0)
            {
                ShardSlot[] dead = [.. _shards.All().Where(
                    s => untilOfContent.TryGetValue(s.Content, out RecordPosition until)
                        && s.Position.CompareTo(until) < 0)];
                foreach (ShardSlot slot in dead)
                {
                    Drop(slot);
                }
            }
        }
    }

    /// <summary>Finds a shard and pins its volume; the caller unpins.</summary>
    internal bool TryPin(StripeId stripe, byte place, out ShardSlot shard, out Volume volume)
    {
        lock (_lock)
        {
            ref ShardSlot slot = ref _shards.Find(stripe, place);
            if (ShardTable.IsNone(ref slot))
            {
                (shard, volume) = (default, null!);
                return false;
            }

            shard = slot;
            volume = _volumes[slot.Position.Volume];
            volume.Pin();
            return true;
        }
    }

    /// <summary>The record of this shard was found damaged: it is no longer counted as held, so that digests
    /// differ and repair writes it anew; who reads it hears that it is corrupt. Of several who find it at
    /// once one is counted.</summary>
    internal void MarkBad(StripeId stripe, byte place, RecordPosition at)
    {
        lock (_lock)
        {
            ref ShardSlot slot = ref _shards.Find(stripe, place);
            if (!ShardTable.IsNone(ref slot) && slot.Position == at && !slot.IsBad)
            {
                CountBad();
                slot.IsBad = true;
                _badShards++;
                Uncount(slot);
                _volumes[at.Volume].MayHoldUnnamed = true;
            }
        }
    }

    /// <summary>The record here is damaged and can never be copied: a shard is marked, any other is given up.
    /// </summary>
    internal void DropBad(RecordPosition at)
    {
        lock (_lock)
        {
            foreach (ShardSlot slot in _shards.All())
            {
                if (slot.Position == at)
                {
                    MarkBad(slot.Stripe, slot.Place, at);
                    return;
                }
            }

            if (_kept.Remove(at, out KeptRecord? kept))
            {
                CountBad();
                _volumes[at.Volume].LiveBytes -= kept.RecordBytes;
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

    /// <summary>The live records of a volume, in the order of their offsets.</summary>
    internal List<LiveRecord> LiveRecords(uint volume)
    {
        var live = new List<LiveRecord>();
        lock (_lock)
        {
            foreach (ShardSlot slot in _shards.All())
            {
                if (slot.Position.Volume == volume && !slot.IsBad)
                {
                    live.Add(new LiveRecord(slot.Position, slot.RecordBytes));
                }
            }

            live.AddRange(_kept.Values
                .Where(k => k.Position.Volume == volume)
                .Select(k => new LiveRecord(k.Position, k.RecordBytes)));
        }

        live.Sort((a, b) => a.Position.CompareTo(b.Position));
        return live;
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

    /// <summary>The first shards that lie behind <paramref name="after"/> and before <paramref name="end"/>,
    /// in the order of their positions; those found damaged before are passed over.</summary>
    internal List<LiveShard> NextShards(RecordPosition after, RecordPosition end, int max)
    {
        var greatestFirst = Comparer<RecordPosition>.Create((a, b) => b.CompareTo(a));
        var lowest = new PriorityQueue<LiveShard, RecordPosition>(greatestFirst);
        lock (_lock)
        {
            foreach (ShardSlot slot in _shards.All())
            {
                RecordPosition at = slot.Position;
                if (slot.IsBad || at.CompareTo(after) <= 0 || at.CompareTo(end) >= 0)
                {
                    continue;
                }

                var shard = new LiveShard(slot.Stripe, slot.Place, at, slot.RecordBytes);
                if (lowest.Count < max)
                {
                    lowest.Enqueue(shard, at);
                }
                else
                {
                    lowest.EnqueueDequeue(shard, at);
                }
            }
        }

        List<LiveShard> next = [.. lowest.UnorderedItems.Select(i => i.Element)];
        next.Sort((a, b) => a.Position.CompareTo(b.Position));
        return next;
    }

    /// <summary>Takes a volume out that holds nothing live: nobody finds it any more. Its file is still
    /// there, so deletes that name it are still kept, until <see cref="ForgetVolume"/>.</summary>
    internal bool TryRetire(Volume volume)
    {
        lock (_lock)
        {
            if (!volume.IsSealed || volume.IsUnreadable || volume.LiveBytes > 0)
            {
                return false;
            }

            ShardSlot[] bad = [.. _shards.All().Where(s => s.Position.Volume == volume.Number)];
            foreach (ShardSlot slot in bad)
            {
                Drop(slot);
            }

            return true;
        }
    }

    /// <summary>A volume's file is durably gone: deletes that were kept for its sake alone are dead
    /// now.</summary>
    internal void ForgetVolume(uint number)
    {
        lock (_lock)
        {
            _volumes.Remove(number);
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
            return [.. _digests.Values.OrderBy(d => d.Group).ThenBy(d => d.Bucket)];
        }
    }

    /// <summary>The first shards of a group behind <paramref name="after"/>. Where the last stripe has
    /// several places here all of them are told, beyond <paramref name="max"/> if need be: the next page
    /// begins behind it.</summary>
    internal ImmutableArray<ShardEntry> List(GroupId group, StripeId after, int max) =>
        First(s => s.Group == group, after, max);

    /// <summary>The first shards of these contents behind <paramref name="after"/>, in pages as those of
    /// <see cref="List"/>.</summary>
    internal ImmutableArray<ShardEntry> Held(HashSet<ContentId> contents, StripeId after, int max) =>
        First(s => contents.Contains(s.Content), after, max);

    /// <summary>The places of which there are shards here, in order; damaged ones tell it too.</summary>
    internal ImmutableArray<(GroupId Group, byte Place)> Places()
    {
        lock (_lock)
        {
            return [.. _shards.All().Select(s => (s.Group, s.Place)).Distinct().Order()];
        }
    }

    private ImmutableArray<ShardEntry> First(Func<ShardSlot, bool> isAsked, StripeId after, int max)
    {
        var greatestFirst = Comparer<StripeId>.Create((a, b) => b.CompareTo(a));
        var lowest = new PriorityQueue<StripeId, StripeId>(greatestFirst);
        var stripes = new HashSet<StripeId>();
        lock (_lock)
        {
            foreach (ShardSlot slot in _shards.All())
            {
                if (slot.IsBad || slot.Stripe.CompareTo(after) <= 0 || !isAsked(slot)
                    || !stripes.Add(slot.Stripe))
                {
                    continue;
                }

                lowest.Enqueue(slot.Stripe, slot.Stripe);
                if (lowest.Count > max)
                {
                    stripes.Remove(lowest.Dequeue());
                }
            }

            return Take(isAsked, [.. stripes.Order()], max);
        }
    }

    private ImmutableArray<ShardEntry> Take(Func<ShardSlot, bool> isAsked, StripeId[] stripes, int max)
    {
        ImmutableArray<ShardEntry>.Builder entries = ImmutableArray.CreateBuilder<ShardEntry>();
        foreach (StripeId stripe in stripes)
        {
            if (entries.Count >= max)
            {
                break;
            }

            for (int place = 0; place < Code.MaxK + Code.MaxM; place++)
            {
                ref ShardSlot slot = ref _shards.Find(stripe, (byte)place);
                if (!ShardTable.IsNone(ref slot) && !slot.IsBad && isAsked(slot))
                {
                    entries.Add(new ShardEntry(
                        slot.Stripe, slot.Place, slot.Content, slot.SumsDigest, slot.Group));
                }
            }
        }

        return entries.ToImmutable();
    }

    /// <summary>Bytes of live records, and how many shards there are.</summary>
    internal (long LiveBytes, long Shards) Totals()
    {
        lock (_lock)
        {
            return (_volumes.Values.Sum(v => v.LiveBytes), _shards.Count - _badShards);
        }
    }

    // Records that the index does not name may be anybody's.
    private void AddUnnamed(Dictionary<DeleteScope, SortedSet<uint>> found)
    {
        uint[] unnamed = [.. _volumes.Values.Where(v => v.MayHoldUnnamed).Select(v => v.Number)];
        foreach (SortedSet<uint> volumes in found.Values)
        {
            volumes.UnionWith(unnamed);
        }
    }

    private bool IsNeeded(KeptRecord record) =>
        record.DeleteTargets is not { } targets || targets.Any(_volumes.ContainsKey);

    private void Drop(in ShardSlot slot)
    {
        ShardSlot gone = slot;
        _shards.Remove(gone.Stripe, gone.Place);
        if (gone.IsBad)
        {
            _badShards--;
        }
        else
        {
            Uncount(gone);
        }
    }

    private void Uncount(in ShardSlot slot)
    {
        _volumes[slot.Position.Volume].LiveBytes -= slot.RecordBytes;
        AddDigest(slot.Group, slot.Stripe, slot.SumsDigest, -1);
    }

    private void AddDigest(GroupId group, StripeId stripe, Sum128 sumsDigest, int sign)
    {
        (GroupId, uint) key = (group, BucketDigest.BucketOf(stripe));
        BucketDigest old = _digests.GetValueOrDefault(key, new BucketDigest(group, key.Item2, 0, 0));
        UInt128 hash = HashOf(stripe, sumsDigest);
        BucketDigest next = old with
        {
            Count = old.Count + sign,
            Hash = unchecked(sign > 0 ? old.Hash + hash : old.Hash - hash),
        };
        if (next.Count == 0)
        {
            _digests.Remove(key);
        }
        else
        {
            _digests[key] = next;
        }
    }

    private static UInt128 HashOf(StripeId stripe, Sum128 sumsDigest)
    {
        Span<byte> bytes = stackalloc byte[Id128.Bytes + Sum128.Bytes];
        Id128.Write(bytes, stripe.Value);
        sumsDigest.Write(bytes[Id128.Bytes..]);
        return XxHash128.HashToUInt128(bytes);
    }
}
