using System.Collections.Concurrent;

namespace ZeroStor.Erasure;

/// <summary>Keeps the decoding plans of one code by what is read and what is wanted, so that a loss costs its
/// matrix once and not once a stripe. The oldest go first. Thread-safe.</summary>
internal sealed class PlanCache
{
    /// <summary>Thousands of loss sets of 20+4 (under a kilobyte each), some dozens of the widest code's:
    /// more than occur together where what is lost is disks.</summary>
    public const int MaxBytes = 4 * 1024 * 1024;

    /// <summary>Key, dictionary node and array headers of an entry, roughly.</summary>
    public const int EntryBytes = 256;

    private readonly ConcurrentDictionary<(PlaceSet Read, PlaceSet Wanted), CodingPlan> _plans = new();
    private readonly Queue<(PlaceSet Read, PlaceSet Wanted)> _oldestFirst = new();
    private readonly Lock _adding = new();
    private int _bytes;

    public int Count => _plans.Count;

    public CodingPlan? Find(PlaceSet read, PlaceSet wanted) => _plans.GetValueOrDefault((read, wanted));

    public void Add(PlaceSet read, PlaceSet wanted, CodingPlan plan)
    {
        lock (_adding)
        {
            if (!_plans.TryAdd((read, wanted), plan))
            {
                return;
            }

            _oldestFirst.Enqueue((read, wanted));
            _bytes += EntryBytes + plan.Bytes;
            while (_bytes > MaxBytes && _plans.TryRemove(_oldestFirst.Dequeue(), out CodingPlan? oldest))
            {
                _bytes -= EntryBytes + oldest.Bytes;
            }
        }
    }
}
