using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ZeroStor.Volumes;

/// <summary>A shard of a volume that has no footer, in 62 bytes; its volume and its group's number are the
/// table's to know.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 2)]
internal struct RecentSlot
{
    private const int PlaceAt = 22;
    private const uint BytesMask = (1u << PlaceAt) - 1;
    private const uint BadBit = 1u << 30;
    private const uint UsedBit = 1u << 31;

    private ulong _stripeHigh;
    private ulong _stripeLow;
    private ulong _contentHigh;
    private ulong _contentLow;
    private Sum128 _sumsDigest;
    private uint _offset;

    // Record bytes in eighths less one, place, two bits: a record of the greatest length just fits.
    private uint _packed;

    /// <summary>The next slot of the same chain plus one; 0 at its end.</summary>
    internal int Next;

    internal RecentSlot(in HeldShard shard, ushort group)
    {
        _stripeHigh = (ulong)(shard.Stripe.Value >> 64);
        _stripeLow = (ulong)shard.Stripe.Value;
        _contentHigh = (ulong)(shard.Content.Value >> 64);
        _contentLow = (ulong)shard.Content.Value;
        _sumsDigest = shard.SumsDigest;
        _offset = (uint)shard.Position.Packed;
        _packed = (uint)((shard.RecordBytes / RecordFormat.AlignmentBytes) - 1)
            | ((uint)shard.Place << PlaceAt)
            | (shard.IsBad ? BadBit : 0)
            | UsedBit;
        Group = group;
    }

    /// <summary>The group's number in its table.</summary>
    internal readonly ushort Group { get; }

    /// <summary>Free slots are kept in a chain of their own.</summary>
    internal readonly bool IsUsed => (_packed & UsedBit) != 0;

    internal readonly bool IsBad => (_packed & BadBit) != 0;

    internal readonly uint PackedOffset => _offset;

    internal readonly StripeId Stripe => new(new UInt128(_stripeHigh, _stripeLow));

    internal readonly ContentId Content => new(new UInt128(_contentHigh, _contentLow));

    internal readonly byte Place => (byte)(_packed >> PlaceAt);

    internal readonly ShardName Name => new(Stripe, Place);

    internal void MarkBad() => _packed |= BadBit;

    internal readonly bool Is(ShardName shard) =>
        _stripeLow == (ulong)shard.Stripe.Value
        && _stripeHigh == (ulong)(shard.Stripe.Value >> 64)
        && Place == shard.Place;

    internal readonly RecordPosition PositionIn(uint volume) => new(((ulong)volume << 32) | _offset);

    internal readonly HeldShard Held(uint volume, GroupId group) => new()
    {
        Stripe = Stripe,
        Place = Place,
        Group = group,
        Content = Content,
        SumsDigest = _sumsDigest,
        Position = PositionIn(volume),
        RecordBytes = (int)((_packed & BytesMask) + 1) * RecordFormat.AlignmentBytes,
        IsBad = IsBad,
    };
}

/// <summary>The shards of one volume that has no footer yet, by name: slots in pages that never move,
/// chained behind a table of 4-byte heads of which there is one for two to four shards; 64 bytes a shard all
/// told. Not thread-safe.</summary>
internal sealed class RecentShards(uint volume)
{
    /// <summary>Groups have two-byte numbers here. The writer seals a volume that has come half the way, and
    /// no two batches bring as many as the other half.</summary>
    internal const int ManyGroups = MaxGroups / 2;

    private const int MaxGroups = 1 << 16;
    private const int ShardsPerHead = 4;
    private const int FirstHeads = 256;

    // Below the size at which the runtime moves arrays to the large object heap.
    private const int SlotsPerPage = 1024;

    private readonly List<RecentSlot[]> _pages = [];
    private readonly List<GroupId> _groups = [];
    private readonly Dictionary<GroupId, ushort> _groupNumbers = [];
    private int[] _heads = new int[FirstHeads];
    private int _freeHead;
    private int _used;

    internal int Count { get; private set; }

    internal int Pages => _pages.Count;

    internal bool HasManyGroups => _groups.Count >= ManyGroups;

    /// <summary>What slots and heads take.</summary>
    internal long MemoryBytes =>
        ((long)_pages.Count * SlotsPerPage * Unsafe.SizeOf<RecentSlot>())
        + ((long)_heads.Length * sizeof(int));

    internal bool TryFind(ShardName name, out HeldShard shard)
    {
        ref RecentSlot slot = ref Find(name);
        bool isThere = !Unsafe.IsNullRef(ref slot);
        shard = isThere ? HeldOf(slot) : default;
        return isThere;
    }

    /// <summary>Adds a shard that is not there.</summary>
    internal void Add(in HeldShard shard)
    {
        if (Count >= _heads.Length * ShardsPerHead)
        {
            Widen();
        }

        ushort group = NumberOf(shard.Group);
        int index = TakeFree();
        ref int head = ref _heads[Bucket(shard.Name)];
        ref RecentSlot slot = ref At(index);
        slot = new RecentSlot(shard, group) { Next = head };
        head = index + 1;
        Count++;
    }

    internal void Remove(ShardName name)
    {
        ref int link = ref _heads[Bucket(name)];
        while (link != 0)
        {
            int index = link - 1;
            ref RecentSlot slot = ref At(index);
            if (slot.Is(name))
            {
                link = slot.Next;
                slot = default;
                slot.Next = _freeHead;
                _freeHead = index + 1;
                Count--;
                return;
            }

            link = ref slot.Next;
        }
    }

