namespace ZeroStor;

/// <summary>What a part of an upload is, as far as it is known when its last stripe is written. Sealed under
/// the vault's keys it lies beside that stripe's shards, where a put has its <see cref="CommitDraft"/>: so
/// that nobody takes a part for the whole. Encoded with a leading format number, which no commit's draft has,
/// and a closing sum.</summary>
/// <param name="Key">The key of the object to come.</param>
/// <param name="Upload">Which upload.</param>
/// <param name="Number">The part's number in it.</param>
/// <param name="Modified">When its client began it; for people.</param>
/// <param name="Manifest">The part's manifest, but for the StripeRefs.</param>
public sealed record PartDraft(string Key, UploadId Upload, int Number, DateTimeOffset Modified, Manifest Manifest)
{
    private const byte Format = 2;

    /// <summary>Whether these are a part's draft, and not a commit's.</summary>
    public static bool IsOne(ReadOnlySpan<byte> bytes) => bytes is [Format, ..];

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(Format);
        writer.Text(Key);
        writer.UInt128(Upload.Value);
        writer.VarInt(Number);
        writer.VarInt(Math.Max(0, Modified.ToUnixTimeMilliseconds()));
        writer.Blob(Manifest.Encode());
        writer.SumOfAll();
        return writer.ToArray();
    }

    /// <exception cref="ZeroStorException">Corrupt: not a part's draft.</exception>
    public static PartDraft Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes, "draft of a part");
        reader.Format(Format);
        reader.SumOfAll();
        string key = reader.Text();
        var upload = new UploadId(reader.UInt128());
        int number = reader.Count();
        long modified = reader.VarInt();
        if (modified > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())
        {
            throw reader.Bad("was made after the last day there is");
        }

        Manifest manifest = Manifest.Decode(reader.Blob());
        reader.End();
        return new PartDraft(key, upload, number, DateTimeOffset.FromUnixTimeMilliseconds(modified), manifest);
    }
}
