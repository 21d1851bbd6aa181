using CsCheck;
using ZeroStor.Placement;

namespace ZeroStor.Tests.Placement;

public sealed class ReplacementTests
{
    private static readonly Code Code = new(4, 2);

    [Fact]
    public void Places_go_to_no_disk_that_is_out_of_reach()
    {
        FabricMap map = Fabric(silos: 8, disksPerSilo: 1, Spread.Silo, out _);
        var away = new HashSet<DiskId> { new(7) };
        MapChange change = Replacement.Plan(map, new DiskId(1), new Absence(away, 1))!;
        Assert.NotEmpty(change.Groups);
        Assert.All(change.Groups, g => Assert.DoesNotContain(g.Places, p => p.Home == new DiskId(7) && !p.IsWhole));
    }

    [Fact]
    public void One_domain_alone_is_replaced_however_much_it_is()
    {
        FabricMap map = Fabric(silos: 4, disksPerSilo: 3, Spread.Silo, out PlacementClass placement);
        HashSet<DiskId> away = [.. map.Disks.Where(d => d.Silo == map.Disks[0].Silo).Select(d => d.Id)];
        Assert.False(new Absence(away, 0.2).IsMass(map, placement));
        Assert.NotNull(Replacement.Plan(map, away.First(), new Absence(away, 0.2)));
    }

    [Fact]
    public void Many_domains_at_once_are_waited_for_but_not_what_is_known_to_be_gone()
    {
        FabricMap map = Fabric(silos: 6, disksPerSilo: 2, Spread.Silo, out PlacementClass placement);
        string[] silos = [.. map.Disks.Select(d => d.Silo).Distinct().Take(2)];
        HashSet<DiskId> away = [.. map.Disks.Where(d => silos.Contains(d.Silo)).Select(d => d.Id)];
        var absence = new Absence(away, 0.2);
        Assert.True(absence.IsMass(map, placement));
        Assert.All(away, d => Assert.Null(Replacement.Plan(map, d, absence)));
        DiskId wiped = away.First();
        map = map.With(MapChanges.Put(map, map.Disk(wiped)! with { State = DiskState.Missing }));
        Assert.NotNull(Replacement.Plan(map, wiped, absence));

        // A smaller part of the fabric is no mass loss, in however many domains.
        Assert.False(new Absence(away, 0.5).IsMass(map, placement));
    }

    [Fact]
    public void A_drained_disk_gives_its_places_away_and_stays_a_former_home_until_they_are_whole()
    {
        FabricMap map = Fabric(silos: 8, disksPerSilo: 1, Spread.Disk, out _);
        var disk = new DiskId(2);
        map = map.With(Replacement.Drain(map, disk)!);
        Assert.Null(Replacement.Drain(map, disk));
        map = map.With(Replacement.Plan(map, disk)!);
        Assert.DoesNotContain(map.Groups, g => g.Places.Any(p => p.Home == disk));
        Assert.True(map.IsNeeded(disk));

        // A silo that starts again does not end it.
        map = map.With(MapChanges.Claim(map, map.Disk(disk)!, 9));
        Assert.Equal((DiskState.Draining, 9u), (map.Disk(disk)!.State, map.Disk(disk)!.Claim));
    }

    [Fact]
    public void What_the_class_cannot_hold_without_a_disk_is_not_drained()
    {
        FabricMap map = Fabric(silos: 6, disksPerSilo: 1, Spread.Disk, out _);
        ZeroStorException refusal = Assert.Throws<ZeroStorException>(() => Replacement.Drain(map, new DiskId(2)));
        Assert.Equal(ErrorKind.PolicyUnsatisfiable, refusal.Kind);
        Assert.Equal(
            ErrorKind.NotFound,
            Assert.Throws<ZeroStorException>(() => Replacement.Drain(map, new DiskId(77))).Kind);
        map = map.With(MapChanges.Put(map, map.Disk(new DiskId(3))! with { State = DiskState.Missing }));
        Assert.Equal(
            ErrorKind.PreconditionFailed,
            Assert.Throws<ZeroStorException>(() => Replacement.Drain(map, new DiskId(3))).Kind);
    }

