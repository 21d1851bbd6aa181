using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

public sealed class LocalHomesTests
{
    private static readonly DiskAddress Here = new(DiskBed.Id, 0);

    [Fact]
    public async Task Orders_reach_the_disk_they_name()
    {
        await using var bed = new DiskBed();
        var homes = Homes(bed);
        TestShard shard = bed.NewShard(place: 2);
        Assert.True((await AppendAsync(homes, bed, shard)).IsDone);
        ShardReadAnswer read = await homes.ReadAsync(ReadOrder(shard, Here), DiskBed.Cancel);
        Assert.Equal(shard.Payload, read.Payload.Span.ToArray());
        read.Payload.Release();
        Assert.Single(await homes.DigestsAsync(Here, DiskBed.Cancel));
        Assert.Single(await homes.ListAsync(Here, DiskBed.Group, default, 10, DiskBed.Cancel));
        Assert.NotNull(await homes.LocateAsync(Here, shard.Header.Stripe, 2, DiskBed.Cancel));
        Assert.Equal(1, (await homes.ReportAsync(Here, DiskBed.Cancel)).Shards);
        Assert.Equal(
            await homes.ListAsync(Here, DiskBed.Group, default, 10, DiskBed.Cancel),
            await homes.HeldAsync(Here, [shard.Header.Content], default, 10, DiskBed.Cancel));
        Assert.True((await homes.DropAsync(DropOrder(shard, Here, 42), DiskBed.Cancel)).IsDone);
        Assert.Equal(ErrorKind.NotFound, (await homes.ReadAsync(ReadOrder(shard, Here), DiskBed.Cancel)).Kind);
        Assert.True((await AppendAsync(homes, bed, shard)).IsDone);
        Assert.True((await homes.ReclaimAsync(Here, [shard.Header.Content], DiskBed.Cancel)).IsDone);
        Assert.Equal(ErrorKind.NotFound, (await homes.ReadAsync(ReadOrder(shard, Here), DiskBed.Cancel)).Kind);
    }

    [Theory]
    [InlineData(4u, (byte)2)]
    [InlineData(6u, (byte)2)]
    [InlineData(5u, (byte)1)]
    [InlineData(5u, (byte)200)]
    public async Task Another_epoch_or_place_than_the_maps_is_refused_with_its_version(uint epoch, byte place)
    {
        await using var bed = new DiskBed();
        HomeAnswer answer = await AppendAsync(Homes(bed), bed, bed.NewShard(place: place), epoch: epoch);
        Assert.Equal((ErrorKind.PreconditionFailed, 42), (answer.Kind, answer.MapVersion));
        Assert.Equal(0, bed.Disk.Report().Shards);
    }

    [Fact]
    public async Task An_order_of_a_later_epoch_has_the_map_read_before_it_is_refused()
    {
        await using var bed = new DiskBed();
        Place[] places = [.. Enumerable.Range(0, 6).Select(i => new Place(i == 2 ? DiskBed.Id : new DiskId(100 + (uint)i)))];
        var later = new PlacementGroup(DiskBed.Group, new ClassId(1), 6, [.. places]);
        var map = new StandingMap(new FabricMap(DiskBed.Fabric, 42, [], [], [later with { Epoch = 5 }]))
        {
            Newer = new FabricMap(DiskBed.Fabric, 43, [], [], [later]),
        };
        var homes = new LocalHomes(map);
        homes.Add(bed.Disk);
        Assert.True((await AppendAsync(homes, bed, bed.NewShard(place: 2), epoch: 6)).IsDone);
        Assert.Equal(43, (await AppendAsync(homes, bed, bed.NewShard(place: 2), epoch: 7)).MapVersion);
    }

    [Fact]
    public async Task A_group_that_the_map_does_not_know_is_refused()
    {
        await using var bed = new DiskBed();
        TestShard shard = bed.NewShard(place: 2);
        shard = shard with { Header = shard.Header with { Group = new GroupId(4) } };
        Assert.Equal(ErrorKind.PreconditionFailed, (await AppendAsync(Homes(bed), bed, shard)).Kind);
    }

    [Fact]
    public async Task Another_disk_or_claim_is_refused_by_every_order()
    {
        await using var bed = new DiskBed();
        bed.Disk.DemandClaim(0);
        bed.Disk.TakeClaim(1);
        var homes = Homes(bed);
        foreach ((DiskAddress to, ErrorKind kind) in ((DiskAddress, ErrorKind)[])
        [
            (new(new DiskId(8), 1), ErrorKind.DiskOffline),
            (new(DiskBed.Id, 0), ErrorKind.PreconditionFailed),
            (new(DiskBed.Id, 2), ErrorKind.DiskOffline),
        ])
        {
            TestShard shard = bed.NewShard(place: 2);
            Assert.Equal(kind, (await AppendAsync(homes, bed, shard, to)).Kind);
            Assert.Equal(kind, (await homes.ReadAsync(ReadOrder(shard, to), DiskBed.Cancel)).Kind);
            Assert.Equal(kind, (await homes.ReclaimAsync(to, [], DiskBed.Cancel)).Kind);
            Assert.Equal(kind, (await homes.DropAsync(DropOrder(shard, to, 42), DiskBed.Cancel)).Kind);
            await AssertThrowsAsync(
                kind, async () => await homes.HeldAsync(to, [], default, 1, DiskBed.Cancel));
            await AssertThrowsAsync(kind, async () => await homes.DigestsAsync(to, DiskBed.Cancel));
            await AssertThrowsAsync(kind, async () => await homes.ListAsync(to, default, default, 1, DiskBed.Cancel));
            await AssertThrowsAsync(kind, async () => await homes.LocateAsync(to, default, 0, DiskBed.Cancel));
            await AssertThrowsAsync(kind, async () => await homes.ReportAsync(to, DiskBed.Cancel));
        }
    }

