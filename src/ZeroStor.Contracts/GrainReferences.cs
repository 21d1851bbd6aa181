namespace ZeroStor.Contracts;

/// <summary>References to the grains of one interface, by their keys. The factory itself looks the interface's attributes
/// up anew at every call, which takes 12 µs: too much for what is called once for every piece and every shard. Here it
/// does so once. Thread-safe.</summary>
/// <typeparam name="T">An interface that one class of grains has.</typeparam>
public sealed class GrainReferences<T>(IGrainFactory grains)
    where T : class, IGrainWithStringKey
{
    private Kind? _kind;

    public T Of(string key)
    {
        if (_kind is { } kind)
        {
            return (T)grains.GetGrain(GrainId.Create(kind.Grain, key), kind.Interface);
        }

        T first = grains.GetGrain<T>(key);
        if (first is GrainReference reference)
        {
            _kind = new Kind(reference.GrainId.Type, reference.InterfaceType);
        }

        return first;
    }

    private sealed record Kind(GrainType Grain, GrainInterfaceType Interface);
}
