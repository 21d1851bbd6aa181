using System.Buffers.Binary;
using System.IO.Hashing;

namespace ZeroStor;

/// <summary>A checksum against rot, not against a forger: XXH128 with seed 0 (System.IO.Hashing), written
/// big-endian as its authors do. Suite 1 of the shard sums; a keyless cryptographic suite can stand beside
/// it.
/// </summary>
public readonly record struct Sum128(ulong High, ulong Low)
{
    public const int Bytes = 16;

    public static Sum128 Of(ReadOnlySpan<byte> data)
    {
        UInt128 hash = XxHash128.HashToUInt128(data);
        return new Sum128((ulong)(hash >> 64), (ulong)hash);
    }

    /// <summary>The digest of a stripe's shard sums: one sum over all n, in order of places.</summary>
    public static Sum128 Digest(ReadOnlySpan<Sum128> sums)
    {
        Span<byte> bytes = stackalloc byte[sums.Length * Bytes];
        for (int i = 0; i < sums.Length; i++)
        {
            sums[i].Write(bytes[(i * Bytes)..]);
        }

        return Of(bytes);
    }

    public static Sum128 Read(ReadOnlySpan<byte> source) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(source), BinaryPrimitives.ReadUInt64BigEndian(source[8..]));

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt64BigEndian(target, High);
        BinaryPrimitives.WriteUInt64BigEndian(target[8..], Low);
    }

    public override string ToString() => $"{High:x16}{Low:x16}";
}
