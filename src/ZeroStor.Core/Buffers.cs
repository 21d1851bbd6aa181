using System.Collections.Concurrent;
using System.Numerics;

namespace ZeroStor;

/// <summary>A counted buffer from <see cref="BufferPool"/>. Who rents it holds one count; whoever is handed a
/// slice to keep beyond the call takes another with <see cref="Hold"/> and gives it back with <see
/// cref="Release"/>. At zero the bytes go back to the pool. A count that is lost (a message that was never
/// sent) costs the pool one buffer and nobody a wrong byte: the collector takes its memory.
/// Thread-safe.</summary>
public sealed class SharedBuffer
{
    private readonly byte[] _array;
    private readonly int _start;
    private readonly BufferPool _pool;
    private int _holders;

    internal SharedBuffer(BufferPool pool, byte[] array, int start, int bytes)
    {
        _array = array;
        _start = start;
        _pool = pool;
        Capacity = bytes;
    }

    public int Capacity { get; }

    public Memory<byte> Memory
    {
        get
        {
            // Whoever has the bytes by now would be read, or written over.
            if (Volatile.Read(ref _holders) <= 0)
            {
                throw new InvalidOperationException("A released buffer was read.");
            }

            return new Memory<byte>(_array, _start, Capacity);
        }
    }

    public Span<byte> Span => Memory.Span;

    public BufferSlice Slice(int offset, int length) => new(this, offset, length);

    /// <summary>Takes one more count.</summary>
    public SharedBuffer Hold()
    {
        Change(+1, "A released buffer was held again.");
        return this;
    }

    /// <summary>Gives one count back; the last one returns the bytes to the pool.</summary>
    public void Release()
    {
        if (Change(-1, "A buffer was released more often than held.") == 0)
        {
            _pool.Return(this);
        }
    }

    internal void Reset() => _holders = 1;

    // A mistaken call throws and changes nothing, so that it does not hide the next one.
    private int Change(int by, string mistake)
    {
        int holders = Volatile.Read(ref _holders);
        while (true)
        {
            if (holders <= 0)
            {
                throw new InvalidOperationException(mistake);
            }

            int seen = Interlocked.CompareExchange(ref _holders, holders + by, holders);
            if (seen == holders)
            {
                return holders + by;
            }

            holders = seen;
        }
    }
}

/// <summary>A part of a counted buffer. Copying the struct takes no count; <see cref="Hold"/> does.</summary>
public readonly struct BufferSlice
{
    private readonly SharedBuffer? _owner;
    private readonly int _offset;

    public BufferSlice(SharedBuffer owner, int offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, owner.Capacity - offset);
        _owner = owner;
        _offset = offset;
        Length = length;
    }

    public int Length { get; }

    /// <summary>Behind a multiple of <see cref="BufferPool.AlignmentBytes"/> in memory.</summary>
    internal int Offset => _offset;

    public bool IsEmpty => Length == 0;

    public Memory<byte> Memory => _owner is null ? default : _owner.Memory.Slice(_offset, Length);

    public Span<byte> Span => Memory.Span;

    public BufferSlice Slice(int offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length - offset);
        return _owner is null ? default : new BufferSlice(_owner, _offset + offset, length);
    }

    /// <summary>Takes a count of the buffer; the caller of this releases it.</summary>
    public BufferSlice Hold()
    {
        _owner?.Hold();
        return this;
    }

    public void Release() => _owner?.Release();
}

/// <summary>Rents page-aligned, pinned buffers by size class and keeps returned ones up to a bound.
/// Thread-safe.
/// </summary>
/// <remarks>What lies in huge pages is walked faster, for small pages are looked up one by one (a twentieth of the time
/// that opening a stripe takes), and goes to a device in few long pieces instead of one a page, which a virtual disk
/// takes twice as fast. So large buffers begin where huge pages do, and those of middle size are cut one behind the other
/// from memory that does. Such memory lives as long as any buffer cut from it.</remarks>
public sealed class BufferPool
{
    /// <summary>A page: what direct I/O asks of an address.</summary>
    public const int AlignmentBytes = 4096;

    // Shorter ones are mostly copied on their way to a device, and a process that needs few is not made larger by them.
    private const int LeastCutBytes = 32 * 1024;

    // A quarter more is taken to begin where a huge page does, and never touched.
    private const int CutFromBytes = 4 * HugePages.PageBytes;

