using System.Collections.Immutable;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Doors;
using ZeroStor.Sealing;

namespace ZeroStor.Client;

/// <summary>An object as its partition told of it.</summary>
/// <param name="Version">The version.</param>
/// <param name="Manifest">What it is made of.</param>
/// <param name="Objects">Who told.</param>
/// <param name="OwnedVault">Its vault, where the owner keeps the keys; null: the fabric does.</param>
internal sealed record FoundObject(
    ObjectVersion Version, Manifest Manifest, IObjectDoor Objects, VaultInfo? OwnedVault);

/// <summary>A range of one version, read forward once: a stream that reads a few stripes ahead. Every byte
/// was verified before it got here; where too many shards are bad or gone the read fails and nothing false is
/// returned. After a failure every further read fails alike. Read it asynchronously; one read at a
/// time.</summary>
public sealed class ObjectStream : Stream
{
    /// <summary>Stripes read ahead at most. It begins with one and grows as the reader takes them, so that
    /// who stops early, or reads slowly, does not make the fabric read what nobody wants.</summary>
    private const int MaxStripesAhead = 4;

    private readonly Fabric _fabric;
    private readonly string _vault;
    private readonly IObjectDoor _objects;
    private readonly VaultInfo? _ownedVault;
    private readonly Manifest _manifest;
    private readonly int _absentHomes;
    private readonly IEnumerator<StripeSlice> _plan;
    private readonly Queue<Task<BufferSlice>> _ahead = [];
    private readonly CancellationTokenSource _stop = new();
    private int _stripesAhead = 1;
    private BufferSlice _current;
    private int _currentAt;
    private long _position;
    private (int Content, int Number, Task<ImmutableArray<StripeRef>> Stripes)? _page;
    private bool _isDisposed;

    internal ObjectStream(
        Fabric fabric, string vault, FoundObject found, long offset, long length, int absentHomes = 0)
    {
        (_fabric, _vault, _objects, _manifest) = (fabric, vault, found.Objects, found.Manifest);
        (_ownedVault, _absentHomes) = (found.OwnedVault, absentHomes);
        (Version, Offset, Length) = (found.Version, offset, length);
        StripePlan.Check(_manifest, Name);
        _plan = StripePlan.Of(_manifest, offset, length).GetEnumerator();
    }

    /// <summary>The version that is read: size, ETag, content type, headers.</summary>
    public ObjectVersion Version { get; }

    /// <summary>Where in the object the range begins.</summary>
    public long Offset { get; }

    /// <summary>Bytes of the range.</summary>
    public override long Length { get; }

    /// <summary>Bytes of the range that were read. Cannot be set.</summary>
    public override long Position
    {
        get => _position;
        set => throw ForwardOnly();
    }

    /// <inheritdoc/>
    public override bool CanRead => !_isDisposed;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    private string Name => $"{_vault}/{Version.Key}";

    /// <inheritdoc/>
    /// <exception cref="ZeroStorException">NotFound: the version was reclaimed under the reader;
    /// TooFewShards, Corrupt: the object cannot be read here; Unavailable.</exception>
    public override async ValueTask<int> ReadAsync(
        Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty || !await MoveAsync(cancellationToken))
        {
            return 0;
        }

        int bytes = Math.Min(buffer.Length, _current.Length - _currentAt);
        _current.Span.Slice(_currentAt, bytes).CopyTo(buffer.Span);
        Advance(bytes);
        return bytes;
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(
        byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Writes the rest to <paramref name="destination"/>, from the buffers it came in.</summary>
    public override async Task CopyToAsync(
        Stream destination, int bufferSize, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(destination);
        while (await MoveAsync(cancellationToken))
        {
            ReadOnlyMemory<byte> rest = _current.Memory[_currentAt..];
            await destination.WriteAsync(rest, cancellationToken);
            Advance(rest.Length);
        }
    }

    /// <summary>Not supported: a read waits for the network.</summary>
    public override int Read(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("An object is read over the network: use ReadAsync or CopyToAsync.");

    /// <summary>Not supported.</summary>
    public override long Seek(long offset, SeekOrigin origin) => throw ForwardOnly();

    /// <summary>Not supported.</summary>
    public override void SetLength(long value) => throw ForwardOnly();

    /// <summary>Not supported.</summary>
    public override void Write(byte[] buffer, int offset, int count) => throw ForwardOnly();

    /// <summary>Does nothing.</summary>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_isDisposed)
        {
            _isDisposed = true;
            _stop.Cancel();
            _current.Release();
            _current = default;
            while (_ahead.TryDequeue(out Task<BufferSlice>? stripe))
            {
                _ = ReleaseAsync(stripe);
            }

            _plan.Dispose();
        }

        base.Dispose(disposing);

        // A stripe may have arrived just now; its buffer goes back all the same.
        static async Task ReleaseAsync(Task<BufferSlice> stripe)
        {
            await ((Task)stripe).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stripe.IsCompletedSuccessfully)
            {
                stripe.Result.Release();
            }
        }
    }

