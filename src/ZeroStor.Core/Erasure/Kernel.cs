namespace ZeroStor.Erasure;

/// <summary>The inner loop of the codec for one instruction set: sums of products over GF(2^8), column by
/// column. One file each; a new one is added to <see cref="All"/> and the tests hold it against the others.
/// Kernels have no state and are thread-safe.</summary>
internal abstract unsafe class Kernel
{
    /// <summary>Outputs of one <see cref="Run"/>: every input byte that is loaded serves four products, and
    /// the registers still hold several vectors of each output.</summary>
    public const int MaxOutputs = 4;

    /// <summary>Every kernel, the fastest first.</summary>
    public static readonly IReadOnlyList<Kernel> All =
    [
        new Gfni512Kernel(), new Gfni256Kernel(), new Avx2Kernel(), new Vector128Kernel(),
        new PortableKernel(),
    ];

    /// <summary>The fastest one that this processor runs; the portable one runs on all.</summary>
    public static readonly Kernel Best = All.First(kernel => kernel.IsSupported);

    public abstract string Name { get; }

    public abstract bool IsSupported { get; }

    /// <summary>Columns, hence bytes of a shard, that the loop takes at once.</summary>
    public abstract int StepBytes { get; }

    /// <summary>Bytes of a coefficient in the form in which the loop reads it.</summary>
    public abstract int FactorBytes { get; }

    /// <summary>Writes <paramref name="coefficient"/> as the loop reads it.</summary>
    public abstract void Prepare(byte coefficient, Span<byte> factor);

    /// <summary>In each column from <paramref name="offset"/> on, output o becomes the sum over all inputs i
    /// of factor(i, o) · input i; on top of what it held, when <paramref name="accumulate"/> is
    /// set.</summary>
    /// <param name="factors">Prepared coefficients, for each input in order those of each output.</param>
    /// <param name="inputs">First bytes of the inputs; any alignment.</param>
    /// <param name="inputCount">Inputs, at least 1.</param>
    /// <param name="outputs">First bytes of the outputs; any alignment, overlapping nothing.</param>
    /// <param name="outputCount">Outputs, 1 to <see cref="MaxOutputs"/>.</param>
    /// <param name="offset">The first column.</param>
    /// <param name="bytes">Columns: a multiple of <see cref="StepBytes"/>.</param>
    /// <param name="accumulate">Whether to add to the outputs instead of overwriting them.</param>
    public abstract void Run(
        byte* factors,
        byte** inputs,
        int inputCount,
        byte** outputs,
        int outputCount,
        nint offset,
        nint bytes,
        bool accumulate);
}
