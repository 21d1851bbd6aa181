using System.Security.Cryptography;
using ZeroStor.Erasure;

namespace ZeroStor.Benchmarks;

/// <summary>A stripe in memory and what is to be computed of it, by the codec or by ISA-L: from the same
/// addresses to the same addresses.
/// <para>All shards lie in one buffer of the pool, as a stripe's do in a silo, but not side by side: the
/// distance is a cache line more than a shard. Shards of a power of two, which a stripe hardly ever has,
/// would otherwise meet in the same few sets of a cache.</para></summary>
internal sealed unsafe class CodecCase : IDisposable
{
    /// <summary>By how much more than a shard's length shards lie apart.</summary>
    internal const int StaggerBytes = 64;

    private readonly CodecOp _op;
    private readonly SharedBuffer _buffer;
    private readonly ReadOnlyMemory<byte>[] _inputs;
    private readonly Memory<byte>[] _outputs;
    private readonly byte*[] _inputAddresses;
    private readonly byte*[] _outputAddresses;
    private readonly Libisal? _libisal;

    internal CodecCase(CodecOp op)
    {
        _op = op;
        Code code = op.Code;
        int strideBytes = op.ShardBytes + StaggerBytes;
        _buffer = BufferPool.Shared.Rent(strideBytes * (code.N + op.Lost));
        RandomNumberGenerator.Fill(_buffer.Span);
        Memory<byte>[] shards =
        [
            .. Enumerable.Range(0, code.N + op.Lost)
                .Select(i => _buffer.Memory.Slice(i * strideBytes, op.ShardBytes)),
        ];
        Memory<byte>[] parity = shards[code.K..code.N];
        _inputs = Array.ConvertAll(shards[..code.K], s => (ReadOnlyMemory<byte>)s);
        _outputs = parity;
        if (op.Lost > 0)
        {
            ReedSolomon.For(code).Encode(_inputs, parity);
            _inputs = [.. shards[..code.N].Select((s, i) => i < op.Lost ? default : (ReadOnlyMemory<byte>)s)];
            _outputs = [.. shards[code.N..], .. new Memory<byte>[code.N - op.Lost]];
        }

        _inputAddresses = Addresses(_inputs.Where(s => !s.IsEmpty).Take(code.K));
        _outputAddresses = Addresses(_outputs.Where(s => !s.IsEmpty).Select(s => (ReadOnlyMemory<byte>)s));
        _libisal = Libisal.IsThere ? new Libisal(Coefficients()) : null;
    }

    internal void Run(ReedSolomon codec) => Run(codec, _inputs, _outputs);

    internal void RunLibisal()
    {
        fixed (byte** inputs = _inputAddresses, outputs = _outputAddresses)
        {
            _libisal!.Run(inputs, outputs, _op.ShardBytes);
        }
    }

    /// <summary>Both write the same bytes, and of a shard that was lost those that it had.</summary>
    /// <exception cref="ZeroStorException">Corrupt: they do not.</exception>
    internal void Check(ReedSolomon codec, string path)
    {
        byte[][] own = OutputsOf(() => Run(codec));
        if (_libisal is not null && !AreEqual(own, OutputsOf(RunLibisal)))
        {
            throw ZeroStorException.Corrupt($"{_op}: what path '{path}' computes is not what libisal does.");
        }

        byte[][] expected = _op.Lost > 0
            ? [.. Enumerable.Range(0, _op.Lost).Select(ShardAt)]
            : OutputsOf(() => Run(ReedSolomon.For(_op.Code)));
        if (!AreEqual(own, expected))
        {
            throw ZeroStorException.Corrupt($"{_op}: path '{path}' does not compute the shards that are.");
        }
    }

    public void Dispose() => _buffer.Release();

    private byte[] ShardAt(int place) =>
        _buffer.Span.Slice(place * (_op.ShardBytes + StaggerBytes), _op.ShardBytes).ToArray();

    private byte[][] OutputsOf(Action run)
    {
        Memory<byte>[] outputs = [.. _outputs.Where(s => !s.IsEmpty)];
        Array.ForEach(outputs, s => s.Span.Clear());
        run();
        return Array.ConvertAll(outputs, s => s.ToArray());
    }

    private void Run(ReedSolomon codec, ReadOnlyMemory<byte>[] inputs, Memory<byte>[] outputs)
    {
        if (_op.Lost == 0)
        {
            codec.Encode(inputs, outputs);
        }
        else
        {
            codec.Reconstruct(inputs, outputs);
        }
    }

    // Coding is linear, so what becomes of the identity says all: byte c of an output is what input c counts.
    private byte[][] Coefficients()
    {
        int k = _op.Code.K, next = 0;
        ReadOnlyMemory<byte>[] identity = Array.ConvertAll(_inputs, s => s.IsEmpty ? default : Unit(next++));
        Memory<byte>[] rows = Array.ConvertAll(_outputs, s => s.IsEmpty ? default : new byte[k].AsMemory());
        Run(ReedSolomon.For(_op.Code), identity, rows);
        return [.. rows.Where(r => !r.IsEmpty).Select(r => r.ToArray())];

        ReadOnlyMemory<byte> Unit(int at)
        {
            byte[] unit = new byte[k];
            if (at < k)
            {
                unit[at] = 1;
            }

            return unit;
        }
    }

    private static bool AreEqual(byte[][] a, byte[][] b) =>
        a.Length == b.Length && a.Zip(b).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second));

    // The pool's buffers stay where they are.
    private static byte*[] Addresses(IEnumerable<ReadOnlyMemory<byte>> shards)
    {
        ReadOnlyMemory<byte>[] all = [.. shards];
        var addresses = new byte*[all.Length];
        for (int i = 0; i < all.Length; i++)
        {
            fixed (byte* first = all[i].Span)
            {
                addresses[i] = first;
            }
        }

        return addresses;
    }
}

/// <summary>What is measured.</summary>
/// <param name="Code">The code.</param>
/// <param name="Lost">Data shards that are lost, the first ones, and computed from the others; 0: parity is
/// computed from data.</param>
/// <param name="ShardBytes">Bytes of each shard.</param>
internal sealed record CodecOp(Code Code, int Lost, int ShardBytes)
{
    internal string Name => Lost == 0 ? "encode" : $"reconstruct{Lost}";

    /// <summary>Bytes of the k data shards: what a rate counts, whatever is computed.</summary>
    internal long DataBytes => (long)Code.K * ShardBytes;

    public override string ToString() => $"{Name} {Code} of {ShardBytes} bytes";
}
