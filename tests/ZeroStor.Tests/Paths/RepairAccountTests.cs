using Microsoft.Extensions.Time.Testing;
using ZeroStor.Paths;

namespace ZeroStor.Tests.Paths;

public sealed class RepairAccountTests
{
    private static readonly GroupId First = new(1);
    private static readonly GroupId Second = new(2);

    private readonly FakeTimeProvider _time = new();
    private readonly RepairAccount _account;

    public RepairAccountTests() => _account = new RepairAccount(_time);

    [Fact]
    public void Before_anything_was_restored_nothing_can_be_told_but_how_many_shards()
    {
        Assert.Null(_account.State.Round);
        Begin(30, 10);
        RepairRoundState round = _account.State.Round!;
        Assert.Equal((40, null, null), (round.ShardsToDo, round.BytesToDo, round.TimeLeft));
        Assert.Equal(2, _account.State.GroupsToRepair);
    }

    [Fact]
    public void What_is_left_takes_as_long_as_the_last_while_says()
    {
        Begin(30, 10);
        for (int second = 0; second < 5; second++)
        {
            _account.Restored(First, Stripe(rebuilt: 2, bytes: 2000));
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        RepairRoundState round = _account.State.Round!;
        Assert.Equal((10, 10_000), (round.Done.ShardsRestored, round.Done.BytesWritten));
        Assert.Equal((30, 30_000), (round.ShardsToDo, round.BytesToDo));
        Assert.Equal(2000, round.BytesPerSecond, 3);
        Assert.Equal(15, round.TimeLeft!.Value.TotalSeconds, 3);

        // While it stands still nobody knows.
        _time.Advance(TimeSpan.FromMinutes(1));
        round = _account.State.Round!;
        Assert.Equal((30_000, 0, null), (round.BytesToDo, round.BytesPerSecond, round.TimeLeft));
    }

    [Fact]
    public void A_group_that_was_dealt_with_has_nothing_to_do_whatever_was_thought_of_it()
    {
        Begin(30, 10);
        _account.Restored(First, Stripe(rebuilt: 3, bytes: 300));
        _account.Ended(First, Stripe(rebuilt: 3, bytes: 300));
        Assert.Equal((1, 10), (_account.State.GroupsToRepair, _account.State.Round!.ShardsToDo));

        // More than was thought of: no less than nothing is to do.
        _account.Restored(Second, Stripe(rebuilt: 11, bytes: 1100));
        Assert.Equal((0, 0), (_account.State.Round!.ShardsToDo, _account.State.Round!.BytesToDo));
        Assert.Equal(TimeSpan.Zero, _account.State.Round!.TimeLeft);
    }

    [Fact]
    public void What_could_not_be_restored_is_counted_once_and_forgotten_with_the_round()
    {
        Begin(5, 5);
        _account.Restored(First, new RepairTally { ShardsLeft = 2 });
        Assert.Equal(2, _account.State.ShardsLeft);
        Assert.Equal(8, _account.State.Round!.ShardsToDo);
        _account.Ended(First, new RepairTally { ShardsLeft = 3 });
        _account.Ended(Second, new RepairTally { ShardsLeft = 1 });
        _account.End();
        Assert.Equal((0, 4), (_account.State.GroupsToRepair, _account.State.ShardsLeft));
        Begin(5, 5);
        Assert.Equal(0, _account.State.ShardsLeft);
    }

    [Fact]
    public void A_round_begins_at_nothing_and_all_rounds_are_summed()
    {
        Begin(5, 5);
        _account.Restored(First, Stripe(rebuilt: 5, bytes: 500));
        _time.Advance(TimeSpan.FromSeconds(3));
        _account.End();
        Assert.Null(_account.State.Round);
        _time.Advance(TimeSpan.FromSeconds(100));
        Begin(5, 5);
        _time.Advance(TimeSpan.FromSeconds(1));
        RepairState state = _account.State;
        Assert.Equal((0, 1000), (state.Round!.Done.ShardsRestored, state.Round.BytesToDo));
        Assert.Equal((5, 500), (state.Done.ShardsRestored, state.Done.BytesWritten));
        Assert.Equal(TimeSpan.FromSeconds(4), state.Busy);
    }

    private void Begin(long first, long second) =>
        _account.Begin([KeyValuePair.Create(First, first), KeyValuePair.Create(Second, second)]);

    private static RepairTally Stripe(long rebuilt, long bytes) => new(1, rebuilt, 0, 0, bytes, bytes);
}
