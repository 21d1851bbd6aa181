using ZeroStor.Erasure;

namespace ZeroStor.Tests.Erasure;

/// <summary>How kernels are led over shards: ranges, groups, what is left over, what is short.</summary>
public sealed class CodingPlanTests
{
    // So short that it is one range, and near.
    private const int PieceBytes = 1000;

    public static TheoryData<string> Kernels => Stripe.Kernels;

    [Theory]
    [InlineData(20, 4, 16 * 1024)]
    [InlineData(20, 4, (16 * 1024) + 1)]
    [InlineData(4, 2, (256 * 1024) - 1)]
    [InlineData(11, 5, (64 * 1024) + 255)]
    [InlineData(21, 7, 40_001)]
    [InlineData(128, 3, 33_000)]
    [InlineData(40, 9, 70_001)]
    public void Large_shards_are_coded_as_their_pieces_are_by_every_kernel(int k, int m, int shardBytes)
    {
        // Every shard at an odd distance from any alignment, all parity in one array with what lies between.
        var random = new Random(shardBytes);
        int strideBytes = shardBytes + 61;
        byte[] source = new byte[k * strideBytes];
        byte[] filler = new byte[m * strideBytes];
        random.NextBytes(source);
        random.NextBytes(filler);
        byte[] expected = [.. filler];
        var codecs = Stripe.KernelNames.ToDictionary(name => name, name => Stripe.CodecOf(k, m, name));
        for (int at = 0; at < shardBytes; at += PieceBytes)
        {
            Encode("portable", expected, at, Math.Min(PieceBytes, shardBytes - at));
        }

        foreach (string name in Stripe.KernelNames)
        {
            byte[] target = [.. filler];
            Encode(name, target, 0, shardBytes);
            Assert.True(expected.AsSpan().SequenceEqual(target), $"{k}+{m}, {shardBytes} bytes: {name}");
        }

        void Encode(string name, byte[] target, int at, int bytes) => codecs[name].Encode(
            [.. Cut(source, k, at, bytes).Select(shard => (ReadOnlyMemory<byte>)shard)],
            [.. Cut(target, m, at, bytes)]);

        IEnumerable<Memory<byte>> Cut(byte[] array, int count, int at, int bytes) =>
            Enumerable.Range(0, count).Select(i => array.AsMemory((i * strideBytes) + at, bytes));
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void No_byte_beside_a_shard_is_read_or_written(string name)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "mmap");
        var codec = new ReedSolomon(new Code(12, 6), Stripe.KernelNamed(name));
        foreach (bool atEnd in new[] { true, false })
        {
            for (int shardBytes = 1; shardBytes <= 700; shardBytes += shardBytes < 290 ? 1 : 37)
            {
                AssertStaysWithin(codec, shardBytes, atEnd);
            }
        }
    }

    private static void AssertStaysWithin(ReedSolomon codec, int shardBytes, bool atEnd)
    {
        var stripe = new Stripe(codec, shardBytes, new Random(shardBytes));
        GuardedMemory[] rooms =
            [.. stripe.Shards.Select(_ => new GuardedMemory(shardBytes, atEnd))];
        for (int i = 0; i < codec.Code.K; i++)
        {
            stripe.Shards[i].CopyTo(rooms[i].GetSpan());
        }

        codec.Encode(
            [.. rooms.Take(codec.Code.K).Select(room => (ReadOnlyMemory<byte>)room.Memory)],
            [.. rooms.Skip(codec.Code.K).Select(room => room.Memory)]);
        for (int i = 0; i < rooms.Length; i++)
        {
            Assert.True(rooms[i].GetSpan().SequenceEqual(stripe.Shards[i]), $"place {i}, {shardBytes} bytes");
            ((IDisposable)rooms[i]).Dispose();
        }
    }
}
