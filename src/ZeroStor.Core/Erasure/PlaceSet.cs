using System.Numerics;

namespace ZeroStor.Erasure;

/// <summary>A set of a stripe's places, which are at most 160, as a value that a dictionary can look up.
/// Enumerates in ascending order.</summary>
internal record struct PlaceSet
{
    private const int WordBits = 64;

    private ulong _first;
    private ulong _second;
    private ulong _third;

    public readonly int Count => BitOperations.PopCount(_first)
        + BitOperations.PopCount(_second)
        + BitOperations.PopCount(_third);

    public static PlaceSet Of(IEnumerable<int> places)
    {
        PlaceSet set = default;
        foreach (int place in places)
        {
            set.Add(place);
        }

        return set;
    }

    public static PlaceSet Range(int first, int count) =>
        Of(Enumerable.Range(first, count));

    public void Add(int place)
    {
        // A shift counts modulo the word.
        ulong bit = 1UL << place;
        switch (place / WordBits)
        {
            case 0:
                _first |= bit;
                break;
            case 1:
                _second |= bit;
                break;
            default:
                _third |= bit;
                break;
        }
    }

    public static PlaceSet operator |(PlaceSet a, PlaceSet b) => new()
    {
        _first = a._first | b._first, _second = a._second | b._second, _third = a._third | b._third,
    };

    public readonly bool Contains(int place)
    {
        ulong word = (place / WordBits) switch { 0 => _first, 1 => _second, _ => _third };
        return (word & (1UL << place)) != 0;
    }

    public readonly IEnumerator<int> GetEnumerator()
    {
        for (int place = 0; place < Code.MaxK + Code.MaxM; place++)
        {
            if (Contains(place))
            {
                yield return place;
            }
        }
    }
}
