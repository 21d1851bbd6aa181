using System.Collections.Immutable;
using System.Net;
using Orleans.Concurrency;
using ZeroStor.Contracts.Doors;
using ZeroStor.Contracts.Inner;
using ZeroStor.Placement;

namespace ZeroStor.Grains;

/// <summary>The fabric as a whole: for clients its routes and its state, for silos the changes of its map,
/// each by compare-and-set. Every silo has its own, so whichever silo a caller reached can answer, and none waits
/// for one that is gone.</summary>
[Reentrant, StatelessWorker(1)]
internal sealed class FabricGrain(
    SiloMap map,
    ICatalog catalog,
    LedgerKeeper ledgers,
    DiskOrders disks,
    SiloOrders silos,
    SiloSurvey survey,
    MasterRotation masters,
    IClusterMembershipService membership,
    SiloGateways gateways,
    ILocalSiloDetails self,
    ZeroStorOptions options,
    IGrainFactory grains) : Grain, IFabricDoor, IFabricGrain
{
    /// <summary>The status answers without what the repair scheduler says when that takes longer.</summary>
    private static readonly TimeSpan RepairPatience = TimeSpan.FromSeconds(1);

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
            Gateways = gateways.Current,
        });
    }

    public Task<string> SiloAsync(CancellationToken cancel) => Task.FromResult(self.Name);

    public Task<MasterRotated> RotateMasterKeyAsync(CancellationToken cancel) => masters.RunAsync(cancel);

    public async Task<ImmutableArray<VaultInfo>> ListVaultsAsync(CancellationToken cancel)
    {
        ImmutableArray<VaultEntry> entries = await catalog.ListVaultsAsync(cancel);
        VaultInfo?[] infos = await Task.WhenAll(entries.Select(entry => DescribeAsync(entry.Name, cancel)));
        return [.. infos.OfType<VaultInfo>()];
    }

    // Gets are opened everywhere, and the scheduler knows of its own silo's only.
    public async Task<RepairProgress> RepairAsync(bool hurry, CancellationToken cancel)
    {
        Task<SiloReports> reports = survey.AskAsync(cancel);
        RepairProgress progress = await grains.GetGrain<IRepairSchedulerGrain>(0).ProgressAsync(hurry);
        return progress with { GetP99 = (await reports).GetP99 };
    }

    public Task<CensusProgress> CensusAsync(bool begin, CancellationToken cancel) =>
        grains.GetGrain<IRepairSchedulerGrain>(0).CensusAsync(begin);

    public Task<AdoptProgress> AdoptAsync(AdoptStep step, CancellationToken cancel) =>
        grains.GetGrain<IRepairSchedulerGrain>(0).AdoptAsync(step, cancel);

    public Task<ImmutableArray<DiskStatus>> ListDisksAsync(CancellationToken cancel) =>
        disks.ListAsync(survey.AskAsync(cancel), cancel);

    public Task<DiskDetails> ShowDiskAsync(DiskId disk, CancellationToken cancel) =>
        disks.ShowAsync(disk, cancel);

    public Task<DiskAdded> AddDiskAsync(AddDisk add, CancellationToken cancel) => disks.AddAsync(add, cancel);

    public Task<DiskRemoved> RemoveDiskAsync(DiskId disk, bool leaveShort, CancellationToken cancel) =>
        disks.RemoveAsync(disk, leaveShort, cancel);

    public Task<int> DrainDiskAsync(DiskId disk, CancellationToken cancel) => disks.DrainAsync(disk, cancel);

    public Task<DiskReset> ResetDiskAsync(DiskId disk, CancellationToken cancel) =>
        disks.ResetAsync(disk, cancel);

    public Task<ImmutableArray<SiloDetails>> ListSilosAsync(CancellationToken cancel) => silos.ListAsync(cancel);

    public Task<SiloRemoved> RemoveSiloAsync(string silo, bool leaveShort, CancellationToken cancel) =>
        silos.RemoveAsync(silo, leaveShort, cancel);

    public Task<int> DrainSiloAsync(string silo, CancellationToken cancel) => silos.DrainAsync(silo, cancel);

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
        Task<RepairProgress?> repair = LookAtRepairAsync();
        Task<SiloReports> asked = survey.AskAsync(cancel);
        Task<ImmutableArray<DiskStatus>> listing = disks.ListAsync(asked, cancel);
        (FabricState? state, string away) = await ReadFabricAsync(cancel);
        Ledger ledger = await ledgers.TellAsync(state, cancel);
        SiloReports reports = await asked;
        ImmutableArray<DiskStatus> listed = await listing;
        return new FabricStatus
        {
            Fabric = current.Fabric,
            Tick = map.Tick,
            Silos = silos.Statuses(),
            Disks = listed,
            Ledger = ledger,
            Counters = reports.Counters,
            Notices =
            [
                Openness(), .. Notices(current, state, away, ledger), .. Silence(reports), .. Liars(listed),
            ],
            IsBehind = state?.WentBack is not null,
            Repair = await repair,
        };
    }

    private async Task<RepairProgress?> LookAtRepairAsync()
    {
        try
        {
            return await grains.GetGrain<IRepairSchedulerGrain>(0).ProgressAsync(hurry: false).WaitAsync(RepairPatience);
        }
        catch (Exception e) when (e is TimeoutException or OrleansException or ZeroStorException)
        {
            // It hangs, or is just being found another silo.
            return null;
        }
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

    private static IEnumerable<string> Silence(SiloReports reports) =>
        reports.Silent.Select(silo =>
            $"silo {silo} did not answer within {SiloSurvey.Patience.TotalSeconds:0} s: what it counted is not in "
            + "the counters here");

    private static IEnumerable<string> Liars(ImmutableArray<DiskStatus> disks) =>
        disks.Where(d => d.WrongShards > 0).Select(d =>
            $"disk {d.Id} ({d.Path}) answered {d.WrongShards} times with something else than was put there: "
            + $"zs scrub --disk {d.Id} --wait tells whether it rots");
}
