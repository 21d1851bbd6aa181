using System.Collections.Immutable;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Inner;
using ZeroStor.Volumes;

namespace ZeroStor.Grains;

/// <summary>All homes of the fabric: this silo's disks directly, everybody else's through their disk grains.
/// The map says which silo has a disk. Thread-safe.</summary>
internal sealed class GrainHomes(
    LocalHomes local,
    IFabricMap map,
    IGrainFactory grains,
    Instruments instruments,
    Orleans.Runtime.ILocalSiloDetails self) : IShardHome
{
    private readonly GrainReferences<IDiskGrain> _disks = new(grains);

    public async ValueTask<HomeAnswer> AppendAsync(ShardAppend order, CancellationToken cancel)
    {
        if (Far(order.To.Disk) is not { } grain)
        {
            long began = instruments.Begin();
            HomeAnswer here = await local.AppendAsync(order, cancel);
            instruments.Appended(order.To.Disk, began, here.Kind);
            return here;
        }

        WireAnswer answer = await grain.AppendAsync(
            new WireAppend
            {
                Claim = order.To.Claim,
                Epoch = order.Epoch,
                Header = order.Header,
                Extensions = order.Extensions,
                Payload = new Parcel(order.Payload.Hold()),
            },
            cancel);
        return new HomeAnswer(answer.Kind, answer.Detail, answer.MapVersion);
    }

    public async ValueTask<ShardReadAnswer> ReadAsync(ShardReadOrder order, CancellationToken cancel)
    {
        if (Far(order.To.Disk) is not { } grain)
        {
            return await local.ReadAsync(order, cancel);
        }

        WireRead answer = await grain.ReadAsync(
            new WireReadOrder
            {
                Claim = order.To.Claim,
                Stripe = order.Stripe,
                Place = order.Place,
                Offset = order.Offset,
                Length = order.Length,
                WithExtensions = order.WithExtensions,
            },
            cancel);
        return new ShardReadAnswer(answer.Kind, answer.Detail, answer.MapVersion)
        {
            Payload = answer.Payload?.Take() ?? default,
            Header = answer.Header,
            Extensions = answer.Extensions,
        };
    }

    public async ValueTask<HomeAnswer> ReclaimAsync(
        DiskAddress to, IReadOnlyCollection<ContentId> dead, CancellationToken cancel)
    {
        if (Far(to.Disk) is not { } grain)
        {
            return await local.ReclaimAsync(to, dead, cancel);
        }

        WireAnswer answer = await grain.ReclaimAsync(to.Claim, [.. dead], cancel);
        return new HomeAnswer(answer.Kind, answer.Detail, answer.MapVersion);
    }

    public async ValueTask<HomeAnswer> DropAsync(ShardDrop order, CancellationToken cancel)
    {
        if (Far(order.To.Disk) is not { } grain)
        {
            return await local.DropAsync(order, cancel);
        }

        WireAnswer answer = await grain.DropAsync(
            new WireDrop { Claim = order.To.Claim, MapVersion = order.MapVersion, Shards = order.Shards },
            cancel);
        return new HomeAnswer(answer.Kind, answer.Detail, answer.MapVersion);
    }

    public async ValueTask<ImmutableArray<BucketDigest>> DigestsAsync(DiskAddress to, CancellationToken cancel) =>
        Far(to.Disk) is { } grain
            ? await grain.DigestsAsync(to.Claim, cancel)
            : await local.DigestsAsync(to, cancel);

    public async ValueTask<ImmutableArray<ShardEntry>> ListAsync(
        DiskAddress to, GroupId group, StripeId after, int max, CancellationToken cancel) =>
        Far(to.Disk) is { } grain
            ? await grain.ListAsync(to.Claim, group, after, max, cancel)
            : await local.ListAsync(to, group, after, max, cancel);

    public async ValueTask<ImmutableArray<ShardEntry>> HeldAsync(
        DiskAddress to,
        IReadOnlyCollection<ContentId> contents,
        StripeId after,
        int max,
        CancellationToken cancel) =>
        Far(to.Disk) is { } grain
            ? await grain.HeldAsync(to.Claim, [.. contents], after, max, cancel)
            : await local.HeldAsync(to, contents, after, max, cancel);

    public async ValueTask<ShardLocation?> LocateAsync(
        DiskAddress to, StripeId stripe, byte place, CancellationToken cancel) =>
        Far(to.Disk) is { } grain
            ? await grain.LocateAsync(to.Claim, stripe, place, cancel)
            : await local.LocateAsync(to, stripe, place, cancel);

    public async ValueTask<DiskReport> ReportAsync(DiskAddress to, CancellationToken cancel) =>
        Far(to.Disk) is { } grain
            ? await grain.ReportAsync(to.Claim, cancel)
            : await local.ReportAsync(to, cancel);

    private IDiskGrain? Far(DiskId disk)
    {
        string silo = map.Current.Disk(disk)?.Silo
            ?? throw new ZeroStorException(ErrorKind.DiskOffline, $"the map has no disk {disk}");
        return silo == self.Name ? null : _disks.Of(DiskKey.Of(silo, disk));
    }
}
