namespace ZeroStor.Volumes;

/// <summary>What a scrub asks: shards in the order in which they lie, and how much lies before a
/// position.</summary>
internal sealed partial class DiskContents
{
    /// <summary>The first shards that lie behind <paramref name="after"/> and before <paramref name="end"/>,
    /// in the order of their positions, of one volume at a time; those found damaged before are passed
    /// over.</summary>
    internal List<HeldShard> NextShards(RecordPosition after, RecordPosition end, int max)
    {
        var greatestFirst = Comparer<RecordPosition>.Create((a, b) => b.CompareTo(a));
        var lowest = new PriorityQueue<HeldShard, RecordPosition>(greatestFirst);
        foreach (Volume volume in Volumes().Where(v => v.Number >= after.Volume && v.Number <= end.Volume))
        {
            foreach (HeldShard shard in HeldIn(volume).SelectMany(p => p))
            {
                RecordPosition at = shard.Position;
                if (shard.IsBad || at.CompareTo(after) <= 0 || at.CompareTo(end) >= 0)
                {
                    continue;
                }

                if (lowest.Count < max)
                {
                    lowest.Enqueue(shard, at);
                }
                else
                {
                    lowest.EnqueueDequeue(shard, at);
                }
            }

            if (lowest.Count > 0)
            {
                break;
            }
        }

        List<HeldShard> page = [.. lowest.UnorderedItems.Select(i => i.Element)];
        page.Sort((a, b) => a.Position.CompareTo(b.Position));
        return page;
    }

    /// <summary>Takes out of a list what is not held there any more, and what was found damaged.</summary>
    internal void KeepGood(List<HeldShard> shards)
    {
        KeepHeld(shards);
        shards.RemoveAll(s => s.IsBad);
    }

    /// <summary>Whether this record still is the one that counts for its shard, and is marked as damaged: not
    /// so once it was written anew, or dropped.</summary>
    internal bool IsBad(in HeldShard shard)
    {
        lock (_lock)
        {
            return Holds(shard.Name, shard.Position, out bool isBad) && isBad;
        }
    }

    /// <summary>Pins a volume; false when it is gone. The caller unpins.</summary>
    internal bool TryPinVolume(uint number, out Volume volume)
    {
        lock (_lock)
        {
            return _volumes.TryGetValue(number, out volume!) && volume.TryPin();
        }
    }

    /// <summary>Bytes of live records before a position, as if those of its volume lay evenly.</summary>
    internal long LiveBytesBefore(RecordPosition position)
    {
        lock (_lock)
        {
            long bytes = 0;
            foreach (Volume volume in _volumes.Values.TakeWhile(v => v.Number <= position.Volume))
            {
                double share = volume.Number < position.Volume
                    ? 1
                    : Math.Clamp(position.Offset / (double)volume.End, 0, 1);
                bytes += (long)(volume.LiveBytes * share);
            }

            return bytes;
        }
    }
}
