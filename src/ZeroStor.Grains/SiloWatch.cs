using System.Collections.Frozen;
using System.Collections.Immutable;
using ZeroStor.Placement;

namespace ZeroStor.Grains;

/// <summary>Knows which silos of the map are not there, and for how long, as far as this silo has seen: what
/// membership says, timed by this process's own clock. A silo that began to watch later counts from there, so
/// nothing is ever called lost too early. Thread-safe.</summary>
internal sealed class SiloWatch(
    IClusterMembershipService membership, SiloMap map, ZeroStorOptions options, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _goneSince = new(StringComparer.Ordinal);

    /// <summary>What is out of reach now.</summary>
    public Absence Absence => new(DisksOf(Look()), options.MassLossShare);

    /// <summary>Disks that are up by the map and were out of reach for longer than
    /// <see cref="ZeroStorOptions.LostAfterSeconds"/>.</summary>
    public IReadOnlySet<DiskId> Lost
    {
        get
        {
            Look();
            lock (_lock)
            {
                return DisksOf(_goneSince
                    .Where(s => time.GetElapsedTime(s.Value).TotalSeconds > options.LostAfterSeconds)
                    .Select(s => s.Key)
                    .ToHashSet(StringComparer.Ordinal));
            }
        }
    }

    /// <summary>The names of the silos that are there.</summary>
    public ImmutableSortedSet<string> There => membership.CurrentSnapshot.Members.Values
        .Where(m => m.Status == SiloStatus.Active)
        .Select(m => m.Name)
        .ToImmutableSortedSet(StringComparer.Ordinal);

    // The names of silos that have disks and are not there.
    private HashSet<string> Look()
    {
        ImmutableSortedSet<string> there = There;
        var gone = map.Current.Disks
            .Where(d => !map.Current.IsGone(d) && !there.Contains(d.Silo))
            .Select(d => d.Silo)
            .ToHashSet(StringComparer.Ordinal);
        lock (_lock)
        {
            foreach (string back in _goneSince.Keys.Where(s => !gone.Contains(s)).ToArray())
            {
                _goneSince.Remove(back);
            }

            foreach (string silo in gone)
            {
                _goneSince.TryAdd(silo, time.GetTimestamp());
            }
        }

        return gone;
    }

    private FrozenSet<DiskId> DisksOf(HashSet<string> silos) =>
        map.Current.Disks
            .Where(d => d.State == DiskState.Up && silos.Contains(d.Silo))
            .Select(d => d.Id)
            .ToFrozenSet();
}
