namespace ZeroStor.Erasure;

/// <summary>The checksums of a stripe's n shards: made once, right after coding, and carried by the records
/// of the first m+1 places, so that whoever reads or repairs can tell which shard is wrong. Sums are a
/// stripe's own when they have the digest that its StripeRef and its records name. Suite 1: XXH128.</summary>
public static class ShardSums
{
    /// <summary>Bytes of the sums in a record's extension.</summary>
    public static int ExtensionBytes(Code code) => code.N * Sum128.Bytes;

    /// <summary>Sums each shard whole, in order of places.</summary>
    /// <exception cref="ArgumentException">Not as many sums as shards.</exception>
    public static void Compute(ReadOnlySpan<ReadOnlyMemory<byte>> shards, Span<Sum128> sums)
    {
        if (shards.Length != sums.Length)
        {
            throw new ArgumentException($"{shards.Length} shards have as many sums, not {sums.Length}.");
        }

        for (int place = 0; place < shards.Length; place++)
        {
            sums[place] = Sum128.Of(shards[place].Span);
        }
    }

    /// <summary>The sums as a record carries them: 16 bytes each, in order of places.</summary>
    public static RecordExtension ToExtension(ReadOnlySpan<Sum128> sums)
    {
        byte[] value = new byte[sums.Length * Sum128.Bytes];
        for (int place = 0; place < sums.Length; place++)
        {
            sums[place].Write(value.AsSpan(place * Sum128.Bytes));
        }

        return new RecordExtension(ExtensionType.ShardSums, value);
    }

    /// <summary>Reads what <see cref="ToExtension"/> made. False, and <paramref name="sums"/> undefined,
    /// where the value has another length than the sums or another digest: a record rotted or a home lies,
    /// and the next home's is to be asked for.</summary>
    /// <param name="value">The extension's value; bytes from outside.</param>
    /// <param name="digest">The digest that the StripeRef or the shard's own record names.</param>
    /// <param name="sums">One for each of the n places.</param>
    public static bool TryRead(ReadOnlySpan<byte> value, Sum128 digest, Span<Sum128> sums)
    {
        if (value.Length != sums.Length * Sum128.Bytes)
        {
            return false;
        }

        for (int place = 0; place < sums.Length; place++)
        {
            sums[place] = Sum128.Read(value[(place * Sum128.Bytes)..]);
        }

        return Sum128.Digest(sums) == digest;
    }
}
