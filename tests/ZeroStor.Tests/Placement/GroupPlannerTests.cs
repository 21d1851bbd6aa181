using System.Collections.Immutable;
using CsCheck;
using ZeroStor.Placement;

namespace ZeroStor.Tests.Placement;

public sealed class GroupPlannerTests
{
    [Fact]
    public void As_many_disks_as_shards_make_n_groups_in_which_every_disk_holds_every_place_once()
    {
        DiskEntry[] disks = Disks(24, disksPerSilo: 24);
        ImmutableArray<ImmutableArray<DiskId>> groups = GroupPlanner.Plan(disks, new Code(20, 4), Spread.Disk);
        Assert.Equal(24, groups.Length);
        for (int place = 0; place < 24; place++)
        {
            Assert.Equal(24, groups.Select(g => g[place]).Distinct().Count());
        }
    }

    [Fact]
    public void Groups_hold_each_disk_once_and_no_domain_more_than_m_times()
    {
        Gen.Select(Gen.Int[1, 20], Gen.Int[1, 6], Gen.Int[1, 12], Gen.Int[1, 5], Gen.Enum<Spread>())
            .Sample((k, m, silos, disksPerSilo, spread) =>
            {
                DiskEntry[] disks = Disks(silos * disksPerSilo, disksPerSilo);
                var code = new Code(k, m);
                if (GroupPlanner.Misfit(disks, code, spread) is { } misfit)
                {
                    ZeroStorException refusal = Assert.Throws<ZeroStorException>(
                        () => GroupPlanner.Plan(disks, code, spread));
                    Assert.Equal(ErrorKind.PolicyUnsatisfiable, refusal.Kind);
                    Assert.Equal(misfit, refusal.Message);
                    return;
                }

                ImmutableArray<ImmutableArray<DiskId>> groups = GroupPlanner.Plan(disks, code, spread);
                Assert.True(groups.Length >= code.N);
                var byId = disks.ToDictionary(d => d.Id);
                foreach (ImmutableArray<DiskId> group in groups)
                {
                    Assert.Equal(code.N, group.Distinct().Count());
                    int cap = GroupPlanner.PerDomain(code, spread);
                    Assert.All(
                        group.GroupBy(d => GroupPlanner.DomainOf(byId[d], spread)),
                        domain => Assert.True(domain.Count() <= cap));
                }
            });
    }

    [Fact]
    public void Disks_carry_about_the_same_number_of_places()
    {
        DiskEntry[] disks = Disks(50, disksPerSilo: 5);
        int[] load =
        [
            .. GroupPlanner.Plan(disks, new Code(10, 4), Spread.Silo)
                .SelectMany(g => g).GroupBy(d => d).Select(g => g.Count()),
        ];
        Assert.Equal(50, load.Length);
        Assert.True(load.Max() - load.Min() <= 2, $"{load.Min()} to {load.Max()} places on a disk");
    }

    [Fact]
    public void A_misfit_says_what_is_needed_and_what_fits()
    {
        ZeroStorException refusal = Assert.Throws<ZeroStorException>(
            () => GroupPlanner.Plan(Disks(6, disksPerSilo: 6), new Code(20, 4), Spread.Disk));
        Assert.Equal("20+4 needs 24 disks, 6 given: --code 4+2 fits", refusal.Message);
    }

    [Fact]
    public void One_silo_cannot_be_spread_over_silos()
    {
        ZeroStorException refusal = Assert.Throws<ZeroStorException>(
            () => GroupPlanner.Plan(Disks(24, disksPerSilo: 24), new Code(20, 4), Spread.Silo));
        Assert.Equal(ErrorKind.PolicyUnsatisfiable, refusal.Kind);
    }