    [Theory]
    [InlineData(41, ErrorKind.PreconditionFailed, 42)]
    [InlineData(42, ErrorKind.None, 0)]
    [InlineData(43, ErrorKind.None, 0)]
    public async Task A_drop_that_was_judged_by_an_older_map_is_refused_with_its_version(
        long judgedBy, ErrorKind kind, long told)
    {
        await using var bed = new DiskBed();
        TestShard shard = await bed.PutNewAsync();
        HomeAnswer answer = await Homes(bed).DropAsync(DropOrder(shard, Here, judgedBy), DiskBed.Cancel);
        Assert.Equal((kind, told), (answer.Kind, answer.MapVersion));
        Assert.Equal(answer.IsDone ? 0 : 1, bed.Disk.Report().Shards);
    }

    [Fact]
    public async Task A_drop_that_waited_until_the_map_changed_is_refused()
    {
        await using var bed = new DiskBed();
        TestShard shard = await bed.PutNewAsync();
        var map = new StandingMap(new FabricMap(DiskBed.Fabric, 42, [], [], []));
        var homes = new LocalHomes(map);
        homes.Add(bed.Disk);
        await bed.AsOneBatchAsync(
            async () =>
            {
                HomeAnswer answer = await homes.DropAsync(DropOrder(shard, Here, 42), DiskBed.Cancel);
                Assert.Equal((ErrorKind.PreconditionFailed, 43), (answer.Kind, answer.MapVersion));
                return HomeAnswer.Done;
            },
            () =>
            {
                map.Current = new FabricMap(DiskBed.Fabric, 43, [], [], []);
                return Task.FromResult(HomeAnswer.Done);
            });
        await bed.AssertHoldsAsync(shard);
    }

    [Fact]
    public async Task Disks_come_and_go_and_the_rest_is_closed_in_order()
    {
        await using var bed = new DiskBed();
        var homes = Homes(bed);
        Assert.Equal([bed.Disk], homes.All);
        Assert.Equal(ErrorKind.AlreadyExists, Assert.Throws<ZeroStorException>(() => homes.Add(bed.Disk)).Kind);
        Assert.True(homes.Remove(bed.Disk));
        Assert.False(homes.Remove(bed.Disk));
        Assert.Null(homes.Find(DiskBed.Id));
        Assert.Empty(homes.All);
        homes.Add(bed.Disk);
        await bed.PutNewAsync();
        await homes.DisposeAsync();
        Assert.Empty(homes.All);
        Assert.True(Disk.Peek(bed.Folder)!.IsClean);
    }

    private static LocalHomes Homes(DiskBed bed)
    {
        // The disk is home of place 2 alone, in epoch 5.
        Place[] places = [.. Enumerable.Range(0, 6).Select(i => new Place(i == 2 ? DiskBed.Id : new DiskId(100 + (uint)i)))];
        var group = new PlacementGroup(DiskBed.Group, new ClassId(1), 5, [.. places]);
        var homes = new LocalHomes(new StandingMap(new FabricMap(DiskBed.Fabric, 42, [], [], [group])));
        homes.Add(bed.Disk);
        return homes;
    }

    private static async Task<HomeAnswer> AppendAsync(
        LocalHomes homes, DiskBed bed, TestShard shard, DiskAddress? to = null, uint epoch = 5)
    {
        BufferSlice payload = bed.Pool.RentSlice(shard.Payload.Length);
        shard.Payload.CopyTo(payload.Span);
        HomeAnswer answer = await homes.AppendAsync(
            new ShardAppend { To = to ?? Here, Epoch = epoch, Header = shard.Header, Payload = payload },
            DiskBed.Cancel);
        payload.Release();
        return answer;
    }

    private static ShardReadOrder ReadOrder(TestShard shard, DiskAddress to) => new()
    {
        To = to,
        Stripe = shard.Header.Stripe,
        Place = shard.Header.Place,
        Length = shard.Payload.Length,
    };

    private static ShardDrop DropOrder(TestShard shard, DiskAddress to, long mapVersion) =>
        new() { To = to, MapVersion = mapVersion, Shards = [shard.Header.Name] };

    private static async Task AssertThrowsAsync(ErrorKind kind, Func<Task> call) =>
        Assert.Equal(kind, (await Assert.ThrowsAsync<ZeroStorException>(call)).Kind);

    private sealed class StandingMap(FabricMap map) : IFabricMap
    {
        public FabricMap Current { get; set; } = map;

        public Tick Tick => default;

        /// <summary>What a refresh finds; null: nothing newer.</summary>
        public FabricMap? Newer { get; init; }

        public ValueTask<FabricMap> RefreshAsync(long atLeastVersion, CancellationToken cancel) =>
            new(Current = Newer ?? Current);
    }
}
