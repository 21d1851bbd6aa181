using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ZeroStor.Volumes;

/// <summary>What the memory knows of a shard: 72 bytes, and 4 to 8 more for finding it.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct ShardSlot
{
    private ulong _stripeHigh;
    private ulong _stripeLow;
    private ulong _contentHigh;
    private ulong _contentLow;
    private Sum128 _sumsDigest;
    private ulong _position;
    private uint _group;
    private int _recordBytes;

    /// <summary>The next slot of the same chain plus one; 0 at its end.</summary>
    internal int Next;
    private byte _place;

    /// <summary>Found damaged: still where it is, but no longer counted as held.</summary>
    internal bool IsBad;

    /// <summary>Free slots are kept in a chain of their own.</summary>
    internal bool IsUsed;

    internal ShardSlot(in RecordHeader header, RecordPosition at)
    {
        _stripeHigh = (ulong)(header.Stripe.Value >> 64);
        _stripeLow = (ulong)header.Stripe.Value;
        _contentHigh = (ulong)(header.Content.Value >> 64);
        _contentLow = (ulong)header.Content.Value;
        _sumsDigest = header.SumsDigest;
        _position = at.Packed;
        _group = header.Group.Value;
        _recordBytes = header.RecordBytes;
        _place = header.Place;
        IsUsed = true;
    }

    internal readonly StripeId Stripe => new(new UInt128(_stripeHigh, _stripeLow));

    internal readonly byte Place => _place;

    internal readonly ContentId Content => new(new UInt128(_contentHigh, _contentLow));

    internal readonly Sum128 SumsDigest => _sumsDigest;

    internal readonly RecordPosition Position => new(_position);

    internal readonly GroupId Group => new(_group);

    internal readonly int RecordBytes => _recordBytes;

    internal readonly bool Is(StripeId stripe, byte place) =>
        _stripeLow == (ulong)stripe.Value && _stripeHigh == (ulong)(stripe.Value >> 64) && _place == place;
}

/// <summary>Shards by (StripeId, place): slots in pages that never move, chained behind a table of 4-byte
/// heads. A dictionary would hold the same in twice the bytes and copy all of it when it grows. Not
/// thread-safe. </summary>
internal sealed class ShardTable
{
    // Below the size at which the runtime moves arrays to the large object heap.
    private const int SlotsPerPage = 1024;

    private readonly List<ShardSlot[]> _pages = [];
    private int[] _heads = new int[1024];
    private int _freeHead;
    private int _used;

    internal int Count { get; private set; }

    /// <summary>The slot of a shard; <see cref="IsNone"/> tells when there is none.</summary>
    internal ref ShardSlot Find(StripeId stripe, byte place)
    {
        for (int next = _heads[Bucket(stripe, place)]; next != 0;)
        {
            ref ShardSlot slot = ref At(next - 1);
            if (slot.Is(stripe, place))
            {
                return ref slot;
            }

            next = slot.Next;
        }

        return ref Unsafe.NullRef<ShardSlot>();
    }

    internal static bool IsNone(ref ShardSlot slot) =>
        Unsafe.IsNullRef(ref slot);

    /// <summary>Adds a shard that is not there.</summary>
    internal void Add(in ShardSlot shard)
    {
        if (Count >= _heads.Length)
        {
            Widen();
        }

        int index = TakeFree();
        ref int head = ref _heads[Bucket(shard.Stripe, shard.Place)];
        ref ShardSlot slot = ref At(index);
        slot = shard;
        slot.Next = head;
        head = index + 1;
        Count++;
    }

    internal void Remove(StripeId stripe, byte place)
    {
        ref int link = ref _heads[Bucket(stripe, place)];
        while (link != 0)
        {
            int index = link - 1;
            ref ShardSlot slot = ref At(index);
            if (slot.Is(stripe, place))
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

    /// <summary>Every shard, in no order. The table must not change meanwhile.</summary>
    internal IEnumerable<ShardSlot> All()
    {
        for (int index = 0; index < _used; index++)
        {
            ShardSlot slot = At(index);
            if (slot.IsUsed)
            {
                yield return slot;
            }
        }
    }

    private ref ShardSlot At(int index) => ref _pages[index / SlotsPerPage][index % SlotsPerPage];

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
            _pages.Add(new ShardSlot[SlotsPerPage]);
        }

        return _used++;
    }

    private void Widen()
    {
        _heads = new int[_heads.Length * 2];
        for (int index = 0; index < _used; index++)
        {
            ref ShardSlot slot = ref At(index);
            if (slot.IsUsed)
            {
                ref int head = ref _heads[Bucket(slot.Stripe, slot.Place)];
                slot.Next = head;
                head = index + 1;
            }
        }
    }

    // The low bits of a StripeId are random already; multiplying carries the place into the bits that count.
    private int Bucket(StripeId stripe, byte place)
    {
        ulong mixed = ((ulong)stripe.Value ^ ((ulong)(stripe.Value >> 64) + place)) * 0x9E37_79B9_7F4A_7C15;
        return (int)(mixed >> (64 - BitOperations.Log2((uint)_heads.Length)));
    }
}
