namespace ZeroStor;

/// <summary>What a commit is about to say, as far as it is known when its last stripe is written. Sealed under
/// the vault's keys it lies beside that stripe's shards, so that with the master key a version can be found on
/// disks alone. Encoded with a leading format number and a closing sum.</summary>
/// <param name="Key">The object's key.</param>
/// <param name="Modified">When the put's client began it; for people.</param>
/// <param name="Manifest">The manifest, but for the StripeRefs, which the records themselves tell.</param>
public sealed record CommitDraft(string Key, DateTimeOffset Modified, Manifest Manifest)
{
    private const byte Format = 1;

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(Format);
        writer.Text(Key);
        writer.VarInt(Math.Max(0, Modified.ToUnixTimeMilliseconds()));
        writer.Blob(Manifest.Encode());
        writer.SumOfAll();
        return writer.ToArray();
    }

    /// <exception cref="ZeroStorException">Corrupt: not a draft, or of a format this version does not know.
    /// </exception>
    public static CommitDraft Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes, "draft of a commit");
        reader.Format(Format);
        reader.SumOfAll();
        string key = reader.Text();
        long modified = reader.VarInt();
        if (modified > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())
        {
            throw reader.Bad("was made after the last day there is");
        }

        Manifest manifest = Manifest.Decode(reader.Blob());
        reader.End();
        return new CommitDraft(key, DateTimeOffset.FromUnixTimeMilliseconds(modified), manifest);
    }
}
