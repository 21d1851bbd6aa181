using ZeroStor.Erasure;

namespace ZeroStor.Tests.Erasure;

/// <summary>A stripe for tests: random data, coded, and every way to lose and regain shards of it.</summary>
internal sealed class Stripe
{
    /// <summary>Around every output, to find a byte written beside it.</summary>
    private const int GuardBytes = 80;
    private const byte Guard = 0xa5;

    public Stripe(ReedSolomon codec, int shardBytes, Random random)
    {
        Codec = codec;
        Shards = [.. Enumerable.Range(0, codec.Code.N).Select(_ => new byte[shardBytes])];
        foreach (byte[] data in Shards.Take(codec.Code.K))
        {
            random.NextBytes(data);
        }

        codec.Encode(
            Memories(0, codec.Code.K), [.. Shards.Skip(codec.Code.K).Select(shard => shard.AsMemory())]);
    }

    public ReedSolomon Codec { get; }

    public byte[][] Shards { get; }

    public static IEnumerable<string> KernelNames =>
        Kernel.All.Where(kernel => kernel.IsSupported).Select(kernel => kernel.Name);

    public static TheoryData<string> Kernels => [.. KernelNames];

    public static Kernel KernelNamed(string name) => Kernel.All.Single(kernel => kernel.Name == name);

    public static ReedSolomon CodecOf(int k, int m, string kernel) =>
        new(new Code(k, m), KernelNamed(kernel));

    public ReadOnlyMemory<byte>[] Memories(int first, int count) =>
        [.. Shards.Skip(first).Take(count).Select(shard => (ReadOnlyMemory<byte>)shard)];

    public ReadOnlyMemory<byte>[] Without(IReadOnlyCollection<int> lost) =>
        [.. Shards.Select((shard, i) => lost.Contains(i) ? default : (ReadOnlyMemory<byte>)shard)];

    /// <summary>Loses shards, wants some back, and looks at every byte that was or was not to be written.
    /// </summary>
    public void LoseAndRegain(IReadOnlyCollection<int> lost, IReadOnlyCollection<int> wanted)
    {
        int shardBytes = Shards[0].Length;
        byte[][] rooms = new byte[Shards.Length][];
        var outputs = new Memory<byte>[Shards.Length];
        foreach (int place in wanted)
        {
            rooms[place] = new byte[shardBytes + (2 * GuardBytes)];
            rooms[place].AsSpan().Fill(Guard);
            outputs[place] = rooms[place].AsMemory(GuardBytes, shardBytes);
        }

        byte[][] before = [.. Shards.Select(shard => shard.ToArray())];
        Codec.Reconstruct(Without(lost), outputs);
        foreach (int place in wanted)
        {
            ReadOnlySpan<byte> room = rooms[place];
            string where = $"{Codec.Code}, {shardBytes} bytes, place {place}, lost {string.Join(',', lost)}";
            Assert.True(room.Slice(GuardBytes, shardBytes).SequenceEqual(Shards[place]), where);
            Assert.False(room[..GuardBytes].ContainsAnyExcept(Guard), $"written before {where}");
            Assert.False(room[^GuardBytes..].ContainsAnyExcept(Guard), $"written behind {where}");
        }

        for (int place = 0; place < Shards.Length; place++)
        {
            Assert.True(before[place].AsSpan().SequenceEqual(Shards[place]), $"input {place} was modified");
        }
    }

    /// <summary>Every set of <paramref name="size"/> numbers below <paramref name="count"/>.</summary>
    public static IEnumerable<int[]> Subsets(int count, int size)
    {
        int[] set = [.. Enumerable.Range(0, size)];
        while (true)
        {
            yield return [.. set];
            int last = size - 1;
            while (last >= 0 && set[last] == count - size + last)
            {
                last--;
            }

            if (last < 0)
            {
                yield break;
            }

            set[last]++;
            for (int i = last + 1; i < size; i++)
            {
                set[i] = set[i - 1] + 1;
            }
        }
    }
}
