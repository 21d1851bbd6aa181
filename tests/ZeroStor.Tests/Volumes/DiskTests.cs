using System.Collections.Immutable;
using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

public sealed class DiskTests
{
    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(2048, false)]
    [InlineData(2049, true)]
    [InlineData(209_767, false)]
    [InlineData(209_767, true)]
    public async Task What_is_appended_is_read_again_now_after_a_stop_and_after_a_kill(int bytes, bool isBuffered)
    {
        await using var bed = new DiskBed(isBuffered: isBuffered);
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
    public async Task What_is_held_of_some_contents_is_told_in_pages_whatever_their_groups()
    {
        await using var bed = new DiskBed { LeavesDamage = true };
        ContentId[] asked = [.. Enumerable.Range(0, 3).Select(_ => ContentId.New(new Tick(3), bed.Entropy))];
        var expected = new List<ShardEntry>();
        for (int i = 0; i < 30; i++)
        {
            ContentId? content = i < 20 ? asked[i % 2] : null;
            TestShard shard = bed.NewShard(40, content: content, tick: (uint)(i * 77 % 13));
            shard = shard with { Header = shard.Header with { Group = new GroupId((uint)i % 4) } };
            TestShard twin = shard with { Header = shard.Header with { Place = 4 } };
            TestShard[] put = i % 3 == 0 ? [shard, twin] : [shard];
            foreach (TestShard one in put)
            {
                await bed.PutAsync(one);
                expected.AddRange(i < 20 ? [EntryOf(one)] : []);
            }
        }

        var told = new List<ShardEntry>();
        while (true)
        {
            ImmutableArray<ShardEntry> page =
                bed.Disk.Held(asked, told.Count > 0 ? told[^1].Stripe : default, 4);
            Assert.InRange(page.Length, 0, 5);
            if (page.IsEmpty)
            {
                break;
            }

            told.AddRange(page);
        }

        expected = [.. expected.OrderBy(e => e.Stripe).ThenBy(e => e.Place)];
        Assert.Equal(expected, told);
        Assert.Empty(bed.Disk.Held([asked[2]], default, 10));
        Assert.Empty(bed.Disk.Held([], default, 10));

        // Of a damaged one nothing is told.
        ShardLocation at = bed.Disk.Locate(expected[0].Stripe, expected[0].Place)!.Value;
        using (FileStream file = File.OpenWrite(bed.VolumeFiles()[0]))
        {
            file.Position = at.Offset;
            file.Write(new byte[10]);
        }

        ShardReadAnswer read = await bed.Disk.ReadAsync(
            expected[0].Stripe, expected[0].Place, 0, 40, false, DiskBed.Cancel);
        Assert.Equal(ErrorKind.Corrupt, read.Kind);
        Assert.Equal(expected[1..], bed.Disk.Held(asked, default, 100));
    }

    [Fact]
    public async Task The_places_are_told_of_which_there_are_shards()
    {
        await using var bed = new DiskBed();
        Assert.Empty(bed.Disk.Places());
        var put = new List<TestShard>();
        foreach ((uint group, byte place) in ((uint, byte)[])[(9, 1), (2, 5), (2, 0), (2, 5), (9, 1)])
        {
            TestShard shard = bed.NewShard(10, place);
            shard = shard with { Header = shard.Header with { Group = new GroupId(group) } };
            put.Add(await bed.PutAsync(shard));
        }

        Assert.Equal([(new(2), 0), (new(2), 5), (new(9), 1)], bed.Disk.Places());
        await bed.DropAsync(put[0], put[1], put[2]);
        Assert.Equal([(new(2), 5), (new(9), 1)], bed.Disk.Places());
        await bed.Disk.DisposeAsync();
        Assert.Equal(ErrorKind.DiskOffline, Assert.Throws<ZeroStorException>(() => bed.Disk.Places()).Kind);
    }

    [Fact]
    public async Task A_tick_that_was_noted_outlives_any_end()
    {
        await using var bed = new DiskBed();
        foreach (uint tick in (uint[])[7, 900, 901])
        {
            Assert.True((await bed.Disk.NoteTickAsync(new Tick(tick), DiskBed.Cancel)).IsDone);
            Assert.Equal(new Tick(tick), bed.Disk.HighestTick);
            bed.Crash();
            Assert.Equal(new Tick(tick), bed.Disk.HighestTick);
        }

        // A mark of something else does not lower it, and the mark that it makes is as good as any.
        await bed.PutNewAsync(tick: 30);
        Assert.True((await bed.Disk.NoteTickAsync(new Tick(902), DiskBed.Cancel)).IsDone);
        long marked = Disk.Peek(bed.Folder)!.DurableBytes;
        await bed.PutNewAsync(tick: 30);
        Assert.True((await bed.Disk.MarkAsync()).IsDone);
        Assert.InRange(marked, Volume.HeaderBytes + 1, Disk.Peek(bed.Folder)!.DurableBytes - 1);
        bed.Crash();
        Assert.Equal(new Tick(902), bed.Disk.Report().HighestTick);
        await bed.ReopenAsync();
        Assert.Equal(new Tick(902), bed.Disk.HighestTick);
    }

    [Fact]
    public async Task A_tick_that_is_not_above_the_highest_seen_costs_nothing()
    {
        await using var bed = new DiskBed();
        await bed.PutNewAsync(tick: 50);
        int syncs = bed.Files.Count(FileCall.Sync);
        Assert.True((await bed.Disk.NoteTickAsync(new Tick(50), DiskBed.Cancel)).IsDone);
        Assert.True((await bed.Disk.NoteTickAsync(new Tick(3), DiskBed.Cancel)).IsDone);
        Assert.Equal((syncs, new Tick(50)), (bed.Files.Count(FileCall.Sync), bed.Disk.HighestTick));
        Assert.True((await bed.Disk.NoteTickAsync(new Tick(51), DiskBed.Cancel)).IsDone);
        Assert.Equal(syncs + 1, bed.Files.Count(FileCall.Sync));
    }

    [Fact]
    public async Task A_disk_that_takes_no_writes_notes_no_tick()
    {
        await using var bed = new DiskBed();
        Assert.True((await bed.Disk.NoteTickAsync(new Tick(20), DiskBed.Cancel)).IsDone);
        bed.Files.Before = (call, _) => call == FileCall.Sync ? 5 : 0;
        Assert.Equal(ErrorKind.DiskFailed, (await bed.Disk.NoteTickAsync(new Tick(21), DiskBed.Cancel)).Kind);
        bed.Files.Before = (_, _) => 0;
        Assert.Equal(ErrorKind.DiskFailed, (await bed.Disk.NoteTickAsync(new Tick(22), DiskBed.Cancel)).Kind);
        Assert.Equal(new Tick(20), bed.Disk.HighestTick);
        Assert.Equal(DiskState.ReadOnly, bed.Disk.State);
        await bed.Disk.DisposeAsync();
        HomeAnswer closed = await bed.Disk.NoteTickAsync(new Tick(22), DiskBed.Cancel);
        Assert.Equal(ErrorKind.DiskOffline, closed.Kind);
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
            Assert.Equal(claim + 1, bed.Disk.DemandClaim(claim));
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
    public async Task Where_it_is_known_that_the_map_went_back_the_next_claim_is_above_all_there_were()
    {
        await using var bed = new DiskBed();
        await ClaimUpToAsync(bed, 5);
        AssertRefused(bed.Disk, 2);
        Assert.Equal(6u, bed.Disk.DemandClaim(2, mapWentBack: true));
        Assert.Equal(5u, bed.Disk.Claim);
        bed.Disk.TakeClaim(6);
        await bed.ReopenAsync();
        Assert.Equal(6u, bed.Disk.Claim);

        // From there on it goes as ever, also for who has not heard yet that all is well again.
        Assert.Equal(7u, bed.Disk.DemandClaim(6));
        bed.Disk.TakeClaim(7);
        Assert.Equal(8u, bed.Disk.DemandClaim(7, mapWentBack: true));
        bed.Disk.TakeClaim(8);
    }

    [Fact]
    public async Task A_crash_before_a_map_that_went_back_was_raised_is_let_in_again_under_a_higher_claim()
    {
        await using var bed = new DiskBed();
        await ClaimUpToAsync(bed, 5);
        for (uint granted = 6; granted < 10; granted++)
        {
            Assert.Equal(granted, bed.Disk.DemandClaim(2, mapWentBack: true));
            bed.Crash();
            Assert.Equal(5u, bed.Disk.Claim);
            AssertRefused(bed.Disk, 2);
        }

        Assert.Equal(10u, bed.Disk.DemandClaim(2, mapWentBack: true));
        bed.Disk.TakeClaim(10);
    }

    [Theory]
    [InlineData(false, 7)]
    [InlineData(true, 7)]
    public async Task A_crash_after_a_map_that_went_back_was_raised_is_let_in_again(
        bool mapWentBack, uint next)
    {
        await using var bed = new DiskBed();
        await ClaimUpToAsync(bed, 5);
        Assert.Equal(6u, bed.Disk.DemandClaim(2, mapWentBack: true));
        bed.Crash();
        Assert.Equal(next, bed.Disk.DemandClaim(6, mapWentBack));
        bed.Disk.TakeClaim(next);
    }

    [Theory]
    [InlineData(false, 7)]
    [InlineData(true, 9)]
    public async Task A_map_that_is_raised_only_after_the_disk_was_opened_again_shuts_it_out_of_nothing(
        bool mapWentBack, uint next)
    {
        await using var bed = new DiskBed();
        await ClaimUpToAsync(bed, 5);
        Assert.Equal(6u, bed.Disk.DemandClaim(2, mapWentBack: true));
        bed.Crash();

        // The compare-and-set to 6 is still under way, and wins while 7 and 8 are asked for.
        Assert.Equal(7u, bed.Disk.DemandClaim(2, mapWentBack: true));
        Assert.Equal(8u, bed.Disk.DemandClaim(2, mapWentBack: true));
        AssertRefused(bed.Disk, 9);
        Assert.Equal(next, bed.Disk.DemandClaim(6, mapWentBack));
        Assert.Equal(6u, bed.Disk.Claim);
        bed.Disk.TakeClaim(next);
    }

    [Fact]
    public async Task A_map_that_went_back_behind_a_claim_about_to_be_taken_grants_that_to_nobody()
    {
        await using var bed = new DiskBed();
        await ClaimUpToAsync(bed, 2);
        Assert.Equal(3u, bed.Disk.DemandClaim(2));

        // The map went to 3 here, the process died, and the catalog went back to 2.
        bed.Crash();
        Assert.Equal(4u, bed.Disk.DemandClaim(2, mapWentBack: true));
    }

    [Fact]
    public async Task A_copy_that_is_older_than_the_map_is_refused_also_where_the_map_went_back()
    {
        await using var bed = new DiskBed();
        await ClaimUpToAsync(bed, 2);
        await bed.Disk.DisposeAsync();
        string older = bed.Clone();
        await bed.ReopenAsync();
        await ClaimUpToAsync(bed, 5);
        Assert.Equal(6u, bed.Disk.DemandClaim(3, mapWentBack: true));
        bed.Disk.Abandon();
        string noted = bed.Clone();
        await bed.ReopenAsync();
        Assert.Equal(7u, bed.Disk.DemandClaim(3, mapWentBack: true));
        bed.Disk.TakeClaim(7);

        // One never came as far as the map, and of the other's claim and note the map is beyond.
        bed.Folder = older;
        await using Disk first = bed.Open();
        AssertRefused(first, 3, mapWentBack: true);
        AssertRefused(first, 7, mapWentBack: true);
        bed.Folder = noted;
        await using Disk second = bed.Open();
        AssertRefused(second, 7, mapWentBack: true);
        AssertRefused(second, 7);
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

    private static async Task ClaimUpToAsync(DiskBed bed, uint claim)
    {
        while (bed.Disk.Claim < claim)
        {
            bed.Disk.TakeClaim(bed.Disk.DemandClaim(bed.Disk.Claim));
            await bed.ReopenAsync();
        }
    }

    private static void AssertRefused(Disk disk, uint claimInMap, bool mapWentBack = false) => Assert.Equal(
        ErrorKind.PreconditionFailed,
        Assert.Throws<ZeroStorException>(() => disk.DemandClaim(claimInMap, mapWentBack)).Kind);

    private static ShardEntry EntryOf(TestShard shard) => new(
        shard.Header.Stripe,
        shard.Header.Place,
        shard.Header.Content,
        shard.Header.SumsDigest,
        shard.Header.Group);
}
