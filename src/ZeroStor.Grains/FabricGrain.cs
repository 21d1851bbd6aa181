using System.Collections.Immutable;
using System.Net;
using Orleans.Concurrency;
using ZeroStor.Contracts.Doors;
using ZeroStor.Contracts.Inner;
using ZeroStor.Placement;
using SiloStatus = ZeroStor.Contracts.Doors.SiloStatus;

namespace ZeroStor.Grains;

/// <summary>The fabric as a whole: for clients its routes and its state, for silos the changes of its map,
/// each by compare-and-set. Every silo has its own, so whichever silo a caller reached can answer, and none waits
/// for one that is gone.</summary>
[Reentrant, StatelessWorker(1)]
internal sealed class FabricGrain(
    SiloMap map,
    ICatalog catalog,
    LedgerKeeper ledgers,
    Counters counters,
    DiskOrders disks,
    IClusterMembershipService membership,
    ZeroStorOptions options,
    IGrainFactory grains) : Grain, IFabricDoor, IFabricGrain
{
    /// <summary>Who asks how things stand is told without the catalog when it has not answered by then.</summary>
    private static readonly TimeSpan CatalogPatience = TimeSpan.FromSeconds(5);

    public Task<FabricRoute> RouteAsync(CancellationToken cancel)
    {
        FabricMap current = map.Current;
        var alive = membership.CurrentSnapshot.Members.Values
            .Where(m => m.Status == Orleans.Runtime.SiloStatus.Active)
            .Select(m => m.Name)
            .ToHashSet(StringComparer.Ordinal);
        IEnumerable<CoordinatorInfo> coordinators = current.Disks
            .Where(d => d.State == DiskState.Up && alive.Contains(d.Silo))
            .Select(d => new CoordinatorInfo
            {
                Key = DiskKey.Of(d.Silo, d.Id), Silo = d.Silo, Labels = d.Labels, Claim = d.Claim,
            });
        return Task.FromResult(new FabricRoute
        {
            Fabric = current.Fabric,
            Tick = map.Tick,
            MapVersion = current.Version,
            Coordinators = [.. coordinators],
        });
    }

    public async Task<ImmutableArray<VaultInfo>> ListVaultsAsync(CancellationToken cancel)
    {
        ImmutableArray<VaultEntry> entries = await catalog.ListVaultsAsync(cancel);
        VaultInfo?[] infos = await Task.WhenAll(entries.Select(entry => DescribeAsync(entry.Name, cancel)));
        return [.. infos.OfType<VaultInfo>()];
    }

    public Task<RepairProgress> RepairAsync(bool hurry, CancellationToken cancel) =>
        grains.GetGrain<IRepairSchedulerGrain>(0).ProgressAsync(hurry);

    public Task<CensusProgress> CensusAsync(bool begin, CancellationToken cancel) =>
        grains.GetGrain<IRepairSchedulerGrain>(0).CensusAsync(begin);

    public Task<AdoptProgress> AdoptAsync(AdoptStep step, CancellationToken cancel) =>
        grains.GetGrain<IRepairSchedulerGrain>(0).AdoptAsync(step, cancel);

    public Task<ImmutableArray<DiskStatus>> ListDisksAsync(CancellationToken cancel) =>
        disks.ListAsync(cancel);

    public Task<DiskDetails> ShowDiskAsync(DiskId disk, CancellationToken cancel) =>
        disks.ShowAsync(disk, cancel);

    public Task<DiskAdded> AddDiskAsync(AddDisk add, CancellationToken cancel) => disks.AddAsync(add, cancel);

    public Task<DiskRemoved> RemoveDiskAsync(DiskId disk, bool leaveShort, CancellationToken cancel) =>
        disks.RemoveAsync(disk, leaveShort, cancel);

    public Task<int> DrainDiskAsync(DiskId disk, CancellationToken cancel) => disks.DrainAsync(disk, cancel);

    public Task<DiskReset> ResetDiskAsync(DiskId disk, CancellationToken cancel) =>
        disks.ResetAsync(disk, cancel);

    public Task<ScrubProgress> BeginScrubAsync(ScrubOrder order, CancellationToken cancel) =>
        disks.BeginScrubAsync(order, cancel);

    public Task<ScrubProgress> ScrubProgressAsync(ScrubOrder order, CancellationToken cancel) =>
        disks.ScrubProgressAsync(order, cancel);

    public async Task<ClassId> EnsureClassAsync(Code code, Spread spread, CancellationToken cancel)
    {
        ClassId id = default;
        await map.ChangeAsync(from => MapChanges.EnsureClass(from, code, spread, out id), cancel);
        return id;
    }

    public async Task<FabricStatus> StatusAsync(CancellationToken cancel)
    {
        FabricMap current = map.Current;
        (FabricState? state, string away) = await ReadFabricAsync(cancel);
        Ledger ledger = await ledgers.CountAsync(state, cancel);
        ImmutableArray<DiskStatus> listed = await disks.ListAsync(cancel);
        return new FabricStatus
        {
            Fabric = current.Fabric,
            Tick = map.Tick,
            Silos = [.. Silos(current)],
            Disks = listed,
            Ledger = ledger,
            Counters = counters.Snapshot(),
            Notices = [Openness(), .. Notices(current, state, away, ledger), .. Liars(listed)],
            IsBehind = state?.WentBack is not null,
        };
    }

    // Silos and disks are known without it, and this is when an operator looks.
    private async Task<(FabricState? State, string Away)> ReadFabricAsync(CancellationToken cancel)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(CatalogPatience);
        try
        {
            return (await catalog.ReadFabricAsync(patience.Token).WaitAsync(patience.Token), "");
        }
        catch (ZeroStorException e) when (e.Kind == ErrorKind.Unavailable)
        {
            return (null, e.Message);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return (null, $"it has not answered within {CatalogPatience.TotalSeconds} s");
        }
    }

    private async Task<VaultInfo?> DescribeAsync(string vault, CancellationToken cancel)
    {
        try
        {
            return await grains.GetGrain<IVaultDoor>(vault).DescribeAsync(cancel);
        }
        catch (ZeroStorException e) when (e.Kind == ErrorKind.NotFound)
        {
            // Removed since it was listed.
            return null;
        }
    }

    private IEnumerable<SiloStatus> Silos(FabricMap current) =>
        membership.CurrentSnapshot.Members.Values

            // The table remembers former lives of a silo for days: the last one counts.
            .GroupBy(m => m.Name, (_, lives) => lives.MaxBy(m => m.SiloAddress.Generation)!)
            .OrderBy(m => m.Name, StringComparer.Ordinal)
            .Select(m => new SiloStatus
            {
                Name = m.Name,
                State = CamelCase(m.Status.ToString()),
                Labels = current.Disks.FirstOrDefault(d => d.Silo == m.Name)?.Labels ?? Labels.None,
            });

    private string Openness()
    {
        bool isOpen = options.InsecureNetwork || membership.CurrentSnapshot.Members.Values.Any(
            m => m.Status == Orleans.Runtime.SiloStatus.Active && !IPAddress.IsLoopback(m.SiloAddress.Endpoint.Address));
        return isOpen
            ? "--insecure-network is on: whoever reaches a gateway over the network is administrator, and links are "
                + "not encrypted"
            : "gateways trust whoever reaches them: keep them on loopback";
    }

    private static IEnumerable<string> Notices(
        FabricMap current, FabricState? state, string away, Ledger ledger)
    {
        if (state is null)
        {
            yield return $"the catalog does not answer, and without it nothing is put or got: {away}";
        }

        if (state?.WentBack is { } tick)
        {
            yield return $"the catalog went back to tick {tick}: nothing is reclaimed until zs catalog adopt is said";
        }

        if (ledger.Lost > 0)
        {
            yield return $"{ledger.Lost} stripes of live objects are lost: zs census --wait names the objects";
        }

        foreach (DiskEntry disk in current.Disks.Where(
            d => d.State is DiskState.Missing or DiskState.ReadOnly && !current.IsGone(d)))
        {
            yield return disk.State == DiskState.ReadOnly
                ? $"disk {disk.Id} ({disk.Path}) failed a write and takes no more: zs disk reset {disk.Id} when "
                    + $"the cause is gone, or zs disk add another --replace {disk.Id}"
                : $"disk {disk.Id} ({disk.Path}) is missing: mount it, put its folder back, or "
                    + $"zs disk remove {disk.Id}";
        }
    }

    private static IEnumerable<string> Liars(ImmutableArray<DiskStatus> disks) =>
        disks.Where(d => d.WrongShards > 0).Select(d =>
            $"disk {d.Id} ({d.Path}) answered {d.WrongShards} times with something else than was put there: "
            + $"zs scrub --disk {d.Id} --wait tells whether it rots");

    private static string CamelCase(string name) => char.ToLowerInvariant(name[0]) + name[1..];
}
