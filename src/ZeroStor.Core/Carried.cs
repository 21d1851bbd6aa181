using System.Collections.Immutable;

namespace ZeroStor;

/// <summary>What an object carries beside its bytes, while it is still being made: an upload keeps it until
/// its completion, a copy may bring another. Encoded with a leading format number and a closing
/// sum.</summary>
public sealed record Carried
{
    private const byte Format = 1;

    public static readonly Carried Nothing = new();

    public string ContentType { get; init; } = "";

    public ImmutableSortedDictionary<string, string> Headers { get; init; } = TextMap.Empty;

    /// <summary>See <see cref="ZeroStor.Tags"/>.</summary>
    public ImmutableSortedDictionary<string, string> Tags { get; init; } = TextMap.Empty;

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(Format);
        writer.Text(ContentType);
        TextMap.Write(writer, Headers);
        TextMap.Write(writer, Tags);
        writer.SumOfAll();
        return writer.ToArray();
    }

    /// <exception cref="ZeroStorException">Corrupt: no such thing, or of a format this version does not know.
    /// </exception>
    public static Carried Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes, "description of an object to come");
        reader.Format(Format);
        reader.SumOfAll();
        var carried = new Carried
        {
            ContentType = reader.Text(),
            Headers = TextMap.Read(ref reader, "headers"),
            Tags = TextMap.Read(ref reader, "tags"),
        };
        reader.End();
        return carried;
    }
}
