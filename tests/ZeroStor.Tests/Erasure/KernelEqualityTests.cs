using ZeroStor.Erasure;
using ZeroStor.Tests.Proofs;

namespace ZeroStor.Tests.Erasure;

/// <summary>All kernels that this machine runs write the same bytes, whatever the code, the loss, the lengths
/// and the addresses; and where they were not asked to write, nothing. A seed stands for one code and for
/// <see cref="CasesPerSeed"/> cases of it. Every run of the tests takes a few seeds; 5,000 are a million
/// cases, ten thousand of them long, and want a Release build (tests/README.md).</summary>
public sealed class KernelEqualityTests
{
    private const int CasesPerSeed = 200;
    private const int LongCaseEvery = 100;
    private const int ShortBytes = 2048;
    private const int LongBytes = 256 * 1024;
    private const int FewSeeds = 50;

    [Fact]
    public Task All_kernels_write_the_same_bytes_and_no_others() => Seeds.ForEachAsync(
        FewSeeds,
        seed =>
        {
            var cases = new Cases(new Random(seed));
            for (int i = 1; i <= CasesPerSeed; i++)
            {
                cases.RunNext(i % LongCaseEvery == 0 ? LongBytes : ShortBytes);
            }

            return Task.CompletedTask;
        });

    /// <summary>Cases of one code. What is read lies anywhere in one array, shards over one another; what is
    /// written lies in another with gaps between, and all of that is compared.</summary>
    private sealed class Cases
    {
        private const byte Filler = 0xa5;
        private const int MaxGapBytes = 130;

        private readonly Random _random;
        private readonly ReedSolomon[] _codecs;
        private readonly string[] _names = [.. Stripe.KernelNames];
        private readonly byte[] _source = new byte[2 * LongBytes];
        private readonly Code _code;
        private byte[] _expected = [];
        private byte[] _target = [];

        public Cases(Random random)
        {
            _random = random;
            _code = new Code(AnyMagnitude(1, Code.MaxK), AnyMagnitude(1, Code.MaxM));
            _codecs = [.. _names.Select(name => Stripe.CodecOf(_code.K, _code.M, name))];
            random.NextBytes(_source);
        }

        public void RunNext(int maxShardBytes)
        {
            // A long case is longer than any short one.
            int minShardBytes = maxShardBytes == LongBytes ? ShortBytes + 1 : 1;
            int shardBytes = AnyMagnitude(minShardBytes, maxShardBytes);
            bool isEncode = _random.Next(3) == 0;
            int[] places = [.. Enumerable.Range(0, _code.N)];
            _random.Shuffle(places);
            int[] lost = isEncode
                ? [.. Enumerable.Range(_code.K, _code.M)]
                : places[.._random.Next(1, _code.M + 1)];
            int[] wanted = isEncode ? lost : lost[.._random.Next(1, lost.Length + 1)];

            var shards = new ReadOnlyMemory<byte>[_code.N];
            foreach (int place in Enumerable.Range(0, _code.N).Except(lost))
            {
                shards[place] = _source.AsMemory(_random.Next(_source.Length - shardBytes + 1), shardBytes);
            }

            (int[] offsets, int targetBytes) = LayOut(wanted.Length, shardBytes);
            for (int i = 0; i < _codecs.Length; i++)
            {
                ref byte[] target = ref i == 0 ? ref _expected : ref _target;
                if (target.Length < targetBytes)
                {
                    target = new byte[targetBytes];
                }

                target.AsSpan(0, targetBytes).Fill(Filler);
                Run(_codecs[i], isEncode, shards, wanted, target, offsets, shardBytes);
                bool isEqual = i == 0
                    || _expected.AsSpan(0, targetBytes).SequenceEqual(_target.AsSpan(0, targetBytes));
                Assert.True(
                    isEqual,
                    $"{_names[i]} differs from {_names[0]}: {_code}, {shardBytes} bytes, lost "
                    + $"{string.Join(',', lost)}, wanted {string.Join(',', wanted)}");
            }

            AssertGapsUntouched(offsets, shardBytes, targetBytes);
        }

        private (int[] Offsets, int TargetBytes) LayOut(int count, int shardBytes)
        {
            int[] offsets = new int[count];
            int next = _random.Next(MaxGapBytes);
            for (int i = 0; i < count; i++)
            {
                offsets[i] = next;
                next += shardBytes + _random.Next(MaxGapBytes);
            }

            return (offsets, next + MaxGapBytes);
        }

        private void Run(
            ReedSolomon codec,
            bool isEncode,
            ReadOnlyMemory<byte>[] shards,
            int[] wanted,
            byte[] target,
            int[] offsets,
            int shardBytes)
        {
            var outputs = new Memory<byte>[_code.N];
            for (int i = 0; i < wanted.Length; i++)
            {
                outputs[wanted[i]] = target.AsMemory(offsets[i], shardBytes);
            }

            if (isEncode)
            {
                codec.Encode(shards.AsSpan(0, _code.K), outputs.AsSpan(_code.K));
            }
            else
            {
                codec.Reconstruct(shards, outputs);
            }
        }

        // What all of them wrote where nothing was to be written, comparing them would not show.
        private void AssertGapsUntouched(int[] offsets, int shardBytes, int targetBytes)
        {
            int gap = 0;
            foreach (int shard in offsets.Append(targetBytes))
            {
                Span<byte> between = _expected.AsSpan(gap..shard);
                Assert.False(between.ContainsAnyExcept(Filler), "written beside a shard");
                gap = shard + shardBytes;
            }
        }

        // From min to max, small ones as often as large ones.
        private int AnyMagnitude(int min, int max) =>
            (int)(min * Math.Pow((double)(max + 1) / min, _random.NextDouble()));
    }
}
