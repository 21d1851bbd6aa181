using System.Collections.Frozen;

namespace ZeroStor.Placement;

/// <summary>Which disks are out of reach though the map calls them up: those of silos that are not there. Where
/// much is out of reach at once it is more likely the network or a power feed than so many disks, and giving
/// all their places away would fill what is left: then replacing waits for them, or for an operator.</summary>
/// <param name="Unreachable">The disks.</param>
/// <param name="MassShare">More than this share of the fabric's disks is much.</param>
public sealed record Absence(IReadOnlySet<DiskId> Unreachable, double MassShare)
{
    /// <summary>A fifth: a site of seven, or of six, goes alone; what takes more with it is no single
    /// failure.</summary>
    public const double DefaultMassShare = 0.2;

    public static readonly Absence None = new(FrozenSet<DiskId>.Empty, DefaultMassShare);

    /// <summary>Whether replacing waits in this class: more than one of its failure domains, and much of the
    /// fabric, are out of reach together.</summary>
    public bool IsMass(FabricMap map, PlacementClass placement)
    {
        DiskEntry[] there = [.. map.Disks.Where(d => !map.IsGone(d))];
        DiskEntry[] away = [.. there.Where(d => Unreachable.Contains(d.Id))];
        return away.Length > MassShare * there.Length
            && away.Select(d => GroupPlanner.DomainOf(d, placement.Spread)).Distinct().Count() > 1;
    }
}
