using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ZeroStor.Erasure;

/// <summary>GFNI on 512-bit registers: GF2P8AFFINEQB makes 64 products by one instruction, whatever the
/// polynomial.
/// <para>Four outputs (a to d) by four vectors (0 to 3) take 16 of the 32 registers for sums, 4 for the input
/// (x) and the rest for products and matrices: every input byte is loaded once and every matrix serves four
/// products. All sums are named locals: arrays or references would put them on the stack.</para></summary>
internal sealed unsafe class Gfni512Kernel : VectorKernel
{
    private const int VectorBytes = 64;
    private const int Columns = 4 * VectorBytes;

    public override string Name => "gfni512";

    public override bool IsSupported => Gfni.V512.IsSupported;

    public override int StepBytes => Columns;

    public override int FactorBytes => MatrixBytes;

    public override void Prepare(byte coefficient, Span<byte> factor) => PrepareMatrix(coefficient, factor);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void One(
        byte* factors, byte** inputs, int inputCount, byte** outputs, nint offset, nint end, bool accumulate)
    {
        byte* a = outputs[0];
        for (nint at = offset; at < end; at += Columns)
        {
            Vector512<byte> a0 = default, a1 = default, a2 = default, a3 = default;
            if (accumulate)
            {
                a0 = Load(a + at, 0); a1 = Load(a + at, 1); a2 = Load(a + at, 2); a3 = Load(a + at, 3);
            }

            var f = (ulong*)factors;
            for (int i = 0; i < inputCount; i++)
            {
                byte* x = inputs[i] + at;
                Vector512<byte> x0 = Load(x, 0), x1 = Load(x, 1), x2 = Load(x, 2), x3 = Load(x, 3);

                Vector512<byte> ma = Vector512.Create(f[0]).AsByte();
                a0 ^= Product(x0, ma); a1 ^= Product(x1, ma); a2 ^= Product(x2, ma); a3 ^= Product(x3, ma);

                f += 1;
            }

            Store(a0, a + at, 0); Store(a1, a + at, 1); Store(a2, a + at, 2); Store(a3, a + at, 3);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Two(
        byte* factors, byte** inputs, int inputCount, byte** outputs, nint offset, nint end, bool accumulate)
    {
        byte* a = outputs[0], b = outputs[1];
        for (nint at = offset; at < end; at += Columns)
        {
            Vector512<byte> a0 = default, a1 = default, a2 = default, a3 = default;
            Vector512<byte> b0 = default, b1 = default, b2 = default, b3 = default;
            if (accumulate)
            {
                a0 = Load(a + at, 0); a1 = Load(a + at, 1); a2 = Load(a + at, 2); a3 = Load(a + at, 3);
                b0 = Load(b + at, 0); b1 = Load(b + at, 1); b2 = Load(b + at, 2); b3 = Load(b + at, 3);
            }

            var f = (ulong*)factors;
            for (int i = 0; i < inputCount; i++)
            {
                byte* x = inputs[i] + at;
                Vector512<byte> x0 = Load(x, 0), x1 = Load(x, 1), x2 = Load(x, 2), x3 = Load(x, 3);

                Vector512<byte> ma = Vector512.Create(f[0]).AsByte();
                a0 ^= Product(x0, ma); a1 ^= Product(x1, ma); a2 ^= Product(x2, ma); a3 ^= Product(x3, ma);
                Vector512<byte> mb = Vector512.Create(f[1]).AsByte();
                b0 ^= Product(x0, mb); b1 ^= Product(x1, mb); b2 ^= Product(x2, mb); b3 ^= Product(x3, mb);

                f += 2;
            }

            Store(a0, a + at, 0); Store(a1, a + at, 1); Store(a2, a + at, 2); Store(a3, a + at, 3);
            Store(b0, b + at, 0); Store(b1, b + at, 1); Store(b2, b + at, 2); Store(b3, b + at, 3);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Three(
        byte* factors, byte** inputs, int inputCount, byte** outputs, nint offset, nint end, bool accumulate)
    {
        byte* a = outputs[0], b = outputs[1], c = outputs[2];
        for (nint at = offset; at < end; at += Columns)
        {
            Vector512<byte> a0 = default, a1 = default, a2 = default, a3 = default;
            Vector512<byte> b0 = default, b1 = default, b2 = default, b3 = default;
            Vector512<byte> c0 = default, c1 = default, c2 = default, c3 = default;
            if (accumulate)
            {
                a0 = Load(a + at, 0); a1 = Load(a + at, 1); a2 = Load(a + at, 2); a3 = Load(a + at, 3);
                b0 = Load(b + at, 0); b1 = Load(b + at, 1); b2 = Load(b + at, 2); b3 = Load(b + at, 3);
                c0 = Load(c + at, 0); c1 = Load(c + at, 1); c2 = Load(c + at, 2); c3 = Load(c + at, 3);
            }

            var f = (ulong*)factors;
            for (int i = 0; i < inputCount; i++)
            {
                byte* x = inputs[i] + at;
                Vector512<byte> x0 = Load(x, 0), x1 = Load(x, 1), x2 = Load(x, 2), x3 = Load(x, 3);

                Vector512<byte> ma = Vector512.Create(f[0]).AsByte();
                a0 ^= Product(x0, ma); a1 ^= Product(x1, ma); a2 ^= Product(x2, ma); a3 ^= Product(x3, ma);
                Vector512<byte> mb = Vector512.Create(f[1]).AsByte();
                b0 ^= Product(x0, mb); b1 ^= Product(x1, mb); b2 ^= Product(x2, mb); b3 ^= Product(x3, mb);
                Vector512<byte> mc = Vector512.Create(f[2]).AsByte();
                c0 ^= Product(x0, mc); c1 ^= Product(x1, mc); c2 ^= Product(x2, mc); c3 ^= Product(x3, mc);

                f += 3;
            }

            Store(a0, a + at, 0); Store(a1, a + at, 1); Store(a2, a + at, 2); Store(a3, a + at, 3);
            Store(b0, b + at, 0); Store(b1, b + at, 1); Store(b2, b + at, 2); Store(b3, b + at, 3);
            Store(c0, c + at, 0); Store(c1, c + at, 1); Store(c2, c + at, 2); Store(c3, c + at, 3);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Four(
        byte* factors, byte** inputs, int inputCount, byte** outputs, nint offset, nint end, bool accumulate)
    {
        byte* a = outputs[0], b = outputs[1], c = outputs[2], d = outputs[3];
        for (nint at = offset; at < end; at += Columns)
        {
            Vector512<byte> a0 = default, a1 = default, a2 = default, a3 = default;
            Vector512<byte> b0 = default, b1 = default, b2 = default, b3 = default;
            Vector512<byte> c0 = default, c1 = default, c2 = default, c3 = default;
            Vector512<byte> d0 = default, d1 = default, d2 = default, d3 = default;
            if (accumulate)
            {
                a0 = Load(a + at, 0); a1 = Load(a + at, 1); a2 = Load(a + at, 2); a3 = Load(a + at, 3);
                b0 = Load(b + at, 0); b1 = Load(b + at, 1); b2 = Load(b + at, 2); b3 = Load(b + at, 3);
                c0 = Load(c + at, 0); c1 = Load(c + at, 1); c2 = Load(c + at, 2); c3 = Load(c + at, 3);
                d0 = Load(d + at, 0); d1 = Load(d + at, 1); d2 = Load(d + at, 2); d3 = Load(d + at, 3);
            }

            var f = (ulong*)factors;
            for (int i = 0; i < inputCount; i++)
            {
                byte* x = inputs[i] + at;
                Vector512<byte> x0 = Load(x, 0), x1 = Load(x, 1), x2 = Load(x, 2), x3 = Load(x, 3);

                Vector512<byte> ma = Vector512.Create(f[0]).AsByte();
                a0 ^= Product(x0, ma); a1 ^= Product(x1, ma); a2 ^= Product(x2, ma); a3 ^= Product(x3, ma);
                Vector512<byte> mb = Vector512.Create(f[1]).AsByte();
                b0 ^= Product(x0, mb); b1 ^= Product(x1, mb); b2 ^= Product(x2, mb); b3 ^= Product(x3, mb);
                Vector512<byte> mc = Vector512.Create(f[2]).AsByte();
                c0 ^= Product(x0, mc); c1 ^= Product(x1, mc); c2 ^= Product(x2, mc); c3 ^= Product(x3, mc);
                Vector512<byte> md = Vector512.Create(f[3]).AsByte();
                d0 ^= Product(x0, md); d1 ^= Product(x1, md); d2 ^= Product(x2, md); d3 ^= Product(x3, md);

                f += 4;
            }

            Store(a0, a + at, 0); Store(a1, a + at, 1); Store(a2, a + at, 2); Store(a3, a + at, 3);
            Store(b0, b + at, 0); Store(b1, b + at, 1); Store(b2, b + at, 2); Store(b3, b + at, 3);
            Store(c0, c + at, 0); Store(c1, c + at, 1); Store(c2, c + at, 2); Store(c3, c + at, 3);
            Store(d0, d + at, 0); Store(d1, d + at, 1); Store(d2, d + at, 2); Store(d3, d + at, 3);
        }
    }

    private static Vector512<byte> Load(byte* source, int vector) =>
        Vector512.Load(source + (vector * VectorBytes));

    private static void Store(Vector512<byte> value, byte* target, int vector) =>
        value.Store(target + (vector * VectorBytes));

    private static Vector512<byte> Product(Vector512<byte> source, Vector512<byte> matrix) =>
        Gfni.V512.GaloisFieldAffineTransform(source, matrix, 0);
}