    [Fact]
    public void A_class_grows_by_groups_that_hold_the_new_disk_within_its_spread_and_its_plan()
    {
        Gen.Select(Gen.Int[1, 12], Gen.Int[1, 4], Gen.Int[2, 10], Gen.Int[1, 5], Gen.Enum<Spread>())
            .Sample((k, m, silos, disksPerSilo, spread) =>
            {
                DiskEntry[] disks = Disks(silos * disksPerSilo, disksPerSilo);
                var code = new Code(k, m);
                DiskId added = disks[^1].Id;
                if (GroupPlanner.Misfit(disks[..^1], code, spread) is not null)
                {
                    return;
                }

                PlacementGroup[] before = Groups(GroupPlanner.Plan(disks[..^1], code, spread));
                ImmutableArray<ImmutableArray<DiskId>> grown =
                    GroupPlanner.Grow(disks, before, code, spread, added);
                Assert.Equal(
                    Math.Min(code.N, GroupPlanner.Plan(disks, code, spread).Length - before.Length), grown.Length);
                var byId = disks.ToDictionary(d => d.Id);
                int cap = GroupPlanner.PerDomain(code, spread);
                foreach ((int index, ImmutableArray<DiskId> group) in grown.Index())
                {
                    Assert.Equal(code.N, group.Distinct().Count());
                    Assert.Equal(added, group[index]);
                    Assert.All(
                        group.GroupBy(d => GroupPlanner.DomainOf(byId[d], spread)),
                        domain => Assert.True(domain.Count() <= cap));
                }

                Assert.Equal(
                    grown.SelectMany(g => g),
                    GroupPlanner.Grow([.. disks.Reverse()], before, code, spread, added).SelectMany(g => g));
            });
    }

    [Fact]
    public void However_many_disks_are_added_one_by_one_a_class_has_no_more_groups_than_planned_at_once()
    {
        var code = new Code(4, 2);
        DiskEntry[] disks = Disks(40, disksPerSilo: 40);
        PlacementGroup[] groups = Groups(GroupPlanner.Plan(disks[..6], code, Spread.Disk));
        for (int count = 7; count <= disks.Length; count++)
        {
            groups =
            [
                .. groups,
                .. Groups(GroupPlanner.Grow(disks[..count], groups, code, Spread.Disk, disks[count - 1].Id)),
            ];
            Assert.InRange(groups.Length, 7, GroupPlanner.Plan(disks[..count], code, Spread.Disk).Length);
            Assert.Contains(groups, g => g.Places.Any(p => p.Home == disks[count - 1].Id));
        }

        Assert.Empty(GroupPlanner.Grow(disks, groups, code, Spread.Disk, new DiskId(99)));
    }

    [Fact]
    public void A_disk_that_stands_at_every_place_gets_no_more_groups()
    {
        var code = new Code(4, 2);
        DiskEntry[] disks = Disks(9, disksPerSilo: 9);
        PlacementGroup[] groups = Groups(GroupPlanner.Plan(disks[..8], code, Spread.Disk));
        PlacementGroup[] grown = Groups(GroupPlanner.Grow(disks, groups, code, Spread.Disk, disks[8].Id));
        Assert.Equal(4, grown.Length);
        Assert.Empty(GroupPlanner.Grow(disks, [.. groups, .. grown], code, Spread.Disk, disks[0].Id));
    }

    private static PlacementGroup[] Groups(ImmutableArray<ImmutableArray<DiskId>> plan) =>
        [.. plan.Select((g, i) => new PlacementGroup(
            new GroupId((uint)i + 1), new ClassId(1), 1, [.. g.Select(d => new Place(d))]))];

    internal static DiskEntry[] Disks(int count, int disksPerSilo) =>
    [
        .. Enumerable.Range(0, count).Select(i => new DiskEntry
        {
            Id = new DiskId((uint)i + 1),
            Silo = $"silo{i / disksPerSilo}",
            Labels = new Labels("eu", $"site{i / disksPerSilo / 2}", $"rack{i / disksPerSilo}"),
            Path = $"/disks/{i}",
            State = DiskState.Up,
            Claim = 1,
            IsManaged = true,
        }),
    ];
}
