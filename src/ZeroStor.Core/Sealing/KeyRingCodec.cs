using System.Collections.Immutable;

namespace ZeroStor.Sealing;

/// <summary>The bytes of a <see cref="KeyRing"/>.
/// <para>Encoded, numbers big-endian:</para>
/// <code>
/// 1   format 1
/// 16  VaultId
/// 1   custody: 1 fabric, 2 owner
/// v   how many suites are accepted (LEB128), at least one
///     1   suite; they rise
/// v   how many key pairs follow, at least one; generations rise
///     4   generation
///     1   suite
///     4   tick begun
///     v…  public key
///     v…  id of the master key that holds the private key, ASCII; empty: it is not here
///     v…  the private key wrapped by it; empty: likewise
/// v   how many epochs follow, at least one; numbers rise
///     4   number
///     1   suite
///     4   generation
///     4   tick begun
///     …   ciphertext, as long as the suite says
///     60  box of the epoch key: nonce ‖ ciphertext ‖ tag
///     32  witness
/// </code>
/// <para>A private key is wrapped with the binding <c>format ‖ suite ‖ custody ‖ VaultId ‖ generation ‖ tick begun ‖
/// SHA-256(public key)</c>.</para></summary>
internal static class KeyRingCodec
{
    public const byte Format = 1;

    public static byte[] Encode(KeyRing ring)
    {
        var writer = new ByteWriter();
        writer.Byte(Format);
        writer.UInt128(ring.Vault.Value);
        writer.Byte((byte)ring.Custody);
        writer.VarInt(ring.Suites.Length);
        writer.Raw(ring.Suites.AsSpan());
        writer.VarInt(ring.Pairs.Length);
        foreach (KeyPair pair in ring.Pairs)
        {
            writer.UInt32(pair.Generation);
            writer.Byte(pair.Suite);
            writer.UInt32(pair.Begun.Value);
            writer.Blob(pair.PublicKey.AsSpan());
            writer.Text(pair.HeldBy);
            writer.Blob(pair.Held.AsSpan());
        }

        writer.VarInt(ring.Epochs.Length);
        foreach (KeyEpoch epoch in ring.Epochs)
        {
            writer.UInt32(epoch.Number);
            writer.Byte(ring.Pair(epoch.Generation).Suite);
            writer.UInt32(epoch.Generation);
            writer.UInt32(epoch.Begun.Value);
            writer.Raw(epoch.Ciphertext.AsSpan());
            writer.Raw(epoch.Wrapped.AsSpan());
            writer.Raw(epoch.Witness.AsSpan());
        }

        return writer.ToArray();
    }

    public static KeyRing Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes, "key ring");
        reader.Format(Format);
        var vault = new VaultId(reader.UInt128());
        var custody = (Custody)reader.Byte();
        if (custody is not (Custody.Fabric or Custody.Owner))
        {
            throw reader.Bad($"is in custody {(byte)custody}, which this version does not know: run a newer ZeroStor");
        }

        ImmutableArray<byte> suites = ReadSuites(ref reader);
        ImmutableArray<KeyPair> pairs = ReadPairs(ref reader, suites);
        ImmutableArray<KeyEpoch> epochs = ReadEpochs(ref reader, pairs);
        reader.End();
        return new KeyRing(vault, custody, suites, pairs, epochs);
    }

    private static ImmutableArray<byte> ReadSuites(ref ByteReader reader)
    {
        ImmutableArray<byte> suites = [.. reader.Blob()];
        for (int i = 0; i < suites.Length; i++)
        {
            if (HybridKem.Find(suites[i]) is null)
            {
                throw reader.Bad($"accepts suite {suites[i]}, which this version does not know: run a newer ZeroStor");
            }

            if (i > 0 && suites[i] <= suites[i - 1])
            {
                throw reader.Bad("names its suites out of order");
            }
        }

        return suites;
    }

    private static HybridKem ReadSuite(ref ByteReader reader, ImmutableArray<byte> accepted)
    {
        byte suite = reader.Byte();
        return accepted.Contains(suite)
            ? HybridKem.Find(suite)!
            : throw reader.Bad($"holds something of suite {suite}, which its vault does not accept");
    }

    private static ImmutableArray<KeyPair> ReadPairs(ref ByteReader reader, ImmutableArray<byte> suites)
    {
        var pairs = ImmutableArray.CreateBuilder<KeyPair>();
        for (int i = reader.Count(); i > 0; i--)
        {
            uint generation = reader.UInt32();
            HybridKem kem = ReadSuite(ref reader, suites);
            var begun = new Tick(reader.UInt32());
            ReadOnlySpan<byte> publicKey = reader.Blob();
            string heldBy = reader.Text();
            ReadOnlySpan<byte> held = reader.Blob();
            if (generation <= (pairs.Count == 0 ? 0 : pairs[^1].Generation)
                || publicKey.Length != kem.PublicKeyBytes
                || heldBy.Length > IMasterKey.MaxIdLength
                || held.Length > IMasterKey.MaxWrappedBytes
                || held.IsEmpty != (heldBy.Length == 0))
            {
                throw reader.Bad($"is damaged at key {generation}");
            }

            pairs.Add(new KeyPair(generation, kem.Suite, begun, [.. publicKey], heldBy, [.. held]));
        }

        return pairs.Count > 0 ? pairs.ToImmutable() : throw reader.Bad("holds no key pair");
    }

    private static ImmutableArray<KeyEpoch> ReadEpochs(ref ByteReader reader, ImmutableArray<KeyPair> pairs)
    {
        var epochs = ImmutableArray.CreateBuilder<KeyEpoch>();
        for (int i = reader.Count(); i > 0; i--)
        {
            uint number = reader.UInt32();
            byte suite = reader.Byte();
            uint generation = reader.UInt32();
            var begun = new Tick(reader.UInt32());
            KeyPair? pair = pairs.FirstOrDefault(p => p.Generation == generation);
            if (number <= (epochs.Count == 0 ? 0 : epochs[^1].Number) || pair is null || pair.Suite != suite)
            {
                throw reader.Bad($"is damaged at epoch {number}");
            }

            epochs.Add(new KeyEpoch(
                number,
                generation,
                begun,
                [.. reader.Take(HybridKem.Find(suite)!.CiphertextBytes)],
                [.. reader.Take(EpochBox.BoxBytes)],
                [.. reader.Take(EpochBox.WitnessBytes)]));
        }

        return epochs.Count > 0 ? epochs.ToImmutable() : throw reader.Bad("holds no epoch");
    }
}
