using System.Collections.Immutable;

namespace ZeroStor.Catalog;

/// <summary>How many parts of an upload name each content.</summary>
internal sealed record PartNames(ImmutableDictionary<ContentId, int> Counts)
{
    /// <exception cref="ZeroStorException">Corrupt: a part cannot be read, so it cannot be told what it
    /// names. </exception>
    public static PartNames Of(ContentId upload, IEnumerable<PartRow> parts)
    {
        var counts = ImmutableDictionary.CreateBuilder<ContentId, int>();
        foreach (PartRow part in parts)
        {
            foreach (ContentId content in NamedBy(upload, part))
            {
                counts[content] = counts.GetValueOrDefault(content) + 1;
            }
        }

        return new PartNames(counts.ToImmutable());
    }

    /// <summary>The contents that a part names, each once.</summary>
    /// <exception cref="ZeroStorException">Corrupt.</exception>
    public static ImmutableArray<ContentId> NamedBy(ContentId upload, PartRow part) =>
        [.. ManifestOf(upload, part).Contents.Select(c => c.Id).Distinct()];

    /// <exception cref="ZeroStorException">Corrupt.</exception>
    public static Manifest ManifestOf(ContentId upload, PartRow part)
    {
        try
        {
            return Manifest.Decode(part.Manifest);
        }
        catch (ZeroStorException error)
        {
            throw ZeroStorException.Corrupt(
                $"Upload {upload} stays as it is, for it cannot be told what its part {part.Number} names: "
                + error.Message,
                error);
        }
    }

    /// <summary>By how much the names of contents change when a version that names <paramref name="named"/>
    /// takes the place of all parts; those that stay the same are left out, and they are nearly
    /// all.</summary>
    public ImmutableDictionary<ContentId, int> ChangesTo(IReadOnlySet<ContentId> named) => Counts
        .Select(c => KeyValuePair.Create(c.Key, (named.Contains(c.Key) ? 1 : 0) - c.Value))
        .Where(c => c.Value != 0)
        .ToImmutableDictionary();
}
