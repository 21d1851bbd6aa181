using CsCheck;
using ZeroStor.Erasure;

namespace ZeroStor.Tests.Erasure;

public sealed class PlaceSetTests
{
    [Fact]
    public void Holds_what_was_added_and_nothing_else() =>
        Gen.Int[0, 159].HashSet[0, 160].Sample(
            expected =>
            {
                PlaceSet places = default;
                foreach (int place in expected)
                {
                    places.Add(place);
                }

                Assert.Equal(expected.Order(), Listed(places));
                Assert.Equal(expected.Count, places.Count);
                Assert.All(
                    Enumerable.Range(0, 160), i => Assert.Equal(expected.Contains(i), places.Contains(i)));
            },
            iter: 300);

    [Fact]
    public void Sets_of_the_same_places_are_equal_and_others_are_not()
    {
        PlaceSet[] single = [.. Enumerable.Range(0, 160).Select(place => PlaceSet.Range(place, 1))];
        Assert.Equal(160, single.Distinct().Count());
        PlaceSet range = PlaceSet.Range(120, 20);
        PlaceSet again = default;
        foreach (int place in Enumerable.Range(120, 20).Reverse())
        {
            again.Add(place);
        }

        Assert.Equal(range, again);
        Assert.Equal(Enumerable.Range(120, 20), Listed(range));
    }

    private static List<int> Listed(PlaceSet places)
    {
        List<int> listed = [];
        foreach (int place in places)
        {
            listed.Add(place);
        }

        return listed;
    }
}
