using System.Collections.Concurrent;

namespace ZeroStor.Erasure;

/// <summary>Reed-Solomon over GF(2^8), systematic: k data shards as they are and m parity shards, any k of
/// which give all n back.
/// <para>The field's polynomial is 0x11d. The generator is the n×k Vandermonde matrix (row r, column c: r^c)
/// times the inverse of its top square, so that its first k rows are the identity (J. S. Plank, "A Tutorial
/// on Reed-Solomon Coding for Fault-Tolerance in RAID-like Systems", 1997, and its correction of 2005). The
/// bytes are those of Backblaze's JavaReedSolomon and of klauspost/reedsolomon's default.</para>
/// <para>Coding goes column by column: byte x of a shard depends on byte x of k others and on nothing else.
/// So any range [a, b) of a missing shard follows from the same range of k others, and a stripe may be coded
/// piece by piece: pass the slices.</para>
/// <para>Thread-safe: immutable but for a bounded cache of decoding matrices. Shards may lie at any address
/// and have any length; no byte outside them is touched. Outputs overlap neither inputs nor one another:
/// that is checked, since wrong bytes would come out only on some processors and for some
/// lengths.</para></summary>
public sealed class ReedSolomon
{
    private static readonly ConcurrentDictionary<Code, ReedSolomon> Known = new();

    private readonly Kernel _kernel;
    private readonly Matrix _generator;
    private readonly CodingPlan _encoding;
    private readonly PlanCache _decodings = new();

    internal ReedSolomon(Code code, Kernel kernel)
    {
        if (code.K == 0)
        {
            throw new ArgumentException("A code without data shards codes nothing: say new Code(k, m).");
        }

        Code = code;
        _kernel = kernel;
        Matrix powers = Matrix.Vandermonde(code.N, code.K);
        _generator = powers.Multiply(powers.Select(PlaceSet.Range(0, code.K)).Invert());
        _encoding = new CodingPlan(kernel, _generator.Select(PlaceSet.Range(code.K, code.M)));
    }

    public Code Code { get; }

    /// <summary>Decoding matrices that are kept right now.</summary>
    internal int CachedDecodings => _decodings.Count;

    /// <summary>The codec of a code, on the fastest kernel that this processor runs; always the same one.
    /// </summary>
    public static ReedSolomon For(Code code) =>
        Known.GetOrAdd(code, static code => new ReedSolomon(code, Kernel.Best));

    /// <summary>Computes the parity of a stripe, or of a range of its columns.</summary>
    /// <param name="data">The k data shards, in order, equally long; not modified.</param>
    /// <param name="parity">The m parity shards to write, as long as those.</param>
    /// <exception cref="ArgumentException">Another number of shards, unequal lengths, or an overlap; nothing
    /// is written.</exception>
    public void Encode(ReadOnlySpan<ReadOnlyMemory<byte>> data, ReadOnlySpan<Memory<byte>> parity)
    {
        if (data.Length != Code.K || parity.Length != Code.M)
        {
            throw new ArgumentException(
                $"{Code} is so many data and parity shards, not {data.Length} and {parity.Length}.");
        }

        int shardBytes = data[0].Length;
        for (int place = 1; place < data.Length; place++)
        {
            RequireLength(place, data[place].Length, shardBytes);
        }

        for (int i = 0; i < parity.Length; i++)
        {
            RequireLength(Code.K + i, parity[i].Length, shardBytes);
        }

        if (shardBytes > 0)
        {
            PinnedShards.Run(_encoding, data, parity, firstOutput: Code.K, shardBytes);
        }
    }

    /// <summary>Computes the wanted shards of a stripe, data and parity alike, or a range of their columns,
    /// from the first k that are present. Nothing but the wanted shards is written; where nothing is wanted
    /// (as with shards of no length), nothing is done.</summary>
    /// <param name="shards">All n places in order; empty is absent. Those present are equally long and not
    /// modified.</param>
    /// <param name="wanted">All n places in order; empty is not wanted. The others are as long as the shards.
    /// A place may be both present and wanted.</param>
    /// <exception cref="ArgumentException">Another number of places, unequal lengths, or an overlap; nothing
    /// is written.</exception>
    /// <exception cref="ZeroStorException">TooFewShards: fewer than k are present.</exception>
    public void Reconstruct(ReadOnlySpan<ReadOnlyMemory<byte>> shards, ReadOnlySpan<Memory<byte>> wanted)
    {
        if (shards.Length != Code.N || wanted.Length != Code.N)
        {
            throw new ArgumentException(
                $"{Code} has {Code.N} shards: not {shards.Length} to read and {wanted.Length} to want.");
        }

        int shardBytes = 0;
        PlaceSet outputs = default;
        for (int place = 0; place < wanted.Length; place++)
        {
            if (!wanted[place].IsEmpty)
            {
                shardBytes = shardBytes == 0 ? wanted[place].Length : shardBytes;
                RequireLength(place, wanted[place].Length, shardBytes);
                outputs.Add(place);
            }
        }

        if (shardBytes == 0)
        {
            return;
        }

        PlaceSet inputs = default;
        int present = 0;
        for (int place = 0; place < shards.Length; place++)
        {
            if (!shards[place].IsEmpty)
            {
                RequireLength(place, shards[place].Length, shardBytes);
                if (present++ < Code.K)
                {
                    inputs.Add(place);
                }
            }
        }

        if (present < Code.K)
        {
            throw new ZeroStorException(
                ErrorKind.TooFewShards,
                $"{present} shards of a {Code} stripe are at hand and {Code.K} are needed: bring back homes "
                + "that hold others.");
        }

        PinnedShards.Run(DecodingFor(inputs, outputs), shards, wanted, firstOutput: 0, shardBytes);
    }

    // Shards are generator × data. So data is inverse(rows of those present) × those present, and any shard
    // is its own row times that.
    private CodingPlan DecodingFor(PlaceSet inputs, PlaceSet outputs)
    {
        CodingPlan? plan = _decodings.Find(inputs, outputs);
        if (plan is null)
        {
            Matrix data = _generator.Select(inputs).Invert();
            plan = new CodingPlan(_kernel, _generator.Select(outputs).Multiply(data));
            _decodings.Add(inputs, outputs, plan);
        }

        return plan;
    }

    private static void RequireLength(int place, int bytes, int shardBytes)
    {
        if (bytes != shardBytes)
        {
            throw new ArgumentException(
                $"Shards of a stripe are equally long: that of place {place} has {bytes} bytes, and "
                + $"{shardBytes} are asked for.");
        }
    }
}
