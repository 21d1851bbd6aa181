using ZeroStor.Catalog;

namespace ZeroStor.Tests.Catalog;

public sealed class WriterTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("zerostor-writer-");
    private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Writer _writer = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var database = new SqliteDatabase(Path.Combine(_folder.FullName, "catalog.db"), new CatalogOptions());
        database.MakeFile();
        _writer = new Writer(database, new Patience(TimeSpan.FromMinutes(1), TimeProvider.System));
        await _writer.RunAsync(
            session => Schema.ApplyAsync(session, database, new SeededEntropy(1), DateTimeOffset.UnixEpoch),
            Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task What_queues_during_a_transaction_shares_the_next()
    {
        Task holding = await HoldAsync();
        Task<int>[] changes = [.. Enumerable.Range(0, 20).Select(i => RaiseAsync(i))];
        _gate.SetResult();
        await holding;

        // Each sees what those before it did, though none of them is committed yet: one transaction.
        Assert.Equal(Enumerable.Repeat(1, 20), await Task.WhenAll(changes));
        Assert.Equal(20, await TickAsync());
    }

    [Fact]
    public async Task Whoever_gave_up_before_it_was_taken_is_left_undone()
    {
        Task holding = await HoldAsync();
        using var giveUp = new CancellationTokenSource();
        Task<int> givenUp = RaiseAsync(0, giveUp.Token);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => givenUp);
        _gate.SetResult();
        await holding;
        Assert.Equal(0, await TickAsync());
    }

    [Fact]
    public async Task A_failure_undoes_all_of_its_transaction_and_the_next_goes_through()
    {
        Task holding = await HoldAsync();
        Task<int> before = RaiseAsync(0);
        Task<int> failing = _writer.RunAsync(
            session => session.ExecuteAsync("fabric-create", UInt128.One), Cancel);
        _gate.SetResult();
        await holding;
        foreach (Task<int> change in new[] { before, failing })
        {
            ZeroStorException error = await Assert.ThrowsAsync<ZeroStorException>(() => change);
            Assert.Equal(ErrorKind.Unavailable, error.Kind);
        }

        Assert.Equal(0, await TickAsync());
        Assert.Equal(1, await RaiseAsync(0));
    }

    [Fact]
    public async Task A_refusal_is_told_to_its_caller_alone()
    {
        Task holding = await HoldAsync();
        Task<int> refused = _writer.RunAsync<int>(
            _ => throw ZeroStorException.NotFound("Nothing there."), Cancel);
        Task<int> raised = RaiseAsync(0);
        _gate.SetResult();
        await holding;
        Assert.Equal(ErrorKind.NotFound, (await Assert.ThrowsAsync<ZeroStorException>(() => refused)).Kind);
        Assert.Equal(1, await raised);
        Assert.Equal(1, await TickAsync());
    }

    [Fact]
    public async Task Closing_writes_what_queued_and_takes_no_more()
    {
        Task holding = await HoldAsync();
        Task<int> queued = RaiseAsync(0);
        Task closing = _writer.DisposeAsync().AsTask();
        ZeroStorException late = await Assert.ThrowsAsync<ZeroStorException>(() => RaiseAsync(1));
        Assert.Equal(ErrorKind.Unavailable, late.Kind);
        _gate.SetResult();
        await Task.WhenAll(holding, closing);
        Assert.Equal(1, await queued);
    }

    /// <summary>Begins a transaction that lasts until the gate opens; what queues meanwhile has to
    /// wait.</summary>
    private async Task<Task> HoldAsync()
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<int> holding = _writer.RunAsync(
            async _ =>
            {
                begun.SetResult();
                await _gate.Task;
                return 0;
            },
            Cancel);
        await begun.Task;
        return holding;
    }

    private Task<int> RaiseAsync(int from, CancellationToken? cancel = null) =>
        _writer.RunAsync(session => session.ExecuteAsync("tick-raise", from), cancel ?? Cancel);

    private Task<int> TickAsync() => _writer.RunAsync(
        async session => (int)(await FabricTable.ReadAsync(session))!.Tick.Value, Cancel);
}
