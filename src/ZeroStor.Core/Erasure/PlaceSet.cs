using System.Numerics;

namespace ZeroStor.Erasure;

/// <summary>A set of a stripe's places, which are at most 160, as a value that a dictionary can look up.
/// Enumerates in ascending order.</summary>
internal record struct PlaceSet
{
    private UInt128 _low;
    private ulong _high;

    public readonly int Count => (int)UInt128.PopCount(_low) + BitOperations.PopCount(_high);

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
        if (place < 128)
        {
            _low |= UInt128.One << place;
        }
        else
        {
            _high |= 1UL << (place - 128);
        }
    }

    public static PlaceSet operator |(PlaceSet a, PlaceSet b) =>
        new() { _low = a._low | b._low, _high = a._high | b._high };

    public readonly bool Contains(int place) =>
        ((place < 128 ? _low >> place : _high >> (place - 128)) & UInt128.One) != UInt128.Zero;

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
