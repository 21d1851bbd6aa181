using System.Collections.Immutable;

namespace ZeroStor;

/// <summary>A range of a version as a version of its own: it names the same contents, and no bytes
/// move.</summary>
public static class ManifestRange
{
    /// <summary>What names these bytes, and the contents that they are of; without what the whole
    /// carries.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range does not lie within.</exception>
    public static Manifest Slice(this Manifest whole, long offset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, whole.Size - offset);
        var contents = ImmutableArray.CreateBuilder<ContentRef>();
        var extents = ImmutableArray.CreateBuilder<Extent>();
        var places = new Dictionary<int, int>();
        long skip = offset;
        long rest = length;
        foreach (Extent extent in whole.Extents)
        {
            long taken = Math.Min(extent.Length - skip, rest);
            if (taken > 0)
            {
                if (places.TryAdd(extent.Content, contents.Count))
                {
                    contents.Add(whole.Contents[extent.Content]);
                }

                extents.Add(new Extent(places[extent.Content], extent.Offset + skip, taken));
                rest -= taken;
            }

            skip = Math.Max(0, skip - extent.Length);
        }

        return new Manifest
        {
            Version = default, Size = length, Contents = contents.ToImmutable(), Extents = extents.ToImmutable(),
        };
    }
}
