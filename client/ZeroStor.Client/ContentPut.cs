using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Doors;
using ZeroStor.Sealing;

namespace ZeroStor.Client;

/// <summary>One content on its way into the fabric: a slot, its stripes (a bounded number in flight), and,
/// when it becomes long or takes long, a row in the catalog that is touched and pages that are written as it
/// goes. It ends in a commit, or as a part of an upload, or is abandoned; what disks hold of an abandoned one
/// is reclaimed.</summary>
internal sealed class ContentPut : IAsyncDisposable
{
    /// <summary>A put of more stripes opens its content: as many StripeRefs still travel with a
    /// commit.</summary>
    internal const int MaxUnopenedStripes = 256;

    /// <summary>A put that is older opens its content: a tick less than the fabric asks for, since its ticks
    /// and this clock are not in step.</summary>
    internal static readonly TimeSpan MaxUnopenedAge = TimeSpan.FromMinutes(9);

    /// <summary>How often an open content is touched: twice as often as it must.</summary>
    internal static readonly TimeSpan TouchPeriod = TimeSpan.FromSeconds(30);

    /// <summary>Abandoning is a courtesy: what nobody commits is condemned by itself.</summary>
    private static readonly TimeSpan AbandonTimeout = TimeSpan.FromSeconds(3);

    private readonly Fabric _fabric;
    private readonly IObjectDoor _objects;
    private readonly PutSlots _slots;
    private readonly StripeList _stripes;
    private readonly string _name;
    private readonly CancellationTokenSource _stop;
    private readonly Own? _own;
    private readonly SemaphoreSlim _cutTurn = new(1);
    private readonly Task _keeping;
    private volatile bool _isOpen;
    private Exception? _failure;
    private long _durableBytes;
    private int _shortStripes;

    private ContentPut(
        Fabric fabric,
        IObjectDoor objects,
        PutSlots slots,
        PutTicket ticket,
        Own? own,
        string name,
        CancellationToken cancel)
    {
        (_fabric, _objects, _slots, Ticket, _own, _name) = (fabric, objects, slots, ticket, own, name);
        _stripes = new StripeList(ticket.Code);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        _keeping = KeepOpenAsync();
    }

    /// <summary>As the first coordinator gave it, or the vault's owner began it: content, wrapped key, code.</summary>
    public PutTicket Ticket { get; }

    /// <summary>Stripes that stand with fewer shards than their code says.</summary>
    public int ShortStripes => _shortStripes;

