using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ZeroStor.Volumes;

/// <summary>Where a shard may lie, by the finder's word.</summary>
internal readonly record struct FinderHit(RecordPosition Position, bool IsBad);

/// <summary>Finds the shards of sealed volumes by a hash of their names: 12 bytes each, of which four tell
/// names apart and eight say where the record lies; 18 at the most with what stays empty. Different names
/// may share a hash, so a hit is only a place to look: the record there, or its footer's entry, says whose it
/// is. Tables for each first byte of the hash grow by a quarter on their own, so growing never copies all of
/// it, nor leaves much empty. Not thread-safe.</summary>
internal sealed class ShardFinder
{
    private const int Parts = 256;
    private const int FirstCapacity = 16;

    // Beyond this probing gets slow: a miss looks at some twenty entries, which is two lines of the cache.
    private const int MaxLoadPercent = 85;

    // No disk makes 2^31 volumes, so the highest bit of a position is free.
    private const ulong BadBit = 1UL << 63;

    private readonly Entry[][] _parts = new Entry[Parts][];
    private readonly int[] _counts = new int[Parts];

    /// <summary>What the tables take.</summary>
    internal long MemoryBytes => _parts.Sum(p => (long)(p?.Length ?? 0) * Unsafe.SizeOf<Entry>());

    /// <summary>Of a StripeId only the low bits are surely random, and stripes have many places: every bit of
    /// both reaches every bit of the hash.</summary>
    internal static ulong HashOf(ShardName shard)
    {
        ulong mixed = (ulong)shard.Stripe.Value
            ^ (((ulong)(shard.Stripe.Value >> 64) + shard.Place) * 0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58_476D_1CE4_E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D0_49BB_1331_11EB;
        return mixed ^ (mixed >> 31);
    }

    /// <summary>Makes room for so many in all, which saves growing to there.</summary>
    internal void Reserve(long count)
    {
        // Parts differ by chance; the fullest hold a little more than their share.
        int share = (int)(count / Parts);
        int capacity = CapacityFor(share + (int)(4 * Math.Sqrt(share)));
        for (int part = 0; part < Parts && count > Parts * FirstCapacity; part++)
        {
            if ((_parts[part]?.Length ?? 0) < capacity)
            {
                Resize(part, capacity);
            }
        }
    }

    internal void Add(ulong hash, RecordPosition at, bool isBad)
    {
        int part = PartOf(hash);
        Entry[] table = _parts[part] ?? [];
        if ((_counts[part] + 1L) * 100 > (long)table.Length * MaxLoadPercent)
        {
            table = Resize(part, Math.Max(FirstCapacity, table.Length + (table.Length / 4)));
        }

        Put(table, new Entry(hash, at.Packed | (isBad ? BadBit : 0)));
        _counts[part]++;
    }

    internal bool MayHold(ulong hash)
    {
        int index = -1;
        return NextHit(hash, ref index);
    }

    /// <summary>Every place where a shard with this hash may lie.</summary>
    internal FinderHit[] Find(ulong hash)
    {
        int index = -1;
        if (!NextHit(hash, ref index))
        {
            return [];
        }

        Entry[] table = _parts[PartOf(hash)];
        var hits = new List<FinderHit>(1);
        do
        {
            hits.Add(new FinderHit(table[index].Position, table[index].IsBad));
        }
        while (NextHit(hash, ref index));

        return [.. hits];
    }

    /// <summary>Whether the shard with this hash whose record lies here is held.</summary>
    internal bool Holds(ulong hash, RecordPosition at, out bool isBad)
    {
        int index = IndexOf(hash, at);
        isBad = index >= 0 && _parts[PartOf(hash)][index].IsBad;
        return index >= 0;
    }

    internal void MarkBad(ulong hash, RecordPosition at)
    {
        int index = IndexOf(hash, at);
        if (index >= 0)
        {
            _parts[PartOf(hash)][index].MarkBad();
        }
    }

    internal void Remove(ulong hash, RecordPosition at)
    {
        int index = IndexOf(hash, at);
        if (index >= 0)
        {
            RemoveAt(PartOf(hash), index);
        }
    }

    /// <summary>Removes whatever lies in a volume; returns how many that were. Passes over everything.
    /// </summary>
    internal int RemoveVolume(uint volume)
    {
        int removed = 0;
        for (int part = 0; part < Parts; part++)
        {
            // What moves up into the place of one that was removed is looked at next.
            for (int index = 0; index < (_parts[part]?.Length ?? 0);)
            {
                if (_parts[part][index].IsUsed && _parts[part][index].Position.Volume == volume)
                {
                    RemoveAt(part, index);
                    removed++;
                }
                else
                {
                    index++;
                }
            }
        }

        return removed;
    }

    private static int CapacityFor(int count) => (int)(((long)count * 100 / MaxLoadPercent) + 1);

    private static int PartOf(ulong hash) => (int)(hash >> 56);

    private static int HomeOf(in Entry entry, int capacity) =>
        (int)(((ulong)entry.Name * (ulong)capacity) >> 32);

    private static void Put(Entry[] table, in Entry entry)
    {
        int index = HomeOf(entry, table.Length);
        while (table[index].IsUsed)
        {
            index = Next(index, table.Length);
        }

        table[index] = entry;
    }

    private static int Next(int index, int capacity) => index + 1 == capacity ? 0 : index + 1;

    // The first hit behind an index, or of all when that is -1.
    private bool NextHit(ulong hash, ref int index)
    {
        Entry[]? table = _parts[PartOf(hash)];
        if (table is null)
        {
            return false;
        }

        var sought = new Entry(hash, 0);
        index = index < 0 ? HomeOf(sought, table.Length) : Next(index, table.Length);
        for (; table[index].IsUsed; index = Next(index, table.Length))
        {
            if (table[index].Name == sought.Name)
            {
                return true;
            }
        }

        return false;
    }

    private int IndexOf(ulong hash, RecordPosition at)
    {
        int index = -1;
        while (NextHit(hash, ref index))
        {
            if (_parts[PartOf(hash)][index].Position == at)
            {
                return index;
            }
        }

        return -1;
    }

    private Entry[] Resize(int part, int capacity)
    {
        var table = new Entry[capacity];
        foreach (ref readonly Entry entry in (_parts[part] ?? []).AsSpan())
        {
            if (entry.IsUsed)
            {
                Put(table, entry);
            }
        }

        _parts[part] = table;
        return table;
    }

    // Moves up what stands behind, so that no probe meets a hole before its end.
    private void RemoveAt(int part, int hole)
    {
        Entry[] table = _parts[part];
        for (int index = Next(hole, table.Length); table[index].IsUsed; index = Next(index, table.Length))
        {
            int home = HomeOf(table[index], table.Length);
            bool mayMove = hole <= index ? home <= hole || home > index : home <= hole && home > index;
            if (mayMove)
            {
                table[hole] = table[index];
                hole = index;
            }
        }

        table[hole] = default;
        _counts[part]--;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    private struct Entry(ulong hash, ulong packed)
    {
        private ulong _packed = packed;

        // The part has the hash's first byte; these are the four behind it.
        internal uint Name { get; } = (uint)(hash >> 24);

        internal readonly bool IsUsed => _packed != 0;

        internal readonly bool IsBad => (_packed & BadBit) != 0;

        internal readonly RecordPosition Position => new(_packed & ~BadBit);

        internal void MarkBad() => _packed |= BadBit;
    }
}
