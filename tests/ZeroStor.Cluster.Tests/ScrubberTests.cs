using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Doors;
using ZeroStor.Grains;
using ZeroStor.Volumes;

namespace ZeroStor.Cluster.Tests;

/// <summary>The scrubber on one real disk, with a clock that stands still unless it is moved.</summary>
public sealed class ScrubberTests : IAsyncLifetime
{
    private const int ShardBytes = 256 * 1024;
    private const int Shards = 12;

    private static readonly DiskId Id = new(1);

    private readonly TemporaryFolder _folder = new() { LeavesDamage = true };
    private readonly FakeTimeProvider _time = new();
    private readonly Counters _counters = new();
    private readonly LocalHomes _homes = new(new NoMap());
    private readonly List<ShardHeader> _headers = [];
    private Disk _disk = null!;
    private Scrubber _scrubber = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Disk.Format(_folder.Path, new FabricId(1), Id, SystemEntropy.Instance);
        _disk = Disk.Open(_folder.Path, new DiskOptions(), SystemEntropy.Instance, TimeProvider.System);
        _homes.Add(_disk);
        for (int i = 0; i < Shards; i++)
        {
            await AppendAsync();
        }

        _scrubber = new Scrubber(
            new ZeroStorOptions { ScrubMaxMiBPerSecond = 1, ScrubPeriodDays = 0 },
            _homes,
            _counters,
            _time,
            NullLogger<Scrubber>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        await _scrubber.DisposeAsync();
        await _homes.DisposeAsync();
        _counters.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task An_asked_for_pass_hurries_the_one_under_way_and_reads_all_again()
    {
        Task round = _scrubber.RoundAsync(Cancel);
        _time.Advance(TimeSpan.FromSeconds(1));
        await Eventually.HoldsAsync(
            () => Task.FromResult(_disk.ScrubProgress.Shards > 0), "the background has begun");

        // It rots behind the background, which is held up for want of time.
        Rot(0);
        Assert.False(round.IsCompleted);
        var order = new ScrubOrder { Name = 7, Disks = [Id] };
        Assert.False(Assert.Single(_scrubber.Begin(order)).IsEnded);
        Assert.True(_scrubber.Of(Id).IsScrubbing);

        // Who waits for the pace looks again within half a second: too short for all at the old one.
        _time.Advance(TimeSpan.FromSeconds(0.5));
        await round.WaitAsync(TimeSpan.FromSeconds(60), Cancel);
        DiskScrub end = await EndedAsync(order);
        Assert.Equal(("", Shards, 1), (end.Failure, (int)end.Shards, (int)end.Bad));
        Assert.Equal(end.TotalBytes, end.Bytes);
        Assert.Equal(_time.GetUtcNow(), _scrubber.Of(Id).LastEnded);
        Assert.Equal(2 * Shards, _counters.Snapshot()["shardsScrubbed"]);
        Assert.Equal(1, _counters.Snapshot()["shardsRotten"]);
    }

    [Fact]
    public async Task What_a_read_met_first_counts_as_found_once()
    {
        Rot(3);
        Rot(5);
        using var cancelled = new CancellationTokenSource();
        Task round = _scrubber.RoundAsync(cancelled.Token);
        var order = new ScrubOrder { Name = 8, Disks = [Id] };
        _scrubber.Begin(order);
        ShardReadAnswer read = await _disk.ReadAsync(
            _headers[5].Stripe, _headers[5].Place, 0, ShardBytes, false, Cancel);
        Assert.Equal(ErrorKind.Corrupt, read.Kind);
        _time.Advance(TimeSpan.FromSeconds(0.5));
        await round.WaitAsync(TimeSpan.FromSeconds(60), Cancel);
        Assert.Equal(2, (await EndedAsync(order)).Bad);
    }

    [Fact]
    public async Task An_order_begins_once_and_a_later_one_anew()
    {
        var order = new ScrubOrder { Name = 9, Disks = [Id] };
        _scrubber.Begin(order);
        await EndedAsync(order);
        Rot(2);
        Assert.Equal((true, 0L), (_scrubber.Begin(order)[0].IsEnded, _scrubber.Begin(order)[0].Bad));
        ScrubOrder later = order with { Name = 10 };
        _scrubber.Begin(later);
        Assert.Equal(1, (await EndedAsync(later)).Bad);
    }

    [Fact]
    public async Task After_what_was_asked_for_the_background_goes_on_at_its_pace()
    {
        var order = new ScrubOrder { Name = 11, Disks = [Id] };
        _scrubber.Begin(order);
        await EndedAsync(order);
        Task round = _scrubber.RoundAsync(Cancel);
        for (int i = 0; i < 10 && !round.IsCompleted; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Eventually.HoldsAsync(
                () => Task.FromResult(round.IsCompleted || _disk.ScrubProgress.Shards >= Math.Min(Shards, (i + 1) * 4)),
                "a second lets a mebibyte through");
        }

        await round.WaitAsync(TimeSpan.FromSeconds(60), Cancel);
        Assert.Equal(2 * Shards, _counters.Snapshot()["shardsScrubbed"]);
    }

    [Fact]
    public async Task A_disk_that_is_not_open_fails_its_pass_with_a_sentence_and_orders_are_bounded()
    {
        var order = new ScrubOrder { Name = 12, Disks = [new DiskId(99), Id] };
        _scrubber.Begin(order);
        await Eventually.HoldsAsync(
            () => Task.FromResult(_scrubber.Progress(order).All(d => d.IsEnded)), "both have ended");
        Assert.Contains("zs disk show 99", _scrubber.Progress(order)[0].Failure, StringComparison.Ordinal);
        Assert.Equal("", _scrubber.Progress(order)[1].Failure);

        // One that the standing clock holds up, and orders behind it.
        Task round = _scrubber.RoundAsync(Cancel);
        for (uint i = 0; i < 16; i++)
        {
            _scrubber.Begin(new ScrubOrder { Name = 100 + i, Disks = [Id] });
        }

        Assert.Equal(
            ErrorKind.Busy,
            Assert.Throws<ZeroStorException>(() => _scrubber.Begin(order with { Name = 200 })).Kind);
        _time.Advance(TimeSpan.FromSeconds(0.5));
        await round.WaitAsync(TimeSpan.FromSeconds(60), Cancel);
        await EndedAsync(new ScrubOrder { Name = 115, Disks = [Id] });
    }

    [Fact]
    public async Task The_background_reads_what_is_due_and_after_a_restart_goes_on()
    {
        const uint periodTicks = 30 * 24 * 60;
        _time.Advance(TimeSpan.FromSeconds(1));
        await RoundOfPeriodAsync();
        Assert.Equal(0, _counters.Snapshot()["shardsScrubbed"]);
        await _disk.NoteTickAsync(new Tick(1 + (periodTicks / 2)), Cancel);
        await RoundOfPeriodAsync();
        long half = _counters.Snapshot()["shardsScrubbed"];
        Assert.InRange(half, 4, 8);
        Assert.Null(_scrubber.Of(Id).LastEnded);
        Assert.True(_homes.Remove(_disk));
        await _disk.DisposeAsync();
        _disk = Disk.Open(_folder.Path, new DiskOptions(), SystemEntropy.Instance, TimeProvider.System);
        _homes.Add(_disk);
        Assert.InRange(_disk.ScrubPass.Share, 0.3, 0.7);
        await _disk.NoteTickAsync(new Tick(1 + periodTicks), Cancel);
        await RoundOfPeriodAsync();
        Assert.Equal(Shards, _counters.Snapshot()["shardsScrubbed"]);
        Assert.NotNull(_scrubber.Of(Id).LastEnded);
        Assert.Equal(new Tick(1 + periodTicks), _disk.ScrubPass.LastEnded);
    }

    private async Task RoundOfPeriodAsync()
    {
        var options = new ZeroStorOptions { ScrubMaxMiBPerSecond = 1000 };
        await _scrubber.DisposeAsync();
        _scrubber = new Scrubber(options, _homes, _counters, _time, NullLogger<Scrubber>.Instance);
        Task round = _scrubber.RoundAsync(Cancel);
        while (!round.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }

        await round;
    }

    private async Task<DiskScrub> EndedAsync(ScrubOrder order)
    {
        await Eventually.HoldsAsync(
            () => Task.FromResult(_scrubber.Progress(order)[0].IsEnded), "the asked-for pass has ended");
        return _scrubber.Progress(order)[0];
    }

    private void Rot(int shard)
    {
        ShardLocation at = _disk.Locate(_headers[shard].Stripe, _headers[shard].Place)!.Value;
        Cluster.Tests.Rot.Flip(Path.Combine(_folder.Path, at.File), at.Offset + (at.Length / 2));
    }

    private async Task AppendAsync()
    {
        BufferSlice payload = BufferPool.Shared.RentSlice(ShardBytes);
        RandomNumberGenerator.Fill(payload.Span);
        var stripe = StripeId.New(new Tick(1), SystemEntropy.Instance);
        var header = new ShardHeader
        {
            Stripe = stripe,
            Content = ContentId.New(new Tick(1), SystemEntropy.Instance),
            Vault = VaultId.New(SystemEntropy.Instance),
            Seal = new SealId(stripe.Value),
            Group = new GroupId(1),
            Place = 0,
            Code = new Code(4, 2),
            Ordinal = 0,
            ContentBytes = 4 * ShardBytes,
            SealedBytes = 4 * ShardBytes,
            ShardBytes = ShardBytes,
            Tick = new Tick(1),
            ShardSum = Sum128.Of(payload.Span),
            SumsDigest = default,
        };
        Assert.True((await _disk.AppendAsync(header, [], payload, Cancel)).IsDone);
        payload.Release();
        _headers.Add(header);
    }

    private sealed class NoMap : IFabricMap
    {
        public FabricMap Current { get; } = new(new FabricId(1), 1, [], [], []);

        public Tick Tick => default;

        public ValueTask<FabricMap> RefreshAsync(long atLeastVersion, CancellationToken cancel) => new(Current);
    }
}
