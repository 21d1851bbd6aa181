using System.Collections.Frozen;
using System.Collections.Immutable;

namespace ZeroStor;

/// <summary>What the map knows of a disk's health. Only <see cref="Up"/> takes new shards.</summary>
public enum DiskState
{
    Up = 0,

    /// <summary>Its folder is gone or its silo does not answer.</summary>
    Missing = 1,

    /// <summary>A write or sync failed: serves what was synced, takes nothing.</summary>
    ReadOnly = 2,

    Draining = 3,

    /// <summary>Gone for good; the number stays taken.</summary>
    Removed = 4,
}

/// <summary>A disk as the map knows it.</summary>
public sealed record DiskEntry
{
    public required DiskId Id { get; init; }

    public required string Silo { get; init; }

    public required Labels Labels { get; init; }

    /// <summary>Where it was last opened: for people; the superblock says who it is.</summary>
    public required string Path { get; init; }

    public required DiskState State { get; init; }

    /// <summary>Raised by compare-and-set at every opening. Who shows an older one is a clone.</summary>
    public required uint Claim { get; init; }

    /// <summary>Whether the silo made the folder itself, and so may make it anew when it vanished.</summary>
    public required bool IsManaged { get; init; }
}

/// <summary>Vaults with equal code, spread and labels share a class, and with it its groups.</summary>
public sealed record PlacementClass(ClassId Id, Code Code, Spread Spread);

/// <summary>One place of a group: who holds shard i. Until the home is whole, the former homes still count.
/// </summary>
public sealed record Place(DiskId Home, ImmutableArray<DiskId> FormerHomes)
{
    public Place(DiskId home)
        : this(home, [])
    {
    }

    public bool IsWhole => FormerHomes.IsEmpty;
}

/// <summary>n places, ordered. Its epoch rises with every change of a home; a home takes appends under its
/// own epoch only.</summary>
public sealed record PlacementGroup(GroupId Id, ClassId Class, uint Epoch, ImmutableArray<Place> Places);

/// <summary>Disks, classes and groups at one version. Immutable; safe to share.</summary>
public sealed class FabricMap
{
    private readonly FrozenDictionary<DiskId, DiskEntry> _disks;
    private readonly FrozenDictionary<ClassId, PlacementClass> _classes;
    private readonly FrozenDictionary<GroupId, PlacementGroup> _groups;
    private readonly FrozenDictionary<ClassId, ImmutableArray<PlacementGroup>> _groupsOfClass;
    private readonly FrozenSet<DiskId> _needed;

    public FabricMap(
        FabricId fabric,
        long version,
        IEnumerable<DiskEntry> disks,
        IEnumerable<PlacementClass> classes,
        IEnumerable<PlacementGroup> groups)
    {
        Fabric = fabric;
        Version = version;
        _disks = disks.ToFrozenDictionary(d => d.Id);
        _classes = classes.ToFrozenDictionary(c => c.Id);
        _groups = groups.ToFrozenDictionary(g => g.Id);
        _groupsOfClass = _groups.Values.GroupBy(g => g.Class)
            .ToFrozenDictionary(g => g.Key, g => g.OrderBy(x => x.Id).ToImmutableArray());
        _needed = _groups.Values
            .SelectMany(g => g.Places)
            .SelectMany(p => p.FormerHomes.Add(p.Home))
            .ToFrozenSet();
    }

    public FabricId Fabric { get; }

    /// <summary>Raised by one with every change.</summary>
    public long Version { get; }

    public ImmutableArray<DiskEntry> Disks => _disks.Values;

    public ImmutableArray<PlacementClass> Classes => _classes.Values;

    public ImmutableArray<PlacementGroup> Groups => _groups.Values;

    public DiskEntry? Disk(DiskId id) => _disks.GetValueOrDefault(id);

    public PlacementClass? Class(ClassId id) => _classes.GetValueOrDefault(id);

    public PlacementGroup? Group(GroupId id) => _groups.GetValueOrDefault(id);

    /// <summary>Whether a disk is the home or a former home of some place.</summary>
    public bool IsNeeded(DiskId disk) => _needed.Contains(disk);

    /// <summary>Whether nobody waits for a disk any more: it was removed, or its folder, which the silo made
    /// itself, is gone and no place needs what it held. One whose folder comes back is taken in all the same.
    /// </summary>
    public bool IsGone(DiskEntry disk) => disk.State == DiskState.Removed
        || (disk is { State: DiskState.Missing, IsManaged: true } && !_needed.Contains(disk.Id));

    public ImmutableArray<PlacementGroup> GroupsOf(ClassId id) =>
        _groupsOfClass.TryGetValue(id, out ImmutableArray<PlacementGroup> groups) ? groups : [];

    /// <summary>The map after <paramref name="change"/>: entries replace those of the same number.</summary>
    /// <exception cref="ZeroStorException">PreconditionFailed: made from another version than
    /// this.</exception>
    public FabricMap With(MapChange change) => change.FromVersion != Version
        ? throw new ZeroStorException(
            ErrorKind.PreconditionFailed,
            $"A change of the map was made from version {change.FromVersion}, not {Version}: read it again.")
        : new FabricMap(
            Fabric,
            Version + 1,
            Merge(Disks, change.Disks, d => d.Id),
            Merge(Classes, change.Classes, c => c.Id),
            Merge(Groups, change.Groups, g => g.Id));

    private static Dictionary<TKey, T>.ValueCollection Merge<T, TKey>(
        ImmutableArray<T> old, ImmutableArray<T> changed, Func<T, TKey> key)
        where TKey : notnull
    {
        var merged = old.ToDictionary(key);
        foreach (T entry in changed)
        {
            merged[key(entry)] = entry;
        }

        return merged.Values;
    }
}

/// <summary>A step from one version of the map to the next: whole entries, new or replaced.</summary>
public sealed record MapChange
{
    /// <summary>The version it was made from; on any other it is refused.</summary>
    public required long FromVersion { get; init; }

    public ImmutableArray<DiskEntry> Disks { get; init; } = [];

    public ImmutableArray<PlacementClass> Classes { get; init; } = [];

    public ImmutableArray<PlacementGroup> Groups { get; init; } = [];
}
