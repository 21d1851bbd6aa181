using System.Collections.Immutable;
using ZeroStor.Contracts.Doors;
using ZeroStor.Contracts.Inner;
using ZeroStor.Placement;
using MemberStatus = Orleans.Runtime.SiloStatus;
using SiloStatus = ZeroStor.Contracts.Doors.SiloStatus;

namespace ZeroStor.Grains;

/// <summary>What operators say to silos, and hear of them: which there are by membership and by the map, and what
/// becomes of all disks of one. Thread-safe.</summary>
internal sealed class SiloOrders(
    SiloMap map,
    SiloWatch silos,
    SiloSurvey survey,
    DiskOrders disks,
    IClusterMembershipService membership,
    IMembershipTable table)
{
    public ImmutableArray<SiloStatus> Statuses()
    {
        FabricMap current = map.Current;
        Dictionary<string, ClusterMember> members = Members();
        ILookup<string, DiskEntry> owned = current.Disks.ToLookup(d => d.Silo, StringComparer.Ordinal);
        IEnumerable<string> names = members.Keys.Concat(
            owned.Where(own => own.Any(d => !current.IsGone(d))).Select(own => own.Key));
        return
        [
            .. names.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(name => new SiloStatus
            {
                Name = name,
                State = State(members.GetValueOrDefault(name), owned[name].Any(d => !current.IsGone(d))),
                Labels = owned[name].MaxBy(d => d.Id)?.Labels ?? Labels.None,
            }),
        ];
    }

    public async Task<ImmutableArray<SiloDetails>> ListAsync(CancellationToken cancel)
    {
        Task<SiloReports> asked = survey.AskAsync(cancel);
        Task<ImmutableArray<DiskStatus>> listing = disks.ListAsync(asked, cancel);
        MembershipTableData members = await table.ReadAllAsync(cancel);
        ILookup<string, DiskStatus> owned = (await listing).ToLookup(d => d.Silo, StringComparer.Ordinal);
        SiloReports reports = await asked;
        return
        [
            .. Statuses().Select(silo => Details(
                silo,
                members.Members.Select(m => m.Item1).Where(m => m.SiloName == silo.Name)
                    .MaxBy(m => m.SiloAddress.Generation),
                [.. owned[silo.Name]],
                reports.Answers.GetValueOrDefault(silo.Name))),
        ];
    }

    /// <summary>As <see cref="IFabricDoor.RemoveSiloAsync"/>.</summary>
    public async Task<SiloRemoved> RemoveAsync(string silo, bool leaveShort, CancellationToken cancel)
    {
        Removal removal = await disks.RemoveAsync(
            from => Removal.PlanSilo(from, silo, leaveShort, silos.Absence), cancel);
        return new SiloRemoved
        {
            Silo = silo,
            Disks = removal.Disks,
            PlacesMoved = removal.PlacesMoved,
            PlacesShort = removal.PlacesShort,
        };
    }

    /// <summary>As <see cref="IFabricDoor.DrainSiloAsync"/>.</summary>
    public async Task<int> DrainAsync(string silo, CancellationToken cancel)
    {
        FabricMap drained = await map.ChangeAsync(
            from => Replacement.DrainSilo(from, silo, silos.Absence), cancel);
        return drained.Groups.Sum(g => g.Places.Count(
            p => drained.Disk(p.Home) is { State: DiskState.Draining } home && home.Silo == silo));
    }

    // The table remembers former lives of a silo for days: the last one counts.
    private Dictionary<string, ClusterMember> Members() => membership.CurrentSnapshot.Members.Values
        .GroupBy(m => m.Name, (_, lives) => lives.MaxBy(m => m.SiloAddress.Generation)!, StringComparer.Ordinal)
        .ToDictionary(m => m.Name, StringComparer.Ordinal);

    private static string State(ClusterMember? member, bool hasDisks) =>
        member is null or { Status: MemberStatus.Dead or MemberStatus.None } ? (hasDisks ? "away" : "gone")
            : char.ToLowerInvariant(member.Status.ToString()[0]) + member.Status.ToString()[1..];

    private static SiloDetails Details(
        SiloStatus silo, MembershipEntry? member, DiskStatus[] own, SiloReport? report) => new()
    {
        Status = silo,
        Address = member?.SiloAddress.Endpoint.ToString() ?? "",
        LastSeen = member is null || silo.State == "active"
            ? null
            : new DateTimeOffset(DateTime.SpecifyKind(member.IAmAliveTime, DateTimeKind.Utc)),
        Disks = own.Length,
        DisksUp = own.Count(d => d.State == "up"),
        DisksDraining = own.Count(d => d.State == "draining"),
        DisksDrained = own.Count(d => d.State == "drained"),
        UsedBytes = own.Sum(d => d.UsedBytes),
        FreeBytes = own.Sum(d => d.FreeBytes),
        ResidentBytes = report?.ResidentBytes,
        Processor = report?.Processor,
    };
}
