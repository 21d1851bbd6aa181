using Orleans.Placement;
using Orleans.Runtime.Placement;
using ZeroStor.Contracts.Inner;

namespace ZeroStor.Grains;

/// <summary>A disk grain lives on the silo that its key names and nowhere else: its place follows from
/// membership alone, so it needs no directory entry, and a silo that is gone fails its disks at
/// once.</summary>
[GenerateSerializer, Immutable, SuppressReferenceTracking, Alias("zs.disk-placement")]
public sealed class DiskPlacement : PlacementStrategy
{
    public override bool IsUsingGrainDirectory => false;
}

/// <summary>Places a grain by <see cref="DiskPlacement"/>.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class DiskPlacementAttribute() : PlacementAttribute(new DiskPlacement());

/// <summary>Finds the silo of a disk grain by its name among the active ones.</summary>
internal sealed class DiskPlacementDirector(IClusterMembershipService membership) : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(
        PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        (string silo, DiskId disk) = DiskKey.Parse(target.GrainIdentity.Key.ToString()!);
        foreach (ClusterMember member in membership.CurrentSnapshot.Members.Values)
        {
            if (member.Status == SiloStatus.Active && string.Equals(member.Name, silo, StringComparison.Ordinal))
            {
                return Task.FromResult(member.SiloAddress);
            }
        }

        throw new ZeroStorException(
            ErrorKind.DiskOffline, $"disk {disk} is on silo {silo}, which is not up: start it");
    }
}
