using System.Buffers.Binary;

namespace ZeroStor.Benchmarks;

/// <summary>Ids for shards, the same in every run: the system's would cost as much as the append of a small one.
/// SplitMix64 (Steele, Lea, Flood 2014). Thread-safe.</summary>
internal sealed class FastEntropy : IEntropy
{
    private const ulong Step = 0x9E37_79B9_7F4A_7C15;

    private ulong _state;

    public void Fill(Span<byte> target)
    {
        Span<byte> word = stackalloc byte[sizeof(ulong)];
        while (!target.IsEmpty)
        {
            ulong state = Interlocked.Add(ref _state, Step);
            ulong mixed = (state ^ (state >> 30)) * 0xBF58_476D_1CE4_E5B9;
            mixed = (mixed ^ (mixed >> 27)) * 0x94D0_49BB_1331_11EB;
            BinaryPrimitives.WriteUInt64LittleEndian(word, mixed ^ (mixed >> 31));
            int bytes = Math.Min(target.Length, word.Length);
            word[..bytes].CopyTo(target);
            target = target[bytes..];
        }
    }
}