    // Eight puts of 64 MiB at once hold some 450 MiB. What is not kept then becomes garbage of as many bytes a second as
    // are put, new memory is zeroed for it, and a process takes more than it would by keeping all: 1,400 MiB instead of
    // 580 with 192 MiB kept, and 8 % more of the processors.
    private const long MostRetainedBytes = 768L * 1024 * 1024;

    // Of the memory that the process may use at all.
    private const int RetainedPart = 8;

    /// <summary>Returned bytes beyond this are left to the collector.</summary>
    public static readonly long MaxRetainedBytes =
        Math.Min(MostRetainedBytes, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / RetainedPart);

    private readonly ConcurrentDictionary<int, ConcurrentStack<SharedBuffer>> _free = new();
    private readonly Lock _cutting = new();
    private (byte[] Array, int Next, int End) _cutFrom;
    private long _retainedBytes;

    public static BufferPool Shared { get; } = new();

    /// <summary>A buffer of at least <paramref name="bytes"/>, its content undefined, held once.</summary>
    public SharedBuffer Rent(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        int size = SizeClass(bytes);
        if (_free.TryGetValue(size, out ConcurrentStack<SharedBuffer>? stack) && stack.TryPop(out SharedBuffer? kept))
        {
            Interlocked.Add(ref _retainedBytes, -size);
            kept.Reset();
            return kept;
        }

        SharedBuffer fresh = Make(size);
        fresh.Reset();
        return fresh;
    }

    /// <summary>Rents and slices in one: exactly <paramref name="bytes"/> long.</summary>
    public BufferSlice RentSlice(int bytes) => Rent(bytes).Slice(0, bytes);

    /// <summary>Leaves what was returned to the collector, for when nothing more is to come for a while.</summary>
    public void Trim()
    {
        foreach (ConcurrentStack<SharedBuffer> stack in _free.Values)
        {
            while (stack.TryPop(out SharedBuffer? kept))
            {
                Interlocked.Add(ref _retainedBytes, -kept.Capacity);
            }
        }

        lock (_cutting)
        {
            _cutFrom = default;
        }
    }

    internal void Return(SharedBuffer buffer)
    {
        if (Interlocked.Add(ref _retainedBytes, buffer.Capacity) > MaxRetainedBytes)
        {
            Interlocked.Add(ref _retainedBytes, -buffer.Capacity);
            return;
        }

        _free.GetOrAdd(buffer.Capacity, static _ => new ConcurrentStack<SharedBuffer>()).Push(buffer);
    }

    private SharedBuffer Make(int bytes)
    {
        if (bytes is < LeastCutBytes or >= HugePages.PageBytes)
        {
            (byte[] array, int start) = Allocate(bytes);
            return new SharedBuffer(this, array, start, bytes);
        }

        lock (_cutting)
        {
            if (_cutFrom.End - _cutFrom.Next < bytes)
            {
                (byte[] array, int start) = Allocate(CutFromBytes);
                _cutFrom = (array, start, start + CutFromBytes);
            }

            var cut = new SharedBuffer(this, _cutFrom.Array, _cutFrom.Next, bytes);
            _cutFrom.Next += bytes;
            return cut;
        }
    }

    // Pinned and aligned: the kernels and direct I/O both want fixed addresses at page boundaries.
    private static unsafe (byte[] Array, int Start) Allocate(int bytes)
    {
        int alignment = bytes >= HugePages.PageBytes ? HugePages.PageBytes : AlignmentBytes;
        byte[] array = GC.AllocateUninitializedArray<byte>(bytes + alignment, pinned: true);
        fixed (byte* first = array)
        {
            nint address = (nint)first;
            int start = (int)((alignment - (address & (alignment - 1))) & (alignment - 1));
            if (alignment == HugePages.PageBytes)
            {
                HugePages.Prefer(address + start, bytes);
            }

            return (array, start);
        }
    }

    // Four classes per power of two: at most a quarter is wasted.
    private static int SizeClass(int bytes)
    {
        if (bytes <= AlignmentBytes)
        {
            return AlignmentBytes;
        }

        int step = (int)BitOperations.RoundUpToPowerOf2((uint)bytes) / 8;
        step = Math.Max(step, AlignmentBytes);
        return (bytes + step - 1) / step * step;
    }
}
