using System.Collections.Immutable;

namespace ZeroStor;

/// <summary>Names and values as the small formats write them: how many there are, then each name and its
/// value, in the order of the names' UTF-16 units.</summary>
internal static class TextMap
{
    public static readonly ImmutableSortedDictionary<string, string> Empty =
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    public static void Write(ByteWriter writer, ImmutableSortedDictionary<string, string> map)
    {
        writer.VarInt(map.Count);
        foreach ((string name, string value) in map.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            writer.Text(name);
            writer.Text(value);
        }
    }

    /// <param name="reader">Where it begins.</param>
    /// <param name="what">What the entries are called, for messages.</param>
    /// <exception cref="ZeroStorException">Corrupt.</exception>
    public static ImmutableSortedDictionary<string, string> Read(ref ByteReader reader, string what)
    {
        var map = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        string? previous = null;
        for (int i = reader.Count(); i > 0; i--)
        {
            string name = reader.Text();
            if (string.CompareOrdinal(previous, name) >= 0)
            {
                throw reader.Bad($"holds {what} out of order");
            }

            map.Add(name, reader.Text());
            previous = name;
        }

        return map.ToImmutable();
    }
}
