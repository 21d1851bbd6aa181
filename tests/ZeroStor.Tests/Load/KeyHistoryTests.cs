using ZeroStor.S3Load;

namespace ZeroStor.Tests.Load;

public sealed class KeyHistoryTests
{
    private static readonly Written A = new(1, 1, "a");

    private static readonly Written B = new(2, 2, "b");

    private readonly KeyHistory _history = new();

    [Fact]
    public void A_key_that_was_never_written_has_no_object() => Assert.Equal([null], _history.Seen(5, 6));

    [Fact]
    public void While_a_write_is_under_way_both_values_are_right()
    {
        Write(A, 10, 20);
        _history.Begin(B, 30);
        Assert.Equal([B, A], _history.Seen(31, 40));
        Assert.Equal([A], _history.Seen(25, 29));
        _history.End(50);
        Assert.Equal([B, A], _history.Seen(45, 60));
        Assert.Equal([B], _history.Seen(51, 60));
    }

    [Fact]
    public void A_long_look_may_see_all_that_was_written_meanwhile_and_nothing_before_or_after()
    {
        Write(A, 10, 20);
        Write(null, 30, 40);
        Write(B, 50, 60);
        Write(A, 90, 100);
        Assert.Equal([B, null, A], _history.Seen(35, 70));
        Assert.Equal([B], _history.Seen(70, 80));
    }

    [Fact]
    public void A_write_that_failed_leaves_both_until_a_later_one_has_ended()
    {
        Write(A, 10, 20);
        _history.Begin(null, 30);
        Assert.Equal([null, A], _history.Now());
        Write(B, 40, 50);
        Assert.Equal([B], _history.Now());
        Assert.Equal([B, null, A], _history.Seen(45, 60));
    }

    private void Write(Written? value, long began, long ended)
    {
        _history.Begin(value, began);
        _history.End(ended);
    }
}
