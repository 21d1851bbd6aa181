using Orleans.Placement;
using Orleans.Runtime.Placement;
using ZeroStor.Contracts.Inner;

namespace ZeroStor.Grains;

/// <summary>A disk grain, and a silo's own, live on the silo that their key names and nowhere else: their
/// place follows from membership alone, so they need no directory entry, and a silo that is gone fails its
/// disks at once.</summary>
[GenerateSerializer, Immutable, SuppressReferenceTracking, Alias("zs.silo-placement")]
public sealed class SiloPlacement : PlacementStrategy
{
    public override bool IsUsingGrainDirectory => false;
}

/// <summary>Places a grain by <see cref="SiloPlacement"/>.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class SiloPlacementAttribute() : PlacementAttribute(new SiloPlacement());

/// <summary>Finds the silo that a key names among the active ones.</summary>
internal sealed class SiloPlacementDirector(IClusterMembershipService membership) : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(
        PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        string key = target.GrainIdentity.Key.ToString()!;
        string silo = DiskKey.SiloOf(key);

        // One that was started again elsewhere may stand beside its former life, which is not yet known as dead.
        ClusterMember? found = membership.CurrentSnapshot.Members.Values
            .Where(m => m.Status == SiloStatus.Active && string.Equals(m.Name, silo, StringComparison.Ordinal))
            .MaxBy(m => m.SiloAddress.Generation);
        if (found is not null)
        {
            return Task.FromResult(found.SiloAddress);
        }

        throw new ZeroStorException(
            ErrorKind.DiskOffline,
            key == silo
                ? $"silo {silo} is not up: start it"
                : $"disk {DiskKey.Parse(key).Disk} is on silo {silo}, which is not up: start it");
    }
}
