using ZeroStor.Contracts.Doors;

namespace ZeroStor.Client;

/// <summary>A slot on a silo: the coordinator that a put goes through, and the ticket it gave.</summary>
internal sealed record PutSlot(CoordinatorInfo Coordinator, PutTicket Ticket);

/// <summary>The slots of one put: one at a time, replaced when its coordinator is lost, all given back at the
/// end. Thread-safe.</summary>
/// <param name="fabric">The fabric.</param>
/// <param name="vault">Where to.</param>
/// <param name="ownedId">The vault's id, where its owner keeps the keys; else null.</param>
/// <param name="begun">Then the content that he began; else a coordinator begins it.</param>
internal sealed class PutSlots(Fabric fabric, string vault, VaultId? ownedId = null, PutTicket? begun = null) : IDisposable
{
    /// <summary>Giving a slot back is a courtesy: an unheard of put loses it by itself.</summary>
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _turn = new(1);
    private readonly List<PutSlot> _opened = [];
    private volatile PutSlot? _current;

    public PutSlot Current => _current ?? throw new InvalidOperationException("The put has no slot yet.");

    /// <summary>Takes a slot; with a <paramref name="lost"/> one, of another coordinator and to go on with
    /// the same content, unless somebody else replaced it by now.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault; Busy: no silo had a slot free, though it
    /// waited. </exception>
    public async Task<PutSlot> OpenAsync(PutSlot? lost, CancellationToken cancel)
    {
        await _turn.WaitAsync(cancel);
        try
        {
            if (_current is { } current && current != lost)
            {
                return current;
            }

            Patience patience = fabric.NewPatience();
            CoordinatorInfo? failed = lost?.Coordinator;
            while (true)
            {
                try
                {
                    CoordinatorInfo coordinator = await fabric.PickAsync(failed, cancel);
                    failed = coordinator;
                    PutTicket ticket = await fabric.AskAsync(
                        coordinator,
                        $"opening a put into vault '{vault}'",
                        (door, token) => door.OpenPutAsync(
                            new OpenPut { Vault = vault, Resume = lost?.Ticket ?? begun, Id = ownedId }, token),
                        cancel);
                    var slot = new PutSlot(coordinator, ticket);
                    _opened.Add(slot);
                    _current = slot;
                    return slot;
                }
                catch (ZeroStorException failure) when (failure.IsTransient)
                {
                    if (!await patience.WaitAsync(cancel))
                    {
                        throw;
                    }
                }
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Gives the slots back, as far as that can be done quickly. Never throws.</summary>
    public async Task CloseAsync()
    {
        await Task.WhenAll(_opened.Select(CloseOneAsync));
        _opened.Clear();

        async Task CloseOneAsync(PutSlot slot)
        {
            try
            {
                await fabric.OnceAsync<object?>(
                    "closing a put",
                    async token =>
                    {
                        await fabric.Doors.Stripes(slot.Coordinator.Key).ClosePutAsync(
                            slot.Ticket.Put, token);
                        return null;
                    },
                    CancellationToken.None,
                    CloseTimeout);
            }
            catch (ZeroStorException)
            {
                // It frees itself.
            }
        }
    }

    public void Dispose() => _turn.Dispose();
}
