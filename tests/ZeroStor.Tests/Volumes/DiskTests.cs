using System.Collections.Immutable;
using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

public sealed class DiskTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2048)]
    [InlineData(2049)]
    [InlineData(209_767)]
    public async Task What_is_appended_is_read_again_now_after_a_stop_and_after_a_kill(int bytes)
    {
        await using var bed = new DiskBed();
        TestShard shard = bed.NewShard(bytes) with
        {
            Extensions =
            [
                new(ExtensionType.ShardSums, new byte[] { 1, 2, 3 }),
                new((ExtensionType)999, Array.Empty<byte>()),
                new(ExtensionType.Manifest, new byte[5000]),
            ],
        };
        await bed.PutAsync(shard);
        await bed.AssertHoldsAsync(shard);
        await bed.ReopenAsync();
        await bed.AssertHoldsAsync(shard);
        bed.Crash();
        await bed.AssertHoldsAsync(shard);
        Assert.Equal(0, bed.Disk.BadRecords);
    }

    [Fact]
    public async Task A_second_opening_is_refused_until_the_first_is_closed()
    {
        await using var bed = new DiskBed();
        Assert.Equal(ErrorKind.Busy, Assert.Throws<ZeroStorException>(() => bed.Open().Abandon()).Kind);
        await bed.ReopenAsync();
        await bed.PutNewAsync();
    }

    [Fact]
    public async Task A_record_too_large_for_any_volume_is_refused()
    {
        await using var bed = new DiskBed();
        TestShard shard = bed.NewShard() with
        {
            Extensions = [new(ExtensionType.Manifest, new byte[RecordFormat.MaxRecordBytes])],
        };
        ZeroStorException refused = await Assert.ThrowsAsync<ZeroStorException>(() => bed.AppendAsync(shard));
        Assert.Equal(ErrorKind.InvalidArgument, refused.Kind);
    }

    [Fact]
    public async Task Digests_are_equal_exactly_where_the_stripes_are()
    {
        await using var one = new DiskBed(seed: 1);
        await using var two = new DiskBed(seed: 2);
        TestShard[] shards = [.. Enumerable.Range(0, 30).Select(i => one.NewShard(50, tick: (uint)(i * 200)))];
        foreach (TestShard shard in shards)
        {
            await one.PutAsync(shard);
        }

        // Another place of each stripe, in another order, with something more that dies again.
        TestShard extra = await two.PutNewAsync(tick: 300);
        foreach (TestShard shard in shards.Reverse())
        {
            await two.PutAsync(shard with { Header = shard.Header with { Place = 5 } });
        }

        Assert.NotEqual(one.Disk.Digests(), two.Disk.Digests());
        await two.Disk.ReclaimAsync([extra.Header.Content], DiskBed.Cancel);
        Assert.Equal(one.Disk.Digests().AsEnumerable(), two.Disk.Digests());
        Assert.Equal(6, one.Disk.Digests().Length);
        Assert.Equal(30, one.Disk.Digests().Sum(d => d.Count));
        await two.ReopenAsync();
        Assert.Equal(one.Disk.Digests().AsEnumerable(), two.Disk.Digests());

        // The same stripe with other sums is another.
        await one.Disk.ReclaimAsync([shards[0].Header.Content], DiskBed.Cancel);
        await one.PutAsync(shards[0] with
        {
            Header = shards[0].Header with { SumsDigest = new Sum128(1, 2), Place = 1 },
        });
        Assert.NotEqual(one.Disk.Digests().AsEnumerable(), two.Disk.Digests());
    }

    [Fact]
    public async Task Listings_page_through_a_group_in_order()
    {
        await using var bed = new DiskBed();
        var expected = new List<ShardEntry>();
        for (int i = 0; i < 25; i++)
        {
            TestShard shard = await bed.PutNewAsync(40, tick: (uint)(i * 77 % 13));
            expected.Add(EntryOf(shard));
            if (i % 3 == 0)
            {
                TestShard twin = shard with { Header = shard.Header with { Place = 4 } };
                expected.Add(EntryOf(await bed.PutAsync(twin)));
            }
        }

        TestShard foreign = bed.NewShard();
        await bed.PutAsync(foreign with { Header = foreign.Header with { Group = new GroupId(99) } });
        var listed = new List<ShardEntry>();
        while (true)
        {
            StripeId after = listed.Count > 0 ? listed[^1].Stripe : default;
            ImmutableArray<ShardEntry> page = bed.Disk.List(DiskBed.Group, after, 4);
            Assert.InRange(page.Length, 0, 5);
            if (page.IsEmpty)
            {
                break;
            }

            listed.AddRange(page);
        }

        Assert.Equal(expected.OrderBy(e => e.Stripe).ThenBy(e => e.Place), listed);
    }

    [Fact]
    public async Task A_reclaim_takes_all_shards_of_its_contents_and_nothing_else()
    {
        await using var bed = new DiskBed();
        ContentId content = ContentId.New(new Tick(3), bed.Entropy);
        TestShard[] dying = [await bed.PutNewAsync(100, content), await bed.PutNewAsync(5000, content)];
        TestShard living = await bed.PutNewAsync();
        Assert.True((await bed.Disk.ReclaimAsync([content], DiskBed.Cancel)).IsDone);
        await bed.AssertLacksAsync(dying[0]);
        DiskReport report = bed.Disk.Report();
        Assert.Equal((1, RecordFormat.HeaderBytes + 1000), (report.Shards, report.LiveBytes));

        // What is not there costs nothing.
        int writes = bed.Files.Count(FileCall.Write);
        Assert.True((await bed.Disk.ReclaimAsync([content, new ContentId(5)], DiskBed.Cancel)).IsDone);
        Assert.Equal(writes, bed.Files.Count(FileCall.Write));
        bed.Crash();
        await bed.AssertLacksAsync(dying[0]);
        await bed.AssertLacksAsync(dying[1]);
        await bed.AssertHoldsAsync(living);
    }

    [Fact]
    public async Task Claims_go_up_by_what_the_map_grants()
    {
        await using var bed = new DiskBed();
        for (uint claim = 0; claim < 3; claim++)
        {
            bed.Disk.DemandClaim(claim);
            Assert.Equal(claim, bed.Disk.Claim);
            bed.Disk.TakeClaim(claim + 1);
            Assert.Equal(claim + 1, bed.Disk.Claim);
            await bed.ReopenAsync();
            Assert.Equal(claim + 1, bed.Disk.Claim);
        }
    }

    [Fact]
    public async Task A_crash_between_the_map_and_the_taking_is_let_in_again()
    {
        await using var bed = new DiskBed();
        bed.Disk.DemandClaim(0);

        // The map went to 1 here, and the process died.
        bed.Crash();
        Assert.Equal(0u, bed.Disk.Claim);
        bed.Disk.DemandClaim(1);
        bed.Crash();
        bed.Disk.DemandClaim(2);
        bed.Disk.TakeClaim(3);

        // One that died before the map was raised shows what the map shows.
        bed.Disk.DemandClaim(3);
        bed.Crash();
        bed.Disk.DemandClaim(3);
        bed.Disk.TakeClaim(4);
    }

    [Fact]
    public async Task A_copy_of_the_folder_is_refused_once_the_original_went_on()
    {
        await using var bed = new DiskBed();
        bed.Disk.DemandClaim(0);
        bed.Disk.TakeClaim(1);
        await bed.Disk.DisposeAsync();
        string clone = bed.Clone();
        await bed.ReopenAsync();
        bed.Disk.DemandClaim(1);
        bed.Disk.TakeClaim(2);

        bed.Folder = clone;
        await using Disk copy = bed.Open();
        ZeroStorException refused = Assert.Throws<ZeroStorException>(() => copy.DemandClaim(2));
        Assert.Equal(ErrorKind.PreconditionFailed, refused.Kind);
        Assert.Contains("copy of disk 7 as of claim 1", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_map_that_went_back_is_refused()
    {
        await using var bed = new DiskBed();
        bed.Disk.DemandClaim(0);
        bed.Disk.TakeClaim(1);
        Assert.Equal(
            ErrorKind.PreconditionFailed, Assert.Throws<ZeroStorException>(() => bed.Disk.DemandClaim(0)).Kind);
    }

    [Fact]
    public async Task A_claim_that_was_not_demanded_is_not_taken()
    {
        await using var bed = new DiskBed();
        Assert.Equal(
            ErrorKind.PreconditionFailed, Assert.Throws<ZeroStorException>(() => bed.Disk.TakeClaim(1)).Kind);
    }

    [Fact]
    public async Task A_claim_that_cannot_be_noted_ends_the_writing()
    {
        await using var bed = new DiskBed();
        bed.Files.Before = (call, _) => call == FileCall.Sync ? 5 : 0;
        Assert.Equal(ErrorKind.DiskFailed, Assert.Throws<ZeroStorException>(() => bed.Disk.DemandClaim(0)).Kind);
        bed.Files.Before = (_, _) => 0;
        Assert.Equal(DiskState.ReadOnly, bed.Disk.State);
    }

    private static ShardEntry EntryOf(TestShard shard) => new(
        shard.Header.Stripe, shard.Header.Place, shard.Header.Content, shard.Header.SumsDigest, shard.Header.Group);
}
