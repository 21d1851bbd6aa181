using Microsoft.Extensions.Time.Testing;
using ZeroStor.Client;

namespace ZeroStor.Tests.Client;

public sealed class HedgeTests
{
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(2);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private readonly FakeTimeProvider _time = new();
    private readonly List<TaskCompletionSource<int>> _calls = [];
    private readonly List<CancellationToken> _tokens = [];
    private readonly TaskCompletionSource<int> _givenBack = new();
    private Func<Task<bool>> _onSilence = () => Task.FromResult(true);
    private int _silences;

    [Fact]
    public async Task A_call_that_is_answered_is_made_once()
    {
        Task<int> all = RunAsync(Cancel);
        _calls[0].SetResult(1);
        Assert.Equal(1, await all);
        Assert.Equal(0, _silences);
        Assert.True(_tokens[0].IsCancellationRequested);
    }

    [Fact]
    public async Task A_call_without_an_answer_is_made_again_and_the_first_answer_wins()
    {
        Task<int> all = RunAsync(Cancel);
        await AdvanceUntilAsync(() => _calls.Count == 2);
        _calls[1].SetResult(2);
        Assert.Equal(2, await all);
        Assert.True(_tokens[0].IsCancellationRequested);
        _calls[0].SetResult(1);
        Assert.Equal(1, await _givenBack.Task);
    }

    [Fact]
    public async Task No_more_than_three_calls_are_made_and_somebody_goes_on_looking()
    {
        Task<int> all = RunAsync(Cancel);
        await AdvanceUntilAsync(() => _silences == 6);
        Assert.Equal(3, _calls.Count);
        _calls[2].SetResult(3);
        Assert.Equal(3, await all);
    }

    [Fact]
    public async Task Where_nobody_is_silent_a_slow_call_is_not_made_again()
    {
        _onSilence = () => Task.FromResult(false);
        Task<int> all = RunAsync(Cancel);
        await AdvanceUntilAsync(() => _silences == 5);
        Assert.Single(_calls);
        _calls[0].SetResult(1);
        Assert.Equal(1, await all);
    }

    [Fact]
    public async Task What_a_look_says_is_never_taken_for_an_answer()
    {
        var answer = new TaskCompletionSource<bool>();
        int looks = 0;
        Task<bool> asked = Hedge.RunAsync(
            _ => answer.Task,
            Silence,
            _ =>
            {
                looks++;
                return Task.FromResult(false);
            },
            release: null,
            _time,
            Cancel);
        await AdvanceUntilAsync(() => looks == 3);
        Assert.False(asked.IsCompleted);
        answer.SetResult(true);
        Assert.True(await asked);
    }

    [Fact]
    public async Task A_call_that_was_lost_leaves_the_others_and_a_refusal_does_not()
    {
        Task<int> all = RunAsync(Cancel);
        await AdvanceUntilAsync(() => _calls.Count == 2);
        _calls[0].SetException(new TimeoutException());
        _calls[1].SetResult(2);
        Assert.Equal(2, await all);

        _calls.Clear();
        all = RunAsync(Cancel);
        await AdvanceUntilAsync(() => _calls.Count == 2);
        _calls[1].SetException(ZeroStorException.NotFound("gone"));
        Assert.Equal(ErrorKind.NotFound, (await Assert.ThrowsAsync<ZeroStorException>(() => all)).Kind);
    }

    [Fact]
    public async Task When_all_were_lost_the_last_says_why()
    {
        Task<int> all = RunAsync(Cancel);
        await AdvanceUntilAsync(() => _calls.Count == 2);
        _calls[1].SetException(new InvalidOperationException("second"));
        _calls[0].SetException(new TimeoutException("first"));
        await Assert.ThrowsAsync<TimeoutException>(() => all);
    }

    [Fact]
    public async Task Who_looks_may_give_up_and_so_may_the_caller()
    {
        _onSilence = () => throw new ZeroStorException(ErrorKind.Unavailable, "it is gone");
        Task<int> all = RunAsync(Cancel);
        await AdvanceUntilAsync(() => all.IsCompleted);
        Assert.Equal(ErrorKind.Unavailable, (await Assert.ThrowsAsync<ZeroStorException>(() => all)).Kind);
        Assert.Single(_calls);

        using var stop = new CancellationTokenSource();
        all = RunAsync(stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => all);
        Assert.True(_tokens[^1].IsCancellationRequested);
    }

    [Fact]
    public async Task An_answer_that_comes_while_somebody_looks_is_taken()
    {
        var looking = new TaskCompletionSource<bool>();
        _onSilence = () => looking.Task;
        Task<int> all = RunAsync(Cancel);
        await AdvanceUntilAsync(() => _silences == 1);
        _calls[0].SetResult(1);
        Assert.Equal(1, await all);
        Assert.Single(_calls);
    }

    private Task<int> RunAsync(CancellationToken cancel) => Hedge.RunAsync(
        token =>
        {
            _tokens.Add(token);
            _calls.Add(new TaskCompletionSource<int>());
            return _calls[^1].Task;
        },
        Silence,
        async _ =>
        {
            _silences++;
            return await _onSilence();
        },
        _givenBack.SetResult,
        _time,
        cancel);

    private Task<TimeSpan> AdvanceUntilAsync(Func<bool> holds) => _time.AdvanceAsync(holds);
}
