using System.Buffers.Binary;
using System.Security.Cryptography;
using ZeroStor.Sealing;

namespace ZeroStor.Tests.Sealing;

/// <summary>Compressed stripes that a second implementation sealed, of blocks that it compressed
/// (tests/vectors/sealing/compressed.mjs). These vectors never change: another format has another number and vectors
/// of its own.</summary>
public sealed class CompressedVectorsTests : IDisposable
{
    private static readonly Dictionary<string, byte[]> Vectors = File
        .ReadLines(Checkout.PathOf("tests", "vectors", "sealing", "compressed.txt"))
        .Select(line => line.Split(' '))
        .ToDictionary(parts => parts[0], parts => Convert.FromHexString(parts[1]));

    private static readonly SealId Seal = new(Repeat(0x33));

    private readonly ContentKey _key = new(
        new VaultId(Repeat(0x11)),
        new ContentId(Repeat(0x22)),
        new Secret([.. Enumerable.Range(0xC0, Secret.KeyBytes).Select(i => (byte)i)], isLongLived: true));

    [Theory]
    [InlineData("one")]
    [InlineData("three")]
    public void What_another_implementation_sealed_opens(string name)
    {
        byte[] sealedBytes = Vectors[$"{name}-sealed"];
        int length = BinaryPrimitives.ReadInt32BigEndian(Vectors[$"{name}-length"]);
        using var opener = new StripeOpener(
            _key, new StripeRef(default, default, Seal, length, sealedBytes.Length, default), ordinal: 5);
        opener.ReadIndex([sealedBytes]);
        SegmentRun run = opener.RunOf(0, length);
        byte[] content = new byte[length];
        opener.Open(run, [sealedBytes.AsMemory(run.SealedStart, run.SealedLength)], content);
        Assert.Equal(Vectors[$"{name}-content-sha256"], SHA256.HashData(content));
    }

    [Theory]
    [InlineData("one")]
    [InlineData("three")]
    public void Sealed_here_from_the_same_blocks_it_is_the_same(string name)
    {
        byte[] sealedBytes = Vectors[$"{name}-sealed"];
        int length = BinaryPrimitives.ReadInt32BigEndian(Vectors[$"{name}-length"]);
        using CompressedStripeCipher cipher = _key.ForCompressedStripe(Seal, 5, length);
        var index = new SegmentIndex(length) { [0] = sealedBytes.Length - Geometry.SealTagBytes };
        byte[] again = new byte[sealedBytes.Length];
        if (SegmentIndex.SealedBytesOf(length) is > 0 and int indexBytes)
        {
            byte[] written = new byte[SegmentIndex.BytesOf(length)];
            cipher.OpenIndex(sealedBytes.AsSpan(0, indexBytes), written);
            Assert.True(index.TryRead(written, sealedBytes.Length));
            cipher.SealIndex(written, again.AsSpan(0, indexBytes));
        }

        for (int segment = 0; segment < index.Segments; segment++)
        {
            Range range = index.StartOf(segment)..index.StartOf(segment + 1);
            byte[] stored = new byte[index[segment]];
            cipher.Open(segment, sealedBytes.AsSpan(range), stored);
            cipher.Seal(segment, stored, again.AsSpan(range));
        }

        Assert.Equal(sealedBytes, again);
    }

    public void Dispose() => _key.Dispose();

    private static UInt128 Repeat(byte value) => UInt128.MaxValue / 255 * value;
}
