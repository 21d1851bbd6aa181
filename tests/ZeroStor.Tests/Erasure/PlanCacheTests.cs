using ZeroStor.Erasure;

namespace ZeroStor.Tests.Erasure;

public sealed class PlanCacheTests
{
    private static readonly CodingPlan Large = new(Kernel.Best, new Matrix(32, 128));

    [Fact]
    public void A_plan_is_found_by_what_is_read_and_wanted_together()
    {
        var cache = new PlanCache();
        var other = new CodingPlan(Kernel.Best, new Matrix(1, 1));
        cache.Add(PlaceSet.Range(0, 4), PlaceSet.Range(4, 1), Large);
        cache.Add(PlaceSet.Range(0, 4), PlaceSet.Range(5, 1), other);
        Assert.Same(Large, cache.Find(PlaceSet.Range(0, 4), PlaceSet.Range(4, 1)));
        Assert.Same(other, cache.Find(PlaceSet.Range(0, 4), PlaceSet.Range(5, 1)));
        Assert.Null(cache.Find(PlaceSet.Range(1, 4), PlaceSet.Range(4, 1)));
    }

    [Fact]
    public void The_oldest_go_and_the_bound_is_kept()
    {
        var cache = new PlanCache();
        int room = PlanCache.MaxBytes / (PlanCache.EntryBytes + Large.Bytes);
        for (int i = 0; i < room + 3; i++)
        {
            cache.Add(PlaceSet.Range(i % 100, 1 + (i / 100)), default, Large);
            Assert.True(cache.Count * (PlanCache.EntryBytes + Large.Bytes) <= PlanCache.MaxBytes);
        }

        Assert.Equal(room, cache.Count);
        Assert.Null(cache.Find(PlaceSet.Range(2, 1), default));
        Assert.Same(Large, cache.Find(PlaceSet.Range(3, 1), default));
    }

    [Fact]
    public void A_plan_that_is_added_twice_is_counted_once()
    {
        var cache = new PlanCache();
        for (int i = 0; i < PlanCache.MaxBytes / Large.Bytes * 2; i++)
        {
            cache.Add(PlaceSet.Range(0, 4), PlaceSet.Range(4, 1), Large);
        }

        Assert.Same(Large, cache.Find(PlaceSet.Range(0, 4), PlaceSet.Range(4, 1)));
    }
}