    private static NotSupportedException ForwardOnly() =>
        new("An object is read forward, once, and never changed: open another range, or put a version.");

    // Sees to it that the current stripe has a byte left; false at the end.
    private async ValueTask<bool> MoveAsync(CancellationToken cancel)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_currentAt < _current.Length)
        {
            return true;
        }

        while (_ahead.Count < _stripesAhead && _plan.MoveNext())
        {
            Task<StripeRef> stripe = RefAsync(_plan.Current);
            _ahead.Enqueue(FetchAsync(_plan.Current, stripe, _stop.Token));
        }

        // A failed stripe stays at the head, so that further reads fail alike.
        if (!_ahead.TryPeek(out Task<BufferSlice>? next))
        {
            return false;
        }

        BufferSlice arrived = await next.WaitAsync(cancel);
        _ = _ahead.Dequeue();
        (_current, _currentAt) = (arrived, 0);
        _stripesAhead = Math.Min(_stripesAhead + 1, MaxStripesAhead);
        return true;
    }

    private void Advance(int bytes)
    {
        _currentAt += bytes;
        _position += bytes;
        if (_currentAt == _current.Length)
        {
            _current.Release();
            (_current, _currentAt) = (default, 0);
        }
    }

    // The StripeRef of a slice. Slices come in order, so one page at a time is enough.
    private async Task<StripeRef> RefAsync(StripeSlice slice)
    {
        ContentRef content = _manifest.Contents[slice.Content];
        if (!content.IsPaged)
        {
            return content.Stripes[slice.Ordinal];
        }

        int number = slice.Ordinal / Geometry.StripesPerPage;
        if (_page is not { } page || page.Content != slice.Content || page.Number != number)
        {
            _page = page = (slice.Content, number, ReadPageAsync(content, number, _stop.Token));
        }

        return (await page.Stripes)[slice.Ordinal % Geometry.StripesPerPage];
    }

    private async Task<ImmutableArray<StripeRef>> ReadPageAsync(
        ContentRef content, int number, CancellationToken cancel)
    {
        byte[] bytes = await _fabric.RepeatAsync(
            $"reading page {number} of '{Name}'",
            token => _objects.ReadPageAsync(content.Id, number, token),
            cancel);
        ImmutableArray<StripeRef> stripes = Manifest.DecodePage(content.Code, bytes);
        int expected = Math.Min(
            Geometry.StripesPerPage, content.StripeCount - (number * Geometry.StripesPerPage));
        return stripes.Length == expected
            ? stripes
            : throw ZeroStorException.Corrupt(
                $"Page {number} of '{Name}' names {stripes.Length} stripes and should name {expected}.");
    }

    private async Task<BufferSlice> FetchAsync(
        StripeSlice slice, Task<StripeRef> stripe, CancellationToken cancel)
    {
        ContentRef content = _manifest.Contents[slice.Content];
        string doing = $"reading stripe {slice.Ordinal} of '{Name}'";
        var order = new ReadStripeOrder
        {
            Vault = _vault,
            Content = content.Id,
            WrappedKey = [.. content.WrappedKey],
            Code = content.Code,
            Ordinal = slice.Ordinal,
            Stripe = await stripe,
            Offset = slice.Offset,
            Length = slice.Length,
            AbsentHomes = _absentHomes,
        };
        Patience patience = _fabric.NewPatience();
        CoordinatorInfo? failed = null;
        while (true)
        {
            try
            {
                failed = await _fabric.PickAsync(failed, cancel);
                CoordinatorInfo coordinator = failed;
                return _ownedVault is null
                    ? await FetchOnceAsync(coordinator, order, slice.Length, doing, cancel)
                    : await FetchSealedAsync(
                        await _fabric.Owned.ForOpeningAsync(_ownedVault, order.WrappedKey, cancel),
                        coordinator,
                        order,
                        doing,
                        cancel);
            }
            catch (ZeroStorException failure) when (failure.IsTransient)
            {
                if (!await patience.WaitAsync(cancel))
                {
                    throw;
                }
            }
            catch (ZeroStorException failure)
            {
                throw new ZeroStorException(
                    failure.Kind, $"'{Name}' cannot be read: {failure.Message}", failure);
            }
        }
    }

    private async Task<BufferSlice> FetchOnceAsync(
        CoordinatorInfo coordinator, ReadStripeOrder order, int length, string doing, CancellationToken cancel)
    {
        Parcel parcel = await _fabric.AskAsync(
            coordinator,
            doing,
            (door, token) => door.ReadStripeAsync(order, token),
            cancel,
            release: late => late.Take().Release());
        BufferSlice bytes = parcel.Take();
        if (bytes.Length == length)
        {
            return bytes;
        }

        bytes.Release();
        throw ZeroStorException.Corrupt(
            $"{bytes.Length} bytes of stripe {order.Ordinal} came where {length} were asked.");
    }

    // The owner opens. What does not open is asked for once more, from shards that are all held against their sums.
    private async Task<BufferSlice> FetchSealedAsync(
        OwnedVault owned, CoordinatorInfo coordinator, ReadStripeOrder order, string doing, CancellationToken cancel)
    {
        using ContentKey key = owned.Keys.OpenContentKey(order.Content, order.WrappedKey);
        using var opener = new StripeOpener(key, order.Stripe, order.Ordinal);
        try
        {
            return await FetchAndOpenAsync(opener, coordinator, order, doing, cancel);
        }
        catch (ZeroStorException e) when (e.Kind == ErrorKind.Corrupt)
        {
            return await FetchAndOpenAsync(opener, coordinator, order with { IsVerified = true }, doing, cancel);
        }
    }

    private async Task<BufferSlice> FetchAndOpenAsync(
        StripeOpener opener, CoordinatorInfo coordinator, ReadStripeOrder order, string doing, CancellationToken cancel)
    {
        (int start, int bytes) = (0, order.Stripe.SealedBytes);
        if (order.Length < order.Stripe.ContentBytes)
        {
            if (!opener.KnowsSegments)
            {
                BufferSlice index = await FetchPartAsync(0, opener.IndexBytes);
                try
                {
                    opener.ReadIndex([index.Memory]);
                }
                finally
                {
                    index.Release();
                }
            }

            SegmentRun wanted = opener.RunOf(order.Offset, order.Length);
            (start, bytes) = (wanted.SealedStart, wanted.SealedLength);
        }

        BufferSlice came = await FetchPartAsync(start, bytes);
        try
        {
            if (!opener.KnowsSegments)
            {
                opener.ReadIndex([came.Memory]);
            }

            SegmentRun run = opener.RunOf(order.Offset, order.Length);
            return Open(opener, run, came.Slice(run.SealedStart - start, run.SealedLength), order);
        }
        finally
        {
            came.Release();
        }

        Task<BufferSlice> FetchPartAsync(int offset, int length) => FetchOnceAsync(
            coordinator, order with { Offset = offset, Length = length }, length, doing, cancel);
    }

    private BufferSlice Open(StripeOpener opener, SegmentRun run, BufferSlice came, ReadStripeOrder order)
    {
        SharedBuffer opened = _fabric.Buffers.Rent(run.ContentLength);
        try
        {
            opener.Open(run, [came.Memory], opened.Span[..run.ContentLength]);
            return opened.Slice(order.Offset - run.ContentStart, order.Length);
        }
        catch
        {
            opened.Release();
            throw;
        }
    }
}
