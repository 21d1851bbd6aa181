using System.Collections.Concurrent;
using ZeroStor.Contracts.Doors;
using ZeroStor.Sealing;

namespace ZeroStor.Grains;

/// <summary>The puts that a silo coordinates at the moment. A put takes a slot before any bytes move; the
/// pieces of its stripes wait here, within a budget for the whole silo, until a stripe is complete. A slot
/// that hears nothing for <see cref="StripeDoor.SlotIdleSeconds"/> is freed with all that it holds.
/// Thread-safe.</summary>
internal sealed class PutSlots(ZeroStorOptions options, TimeProvider time)
{
    private readonly ConcurrentDictionary<UInt128, PutSlot> _slots = new();

    /// <summary>Pieces, sealed bytes and parity of all stripes under way.</summary>
    public MemoryBudget Budget { get; } = new(options.StripeMemoryBytes);

    public int Count => _slots.Count;

    /// <exception cref="ZeroStorException">Busy.</exception>
    public PutSlot Open(UInt128 put, OpenVault vault, ContentId content, ContentKey? key)
    {
        FreeIdle();
        if (_slots.Count >= options.MaxPuts)
        {
            throw new ZeroStorException(
                ErrorKind.Busy, $"this silo serves {options.MaxPuts} puts already: try again, or another silo");
        }

        var slot = new PutSlot(put, vault, content, key, Budget, time);
        _slots[put] = slot;
        return slot;
    }

    /// <exception cref="ZeroStorException">NotFound.</exception>
    public PutSlot Find(UInt128 put) =>
        _slots.TryGetValue(put, out PutSlot? slot)
            ? slot.Heard()
            : throw ZeroStorException.NotFound(
                $"this silo holds no slot for the put: it was idle for {StripeDoor.SlotIdleSeconds} s, or the silo "
                + "was restarted; open it again");

    public void Close(UInt128 put)
    {
        if (_slots.TryRemove(put, out PutSlot? slot))
        {
            slot.Dispose();
        }
    }

    public void FreeIdle()
    {
        foreach (PutSlot slot in _slots.Values)
        {
            if (slot.IsIdle)
            {
                Close(slot.Put);
            }
        }
    }
}

