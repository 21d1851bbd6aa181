using System.Buffers.Binary;
using System.Collections.Immutable;

namespace ZeroStor.Placement;

/// <summary>Picks the group for a stripe: of two random healthy groups the one with more free space at its
/// fullest home. Two choices instead of one keep disks level without anybody knowing all of them.</summary>
public static class GroupChoice
{
    /// <param name="map">The map.</param>
    /// <param name="wanted">The class of the vault.</param>
    /// <param name="isHealthy">Whether a home takes shards now.</param>
    /// <param name="freeBytes">Free space of a home, as last heard.</param>
    /// <param name="entropy">Where chance comes from.</param>
    /// <param name="absent">How many homes of the chosen group are not healthy: 0 unless no group is whole,
    /// in which case the group with the fewest of them is chosen.</param>
    /// <exception cref="ZeroStorException">PolicyUnsatisfiable: the class has no group.</exception>
    public static PlacementGroup Pick(
        FabricMap map,
        ClassId wanted,
        Func<DiskId, bool> isHealthy,
        Func<DiskId, long> freeBytes,
        IEntropy entropy,
        out int absent)
    {
        ImmutableArray<PlacementGroup> groups = map.GroupsOf(wanted);
        if (groups.IsEmpty)
        {
            throw new ZeroStorException(
                ErrorKind.PolicyUnsatisfiable, $"class {wanted} has no placement group: its disks are gone");
        }

        PlacementGroup first = RandomHealthy(groups, isHealthy, entropy, out absent);
        if (absent > 0)
        {
            return first;
        }

        PlacementGroup second = RandomHealthy(groups, isHealthy, entropy, out _);
        return Room(second, freeBytes) > Room(first, freeBytes) ? second : first;
    }

    // From a random start onwards the first group without an absent home, else the one with the fewest.
    private static PlacementGroup RandomHealthy(
        ImmutableArray<PlacementGroup> groups, Func<DiskId, bool> isHealthy, IEntropy entropy, out int absent)
    {
        Span<byte> chance = stackalloc byte[4];
        entropy.Fill(chance);
        int start = (int)(BinaryPrimitives.ReadUInt32BigEndian(chance) % (uint)groups.Length);
        PlacementGroup best = groups[start];
        absent = int.MaxValue;
        for (int i = 0; i < groups.Length && absent > 0; i++)
        {
            PlacementGroup group = groups[(start + i) % groups.Length];
            int gone = group.Places.Count(p => !isHealthy(p.Home));
            if (gone < absent)
            {
                (best, absent) = (group, gone);
            }
        }

        return best;
    }

    private static long Room(PlacementGroup group, Func<DiskId, long> freeBytes) =>
        group.Places.Min(p => freeBytes(p.Home));
}
