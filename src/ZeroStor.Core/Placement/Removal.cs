using System.Collections.Immutable;

namespace ZeroStor.Placement;

/// <summary>Takes disks out of the fabric for good: they are removed and their places go to others, in one step.
/// Pure: equal input, equal answer.</summary>
/// <param name="Change">The step.</param>
/// <param name="Disks">The disks that go.</param>
/// <param name="PlacesMoved">Places that have a new home now.</param>
/// <param name="PlacesShort">Places that wait for a disk to be added.</param>
public sealed record Removal(MapChange Change, ImmutableArray<DiskId> Disks, int PlacesMoved, int PlacesShort)
{
    /// <param name="map">The map.</param>
    /// <param name="disk">The disk that goes.</param>
    /// <param name="leaveShort">Whether places may be left without a home until a disk is added.</param>
    /// <param name="absence">What is out of reach now: it gets no places, and is not counted on.</param>
    /// <exception cref="ZeroStorException">NotFound: there is no such disk, or it was removed before.
    /// PolicyUnsatisfiable: a group would be left with fewer than k whole places, or places without a home
    /// though that is not allowed.</exception>
    public static Removal Plan(FabricMap map, DiskId disk, bool leaveShort, Absence? absence = null) => Plan(
        map,
        [Replacement.Demand(map, disk)],
        new Name($"disk {disk}", "let repair end first (zs repair --wait)"),
        leaveShort,
        absence ?? Absence.None);

    /// <summary>As <see cref="Plan(FabricMap, DiskId, bool, Absence?)"/>, for all disks of a silo, whether it is
    /// there or not.</summary>
    public static Removal PlanSilo(FabricMap map, string silo, bool leaveShort, Absence? absence = null) => Plan(
        map,
        Replacement.DemandSilo(map, silo),
        new Name($"silo {silo}", $"let repair end first (zs repair --wait), or empty it (zs silo drain {silo})"),
        leaveShort,
        absence ?? Absence.None);

    private static Removal Plan(
        FabricMap map, DiskEntry[] disks, Name name, bool leaveShort, Absence absence)
    {
        HashSet<DiskId> going = [.. disks.Select(d => d.Id)];
        DemandWhole(map, going, name, absence);
        var removed = new MapChange
        {
            FromVersion = map.Version, Disks = [.. disks.Select(d => d with { State = DiskState.Removed })],
        };
        MapChange? moved = Replacement.Plan(map.With(removed), going, absence);
        MapChange change = removed with { Groups = moved?.Groups ?? [] };
        PlacementGroup[] waiting = [.. map.With(change).Groups.Where(g => Held(g) > 0)];
        if (waiting.Length > 0 && !leaveShort)
        {
            throw new ZeroStorException(
                ErrorKind.PolicyUnsatisfiable,
                $"{waiting.Length} groups would stay short of a home until a disk is added, for no other disk can "
                + $"take the place of {name.What} in them: add one first (zs disk add), or say --yes");
        }

        int places = map.Groups.Sum(Held);
        int kept = waiting.Sum(Held);
        return new Removal(change, [.. going.Order()], places - kept, kept);

        int Held(PlacementGroup group) => group.Places.Count(p => going.Contains(p.Home));
    }

    // A home that cannot be read now is not counted on, whatever it holds.
    private static void DemandWhole(FabricMap map, HashSet<DiskId> going, Name name, Absence absence)
    {
        int atRisk = map.Groups.Count(g =>
            g.Places.Any(p => going.Contains(p.Home) || p.FormerHomes.Any(going.Contains))
            && g.Places.Count(p => p.IsWhole
                && !going.Contains(p.Home)
                && !absence.Unreachable.Contains(p.Home)
                && map.Disk(p.Home) is { State: not (DiskState.Missing or DiskState.Removed) })
                < map.Class(g.Class)!.Code.K);
        if (atRisk > 0)
        {
            throw new ZeroStorException(
                ErrorKind.PolicyUnsatisfiable,
                $"{atRisk} groups would be left with fewer than k whole places without {name.What}: {name.Advice}, "
                + "then remove it");
        }
    }

    // How what goes is called, and what to do where it must not go yet.
    private readonly record struct Name(string What, string Advice);
}
