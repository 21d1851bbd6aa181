using System.Collections.Immutable;
using System.Text;

namespace ZeroStor;

/// <summary>The tags of a version: names and values that its users change without making another version. How
/// many there may be, and what they may say, is the front end's; the fabric bounds their bytes. Encoded with
/// a leading format number and a closing sum; no tags are no bytes.</summary>
public static class Tags
{
    /// <summary>Ten tags as S3 allows them, of the longest characters: they stand in the catalog beside the
    /// version, and come with every head.</summary>
    public const int MaxBytes = 16 * 1024;

    private const byte Format = 1;

    public static readonly ImmutableSortedDictionary<string, string> None = TextMap.Empty;

    /// <exception cref="ZeroStorException">InvalidArgument: too many bytes, or no text.</exception>
    public static void Check(ImmutableSortedDictionary<string, string> tags)
    {
        ArgumentNullException.ThrowIfNull(tags);
        int bytes = 0;
        foreach ((string name, string value) in tags)
        {
            ObjectKey.CheckText(name, "tag");
            ObjectKey.CheckText(value, "tag's value");
            bytes += Encoding.UTF8.GetByteCount(name) + Encoding.UTF8.GetByteCount(value);
        }

        if (bytes > MaxBytes)
        {
            throw ZeroStorException.Invalid($"The tags have {bytes} bytes, and the most is {MaxBytes}: say less.");
        }
    }

    public static byte[] Encode(ImmutableSortedDictionary<string, string> tags)
    {
        if (tags.IsEmpty)
        {
            return [];
        }

        var writer = new ByteWriter();
        writer.Byte(Format);
        TextMap.Write(writer, tags);
        writer.SumOfAll();
        return writer.ToArray();
    }

    /// <exception cref="ZeroStorException">Corrupt: no tags, or of a format this version does not
    /// know.</exception>
    public static ImmutableSortedDictionary<string, string> Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return None;
        }

        var reader = new ByteReader(bytes, "set of tags");
        reader.Format(Format);
        reader.SumOfAll();
        ImmutableSortedDictionary<string, string> tags = TextMap.Read(ref reader, "tags");
        reader.End();
        return tags;
    }
}
