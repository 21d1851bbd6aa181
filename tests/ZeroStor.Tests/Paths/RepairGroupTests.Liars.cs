using CsCheck;
using ZeroStor.Paths;
using ZeroStor.Tests.Proofs;

namespace ZeroStor.Tests.Paths;

/// <summary>Homes that lie or rot: named, never followed, never spread.</summary>
public sealed partial class RepairGroupTests
{
    [Fact]
    public Task What_the_former_home_has_no_longer_right_is_decoded_however_well_it_lies() =>
        ProveLiesAreNotCopiedAsync(0, Defect.None);

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task A_home_that_lies_about_its_bytes_is_named_and_spreads_nothing(int liar, int lost)
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 300_000);
        fabric.Homes[fabric.Home(standing.Ref, liar)] = Conduct.Lying;
        fabric.Homes.Drop(standing.Id, lost);
        RepairTally tally = await fabric.Repair().RunAsync(standing.Group, Cancel);
        bool asked = tally.BytesRead > 4L * standing.Records[0].Header.ShardBytes;
        Assert.Equal((1, asked ? 1 : 0), (tally.ShardsRebuilt, tally.ShardsLeft));
        Assert.Equal(asked, fabric.Faults.Contains(
            (liar, fabric.Home(standing.Ref, liar), ErrorKind.Corrupt)));
        Assert.True(asked || liar >= Code.K);
        standing.AssertWhole(fabric);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Two_homes_that_state_another_stripe_are_named_and_neither_followed_nor_overwritten(
        int a, int b)
    {
        foreach (Conduct conduct in new[] { Conduct.Forging, Conduct.Misnaming })
        {
            using var fabric = new PathFixture(Code, disks: 6);
            Standing standing = await WriteAsync(fabric, 10_000);
            fabric.Homes[fabric.Home(standing.Ref, a)] = conduct;
            fabric.Homes[fabric.Home(standing.Ref, b)] = Conduct.Forging;
            int appends = fabric.Homes.Appends;
            RepairTally tally = await fabric.Repair().RunAsync(standing.Group, Cancel);
            Assert.Equal(new RepairTally(1, 0, 0, 2, 0, 0), tally with { PlacesLeft = default });
            Assert.Equal(appends, fabric.Homes.Appends);
            Assert.Equal([.. new[] { a, b }.Order()], fabric.Faults.Select(f => f.Place).Order());
        }
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task A_lost_shard_is_rebuilt_as_the_honest_say_though_another_home_states_otherwise(
        int liar, int lost)
    {
        foreach (Conduct conduct in new[] { Conduct.Forging, Conduct.Misnaming })
        {
            using var fabric = new PathFixture(Code, disks: 6);
            Standing standing = await WriteAsync(fabric, 10_000);
            fabric.Homes[fabric.Home(standing.Ref, liar)] = conduct;
            fabric.Homes.Drop(standing.Id, lost);
            RepairTally tally = await fabric.Repair().RunStripesAsync(
                standing.Group, [new LackingStripe(standing.Id, [])], Cancel);
            Assert.Equal((1, 1), (tally.ShardsRebuilt, tally.ShardsLeft));
            Assert.Contains(fabric.Faults, f => f.Place == liar && f.What == ErrorKind.Corrupt);
            standing.AssertWhole(fabric);
        }
    }

    [Fact]
    public async Task A_shard_that_its_home_finds_rotten_is_replaced_in_the_same_pass()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 200_000);
        fabric.Homes.Rot(fabric.Home(standing.Ref, 1), standing.Id, 1);
        fabric.Homes.Drop(standing.Id, 5);
        RepairTally tally = await fabric.Repair().RunAsync(standing.Group, Cancel);
        Assert.Equal((2, 0), (tally.ShardsRebuilt, tally.ShardsLeft));
        Assert.Contains(fabric.Faults, f => f.Place == 1 && f.What == ErrorKind.Corrupt);
        standing.AssertWhole(fabric);
    }

    [Fact]
    public async Task With_too_few_right_shards_nothing_is_written()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 1000);
        fabric.Homes.Drop(standing.Id, 5);
        fabric.Homes[fabric.Home(standing.Ref, 1)] = Conduct.Lying;
        fabric.Homes[fabric.Home(standing.Ref, 4)] = Conduct.Lying;
        int appends = fabric.Homes.Appends;
        RepairTally tally = await fabric.Repair().RunAsync(standing.Group, Cancel);
        Assert.Equal((0, 3), (tally.ShardsRebuilt, tally.ShardsLeft));
        Assert.Equal(appends, fabric.Homes.Appends);
    }

    [Fact]
    public async Task Sums_that_are_no_coding_of_the_shards_get_nothing_stored()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        Standing standing = await WriteAsync(fabric, 1000);
        var sums = new Sum128[6];
        Array.ForEach([0, 1, 2, 3, 4], p => sums[p] = standing.Records[p].Header.ShardSum);
        RecordExtension wrong = ZeroStor.Erasure.ShardSums.ToExtension(sums);
        foreach (StoredShard record in standing.Records)
        {
            fabric.Homes.Put(fabric.Home(standing.Ref, record.Header.Place), record with
            {
                Header = record.Header with { SumsDigest = Sum128.Digest(sums) },
                Extensions = record.Extensions.IsEmpty ? [] : [wrong],
            });
        }

        fabric.Homes.Drop(standing.Id, 5);
        int appends = fabric.Homes.Appends;
        RepairTally tally = await fabric.Repair().RunAsync(standing.Group, Cancel);
        Assert.Equal((0, 1), (tally.ShardsRebuilt, tally.ShardsLeft));
        Assert.Equal(appends, fabric.Homes.Appends);
    }
}
