using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ZeroStor.Erasure;

/// <summary>As <see cref="Gfni512Kernel"/>, 32 bytes at once, for processors with GFNI and without AVX-512.
/// Four outputs (a to d) of two vectors take 8 of the 16 registers for sums; there is no instruction that
/// adds three vectors, so inputs go one by one.</summary>
internal sealed unsafe class Gfni256Kernel : VectorKernel
{
    private const int VectorBytes = 32;

    public override string Name => "gfni256";

    public override bool IsSupported => Gfni.V256.IsSupported && Avx2.IsSupported;

    public override int StepBytes => Columns.Bytes;

    public override int FactorBytes => MatrixBytes;

    public override void Prepare(byte coefficient, Span<byte> factor) => PrepareMatrix(coefficient, factor);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void One(
        byte* factors, byte** inputs, int inputCount, byte** outputs, nint offset, nint end, bool accumulate)
    {
        for (nint at = offset; at < end; at += Columns.Bytes)
        {
            Columns a = default;
            if (accumulate)
            {
                a = Columns.Load(outputs[0] + at);
            }

            var f = (ulong*)factors;
            for (int i = 0; i < inputCount; i++)
            {
                var x = Columns.Load(inputs[i] + at);
                a = a.Add(x, f);
                f += 1;
            }

            a.Store(outputs[0] + at);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Two(
        byte* factors, byte** inputs, int inputCount, byte** outputs, nint offset, nint end, bool accumulate)
    {
        for (nint at = offset; at < end; at += Columns.Bytes)
        {
            Columns a = default, b = default;
            if (accumulate)
            {
                a = Columns.Load(outputs[0] + at);
                b = Columns.Load(outputs[1] + at);
            }

            var f = (ulong*)factors;
            for (int i = 0; i < inputCount; i++)
            {
                var x = Columns.Load(inputs[i] + at);
                a = a.Add(x, f);
                b = b.Add(x, f + 1);
                f += 2;
            }

            a.Store(outputs[0] + at);
            b.Store(outputs[1] + at);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Three(
        byte* factors, byte** inputs, int inputCount, byte** outputs, nint offset, nint end, bool accumulate)
    {
        for (nint at = offset; at < end; at += Columns.Bytes)
        {
            Columns a = default, b = default, c = default;
            if (accumulate)
            {
                a = Columns.Load(outputs[0] + at);
                b = Columns.Load(outputs[1] + at);
                c = Columns.Load(outputs[2] + at);
            }

            var f = (ulong*)factors;
            for (int i = 0; i < inputCount; i++)
            {
                var x = Columns.Load(inputs[i] + at);
                a = a.Add(x, f);
                b = b.Add(x, f + 1);
                c = c.Add(x, f + 2);
                f += 3;
            }

            a.Store(outputs[0] + at);
            b.Store(outputs[1] + at);
            c.Store(outputs[2] + at);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Four(
        byte* factors, byte** inputs, int inputCount, byte** outputs, nint offset, nint end, bool accumulate)
    {
        for (nint at = offset; at < end; at += Columns.Bytes)
        {
            Columns a = default, b = default, c = default, d = default;
            if (accumulate)
            {
                a = Columns.Load(outputs[0] + at);
                b = Columns.Load(outputs[1] + at);
                c = Columns.Load(outputs[2] + at);
                d = Columns.Load(outputs[3] + at);
            }

            var f = (ulong*)factors;
            for (int i = 0; i < inputCount; i++)
            {
                var x = Columns.Load(inputs[i] + at);
                a = a.Add(x, f);
                b = b.Add(x, f + 1);
                c = c.Add(x, f + 2);
                d = d.Add(x, f + 3);
                f += 4;
            }

            a.Store(outputs[0] + at);
            b.Store(outputs[1] + at);
            c.Store(outputs[2] + at);
            d.Store(outputs[3] + at);
        }
    }

    private readonly struct Columns
    {
        public const int Bytes = 2 * VectorBytes;

        private readonly Vector256<byte> _0, _1;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private Columns(Vector256<byte> v0, Vector256<byte> v1) => (_0, _1) = (v0, v1);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Columns Load(byte* source) =>
            new(Vector256.Load(source), Vector256.Load(source + VectorBytes));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Store(byte* target)
        {
            _0.Store(target);
            _1.Store(target + VectorBytes);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Columns Add(Columns x, ulong* matrix)
        {
            Vector256<byte> m = Vector256.Create(*matrix).AsByte();
            return new(_0 ^ Product(x._0, m), _1 ^ Product(x._1, m));
        }

        private static Vector256<byte> Product(Vector256<byte> source, Vector256<byte> matrix) =>
            Gfni.V256.GaloisFieldAffineTransform(source, matrix, 0);
    }
}
