namespace ZeroStor.Erasure;

/// <summary>Holds shards in place while a plan runs over their addresses. Pinned locals, some in each frame
/// of the stack, cost a few nanoseconds a shard; a handle for each would cost as much as coding a small
/// stripe.</summary>
internal readonly unsafe ref struct PinnedShards
{
    private const int PinsPerFrame = 4;

    private readonly CodingPlan _plan;
    private readonly ReadOnlySpan<ReadOnlyMemory<byte>> _inputs;
    private readonly ReadOnlySpan<Memory<byte>> _outputs;
    private readonly int _firstOutput;
    private readonly int _shardBytes;
    private readonly byte** _addresses;

    private PinnedShards(
        CodingPlan plan,
        ReadOnlySpan<ReadOnlyMemory<byte>> inputs,
        ReadOnlySpan<Memory<byte>> outputs,
        int firstOutput,
        int shardBytes,
        byte** addresses)
    {
        _plan = plan;
        _inputs = inputs;
        _outputs = outputs;
        _firstOutput = firstOutput;
        _shardBytes = shardBytes;
        _addresses = addresses;
    }

    /// <summary>Runs the plan over the inputs and outputs that are not empty, in their order: at least as
    /// many inputs as it reads, and exactly the outputs that it writes.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="inputs">Shards from place 0 on.</param>
    /// <param name="outputs">Shards from place <paramref name="firstOutput"/> on.</param>
    /// <param name="firstOutput">The place of the first output.</param>
    /// <param name="shardBytes">The length of each that is not empty; above 0.</param>
    /// <exception cref="ArgumentException">An output overlaps an input or another output; nothing is
    /// written.</exception>
    public static void Run(
        CodingPlan plan,
        ReadOnlySpan<ReadOnlyMemory<byte>> inputs,
        ReadOnlySpan<Memory<byte>> outputs,
        int firstOutput,
        int shardBytes)
    {
        byte** addresses = stackalloc byte*[inputs.Length + outputs.Length + PinsPerFrame];
        new PinnedShards(plan, inputs, outputs, firstOutput, shardBytes, addresses).PinFrom(0);
    }

    private void PinFrom(int i)
    {
        if (i >= _inputs.Length + _outputs.Length)
        {
            RunPlan();
            return;
        }

        // An empty span's address is null.
        fixed (byte* a = Shard(i), b = Shard(i + 1), c = Shard(i + 2), d = Shard(i + 3))
        {
            _addresses[i] = a;
            _addresses[i + 1] = b;
            _addresses[i + 2] = c;
            _addresses[i + 3] = d;
            PinFrom(i + PinsPerFrame);
        }
    }

    private ReadOnlySpan<byte> Shard(int i)
    {
        if (i < _inputs.Length)
        {
            return _inputs[i].Span;
        }

        i -= _inputs.Length;
        return i < _outputs.Length ? _outputs[i].Span : default;
    }

    private void RunPlan()
    {
        byte** outputs = _addresses + _inputs.Length;
        RequireApart(outputs);
        DropEmpty(_addresses, _inputs.Length);
        DropEmpty(outputs, _outputs.Length);
        _plan.Run(_addresses, outputs, _shardBytes);
    }

    // Shards of one length overlap where their first bytes are nearer than that; null is far from all.
    // Outputs seldom lie among the inputs, so those are seldom compared one by one: that takes a thirtieth of
    // the time in which shards of 4 KiB are coded.
    private void RequireApart(byte** outputs)
    {
        nuint reach = (nuint)_shardBytes - 1;
        (nuint first, nuint last) = ExtentOfInputs();
        for (int o = 0; o < _outputs.Length; o++)
        {
            var output = (nuint)outputs[o];
            if (output == 0)
            {
                continue;
            }

            bool isAmongInputs = output + reach >= first && output <= last + reach;
            for (byte** other = isAmongInputs ? _addresses : outputs; other < outputs + o; other++)
            {
                if ((nuint)(*other) - output + reach <= 2 * reach)
                {
                    throw Overlap(o, (int)(other - _addresses));
                }
            }
        }
    }

    private (nuint First, nuint Last) ExtentOfInputs()
    {
        (nuint first, nuint last) = (nuint.MaxValue, 0);
        for (int i = 0; i < _inputs.Length; i++)
        {
            var input = (nuint)_addresses[i];
            first = input != 0 && input < first ? input : first;
            last = input > last ? input : last;
        }

        return (first, last);
    }

    private ArgumentException Overlap(int output, int other)
    {
        string which = other < _inputs.Length
            ? $"the shard to read of place {other}"
            : $"that of place {_firstOutput + other - _inputs.Length}";
        return new ArgumentException(
            $"The shard to write of place {_firstOutput + output} overlaps {which} in memory: give each "
            + "shard bytes of its own.");
    }

    private static void DropEmpty(byte** addresses, int count)
    {
        int kept = 0;
        for (int i = 0; i < count; i++)
        {
            if (addresses[i] != null)
            {
                addresses[kept++] = addresses[i];
            }
        }
    }
}
