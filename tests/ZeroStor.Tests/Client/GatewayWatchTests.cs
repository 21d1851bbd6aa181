using System.Collections.Immutable;
using Microsoft.Extensions.Time.Testing;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Tests.Client;

public sealed class GatewayWatchTests
{
    private static readonly ImmutableArray<SiloGateway> Four =
        [new("a", "127.0.0.1:1"), new("b", "127.0.0.1:2"), new("c", "127.0.0.1:3"), new("d", "127.0.0.1:4")];

    private static readonly CancellationToken None = CancellationToken.None;

    private readonly FakeTimeProvider _time = new();
    private readonly FakeFabric _fake = new();
    private readonly HashSet<string> _hung = [];
    private readonly GatewayList _list;
    private readonly GatewayWatch _watch;

    public GatewayWatchTests()
    {
        // As Orleans does: each call goes through the next of those that the list names.
        int turn = 0;
        _fake.NextSilo = () =>
        {
            Uri[] live = [.. _list!.GetGateways().GetAwaiter().GetResult()];
            Uri next = live[turn++ % live.Length];
            return Four.Single(g => g.Address == $"{next.Host}:{next.Port}").Silo;
        };
        _list = new GatewayList(Four.Select(g => g.Address), _time);
        _watch = new GatewayWatch(_fake, _list, _time);
        _fake.Through = async (silo, cancel) =>
        {
            if (_hung.Contains(silo))
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, cancel);
            }
        };
    }

    [Fact]
    public Task One_that_hangs_is_passed_over_for_a_while_and_then_tried_again() => PassingTime.InTurnsAsync(async () =>
    {
        _hung.Add("b");
        await LookAsync();
        Assert.True(_watch.IsSilent("b"));
        Assert.False(_watch.IsSilent("a"));
        Assert.Equal(["1", "3", "4"], await PortsAsync());
        _time.Advance(TimeSpan.FromSeconds(16));
        Assert.False(_watch.IsSilent("b"));
        Assert.Equal(["1", "2", "3", "4"], await PortsAsync());

        // It hangs still: it is passed over for longer.
        await LookAsync();
        _time.Advance(TimeSpan.FromSeconds(16));
        Assert.True(_watch.IsSilent("b"));
        Assert.Equal(["1", "3", "4"], await PortsAsync());
        _time.Advance(TimeSpan.FromSeconds(16));

        // It goes on: what was held against it is forgotten.
        _hung.Clear();
        await LookAsync();
        _hung.Add("b");
        await LookAsync();
        _time.Advance(TimeSpan.FromSeconds(16));
        Assert.False(_watch.IsSilent("b"));
    });

    [Fact]
    public Task Where_most_are_silent_it_is_this_side_that_is_slow() => PassingTime.InTurnsAsync(async () =>
    {
        _hung.UnionWith(["a", "b", "c"]);
        await LookAsync();
        Assert.DoesNotContain(Four, g => _watch.IsSilent(g.Silo));
        Assert.Equal(4, (await PortsAsync()).Length);
    });

    [Fact]
    public Task Silos_that_are_reached_by_other_addresses_than_their_own_are_left_alone() =>
        PassingTime.InTurnsAsync(async () =>
    {
        _hung.Add("b");
        await _list.GetGateways();
        Task look = _watch.LookAsync([.. Four.Select(g => g with { Address = "10.0.0.1:7" })], None);
        await _time.AdvanceAsync(() => look.IsCompleted, stepSeconds: 0.001);
        Assert.False(_watch.IsSilent("b"));
        Assert.Equal(4, (await PortsAsync()).Length);
    });

    [Fact]
    public Task A_gateway_that_no_silo_has_any_more_is_passed_over() => PassingTime.InTurnsAsync(async () =>
    {
        // The fabric voted it out, and it hangs on.
        _hung.Add("b");
        await _list.GetGateways();
        Task look = _watch.LookAsync([.. Four.Where(g => g.Silo != "b")], None);
        await _time.AdvanceAsync(() => look.IsCompleted, stepSeconds: 0.001);
        Assert.Equal(["1", "3", "4"], await PortsAsync());
    });

    [Fact]
    public Task However_many_want_a_look_there_is_one() => PassingTime.InTurnsAsync(async () =>
    {
        await _list.GetGateways();
        _hung.Add("b");
        Task[] looks = [.. Enumerable.Range(0, 10).Select(_ => _watch.LookAsync(Four, None))];
        await _time.AdvanceAsync(() => looks.All(l => l.IsCompleted), stepSeconds: 0.001);
        Assert.Equal(2 * Four.Length, _fake.Count("silo"));
    });

    private async Task LookAsync()
    {
        await _list.GetGateways();
        Task look = _watch.LookAsync(Four, None);
        await _time.AdvanceAsync(() => look.IsCompleted, stepSeconds: 0.001);
    }

    private async Task<string[]> PortsAsync() =>
        [.. (await _list.GetGateways()).Select(g => $"{g.Port}").Order()];
}
