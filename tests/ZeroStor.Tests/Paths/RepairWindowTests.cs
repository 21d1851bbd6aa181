using Microsoft.Extensions.Time.Testing;
using ZeroStor.Paths;

namespace ZeroStor.Tests.Paths;

public sealed class RepairWindowTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly RepairWindow _window;

    public RepairWindowTests() => _window = new RepairWindow(_time);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void It_begins_with_the_fewest_and_widens_while_looks_stay_quick()
    {
        Assert.Equal(RepairWindow.MinStripes, _window.Stripes);
        for (int stripes = RepairWindow.MinStripes + 1; stripes <= RepairWindow.MaxStripes; stripes++)
        {
            Look(10);
            Assert.Equal(stripes, _window.Stripes);
        }

        Look(10);
        Assert.Equal(RepairWindow.MaxStripes, _window.Stripes);
    }

    [Fact]
    public void Looks_twice_as_slow_halve_it_down_to_the_fewest_and_between_it_stays()
    {
        Look(10, times: 8);
        Assert.Equal(12, _window.Stripes);
        Look(17);
        Assert.Equal(12, _window.Stripes);
        Look(21);
        Assert.Equal(6, _window.Stripes);
        Look(500, times: 5);
        Assert.Equal(RepairWindow.MinStripes, _window.Stripes);
        Look(11);
        Assert.Equal(RepairWindow.MinStripes + 1, _window.Stripes);
    }

    // Where asking more at once makes every look slower, the window stays where looks take about twice as long.
    [Theory]
    [InlineData(1.0, 4, 8)]
    [InlineData(0.2, 4, 13)]
    [InlineData(0.0, 16, 16)]
    public void It_settles_where_its_own_stripes_would_double_the_delay(double delayOfEach, int least, int most)
    {
        for (int i = 0; i < 140; i++)
        {
            Look(10 * (1 + (delayOfEach * (_window.Stripes - 1))));
            Assert.InRange(_window.Stripes, i < 40 ? RepairWindow.MinStripes : least, most);
        }
    }

    [Fact]
    public void A_few_slow_looks_among_many_change_nothing()
    {
        for (int i = 0; i < 20; i++)
        {
            for (int look = 0; look < RepairWindow.LooksPerChange; look++)
            {
                _window.Looked(TimeSpan.FromMilliseconds(look % 4 == 0 ? 30_000 : 10));
            }
        }

        Assert.Equal(RepairWindow.MaxStripes, _window.Stripes);
    }

    [Fact]
    public void What_timers_and_schedulers_do_is_no_slowing_down()
    {
        Look(0.01);
        Look(0.9, times: 16);
        Assert.Equal(RepairWindow.MaxStripes, _window.Stripes);
        Look(2.1);
        Assert.Equal(RepairWindow.MaxStripes / 2, _window.Stripes);
    }

    [Fact]
    public void What_was_quick_long_ago_is_forgotten()
    {
        Look(10);
        _time.Advance(RepairWindow.BaseSpan);
        Look(40, times: 5);
        Assert.Equal(RepairWindow.MinStripes, _window.Stripes);
        _time.Advance(RepairWindow.BaseSpan);
        Look(40);
        Assert.Equal(RepairWindow.MinStripes + 1, _window.Stripes);
    }

    [Fact]
    public void After_a_long_rest_it_learns_anew()
    {
        Look(10);
        _time.Advance(2 * RepairWindow.BaseSpan);
        Look(40, times: 4);
        Assert.Equal(RepairWindow.MinStripes + 5, _window.Stripes);
    }

    [Fact]
    public void Wide_it_lets_all_go_whatever_they_take()
    {
        _window.IsWide = true;
        Assert.Equal(RepairWindow.MaxStripes, _window.Stripes);
        Look(10);
        Look(1000, times: 10);
        Assert.Equal(RepairWindow.MaxStripes, _window.Stripes);
        _window.IsWide = false;
        Look(1000);
        Assert.Equal(RepairWindow.MaxStripes / 2, _window.Stripes);
    }

    [Fact]
    public async Task As_many_enter_as_it_is_wide()
    {
        await FillAsync();
        Task next = _window.EnterAsync(Cancel);
        Assert.False(next.IsCompleted);
        Look(10);
        await next;
        Task another = _window.EnterAsync(Cancel);
        Assert.False(another.IsCompleted);
        _window.Leave();
        await another;
        Assert.False(_window.EnterAsync(Cancel).IsCompleted);
    }

    [Fact]
    public async Task What_is_in_it_when_it_narrows_ends_and_nobody_takes_its_place()
    {
        Look(10, times: 4);
        await FillAsync();
        Look(30);
        Assert.Equal(RepairWindow.MinStripes, _window.Stripes);
        Task next = _window.EnterAsync(Cancel);
        for (int i = 0; i < 4; i++)
        {
            _window.Leave();
            Assert.False(next.IsCompleted);
        }

        _window.Leave();
        await next;
    }

    [Fact]
    public async Task Who_gives_up_waiting_takes_no_place()
    {
        await FillAsync();
        using var patience = new CancellationTokenSource();
        Task next = _window.EnterAsync(patience.Token);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
        _window.Leave();
        Assert.True(_window.EnterAsync(Cancel).IsCompletedSuccessfully);
    }

    private async Task FillAsync()
    {
        for (int i = _window.Stripes; i > 0; i--)
        {
            await _window.EnterAsync(Cancel);
        }
    }

    private void Look(double milliseconds, int times = 1)
    {
        for (int i = 0; i < times * RepairWindow.LooksPerChange; i++)
        {
            _window.Looked(TimeSpan.FromMilliseconds(milliseconds));
        }
    }
}