    /// <param name="fabric">The fabric.</param>
    /// <param name="vault">Where to.</param>
    /// <param name="objects">The object grain that will be asked to commit.</param>
    /// <param name="name">For messages: <c>vault/key</c>.</param>
    /// <param name="cancel">Ends the whole put, not only its opening.</param>
    public static async Task<ContentPut> OpenAsync(
        Fabric fabric, string vault, IObjectDoor objects, string name, CancellationToken cancel)
    {
        if (await fabric.Owned.ForSealingAsync(vault, cancel) is not { } owned)
        {
            var slots = new PutSlots(fabric, vault);
            PutSlot slot = await slots.OpenAsync(null, cancel);
            return new ContentPut(fabric, objects, slots, slot.Ticket, null, name, cancel);
        }

        ContentId content = await fabric.NewContentIdAsync(cancel);
        ContentKey key = owned.Keys.NewContentKey(content, fabric.Entropy, out byte[] wrapped);
        try
        {
            var begun = new PutTicket { Put = 0, Content = content, WrappedKey = wrapped, Code = owned.Info.Code };
            var slots = new PutSlots(fabric, vault, owned.Info.Id, begun);
            await slots.OpenAsync(null, cancel);
            return new ContentPut(fabric, objects, slots, begun, new Own(owned, key), name, cancel);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>Makes the content's row at once, before a byte of it is written.</summary>
    public Task OpenRowAsync() => TouchAsync();

    /// <summary>The vault, where its owner keeps the keys: what is committed names it. Else null.</summary>
    public VaultId? OwnedId => _own?.Vault.Info.Id;

    /// <summary>Writes all bytes, stripe by stripe.</summary>
    /// <param name="read">The bytes; its failures come out as they are.</param>
    /// <param name="draft">Makes the encoded draft that the last stripe carries, from the size.</param>
    /// <param name="progress">Told the durable bytes after each stripe.</param>
    /// <param name="maxInline">StripeRefs that the manifest names itself.</param>
    public async Task<(ContentRef Content, ImmutableArray<StripePage> Pages)> WriteAsync(
        ReadBytes read,
        Func<long, byte[]> draft,
        IProgress<long>? progress,
        int maxInline = Geometry.MaxInlineStripes)
    {
        using var cutter = new StripeCutter(read, Ticket.Code, _fabric.Buffers);
        await Task.WhenAll(
            Enumerable.Range(0, StripeDoor.StripesInFlight).Select(_ => LaneAsync(cutter, draft, progress)));
        ThrowFailure();
        long bytes = cutter.TotalBytes;
        (ImmutableArray<StripeRef> inline, ImmutableArray<(int Page, byte[] Bytes)> pages) =
            _stripes.Finish(Geometry.StripeCount(Ticket.Code, bytes), maxInline);
        return (
            ContentOf(bytes, inline),
            [.. pages.Select(p => new StripePage(p.Page, p.Bytes))]);
    }

    public ContentRef ContentOf(long bytes, ImmutableArray<StripeRef> stripes) => new()
    {
        Id = Ticket.Content,
        WrappedKey = [.. Ticket.WrappedKey],
        Code = Ticket.Code,
        Bytes = bytes,
        Stripes = stripes,
    };

    /// <summary>Commits; the slots go back meanwhile.</summary>
    public Task<ObjectInfo> CommitAsync(CommitPut commit) =>
        EndAsync($"committing '{_name}'", token => _objects.CommitAsync(commit, token));

    /// <summary>As <see cref="CommitAsync"/>, by another call that may be repeated.</summary>
    public async Task<T> EndAsync<T>(string doing, Func<CancellationToken, Task<T>> call)
    {
        Task closing = _slots.CloseAsync();
        try
        {
            return await _fabric.RepeatAsync(doing, call, _stop.Token);
        }
        catch (OperationCanceledException)
        {
            ThrowFailure();
            throw;
        }
        finally
        {
            await closing;
        }
    }

    /// <summary>Gives the content up, as far as that can be done quickly. Never throws. A commit whose answer
    /// was lost keeps what it did, one that did not happen cannot happen any more.</summary>
    public async Task AbandonAsync()
    {
        try
        {
            await _fabric.OnceAsync<object?>(
                "giving up a put",
                async token =>
                {
                    await _objects.AbandonAsync(Ticket.Content, token);
                    return null;
                },
                CancellationToken.None,
                AbandonTimeout);
        }
        catch (ZeroStorException)
        {
            // It is condemned by itself.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _keeping;
        await _slots.CloseAsync();
        _slots.Dispose();
        _own?.Key.Dispose();
        _cutTurn.Dispose();
        _stop.Dispose();
    }

    // A lane takes stripe after stripe. The first failure ends all lanes.
    private async Task LaneAsync(StripeCutter cutter, Func<long, byte[]> draft, IProgress<long>? progress)
    {
        try
        {
            while (await CutAsync(cutter) is { } stripe)
            {
                byte[] carried = stripe.IsLast ? draft(cutter.TotalBytes) : [];
                using (CutStripe sent = SealIfOwned(stripe))
                {
                    await WriteStripeAsync(sent, carried);
                }

                progress?.Report(Interlocked.Add(ref _durableBytes, stripe.ContentBytes));
                if (stripe.IsLast)
                {
                    return;
                }
            }
        }
        catch (Exception failure)
        {
            await FailAsync(failure);
        }
    }

    // Takes the stripe over: what is given back is its owner's to dispose.
    private CutStripe SealIfOwned(CutStripe stripe)
    {
        if (_own is not { } own)
        {
            return stripe;
        }

        using (stripe)
        {
            return stripe.SealWith(own.Key, own.Vault.Info.Compression, _fabric.Entropy, _fabric.Buffers);
        }
    }

    private void ThrowFailure()
    {
        if (_failure is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    private async Task FailAsync(Exception failure)
    {
        Interlocked.CompareExchange(ref _failure, failure, null);
        await _stop.CancelAsync();
    }

    private async Task<CutStripe?> CutAsync(StripeCutter cutter)
    {
        await _cutTurn.WaitAsync(_stop.Token);
        try
        {
            return await cutter.NextAsync(_stop.Token);
        }
        finally
        {
            _cutTurn.Release();
        }
    }

    private async Task WriteStripeAsync(CutStripe stripe, byte[] draft)
    {
        if (stripe.Ordinal >= MaxUnopenedStripes && !_isOpen)
        {
            await TouchAsync();
        }

        StripeWritten written = await SendAsync(stripe, draft);
        if (written.Missing > 0)
        {
            Interlocked.Increment(ref _shortStripes);
        }

        if (_stripes.Add(stripe.Ordinal, written.Stripe) is { } page)
        {
            await _fabric.RepeatAsync(
                $"writing page {page.Page} of '{_name}'",
                token => _objects.WritePageAsync(Ticket.Content, page.Page, page.Bytes, token),
                _stop.Token);
        }
    }

    // Sends a stripe until it stands; a lost coordinator, or one that lost the slot, is replaced.
    private async Task<StripeWritten> SendAsync(CutStripe stripe, byte[] draft)
    {
        Patience patience = _fabric.NewPatience();
        while (true)
        {
            PutSlot slot = _slots.Current;
            try
            {
                return await SendOnceAsync(slot, stripe, draft);
            }
            catch (ZeroStorException failure) when (failure.IsTransient || failure.Kind == ErrorKind.NotFound)
            {
                if (!await patience.WaitAsync(_stop.Token))
                {
                    throw;
                }

                if (failure.Kind != ErrorKind.Busy)
                {
                    await _slots.OpenAsync(slot, _stop.Token);
                }
            }
        }
    }

    private async Task<StripeWritten> SendOnceAsync(PutSlot slot, CutStripe stripe, byte[] draft)
    {
        string doing = $"writing stripe {stripe.Ordinal} of '{_name}'";
        int last = stripe.Pieces.Length - 1;
        int pieceBytes = stripe.Seal is null ? Geometry.MaxPieceBytes : CutStripe.SealedPieceBytes;
        byte[] carried = draft.Length > 0 && _own is { } own
            ? own.Vault.Keys.SealManifest(Ticket.Content, draft, _fabric.Entropy)
            : draft;
        await Task.WhenAll(Enumerable.Range(0, last).Select(i => _fabric.AskAsync<object?>(
            slot.Coordinator,
            doing,
            async (door, token) =>
            {
                await door.PutPieceAsync(MessageOf(i), token);
                return null;
            },
            _stop.Token)));
        StripeWritten written = await _fabric.AskAsync(
            slot.Coordinator,
            doing,
            (door, token) => door.WriteStripeAsync(
                new WriteStripeOrder
                {
                    LastPiece = MessageOf(last),
                    Draft = carried,
                    Seal = stripe.Seal,
                    ContentBytes = stripe.Seal is null ? 0 : stripe.ContentBytes,
                },
                token),
            _stop.Token);
        bool isSame = written.Stripe.ContentBytes == stripe.ContentBytes
            && (stripe.Seal is null
                || (stripe.Seal == written.Stripe.Seal && stripe.Bytes == written.Stripe.SealedBytes));
        return isSame
            ? written
            : throw ZeroStorException.Corrupt($"A silo answered for another stripe than {stripe.Ordinal} of '{_name}'.");

        PutPiece MessageOf(int piece) => new()
        {
            Put = slot.Ticket.Put,
            Ordinal = stripe.Ordinal,
            StripeBytes = stripe.Bytes,
            Offset = piece * pieceBytes,
            // The message consumes a count of its own: the stripe keeps its bytes for another try.
            Bytes = new Parcel(stripe.Pieces[piece].Hold()),
        };
    }

    private async Task KeepOpenAsync()
    {
        long since = _fabric.Time.GetTimestamp();
        try
        {
            while (true)
            {
                await Task.Delay(TouchPeriod, _fabric.Time, _stop.Token);
                if (_isOpen || _fabric.Time.GetElapsedTime(since) >= MaxUnopenedAge)
                {
                    await TouchAsync();
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
        catch (ZeroStorException failure)
        {
            await FailAsync(failure);
        }
    }

    // Makes the content's row, or touches it.
    private async Task TouchAsync()
    {
        await _fabric.RepeatAsync(
            $"keeping the put of '{_name}' open",
            token => _objects.OpenContentAsync(Ticket.Content, token),
            _stop.Token);
        _isOpen = true;
    }

    /// <summary>What the owner of the vault seals with.</summary>
    private sealed record Own(OwnedVault Vault, ContentKey Key);
}
