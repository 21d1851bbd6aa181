using Microsoft.Extensions.Time.Testing;

namespace ZeroStor.Tests;

public sealed class RecentRateTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void What_passes_evenly_is_told_at_any_moment()
    {
        var rate = new RecentRate(_time);
        for (int quarter = 0; quarter < 200; quarter++)
        {
            rate.Add(25);
            _time.Advance(TimeSpan.FromSeconds(0.25));
            Assert.InRange(rate.PerSecond, quarter < 4 ? 25 : 99.9, 100.1);
        }
    }

    [Fact]
    public void Only_the_last_while_counts()
    {
        var rate = new RecentRate(_time);
        rate.Add(1_000_000);
        _time.Advance(TimeSpan.FromSeconds(RecentRate.Seconds + 0.5));
        Assert.Equal(0, rate.PerSecond);
        rate.Add(95);
        Assert.Equal(95 / 9.5, rate.PerSecond, 6);
        _time.Advance(TimeSpan.FromDays(3));
        Assert.Equal(0, rate.PerSecond);
    }

    [Fact]
    public void At_first_it_is_told_since_the_first_that_passed_and_no_less_than_a_second()
    {
        var rate = new RecentRate(_time);
        Assert.Equal(0, rate.PerSecond);
        _time.Advance(TimeSpan.FromSeconds(7));
        rate.Add(600);
        Assert.Equal(600, rate.PerSecond);
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(200, rate.PerSecond);
    }

    [Fact]
    public void A_restart_forgets()
    {
        var rate = new RecentRate(_time);
        rate.Add(600);
        rate.Restart();
        Assert.Equal(0, rate.PerSecond);
        rate.Add(7);
        Assert.Equal(7, rate.PerSecond);
    }
}
