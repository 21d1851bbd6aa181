using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ZeroStor.Erasure;

/// <summary>GFNI on 512-bit registers: GF2P8AFFINEQB makes 64 products by one instruction, whatever the
/// polynomial (Intel, "Galois Field New Instructions Technology Guide").
/// <para>The blocks are those of a matrix product (K. Goto, R. A. van de Geijn, "Anatomy of High-Performance
/// Matrix Multiplication", 2008). Four outputs (a to d) of four vectors take 16 of the 32 registers for sums,
/// two inputs (x and y) take 8, products and matrices the rest: every input byte is loaded once for all
/// outputs, and every matrix serves four products. Inputs go in pairs, as one instruction adds three vectors:
/// measured, that is a third faster than one after the other.</para></summary>
internal sealed unsafe class Gfni512Kernel : VectorKernel
{
    private const int VectorBytes = 64;

    public override string Name => "gfni512";

    public override bool IsSupported => Gfni.V512.IsSupported;

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
            int i = inputCount & 1;
            if (i == 1)
            {
                var x = Columns.Load(inputs[0] + at);
                a = a.Add(x, f);
                f += 1;
            }

            for (; i < inputCount; i += 2)
            {
                Columns x = Columns.Load(inputs[i] + at), y = Columns.Load(inputs[i + 1] + at);
                a = a.Add(x, f, y, f + 1);
                f += 2;
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
            int i = inputCount & 1;
            if (i == 1)
            {
                var x = Columns.Load(inputs[0] + at);
                a = a.Add(x, f);
                b = b.Add(x, f + 1);
                f += 2;
            }

            for (; i < inputCount; i += 2)
            {
                Columns x = Columns.Load(inputs[i] + at), y = Columns.Load(inputs[i + 1] + at);
                a = a.Add(x, f, y, f + 2);
                b = b.Add(x, f + 1, y, f + 3);
                f += 4;
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
            int i = inputCount & 1;
            if (i == 1)
            {
                var x = Columns.Load(inputs[0] + at);
                a = a.Add(x, f);
                b = b.Add(x, f + 1);
                c = c.Add(x, f + 2);
                f += 3;
            }

            for (; i < inputCount; i += 2)
            {
                Columns x = Columns.Load(inputs[i] + at), y = Columns.Load(inputs[i + 1] + at);
                a = a.Add(x, f, y, f + 3);
                b = b.Add(x, f + 1, y, f + 4);
                c = c.Add(x, f + 2, y, f + 5);
                f += 6;
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
            int i = inputCount & 1;
            if (i == 1)
            {
                var x = Columns.Load(inputs[0] + at);
                a = a.Add(x, f);
                b = b.Add(x, f + 1);
                c = c.Add(x, f + 2);
                d = d.Add(x, f + 3);
                f += 4;
            }

            for (; i < inputCount; i += 2)
            {
                Columns x = Columns.Load(inputs[i] + at), y = Columns.Load(inputs[i + 1] + at);
                a = a.Add(x, f, y, f + 4);
                b = b.Add(x, f + 1, y, f + 5);
                c = c.Add(x, f + 2, y, f + 6);
                d = d.Add(x, f + 3, y, f + 7);
                f += 8;
            }

            a.Store(outputs[0] + at);
            b.Store(outputs[1] + at);
            c.Store(outputs[2] + at);
            d.Store(outputs[3] + at);
        }
    }

    // Some columns of one shard. The compiler keeps each vector of such a value in a register of its own, as
    // long as nobody takes its address: so it is passed and returned as it is.
    private readonly struct Columns
    {
        public const int Bytes = 4 * VectorBytes;

        // Of three bits, their sum.
        private const byte Xor3 = 0x96;

        private readonly Vector512<byte> _0, _1, _2, _3;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private Columns(Vector512<byte> v0, Vector512<byte> v1, Vector512<byte> v2, Vector512<byte> v3) =>
            (_0, _1, _2, _3) = (v0, v1, v2, v3);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Columns Load(byte* source) => new(
            Vector512.Load(source),
            Vector512.Load(source + VectorBytes),
            Vector512.Load(source + (2 * VectorBytes)),
            Vector512.Load(source + (3 * VectorBytes)));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Store(byte* target)
        {
            _0.Store(target);
            _1.Store(target + VectorBytes);
            _2.Store(target + (2 * VectorBytes));
            _3.Store(target + (3 * VectorBytes));
        }

        // The matrices are passed by address, so that the load itself spreads them over a vector.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Columns Add(Columns x, ulong* matrix)
        {
            Vector512<byte> m = Vector512.Create(*matrix).AsByte();
            return new(
                _0 ^ Product(x._0, m), _1 ^ Product(x._1, m), _2 ^ Product(x._2, m), _3 ^ Product(x._3, m));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Columns Add(Columns x, ulong* matrixOfX, Columns y, ulong* matrixOfY)
        {
            Vector512<byte> m = Vector512.Create(*matrixOfX).AsByte();
            Vector512<byte> n = Vector512.Create(*matrixOfY).AsByte();
            return new(
                Avx512F.TernaryLogic(_0, Product(x._0, m), Product(y._0, n), Xor3),
                Avx512F.TernaryLogic(_1, Product(x._1, m), Product(y._1, n), Xor3),
                Avx512F.TernaryLogic(_2, Product(x._2, m), Product(y._2, n), Xor3),
                Avx512F.TernaryLogic(_3, Product(x._3, m), Product(y._3, n), Xor3));
        }

        private static Vector512<byte> Product(Vector512<byte> source, Vector512<byte> matrix) =>
            Gfni.V512.GaloisFieldAffineTransform(source, matrix, 0);
    }
}
