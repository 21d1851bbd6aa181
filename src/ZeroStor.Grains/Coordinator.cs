using ZeroStor.Contracts;
using ZeroStor.Contracts.Doors;
using ZeroStor.Paths;
using ZeroStor.Sealing;

namespace ZeroStor.Grains;

/// <summary>What the stripe door of every disk grain of this silo does: slots, and the two paths of the data.
/// It works on the thread pool, off the grain's turn. Thread-safe.</summary>
internal sealed class Coordinator(
    VaultDirectory vaults,
    PutSlots slots,
    WriteStripe write,
    ReadStripe read,
    IFabricMap map,
    ICatalog catalog,
    IEntropy entropy,
    Counters counters,
    Instruments instruments)
{
    public async Task<PutTicket> OpenPutAsync(OpenPut open, CancellationToken cancel)
    {
        UInt128 put = Id128.Random(entropy);
        if (open.Resume is { } resume)
        {
            OpenVault begun = await vaults.GetAsync(open.Vault, resume.WrappedKey, cancel);
            DemandId(begun, open.Id);
            ContentKey? known = begun.Held is null
                ? null
                : begun.Keys.OpenContentKey(resume.Content, resume.WrappedKey);
            slots.Open(put, begun, resume.Content, known);
            return resume with { Put = put };
        }

        OpenVault vault = await vaults.GetForSealingAsync(open.Vault, cancel);
        ContentId content = ContentId.New(map.Tick, entropy);
        ContentKey key = vault.Keys.NewContentKey(content, entropy, out byte[] wrapped);
        slots.Open(put, vault, content, key);
        return new PutTicket { Put = put, Content = content, WrappedKey = wrapped, Code = vault.Info.Code };
    }

    public Task PutPieceAsync(PutPiece piece, CancellationToken cancel) =>
        slots.Find(piece.Put).AddAsync(piece, cancel);

    public async Task<StripeWritten> WriteStripeAsync(WriteStripeOrder order, CancellationToken cancel)
    {
        PutSlot slot = slots.Find(order.LastPiece.Put);
        Task<StripeWritten> writing = slot.WriteOnceAsync(
            order.LastPiece.Ordinal, () => WriteCompleteAsync(slot, order, cancel), out bool isFirst);
        if (!isFirst)
        {
            order.LastPiece.Bytes.Take().Release();
        }

        return await writing.WaitAsync(cancel);
    }

    private async Task<StripeWritten> WriteCompleteAsync(
        PutSlot slot, WriteStripeOrder order, CancellationToken cancel)
    {
        await slot.AddAsync(order.LastPiece, cancel, isLast: true);
        using StripePieces pieces = slot.Complete(order.LastPiece.Ordinal);
        var stripe = new StripeToWrite
        {
            Vault = slot.Vault.Info.Id,
            Content = slot.Content,
            Key = slot.Key,
            Compression = slot.Vault.Info.Compression,
            Sealed = OwnSealOf(slot, order, pieces.StripeBytes),
            Class = slot.Vault.Class,
            Code = slot.Vault.Info.Code,
            WriteFloor = slot.Vault.Info.WriteFloor,
            Ordinal = order.LastPiece.Ordinal,
            Parts = pieces.Parts,
            WhenCoded = pieces.Release,
            SealedManifest = order.Draft.Length == 0
                ? default
                : slot.Vault.Held?.SealManifest(slot.Content, order.Draft, entropy) ?? order.Draft,
        };
        WrittenStripe written = await WriteAsync(stripe, pieces.StripeBytes, cancel);
        slot.Heard();
        return new StripeWritten { Stripe = written.Stripe, Missing = written.Missing };
    }

    public void ClosePut(UInt128 put) => slots.Close(put);

    public async Task<Parcel> ReadStripeAsync(ReadStripeOrder order, CancellationToken cancel)
    {
        OpenVault vault = await vaults.GetAsync(order.Vault, order.WrappedKey, cancel);
        Check(order, isSealed: vault.Held is null);
        using ContentKey? key = vault.Held?.OpenContentKey(order.Content, order.WrappedKey);
        var stripe = new StripeToRead
        {
            Vault = vault.Info.Id,
            Content = order.Content,
            Key = key,
            Code = order.Code,
            Ordinal = order.Ordinal,
            Stripe = order.Stripe,
            Offset = order.Offset,
            Length = order.Length,
            AbsentHomes = order.AbsentHomes,
        };
        try
        {
            return new Parcel(await ReadAsync(stripe, order.IsVerified, cancel));
        }
        catch (ZeroStorException e) when (e.Kind == ErrorKind.TooFewShards)
        {
            // Reclaimed under its reader, rather than lost?
            throw (await catalog.StatesAsync([order.Content], cancel))[0] == ContentState.Live
                ? e
                : ZeroStorException.NotFound("the version was deleted while it was read");
        }
    }

    private async Task<WrittenStripe> WriteAsync(StripeToWrite stripe, int bytes, CancellationToken cancel)
    {
        long began = instruments.Begin();
        try
        {
            WrittenStripe written = await Task.Run(() => write.RunAsync(stripe, cancel), cancel);
            counters.Wrote(written.Missing);
            instruments.WroteStripe(began, bytes);
            return written;
        }
        catch (ZeroStorException e)
        {
            instruments.FailedStripe(began, isWrite: true, e.Kind);
            throw;
        }
    }

    private async Task<BufferSlice> ReadAsync(StripeToRead stripe, bool isVerified, CancellationToken cancel)
    {
        long began = instruments.Begin();
        try
        {
            BufferSlice content = await Task.Run(
                () => stripe.Key is null
                    ? read.RunSealedAsync(stripe, isVerified, cancel)
                    : read.RunAsync(stripe, cancel),
                cancel);
            counters.Read();
            instruments.ReadStripe(began, content.Length);
            return content;
        }
        catch (ZeroStorException e)
        {
            instruments.FailedStripe(began, isWrite: false, e.Kind);
            throw;
        }
    }

    // A vault that was removed and made again under its name has other keys.
    private static void DemandId(OpenVault vault, VaultId? id)
    {
        if (vault.Held is null && id != vault.Info.Id)
        {
            throw ZeroStorException.NotFound(
                $"vault {vault.Info.Name} is another than the one that this was sealed for: it was removed and made "
                + "again; put again");
        }
    }

    private static OwnSeal? OwnSealOf(PutSlot slot, WriteStripeOrder order, int sealedBytes)
    {
        if (slot.Key is not null)
        {
            return null;
        }

        bool fits = order.Seal is not null
            && order.ContentBytes > 0
            && order.ContentBytes <= Geometry.StripeBytes(slot.Vault.Info.Code)
            && StripeOpener.IsSealedLength(order.ContentBytes, sealedBytes);
        return fits
            ? new OwnSeal(order.Seal!.Value, order.ContentBytes)
            : throw ZeroStorException.Invalid(
                $"vault {slot.Vault.Info.Name} takes what its owner sealed, and {sealedBytes} bytes are not "
                + $"{order.ContentBytes} bytes of content sealed: seal with the owner's key file");
    }

    private static void Check(ReadStripeOrder order, bool isSealed)
    {
        int bytes = isSealed ? order.Stripe.SealedBytes : order.Stripe.ContentBytes;
        bool fits = order.Ordinal >= 0 && order.Offset >= 0 && order.Length > 0
            && order.Stripe.ContentBytes <= Geometry.StripeBytes(order.Code)
            && StripeOpener.IsSealedLength(order.Stripe.ContentBytes, order.Stripe.SealedBytes)
            && (long)order.Offset + order.Length <= bytes;
        if (!fits)
        {
            throw ZeroStorException.Invalid(
                $"{order.Length} bytes at {order.Offset} are not a range of a stripe of {order.Stripe.ContentBytes} bytes, "
                + $"{order.Stripe.SealedBytes} sealed");
        }

        if (order.AbsentHomes < 0 || order.AbsentHomes > order.Code.M)
        {
            throw ZeroStorException.Invalid(
                $"{order.AbsentHomes} homes cannot be taken for absent: a stripe of {order.Code} is read without "
                + $"0 to {order.Code.M} of them");
        }
    }
}
