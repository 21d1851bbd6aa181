namespace ZeroStor.Erasure;

/// <summary>A matrix of coefficients made ready for one kernel, and the order in which the kernel is led over
/// the shards. Immutable and thread-safe.</summary>
internal sealed unsafe class CodingPlan
{
    /// <summary>Columns coded before going on to the next ones: four outputs of so many stay in a first-level
    /// cache between groups of inputs, the inputs in a second-level one between fours of outputs. A multiple
    /// of every kernel's step.</summary>
    private const int RangeBytes = 8 * 1024;

    /// <summary>Inputs of one pass at most, as more streams at once outrun the caches; fewer would cost more
    /// passes over the outputs. Measured: 20 inputs in one pass are a fifth faster than in two.</summary>
    private const int MaxGroupInputs = 32;

    private readonly Kernel _kernel;
    private readonly int _inputCount;
    private readonly int _outputCount;
    private readonly int _groupInputs;
    private readonly byte[] _factors;

    /// <param name="kernel">The kernel to run.</param>
    /// <param name="coefficients">A row for each output, a column for each input.</param>
    public CodingPlan(Kernel kernel, Matrix coefficients)
    {
        _kernel = kernel;
        _inputCount = coefficients.Columns;
        _outputCount = coefficients.Rows;
        int groups = (_inputCount + MaxGroupInputs - 1) / MaxGroupInputs;
        _groupInputs = (_inputCount + groups - 1) / groups;
        _factors = new byte[_inputCount * _outputCount * kernel.FactorBytes];

        // In the order of the loop: outputs by fours, then inputs, then the outputs of the four.
        Span<byte> rest = _factors;
        for (int first = 0; first < _outputCount; first += Kernel.MaxOutputs)
        {
            for (int input = 0; input < _inputCount; input++)
            {
                for (int output = first; output < first + OutputsFrom(first); output++)
                {
                    kernel.Prepare(coefficients[output, input], rest[..kernel.FactorBytes]);
                    rest = rest[kernel.FactorBytes..];
                }
            }
        }
    }

    /// <summary>What the plan holds in memory.</summary>
    public int Bytes => _factors.Length;

    /// <summary>Computes every output. Inputs and outputs are as many as the matrix had columns and rows,
    /// each of <paramref name="bytes"/>, at any address.</summary>
    public void Run(byte** inputs, byte** outputs, int bytes)
    {
        int step = _kernel.StepBytes;
        if (bytes < step)
        {
            RunShort(inputs, outputs, bytes);
            return;
        }

        int whole = bytes - (bytes % step);
        for (nint offset = 0; offset < whole; offset += RangeBytes)
        {
            RunRange(inputs, outputs, offset, (int)Math.Min(RangeBytes, whole - offset));
        }

        // What is left over is less than a step, so the shards' last whole step is computed: in part once
        // more, from the start and to the same values.
        if (whole < bytes)
        {
            RunRange(inputs, outputs, bytes - step, step);
        }
    }

    private void RunRange(byte** inputs, byte** outputs, nint offset, int bytes)
    {
        for (int input = 0; input < _inputCount; input += _groupInputs)
        {
            int inputCount = Math.Min(_groupInputs, _inputCount - input);
            for (int output = 0; output < _outputCount; output += Kernel.MaxOutputs)
            {
                RunKernel(input, inputs + input, inputCount, output, outputs + output, offset, bytes);
            }
        }
    }

    // Shards shorter than the kernel's step go through a scratch of whole steps, so that no kernel ever reads
    // or writes beyond a shard.
    private void RunShort(byte** inputs, byte** outputs, int bytes)
    {
        int step = _kernel.StepBytes;
        byte* scratch = stackalloc byte[(_groupInputs + Kernel.MaxOutputs) * step];
        byte** slots = stackalloc byte*[_groupInputs + Kernel.MaxOutputs];
        for (int slot = 0; slot < _groupInputs + Kernel.MaxOutputs; slot++)
        {
            slots[slot] = scratch + (slot * step);
        }

        byte** sums = slots + _groupInputs;
        for (int output = 0; output < _outputCount; output += Kernel.MaxOutputs)
        {
            for (int input = 0; input < _inputCount; input += _groupInputs)
            {
                int inputCount = Math.Min(_groupInputs, _inputCount - input);
                for (int i = 0; i < inputCount; i++)
                {
                    Buffer.MemoryCopy(inputs[input + i], slots[i], step, bytes);
                }

                RunKernel(input, slots, inputCount, output, sums, 0, step);
            }

            for (int o = 0; o < OutputsFrom(output); o++)
            {
                Buffer.MemoryCopy(sums[o], outputs[output + o], bytes, bytes);
            }
        }
    }

    private void RunKernel(
        int firstInput,
        byte** inputs,
        int inputCount,
        int firstOutput,
        byte** outputs,
        nint offset,
        int bytes)
    {
        int outputCount = OutputsFrom(firstOutput);
        int firstFactor = (firstOutput * _inputCount) + (firstInput * outputCount);
        fixed (byte* factors = &_factors[firstFactor * _kernel.FactorBytes])
        {
            _kernel.Run(
                factors, inputs, inputCount, outputs, outputCount, offset, bytes, accumulate: firstInput > 0);
        }
    }

    private int OutputsFrom(int first) => Math.Min(Kernel.MaxOutputs, _outputCount - first);
}