/// <summary>One put: its key, and the pieces of the stripes that are not complete yet.</summary>
internal sealed class PutSlot(
    UInt128 put, OpenVault vault, ContentId content, ContentKey? key, MemoryBudget budget, TimeProvider time)
    : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<int, StripePieces> _stripes = [];
    private readonly Dictionary<int, Task<StripePieces>> _opening = [];
    private readonly Dictionary<int, Task<StripeWritten>> _written = [];
    private readonly Queue<int> _remembered = [];
    private long _heard = time.GetTimestamp();
    private int _writing;
    private bool _closed;

    public UInt128 Put => put;

    public OpenVault Vault => vault;

    public ContentId Content => content;

    /// <summary>Null: the vault's owner seals.</summary>
    public ContentKey? Key => key;

    public bool IsIdle => Volatile.Read(ref _writing) == 0
        && time.GetElapsedTime(Volatile.Read(ref _heard)) > TimeSpan.FromSeconds(StripeDoor.SlotIdleSeconds);

    public PutSlot Heard()
    {
        Volatile.Write(ref _heard, time.GetTimestamp());
        return this;
    }

    /// <summary>Takes a piece, and its count of the bytes. The first piece of a stripe waits for the memory
    /// that the whole of it will need.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument; Busy: no memory came free in time.</exception>
    public async Task AddAsync(PutPiece piece, CancellationToken cancel, bool isLast = false)
    {
        BufferSlice bytes = piece.Bytes.Take();
        try
        {
            Check(piece, bytes.Length);

            // One that comes late to a stripe that is being written already is given back.
            if (!isLast && IsWritten(piece.Ordinal))
            {
                return;
            }

            StripePieces stripe = await StripeAsync(piece, cancel);
            lock (_lock)
            {
                if (_closed)
                {
                    throw ZeroStorException.NotFound("the put was closed while a piece came in");
                }

                if (_stripes.GetValueOrDefault(piece.Ordinal) == stripe)
                {
                    stripe.Add(piece.Offset, bytes);
                    bytes = default;
                }
            }
        }
        finally
        {
            bytes.Release();
        }
    }

    /// <summary>Writes a stripe once, however often it is asked for: who asks again, because no answer came, gets
    /// that of the first. It is remembered as long as a client may ask; one that failed is written anew.</summary>
    public Task<StripeWritten> WriteOnceAsync(int ordinal, Func<Task<StripeWritten>> write, out bool isFirst)
    {
        lock (_lock)
        {
            isFirst = !IsWritten(ordinal);
            if (!isFirst)
            {
                return _written[ordinal];
            }

            if (!_written.ContainsKey(ordinal))
            {
                _remembered.Enqueue(ordinal);
            }

            if (_remembered.Count > MaxRemembered)
            {
                _written.Remove(_remembered.Dequeue());
            }

            return _written[ordinal] = Task.Run(write);
        }
    }

    /// <summary>Takes a complete stripe out; the caller disposes it when it is written.</summary>
    /// <exception cref="ZeroStorException">NotFound: pieces are missing.</exception>
    public StripePieces Complete(int ordinal)
    {
        lock (_lock)
        {
            if (!_stripes.Remove(ordinal, out StripePieces? stripe))
            {
                throw ZeroStorException.NotFound($"stripe {ordinal} has no pieces here: send them again");
            }

            if (!stripe.IsComplete)
            {
                stripe.Dispose();
                throw ZeroStorException.NotFound(
                    $"stripe {ordinal} has {stripe.HeldBytes} of {stripe.StripeBytes} bytes: send all pieces again");
            }

            _writing++;
            stripe.WhenDisposed = () => Interlocked.Decrement(ref _writing);
            return stripe;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _closed = true;
            foreach (StripePieces stripe in _stripes.Values)
            {
                stripe.Dispose();
            }

            _stripes.Clear();
        }
    }

    private bool IsWritten(int ordinal)
    {
        lock (_lock)
        {
            return _written.TryGetValue(ordinal, out Task<StripeWritten>? writing)
                && !writing.IsFaulted && !writing.IsCanceled;
        }
    }

    // Pieces come together, and one of them waits for the memory of all: if each did, it would take it again
    // only to give it back, and hold up behind it who could finish and free some.
    private Task<StripePieces> StripeAsync(PutPiece piece, CancellationToken cancel)
    {
        Task<StripePieces>? opening;
        lock (_lock)
        {
            if (_stripes.TryGetValue(piece.Ordinal, out StripePieces? known))
            {
                return Task.FromResult(known);
            }

            if (!_opening.TryGetValue(piece.Ordinal, out opening))
            {
                opening = OpenStripeAsync(piece.Ordinal, piece.StripeBytes);
                if (!opening.IsCompleted)
                {
                    _opening[piece.Ordinal] = opening;
                }
            }
        }

        return opening.WaitAsync(cancel);
    }

    private async Task<StripePieces> OpenStripeAsync(int ordinal, int stripeBytes)
    {
        Code code = vault.Info.Code;
        long taken;
        try
        {
            taken = await TakeAsync(stripeBytes + ((long)stripeBytes * code.N / code.K));
        }
        catch
        {
            lock (_lock)
            {
                _opening.Remove(ordinal);
            }

            throw;
        }

        lock (_lock)
        {
            _opening.Remove(ordinal);
            if (!_closed)
            {
                return _stripes[ordinal] = new StripePieces(stripeBytes, taken, budget.Give);
            }
        }

        budget.Give(taken);
        throw ZeroStorException.NotFound("the put was closed while a piece waited");
    }

    private async Task<long> TakeAsync(long needed)
    {
        using var patience = new CancellationTokenSource(MemoryPatience, time);
        try
        {
            return await budget.TakeAsync(needed, patience.Token);
        }
        catch (OperationCanceledException)
        {
            throw new ZeroStorException(
                ErrorKind.Busy, $"no memory for a stripe came free in {MemoryPatience.TotalSeconds} s: try again");
        }
    }

    /// <summary>Shorter than a grain call waits, so that the caller hears a reason.</summary>
    private static readonly TimeSpan MemoryPatience = TimeSpan.FromSeconds(15);

    /// <summary>A client has <see cref="StripeDoor.StripesInFlight"/> stripes under way, and asks for no
    /// others.</summary>
    private const int MaxRemembered = 4 * StripeDoor.StripesInFlight;

    private void Check(PutPiece piece, int bytes)
    {
        bool isSealed = vault.Held is null;
        int limit = Geometry.StripeBytes(vault.Info.Code);
        int most = Geometry.MaxPieceBytes;
        int segment = Geometry.SegmentBytes;
        if (isSealed)
        {
            (limit, most, segment) = (
                Geometry.PlainSealedBytes(limit), Geometry.PlainSealedBytes(most), StripeCipher.SealedSegmentBytes);
        }

        bool fits = piece.Ordinal >= 0
            && piece.StripeBytes > 0 && piece.StripeBytes <= limit
            && bytes > 0 && bytes <= most
            && piece.Offset >= 0 && piece.Offset % segment == 0
            && piece.Offset + bytes <= piece.StripeBytes
            && (bytes % segment == 0 || piece.Offset + bytes == piece.StripeBytes);
        if (!fits)
        {
            throw ZeroStorException.Invalid(
                $"a piece of {bytes} bytes at {piece.Offset} does not fit a stripe of {piece.StripeBytes}: pieces are "
                + $"whole segments of {segment} bytes, at most {most}, in a stripe of at most {limit}");
        }
    }
}
