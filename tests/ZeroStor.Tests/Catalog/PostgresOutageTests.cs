using System.Collections.Concurrent;
using ZeroStor.Catalog;

namespace ZeroStor.Tests.Catalog;

/// <summary>A server that dies, hangs or lies, and a catalog that has to make the best of it. Each test has a
/// server of its own.</summary>
public sealed class PostgresOutageTests : IAsyncLifetime
{
    private static readonly SeededEntropy Entropy = new(11);
    private static readonly VaultId Vault = CatalogTests.Vault;

    private PostgresServer? _server;
    private string _where = "";
    private SqlCatalog _catalog = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private PostgresServer Server => _server!;

    public async ValueTask InitializeAsync()
    {
        _server = await PostgresServer.StartAsync();
        _where = await Server.MakeDatabaseAsync();
        _catalog = await OpenAsync();
        await _catalog.AddVaultAsync(new VaultEntry("vault", Vault, new ClassId(1)), Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _catalog.DisposeAsync();
            await _server.DisposeAsync();
        }
    }

    [Fact]
    public async Task While_the_server_is_away_all_is_unavailable_and_afterwards_all_goes_on()
    {
        CommitOrder before = CatalogTests.Put("before");
        CommitAnswer answer = await _catalog.CommitAsync(before, Cancel);
        await Server.CrashAsync();
        CommitOrder during = CatalogTests.Put("during");
        await UnavailableAsync(() => _catalog.CommitAsync(during, Cancel));
        await UnavailableAsync(() => _catalog.HeadAsync(Vault, ["before"], Cancel));
        await UnavailableAsync(() => _catalog.RaiseTickAsync(default, Cancel));
        await UnavailableAsync(OpenAsync);
        await Server.StartAgainAsync();

        // No call is lost to the connections that the crash broke, neither a read nor a write.
        Assert.NotNull(Assert.Single(await _catalog.HeadAsync(Vault, ["before"], Cancel)));
        Assert.Equal(ErrorKind.None, (await _catalog.CommitAsync(during, Cancel)).Kind);
        Assert.Equal(answer, await _catalog.CommitAsync(before, Cancel));
    }

    [Fact]
    public async Task A_restart_that_nobody_noticed_costs_nobody_a_call()
    {
        await _catalog.CommitAsync(CatalogTests.Put("a"), Cancel);
        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => _catalog.HeadAsync(Vault, ["a"], Cancel)));
        await Server.CrashAsync();
        await Server.StartAgainAsync();
        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => _catalog.HeadAsync(Vault, ["a"], Cancel)));
        Assert.Equal(ErrorKind.None, (await _catalog.CommitAsync(CatalogTests.Put("a"), Cancel)).Kind);
    }

    [Fact]
    public async Task Of_what_was_acknowledged_before_a_crash_nothing_is_missing_after_it()
    {
        await using SqlCatalog second = await OpenAsync();
        var acknowledged = new ConcurrentDictionary<CommitOrder, CommitAnswer>();
        var uncertain = new ConcurrentBag<CommitOrder>();
        for (int crash = 0; crash < 3; crash++)
        {
            int round = crash;
            var some = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Task[] committers =
            [
                .. Enumerable.Range(0, 16).Select(worker => CommitUntilItFailsAsync(
                    worker % 2 == 0 ? _catalog : second,
                    i => CatalogTests.Put($"{round} {worker} {i}"),
                    acknowledged,
                    uncertain,
                    () => some.TrySetResult())),
            ];
            await some.Task;
            await Server.CrashAsync();
            await Task.WhenAll(committers);
            await Server.StartAgainAsync();
        }

        foreach ((CommitOrder order, CommitAnswer answer) in acknowledged)
        {
            VersionRow? head = Assert.Single(await _catalog.HeadAsync(Vault, [order.Key], Cancel));
            Assert.Equal((answer.Version, answer.Seq), (head!.Version, head.Seq));
            Assert.Equal(answer, await second.CommitAsync(order, Cancel));
        }

        // The others are made or not: said again, they are made once.
        Assert.Equal(3 * 16, uncertain.Count);
        foreach (CommitOrder order in uncertain)
        {
            Assert.Equal(ErrorKind.None, (await second.CommitAsync(order, Cancel)).Kind);
        }

        int all = acknowledged.Count + uncertain.Count;
        Assert.Equal(new CatalogCounts(all, 0, all, 0), await _catalog.CountAsync(Cancel));
    }

    [Theory]
    [InlineData("pg_cancel_backend", "warned")]
    [InlineData("pg_terminate_backend", "broke the connection")]
    public async Task A_commit_that_waits_for_its_standby_is_not_acknowledged_when_the_waiting_is_ended(
        string by, string sentence)
    {
        await Server.SetAsync("synchronous_standby_names", "elsewhere");
        CommitOrder put = CatalogTests.Put("a");
        Task<CommitAnswer> committing = _catalog.CommitAsync(put, Cancel);
        while (await Server.RunAsync($"SELECT {by}(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") is null)
        {
            Assert.False(committing.IsCompleted);
        }

        ZeroStorException error = await UnavailableAsync(() => committing);
        Assert.Contains(sentence, error.Message, StringComparison.Ordinal);
        await Server.SetAsync("synchronous_standby_names", "");
        CommitAnswer answer = await _catalog.CommitAsync(put, Cancel);
        Assert.Equal(ErrorKind.None, answer.Kind);
        Assert.Equal(answer.Version, (await _catalog.HeadAsync(Vault, ["a"], Cancel))[0]!.Version);
        Assert.Equal(1, (await _catalog.CountAsync(Cancel)).Versions);
    }

    [Fact]
    public async Task A_server_that_does_not_sync_is_refused()
    {
        await Server.SetAsync("fsync", "off");
        ZeroStorException error = await Assert.ThrowsAsync<ZeroStorException>(OpenAsync);
        Assert.Equal(ErrorKind.InvalidArgument, error.Kind);
        Assert.Contains("fsync", error.Message, StringComparison.Ordinal);
        await Server.SetAsync("fsync", "on");
        await (await OpenAsync()).DisposeAsync();
    }

    private static async Task CommitUntilItFailsAsync(
        SqlCatalog catalog,
        Func<int, CommitOrder> next,
        ConcurrentDictionary<CommitOrder, CommitAnswer> acknowledged,
        ConcurrentBag<CommitOrder> uncertain,
        Action begun)
    {
        for (int i = 0; ; i++)
        {
            CommitOrder order = next(i);
            try
            {
                CommitAnswer answer = await catalog.CommitAsync(order, Cancel);
                Assert.Equal(ErrorKind.None, answer.Kind);
                acknowledged[order] = answer;
                if (acknowledged.Count % 200 == 0)
                {
                    begun();
                }
            }
            catch (ZeroStorException error) when (error.Kind == ErrorKind.Unavailable)
            {
                uncertain.Add(order);
                return;
            }
        }
    }

    private static async Task<ZeroStorException> UnavailableAsync(Func<Task> call)
    {
        ZeroStorException error = await Assert.ThrowsAsync<ZeroStorException>(call);
        Assert.Equal(ErrorKind.Unavailable, error.Kind);
        return error;
    }

    private Task<SqlCatalog> OpenAsync() =>
        PostgresCatalog.OpenAsync(_where, Entropy, TimeProvider.System, cancel: Cancel);
}
