using System.Collections.Immutable;
using Orleans.Concurrency;
using Orleans.Placement;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Doors;
using ZeroStor.Contracts.Inner;
using ZeroStor.Volumes;

namespace ZeroStor.Grains;

/// <summary>The door to one disk of this silo: for other silos its shards, for clients a coordinator. It owns
/// nothing: the disk belongs to the <see cref="DiskHost"/>, so a second activation would do no
/// harm.</summary>
[SiloPlacement, Reentrant, Immovable]
internal sealed class DiskGrain(
    LocalHomes homes, Coordinator coordinator, Instruments instruments, ILocalSiloDetails self)
    : Grain, IDiskGrain, IStripeDoor
{
    private DiskId _disk;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        (string silo, _disk) = DiskKey.Parse(this.GetPrimaryKeyString());
        return silo == self.Name
            ? Task.CompletedTask
            : throw new ZeroStorException(
                ErrorKind.DiskOffline, $"disk {_disk} belongs to silo {silo}, and this is {self.Name}");
    }

    public async Task<WireAnswer> AppendAsync(WireAppend order, CancellationToken cancel)
    {
        BufferSlice payload = order.Payload.Take();
        long began = instruments.Begin();
        try
        {
            HomeAnswer answer = await homes.AppendAsync(
                new ShardAppend
                {
                    To = To(order.Claim),
                    Epoch = order.Epoch,
                    Header = order.Header,
                    Extensions = order.Extensions,
                    Payload = payload,
                },
                cancel);
            instruments.Appended(_disk, began, answer.Kind);
            return Wire(answer);
        }
        finally
        {
            payload.Release();
        }
    }

    public async Task<WireRead> ReadAsync(WireReadOrder order, CancellationToken cancel)
    {
        ShardReadAnswer answer = await homes.ReadAsync(
            new ShardReadOrder
            {
                To = To(order.Claim),
                Stripe = order.Stripe,
                Place = order.Place,
                Offset = order.Offset,
                Length = order.Length,
                WithExtensions = order.WithExtensions,
            },
            cancel);
        return new WireRead
        {
            Kind = answer.Kind,
            Detail = answer.Detail,
            MapVersion = answer.MapVersion,
            Payload = answer.Payload.IsEmpty ? null : new Parcel(answer.Payload),
            Header = answer.Header,
            Extensions = answer.Extensions,
        };
    }

    public async Task<WireAnswer> ReclaimAsync(
        uint claim, ImmutableArray<ContentId> dead, CancellationToken cancel) =>
        Wire(await homes.ReclaimAsync(To(claim), dead, cancel));

    public async Task<WireAnswer> DropAsync(WireDrop order, CancellationToken cancel) =>
        Wire(await homes.DropAsync(
            new ShardDrop { To = To(order.Claim), MapVersion = order.MapVersion, Shards = order.Shards },
            cancel));

    public Task<ImmutableArray<BucketDigest>> DigestsAsync(uint claim, CancellationToken cancel) =>
        homes.DigestsAsync(To(claim), cancel).AsTask();

    public Task<ImmutableArray<ShardEntry>> ListAsync(
        uint claim, GroupId group, StripeId after, int max, CancellationToken cancel) =>
        homes.ListAsync(To(claim), group, after, max, cancel).AsTask();

    public Task<ImmutableArray<ShardEntry>> HeldAsync(
        uint claim, ImmutableArray<ContentId> contents, StripeId after, int max, CancellationToken cancel) =>
        homes.HeldAsync(To(claim), contents, after, max, cancel).AsTask();

    public Task<ShardLocation?> LocateAsync(uint claim, StripeId stripe, byte place, CancellationToken cancel) =>
        homes.LocateAsync(To(claim), stripe, place, cancel).AsTask();

    public Task<DiskReport> ReportAsync(uint claim, CancellationToken cancel) =>
        homes.ReportAsync(To(claim), cancel).AsTask();

    public Task<PutTicket> OpenPutAsync(OpenPut open, CancellationToken cancel) =>
        coordinator.OpenPutAsync(open, cancel);

    public Task PutPieceAsync(PutPiece piece, CancellationToken cancel) =>
        coordinator.PutPieceAsync(piece, cancel);

    public Task<StripeWritten> WriteStripeAsync(WriteStripeOrder order, CancellationToken cancel) =>
        coordinator.WriteStripeAsync(order, cancel);

    public Task ClosePutAsync(UInt128 put, CancellationToken cancel)
    {
        coordinator.ClosePut(put);
        return Task.CompletedTask;
    }

    public Task<Parcel> ReadStripeAsync(ReadStripeOrder order, CancellationToken cancel) =>
        coordinator.ReadStripeAsync(order, cancel);

    private DiskAddress To(uint claim) => new(_disk, claim);

    private static WireAnswer Wire(HomeAnswer answer) =>
        new() { Kind = answer.Kind, Detail = answer.Detail, MapVersion = answer.MapVersion };
}