    [Fact]
    public void A_silo_is_drained_just_where_its_classes_can_do_without_it_and_then_it_is_emptied()
    {
        SiloFabrics.Gen.Sample(
            (map, silo) =>
            {
                DiskId[] own = SiloFabrics.DisksOf(map, silo);
                HashSet<DiskId> going = [.. own, .. map.Disks.Where(d => d.State != DiskState.Up).Select(d => d.Id)];
                bool fits = map.Groups.Where(g => g.Places.Any(p => own.Contains(p.Home)))
                    .All(g => SiloFabrics.CanDoWithout(map, g, going));
                if (!fits)
                {
                    ZeroStorException refusal = Assert.Throws<ZeroStorException>(
                        () => Replacement.DrainSilo(map, silo));
                    Assert.Equal(ErrorKind.PolicyUnsatisfiable, refusal.Kind);
                    return;
                }

                FabricMap drained = map.With(Replacement.DrainSilo(map, silo)!);
                Assert.All(own, d => Assert.Equal(DiskState.Draining, drained.Disk(d)!.State));
                Assert.Null(Replacement.DrainSilo(drained, silo));
                FabricMap end = SiloFabrics.RepairAll(drained);
                Assert.All(own, d => Assert.False(end.IsNeeded(d)));
            },
            iter: 1000);
    }

    [Fact]
    public void Disks_of_a_drained_silo_that_are_not_up_are_left_to_repair()
    {
        FabricMap map = SiloFabrics.Make(Code, Spread.Silo, silos: 8, disksPerSilo: 2);
        map = map.With(MapChanges.Put(map, map.Disk(new DiskId(1))! with { State = DiskState.Missing }));
        map = map.With(Replacement.DrainSilo(map, "silo0")!);
        Assert.Equal(
            [DiskState.Missing, DiskState.Draining],
            new[] { 1u, 2u }.Select(d => map.Disk(new DiskId(d))!.State));
    }

    [Fact]
    public void A_silo_that_is_away_or_unknown_is_not_drained()
    {
        FabricMap map = SiloFabrics.Make(Code, Spread.Silo, silos: 8, disksPerSilo: 1);
        var absence = new Absence(new HashSet<DiskId> { new(1) }, 0.2);
        foreach (Func<MapChange?> drain in new[]
        {
            () => Replacement.DrainSilo(map, "silo0", absence), () => Replacement.Drain(map, new DiskId(1), absence),
        })
        {
            ZeroStorException away = Assert.Throws<ZeroStorException>(() => { _ = drain(); });
            Assert.Equal(ErrorKind.PreconditionFailed, away.Kind);
            Assert.Matches("zs (silo|disk) remove (silo0|1) has the others rebuild", away.Message);
        }

        ZeroStorException unknown = Assert.Throws<ZeroStorException>(
            () => { _ = Replacement.DrainSilo(map, "silo9"); });
        Assert.Equal(ErrorKind.NotFound, unknown.Kind);
        Assert.EndsWith("silo6, silo7", unknown.Message, StringComparison.Ordinal);
        map = map.With(MapChanges.Put(map, map.Disk(new DiskId(1))! with { State = DiskState.Missing }));
        Assert.Equal(
            ErrorKind.PreconditionFailed,
            Assert.Throws<ZeroStorException>(() => { _ = Replacement.DrainSilo(map, "silo0"); }).Kind);
    }

    private static FabricMap Fabric(int silos, int disksPerSilo, Spread spread, out PlacementClass placement)
    {
        var map = new FabricMap(
            new FabricId(1), 1, GroupPlannerTests.Disks(silos * disksPerSilo, disksPerSilo), [], []);
        map = map.With(MapChanges.EnsureClass(map, Code, spread, out ClassId id)!);
        placement = map.Class(id)!;
        return map;
    }
}
