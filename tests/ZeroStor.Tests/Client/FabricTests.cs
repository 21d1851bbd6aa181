using System.Reflection;
using Microsoft.Extensions.Time.Testing;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Tests.Client;

public sealed class FabricTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Coordinators_are_picked_by_chance_and_not_the_one_that_failed()
    {
        Fabric fabric = new FakeFabric().Connect();
        var picked = new HashSet<string>();
        CoordinatorInfo first = await fabric.PickAsync(null, None);
        for (int i = 0; i < 100; i++)
        {
            CoordinatorInfo one = await fabric.PickAsync(first, None);
            Assert.NotEqual(first.Key, one.Key);
            picked.Add(one.Key);
        }

        Assert.Equal(2, picked.Count);
    }

    [Fact]
    public async Task The_near_silo_is_preferred_while_it_works()
    {
        var fake = new FakeFabric();
        Fabric fabric = fake.Connect(configure: o => o.NearSilo = "b");
        Assert.Equal("b/3", (await fabric.PickAsync(null, None)).Key);
        fake.Before = (door, _, _) =>
            door == "b/3" ? throw new SiloUnavailableException("b") : Task.CompletedTask;
        await Assert.ThrowsAsync<ZeroStorException>(async () => await AskAsync(fabric, None));
        Assert.Equal("a", (await fabric.PickAsync(null, None)).Silo);
    }

    [Fact]
    public async Task One_that_failed_is_avoided_for_a_while_and_then_asked_again()
    {
        var fake = new FakeFabric();
        var time = new FakeTimeProvider();
        Fabric fabric = fake.Connect(time, o => o.NearSilo = "b");
        fake.Before = (door, _, _) => door == "b/3" ? throw new TimeoutException() : Task.CompletedTask;
        await Assert.ThrowsAsync<ZeroStorException>(async () => await AskAsync(fabric, None));
        Assert.Equal("a", (await fabric.PickAsync(null, None)).Silo);
        time.Advance(TimeSpan.FromSeconds(16));
        Assert.Equal("b", (await fabric.PickAsync(null, None)).Silo);
    }

    [Fact]
    public async Task A_refusal_is_no_reason_to_avoid_anybody()
    {
        var fake = new FakeFabric();
        Fabric fabric = fake.Connect(configure: o => o.NearSilo = "b");
        fake.Before = (door, _, _) => door == "b/3"
            ? throw new ZeroStorException(ErrorKind.Busy, "full")
            : Task.CompletedTask;
        await Assert.ThrowsAsync<ZeroStorException>(async () => await AskAsync(fabric, None));
        Assert.Equal("b", (await fabric.PickAsync(null, None)).Silo);
    }

    [Fact]
    public async Task A_fabric_without_disks_is_unavailable_and_asked_again_at_once()
    {
        var fake = new FakeFabric();
        fake.Coordinators.Clear();
        Fabric fabric = fake.Connect();
        ZeroStorException failure = await Assert.ThrowsAsync<ZeroStorException>(
            async () => await fabric.PickAsync(null, None));
        Assert.Equal(ErrorKind.Unavailable, failure.Kind);
        fake.Coordinators["c/9"] = "c";
        Assert.Equal("c/9", (await fabric.PickAsync(null, None)).Key);
    }

    [Fact]
    public async Task The_route_is_asked_once_a_minute_by_however_many()
    {
        var fake = new FakeFabric();
        var time = new FakeTimeProvider();
        Fabric fabric = fake.Connect(time);
        await Task.WhenAll(Enumerable.Range(0, 50).Select(async _ => await fabric.PickAsync(null, None)));
        Assert.Equal(1, fake.Count("route"));
        time.Advance(TimeSpan.FromSeconds(61));
        await fabric.PickAsync(null, None);
        Assert.Equal(2, fake.Count("route"));
    }

    [Fact]
    public async Task A_vault_is_described_once_until_it_is_forgotten()
    {
        var fake = new FakeFabric();
        Fabric fabric = fake.Connect();
        await fabric.ObjectsAsync(FakeFabric.VaultName, "k", None);
        await fabric.ObjectsAsync(FakeFabric.VaultName, "l", None);
        Assert.Equal(1, fake.Count("describe"));
        fabric.ForgetVault(FakeFabric.VaultName);
        await fabric.ObjectsAsync(FakeFabric.VaultName, "k", None);
        Assert.Equal(2, fake.Count("describe"));
    }

    [Theory]
    [InlineData(typeof(TimeoutException), ErrorKind.Unavailable)]
    [InlineData(typeof(OperationCanceledException), ErrorKind.Unavailable)]
    [InlineData(typeof(SiloUnavailableException), ErrorKind.Unavailable)]
    [InlineData(typeof(OrleansMessageRejectionException), ErrorKind.Unavailable)]
    [InlineData(typeof(GatewayTooBusyException), ErrorKind.Busy)]
    [InlineData(typeof(InvalidOperationException), ErrorKind.Unavailable)]
    public void Whatever_a_call_throws_becomes_one_sentence_of_a_kind(Type type, ErrorKind kind)
    {
        var thrown = (Exception)Activator.CreateInstance(
            type,
            BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic,
            null,
            ["first line\nsecond line"],
            null)!;
        ZeroStorException failure = Failures.Translate(thrown, "reading 'v/k'");
        Assert.Equal(kind, failure.Kind);
        Assert.Same(thrown, failure.InnerException);
        Assert.Contains("while reading 'v/k'", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
    }

    [Fact]
    public async Task A_call_that_hangs_is_bounded_and_one_the_caller_left_is_cancelled()
    {
        var time = new FakeTimeProvider();
        Fabric fabric = new FakeFabric().Connect(time);
        var never = new TaskCompletionSource<int>();
        Task<int> hung = fabric.OnceAsync("waiting", _ => never.Task, None);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(ErrorKind.Unavailable, (await Assert.ThrowsAsync<ZeroStorException>(() => hung)).Kind);
        using var stop = new CancellationTokenSource();
        Task<int> left = fabric.OnceAsync("waiting", _ => never.Task, stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
    }

    [Fact]
    public async Task Patience_grows_its_delays_to_a_cap_and_ends()
    {
        var time = new FakeTimeProvider();
        var patience = new Patience(time, new SeededEntropy(1), TimeSpan.FromSeconds(20));
        long start = time.GetTimestamp();
        var delays = new List<TimeSpan>();
        while (true)
        {
            long before = time.GetTimestamp();
            Task<bool> wait = patience.WaitAsync(None).AsTask();
            while (!wait.IsCompleted)
            {
                time.Advance(TimeSpan.FromMilliseconds(1));
            }

            if (!await wait)
            {
                break;
            }

            delays.Add(time.GetElapsedTime(before));
        }

        Assert.InRange(delays[0], TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(21));
        Assert.InRange(delays.Max(), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2.01));
        Assert.InRange(time.GetElapsedTime(start), TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(20.1));
    }

    [Fact]
    public Task A_call_that_a_gateway_swallows_is_made_again_through_another() => PassingTime.InTurnsAsync(async () =>
    {
        var time = new FakeTimeProvider();
        (FakeFabric fake, GatewayList list) = await OfTwoSilosOneHangsAsync(time);
        Fabric fabric = fake.Connect(time, o => o.NearSilo = "a", list);
        await fabric.PickAsync(null, None);
        fake.Before = (_, method, cancel) => method == "open-put" && fake.Count(method) == 1
            ? Task.Delay(Timeout.InfiniteTimeSpan, cancel)
            : Task.CompletedTask;
        Task asked = AskAsync(fabric, None);
        await time.AdvanceAsync(() => fake.Count("open-put") > 1, stepSeconds: 0.001);
        await asked;
        Assert.Equal(2, fake.Count("open-put"));
        Assert.Equal(["127.0.0.1:1"], (await list.GetGateways()).Select(g => $"{g.Host}:{g.Port}"));
    });

    [Fact]
    public Task A_coordinator_whose_silo_hangs_is_given_up_before_the_fabric_knows_and_not_picked() =>
        PassingTime.InTurnsAsync(async () =>
    {
        var time = new FakeTimeProvider();
        (FakeFabric fake, GatewayList list) = await OfTwoSilosOneHangsAsync(time);
        fake.Before = (door, _, cancel) =>
            door == "b/3" ? Task.Delay(Timeout.InfiniteTimeSpan, cancel) : Task.CompletedTask;
        Fabric fabric = fake.Connect(time, o => o.NearSilo = "b", list);
        Task asked = AskAsync(fabric, None);
        await time.AdvanceAsync(() => asked.IsCompleted, stepSeconds: 0.001);
        Assert.Equal(ErrorKind.Unavailable, (await Assert.ThrowsAsync<ZeroStorException>(() => asked)).Kind);
        Assert.Equal("a", (await fabric.PickAsync(null, None)).Silo);
    });

    // The gateway of silo b swallows calls.
    private static async Task<(FakeFabric Fake, GatewayList List)> OfTwoSilosOneHangsAsync(FakeTimeProvider time)
    {
        var fake = new FakeFabric { Gateways = [new("a", "127.0.0.1:1"), new("b", "127.0.0.1:2")] };
        var list = new GatewayList(fake.Gateways.Select(g => g.Address), time);
        await list.GetGateways();
        int turn = 0;
        fake.NextSilo = () => turn++ % 2 == 0 ? "a" : "b";
        fake.Through = (silo, cancel) =>
            silo == "b" ? Task.Delay(Timeout.InfiniteTimeSpan, cancel) : Task.CompletedTask;
        return (fake, list);
    }

    private static async Task AskAsync(Fabric fabric, CancellationToken cancel)
    {
        CoordinatorInfo one = await fabric.PickAsync(null, cancel);
        await fabric.AskAsync(
            one, "asking", (door, token) => door.OpenPutAsync(new OpenPut { Vault = "v" }, token), cancel);
    }
}