    internal void MarkBad(ShardName name)
    {
        ref RecentSlot slot = ref Find(name);
        if (!Unsafe.IsNullRef(ref slot))
        {
            slot.MarkBad();
        }
    }

    /// <summary>The shards in a page of slots, in no order. A shard that stays in the table stays in its
    /// page.</summary>
    internal void CopyPage(int page, List<HeldShard> into)
    {
        foreach (ref RecentSlot slot in _pages[page].AsSpan())
        {
            if (slot.IsUsed)
            {
                into.Add(HeldOf(slot));
            }
        }
    }

    /// <summary>The shard at a position; null where there is none. Passes over the table.</summary>
    internal HeldShard? FindAt(RecordPosition at)
    {
        for (int index = 0; index < _used; index++)
        {
            ref RecentSlot slot = ref At(index);
            if (slot.IsUsed && slot.PackedOffset == (uint)at.Packed)
            {
                return HeldOf(slot);
            }
        }

        return null;
    }

    /// <summary>Lets the finder know where every shard lies.</summary>
    internal void AddTo(ShardFinder finder, Func<ShardName, ulong> hash)
    {
        for (int index = 0; index < _used; index++)
        {
            ref RecentSlot slot = ref At(index);
            if (slot.IsUsed)
            {
                finder.Add(hash(slot.Name), slot.PositionIn(volume), slot.IsBad);
            }
        }
    }

    /// <summary>Every shard, in the order of footers. The table must not change meanwhile.</summary>
    internal IEnumerable<HeldShard> InOrder()
    {
        int[] order = ArrayPool<int>.Shared.Rent(Count);
        try
        {
            SortSlots(order.AsSpan(0, Count));
            for (int i = 0; i < Count; i++)
            {
                yield return HeldOf(At(order[i]));
            }
        }
        finally
        {
            ArrayPool<int>.Shared.Return(order);
        }
    }

    // First by as much of their names as fits one word, and then the few that have that in common: the disk writes
    // nothing else meanwhile.
    private void SortSlots(Span<int> order)
    {
        ushort[] ranks = RankGroups();
        ulong[] rented = ArrayPool<ulong>.Shared.Rent(order.Length);
        Span<ulong> keys = rented.AsSpan(0, order.Length);
        for (int index = 0, count = 0; index < _used; index++)
        {
            ref RecentSlot slot = ref At(index);
            if (slot.IsUsed)
            {
                keys[count] = ((ulong)ranks[slot.Group] << 48) | (ulong)(slot.Stripe.Value >> 80);
                order[count++] = index;
            }
        }

        keys.Sort(order);
        for (int from = 0, to; from < order.Length; from = to)
        {
            to = from + 1;
            while (to < order.Length && keys[to] == keys[from])
            {
                to++;
            }

            if (to - from > 1)
            {
                order[from..to].Sort(CompareInGroup);
            }
        }

        ArrayPool<ulong>.Shared.Return(rented);
    }

    // By the numbers that groups have here.
    private ushort[] RankGroups()
    {
        GroupId[] groups = [.. _groups];
        ushort[] numbers = [.. Enumerable.Range(0, groups.Length).Select(n => (ushort)n)];
        Array.Sort(groups, numbers);
        ushort[] ranks = new ushort[numbers.Length];
        for (int rank = 0; rank < numbers.Length; rank++)
        {
            ranks[numbers[rank]] = (ushort)rank;
        }

        return ranks;
    }

    private int CompareInGroup(int left, int right)
    {
        ref RecentSlot a = ref At(left);
        ref RecentSlot b = ref At(right);
        int order = a.Stripe.CompareTo(b.Stripe);
        return order != 0 ? order : a.Place.CompareTo(b.Place);
    }

    private ref RecentSlot Find(ShardName name)
    {
        for (int next = _heads[Bucket(name)]; next != 0;)
        {
            ref RecentSlot slot = ref At(next - 1);
            if (slot.Is(name))
            {
                return ref slot;
            }

            next = slot.Next;
        }

        return ref Unsafe.NullRef<RecentSlot>();
    }

    private HeldShard HeldOf(in RecentSlot slot) => slot.Held(volume, _groups[slot.Group]);

    private ushort NumberOf(GroupId group)
    {
        if (!_groupNumbers.TryGetValue(group, out ushort number))
        {
            number = checked((ushort)_groups.Count);
            _groups.Add(group);
            _groupNumbers.Add(group, number);
        }

        return number;
    }

    private ref RecentSlot At(int index) => ref _pages[index / SlotsPerPage][index % SlotsPerPage];

    private int TakeFree()
    {
        if (_freeHead != 0)
        {
            int index = _freeHead - 1;
            _freeHead = At(index).Next;
            return index;
        }

        if (_used == _pages.Count * SlotsPerPage)
        {
            _pages.Add(new RecentSlot[SlotsPerPage]);
        }

        return _used++;
    }

    private void Widen()
    {
        _heads = new int[_heads.Length * 2];
        for (int index = 0; index < _used; index++)
        {
            ref RecentSlot slot = ref At(index);
            if (slot.IsUsed)
            {
                ref int head = ref _heads[Bucket(slot.Name)];
                slot.Next = head;
                head = index + 1;
            }
        }
    }

    private int Bucket(ShardName name) =>
        (int)(ShardFinder.HashOf(name) >> (64 - BitOperations.Log2((uint)_heads.Length)));
}
