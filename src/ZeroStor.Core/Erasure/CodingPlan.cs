namespace ZeroStor.Erasure;

/// <summary>A matrix of coefficients made ready for one kernel, and the order in which the kernel is led over
/// the shards. Immutable and thread-safe.</summary>
internal sealed unsafe class CodingPlan
{
    /// <summary>Stripes up to this are near: in a second-level cache, or half of them. Longer ones stream in
    /// from afar, and want fewer streams at once.</summary>
    private const long NearBytes = 2 * 1024 * 1024;

    /// <summary>Columns coded before going on to the next ones: four outputs of so many stay in a
    /// second-level cache between groups of inputs. A multiple of every kernel's step. Measured from afar,
    /// with 20+4 and shards of 1 MiB: 34 GB/s, and 30 by half of it, as each range begins anew to be fetched
    /// ahead.</summary>
    private const int RangeBytes = 64 * 1024;

    /// <summary>As <see cref="RangeBytes"/>, where near inputs are read again for the next four outputs: so
    /// many of 32 inputs stay in a second-level cache.</summary>
    private const int RereadRangeBytes = 8 * 1024;

    /// <summary>Inputs of one pass at most; fewer would cost more passes over the outputs. Measured with 20+4
    /// and shards of 4 KiB: 20 inputs in one pass are a tenth faster than in two.</summary>
    private const int MaxNearInputs = 32;

    /// <summary>As <see cref="MaxNearInputs"/>, from afar: a processor fetches only so many streams ahead.
    /// Measured with 20+4 and shards of 1 MiB: 34 GB/s by 10, 14 by 20, 25 by 6.</summary>
    private const int MaxFarInputs = 10;

    private readonly Kernel _kernel;
    private readonly int _inputCount;
    private readonly int _outputCount;
    private readonly byte[] _factors;

    /// <param name="kernel">The kernel to run.</param>
    /// <param name="coefficients">A row for each output, a column for each input.</param>
    public CodingPlan(Kernel kernel, Matrix coefficients)
    {
        _kernel = kernel;
        _inputCount = coefficients.Columns;
        _outputCount = coefficients.Rows;
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

        bool isNear = (long)bytes * (_inputCount + _outputCount) <= NearBytes;
        int rangeBytes = isNear && _outputCount > Kernel.MaxOutputs ? RereadRangeBytes : RangeBytes;
        int groupInputs = GroupInputs(isNear ? MaxNearInputs : MaxFarInputs);
        int whole = bytes - (bytes % step);
        for (nint offset = 0; offset < whole; offset += rangeBytes)
        {
            RunRange(inputs, groupInputs, outputs, offset, (int)Math.Min(rangeBytes, whole - offset));
        }

        // What is left over is less than a step, so the shards' last whole step is computed: in part once
        // more, from the start and to the same values.
        if (whole < bytes)
        {
            RunRange(inputs, groupInputs, outputs, bytes - step, step);
        }
    }

    // Groups of about one size.
    private int GroupInputs(int max)
    {
        int groups = (_inputCount + max - 1) / max;
        return (_inputCount + groups - 1) / groups;
    }

    private void RunRange(byte** inputs, int groupInputs, byte** outputs, nint offset, int bytes)
    {
        for (int input = 0; input < _inputCount; input += groupInputs)
        {
            int inputCount = Math.Min(groupInputs, _inputCount - input);
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
        int groupInputs = GroupInputs(MaxNearInputs);
        byte* scratch = stackalloc byte[(groupInputs + Kernel.MaxOutputs) * step];
        byte** slots = stackalloc byte*[groupInputs + Kernel.MaxOutputs];
        for (int slot = 0; slot < groupInputs + Kernel.MaxOutputs; slot++)
        {
            slots[slot] = scratch + (slot * step);
        }

        byte** sums = slots + groupInputs;
        for (int output = 0; output < _outputCount; output += Kernel.MaxOutputs)
        {
            for (int input = 0; input < _inputCount; input += groupInputs)
            {
                int inputCount = Math.Min(groupInputs, _inputCount - input);
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
