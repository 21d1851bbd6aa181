using CsCheck;
using ZeroStor.Erasure;

namespace ZeroStor.Tests.Erasure;

/// <summary>How kernels are led over shards: ranges, groups, what is left over, what is short.</summary>
public sealed class CodingPlanTests
{
    public static TheoryData<string> Kernels => Stripe.Kernels;

    [Fact]
    public void Kernels_agree_bit_for_bit_on_any_code_length_and_address() =>
        (from k in Gen.Int[1, Code.MaxK]
         from m in Gen.Int[1, Code.MaxM]
         from shardBytes in Gen.Int[0, 2048]
         from seed in Gen.Int
         select (k, m, shardBytes, seed)).Sample(
            x => AssertKernelsAgree(x.k, x.m, x.shardBytes, x.seed), iter: 150);

    [Theory]
    [InlineData(20, 4, 16 * 1024)]
    [InlineData(20, 4, (16 * 1024) + 1)]
    [InlineData(4, 2, (256 * 1024) - 1)]
    [InlineData(11, 5, (64 * 1024) + 255)]
    [InlineData(21, 7, 40_001)]
    [InlineData(128, 3, 33_000)]
    public void Kernels_agree_on_large_shards(int k, int m, int shardBytes) =>
        AssertKernelsAgree(k, m, shardBytes, shardBytes);

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

    // Every shard at an odd distance from any alignment, all parity in one array with what lies between.
    private static void AssertKernelsAgree(int k, int m, int shardBytes, int seed)
    {
        var random = new Random(seed);
        int strideBytes = shardBytes + 61;
        byte[] source = new byte[k * strideBytes];
        byte[] filler = new byte[m * strideBytes];
        random.NextBytes(source);
        random.NextBytes(filler);
        byte[]? expected = null;
        foreach (string name in Stripe.KernelNames.Reverse())
        {
            byte[] target = [.. filler];
            Stripe.CodecOf(k, m, name).Encode(
                [.. Cut(source, k, shardBytes).Select(shard => (ReadOnlyMemory<byte>)shard)],
                [.. Cut(target, m, shardBytes)]);
            expected ??= target;
            Assert.True(expected.AsSpan().SequenceEqual(target), $"{k}+{m}, {shardBytes} bytes: {name}");
        }

        IEnumerable<Memory<byte>> Cut(byte[] array, int count, int bytes) =>
            Enumerable.Range(0, count).Select(i => array.AsMemory(i * strideBytes, bytes));
    }
}
