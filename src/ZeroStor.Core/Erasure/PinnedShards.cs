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
    private readonly int _shardBytes;
    private readonly byte** _addresses;

    private PinnedShards(
        CodingPlan plan,
        ReadOnlySpan<ReadOnlyMemory<byte>> inputs,
        ReadOnlySpan<Memory<byte>> outputs,
        int shardBytes,
        byte** addresses)
    {
        _plan = plan;
        _inputs = inputs;
        _outputs = outputs;
        _shardBytes = shardBytes;
        _addresses = addresses;
    }

    /// <summary>Runs the plan over the inputs and outputs that are not empty, in their order: at least as
    /// many inputs as it reads, and exactly the outputs that it writes.</summary>
    public static void Run(
        CodingPlan plan,
        ReadOnlySpan<ReadOnlyMemory<byte>> inputs,
        ReadOnlySpan<Memory<byte>> outputs,
        int shardBytes)
    {
        byte** addresses = stackalloc byte*[inputs.Length + outputs.Length + PinsPerFrame];
        new PinnedShards(plan, inputs, outputs, shardBytes, addresses).PinFrom(0);
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
        DropEmpty(_addresses, _inputs.Length);
        DropEmpty(outputs, _outputs.Length);
        _plan.Run(_addresses, outputs, _shardBytes);
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
