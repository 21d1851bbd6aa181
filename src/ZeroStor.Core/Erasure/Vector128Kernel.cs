using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace ZeroStor.Erasure;

/// <summary>As <see cref="Avx2Kernel"/>, 16 bytes at once: TBL on Arm64, PSHUFB on x86 before AVX2. One
/// source for both, since .NET's shuffle of 128 bits is that one instruction on either; the name says which
/// it is here.</summary>
internal sealed unsafe class Vector128Kernel : VectorKernel
{
    private const int VectorBytes = 16;
    private const int Columns = 2 * VectorBytes;

    public override string Name => AdvSimd.Arm64.IsSupported ? "advsimd" : "ssse3";

    public override bool IsSupported => Ssse3.IsSupported || AdvSimd.Arm64.IsSupported;

    public override int StepBytes => Columns;

    public override int FactorBytes => TablesBytes;

    public override void Prepare(byte coefficient, Span<byte> factor) => PrepareTables(coefficient, factor);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void One(
        byte* factors, byte** inputs, int inputCount, byte** outputs, nint offset, nint end, bool accumulate)
    {
        byte* a = outputs[0];
        Vector128<byte> halves = Vector128.Create((byte)0x0f);
        for (nint at = offset; at < end; at += Columns)
        {
            Vector128<byte> a0 = default, a1 = default;
            if (accumulate)
            {
                a0 = Load(a + at, 0); a1 = Load(a + at, 1);
            }

            byte* f = factors;
            for (int i = 0; i < inputCount; i++)
            {
                byte* x = inputs[i] + at;
                Vector128<byte> low0 = Load(x, 0), low1 = Load(x, 1);
                Vector128<byte> high0 = HighHalves(low0, halves), high1 = HighHalves(low1, halves);
                low0 &= halves;
                low1 &= halves;

                Vector128<byte> al = Table(f, 0), ah = Table(f, 1);
                a0 ^= Shuffle(al, low0) ^ Shuffle(ah, high0);
                a1 ^= Shuffle(al, low1) ^ Shuffle(ah, high1);

                f += TablesBytes;
            }

            Store(a0, a + at, 0); Store(a1, a + at, 1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Two(
        byte* factors, byte** inputs, int inputCount, byte** outputs, nint offset, nint end, bool accumulate)
    {
        byte* a = outputs[0], b = outputs[1];
        Vector128<byte> halves = Vector128.Create((byte)0x0f);
        for (nint at = offset; at < end; at += Columns)
        {
            Vector128<byte> a0 = default, a1 = default;
            Vector128<byte> b0 = default, b1 = default;
            if (accumulate)
            {
                a0 = Load(a + at, 0); a1 = Load(a + at, 1);
                b0 = Load(b + at, 0); b1 = Load(b + at, 1);
            }

            byte* f = factors;
            for (int i = 0; i < inputCount; i++)
            {
                byte* x = inputs[i] + at;
                Vector128<byte> low0 = Load(x, 0), low1 = Load(x, 1);
                Vector128<byte> high0 = HighHalves(low0, halves), high1 = HighHalves(low1, halves);
                low0 &= halves;
                low1 &= halves;

                Vector128<byte> al = Table(f, 0), ah = Table(f, 1);
                a0 ^= Shuffle(al, low0) ^ Shuffle(ah, high0);
                a1 ^= Shuffle(al, low1) ^ Shuffle(ah, high1);
                Vector128<byte> bl = Table(f, 2), bh = Table(f, 3);
                b0 ^= Shuffle(bl, low0) ^ Shuffle(bh, high0);
                b1 ^= Shuffle(bl, low1) ^ Shuffle(bh, high1);

                f += 2 * TablesBytes;
            }

            Store(a0, a + at, 0); Store(a1, a + at, 1);
            Store(b0, b + at, 0); Store(b1, b + at, 1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Three(
        byte* factors, byte** inputs, int inputCount, byte** outputs, nint offset, nint end, bool accumulate)
    {
        byte* a = outputs[0], b = outputs[1], c = outputs[2];
        Vector128<byte> halves = Vector128.Create((byte)0x0f);
        for (nint at = offset; at < end; at += Columns)
        {
            Vector128<byte> a0 = default, a1 = default;
            Vector128<byte> b0 = default, b1 = default;
            Vector128<byte> c0 = default, c1 = default;
            if (accumulate)
            {
                a0 = Load(a + at, 0); a1 = Load(a + at, 1);
                b0 = Load(b + at, 0); b1 = Load(b + at, 1);
                c0 = Load(c + at, 0); c1 = Load(c + at, 1);
            }

            byte* f = factors;
            for (int i = 0; i < inputCount; i++)
            {
                byte* x = inputs[i] + at;
                Vector128<byte> low0 = Load(x, 0), low1 = Load(x, 1);
                Vector128<byte> high0 = HighHalves(low0, halves), high1 = HighHalves(low1, halves);
                low0 &= halves;
                low1 &= halves;

                Vector128<byte> al = Table(f, 0), ah = Table(f, 1);
                a0 ^= Shuffle(al, low0) ^ Shuffle(ah, high0);
                a1 ^= Shuffle(al, low1) ^ Shuffle(ah, high1);
                Vector128<byte> bl = Table(f, 2), bh = Table(f, 3);
                b0 ^= Shuffle(bl, low0) ^ Shuffle(bh, high0);
                b1 ^= Shuffle(bl, low1) ^ Shuffle(bh, high1);
                Vector128<byte> cl = Table(f, 4), ch = Table(f, 5);
                c0 ^= Shuffle(cl, low0) ^ Shuffle(ch, high0);
                c1 ^= Shuffle(cl, low1) ^ Shuffle(ch, high1);

                f += 3 * TablesBytes;
            }

            Store(a0, a + at, 0); Store(a1, a + at, 1);
            Store(b0, b + at, 0); Store(b1, b + at, 1);
            Store(c0, c + at, 0); Store(c1, c + at, 1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Four(
        byte* factors, byte** inputs, int inputCount, byte** outputs, nint offset, nint end, bool accumulate)
    {
        byte* a = outputs[0], b = outputs[1], c = outputs[2], d = outputs[3];
        Vector128<byte> halves = Vector128.Create((byte)0x0f);
        for (nint at = offset; at < end; at += Columns)
        {
            Vector128<byte> a0 = default, a1 = default;
            Vector128<byte> b0 = default, b1 = default;
            Vector128<byte> c0 = default, c1 = default;
            Vector128<byte> d0 = default, d1 = default;
            if (accumulate)
            {
                a0 = Load(a + at, 0); a1 = Load(a + at, 1);
                b0 = Load(b + at, 0); b1 = Load(b + at, 1);
                c0 = Load(c + at, 0); c1 = Load(c + at, 1);
                d0 = Load(d + at, 0); d1 = Load(d + at, 1);
            }

            byte* f = factors;
            for (int i = 0; i < inputCount; i++)
            {
                byte* x = inputs[i] + at;
                Vector128<byte> low0 = Load(x, 0), low1 = Load(x, 1);
                Vector128<byte> high0 = HighHalves(low0, halves), high1 = HighHalves(low1, halves);
                low0 &= halves;
                low1 &= halves;

                Vector128<byte> al = Table(f, 0), ah = Table(f, 1);
                a0 ^= Shuffle(al, low0) ^ Shuffle(ah, high0);
                a1 ^= Shuffle(al, low1) ^ Shuffle(ah, high1);
                Vector128<byte> bl = Table(f, 2), bh = Table(f, 3);
                b0 ^= Shuffle(bl, low0) ^ Shuffle(bh, high0);
                b1 ^= Shuffle(bl, low1) ^ Shuffle(bh, high1);
                Vector128<byte> cl = Table(f, 4), ch = Table(f, 5);
                c0 ^= Shuffle(cl, low0) ^ Shuffle(ch, high0);
                c1 ^= Shuffle(cl, low1) ^ Shuffle(ch, high1);
                Vector128<byte> dl = Table(f, 6), dh = Table(f, 7);
                d0 ^= Shuffle(dl, low0) ^ Shuffle(dh, high0);
                d1 ^= Shuffle(dl, low1) ^ Shuffle(dh, high1);

                f += 4 * TablesBytes;
            }

            Store(a0, a + at, 0); Store(a1, a + at, 1);
            Store(b0, b + at, 0); Store(b1, b + at, 1);
            Store(c0, c + at, 0); Store(c1, c + at, 1);
            Store(d0, d + at, 0); Store(d1, d + at, 1);
        }
    }

    private static Vector128<byte> Load(byte* source, int vector) =>
        Vector128.Load(source + (vector * VectorBytes));

    private static void Store(Vector128<byte> value, byte* target, int vector) =>
        value.Store(target + (vector * VectorBytes));

    private static Vector128<byte> HighHalves(Vector128<byte> source, Vector128<byte> halves) =>
        (source.AsUInt16() >>> 4).AsByte() & halves;

    private static Vector128<byte> Table(byte* tables, int index) =>
        Vector128.Load(tables + (index * TableBytes));

    private static Vector128<byte> Shuffle(Vector128<byte> table, Vector128<byte> halves) =>
        Vector128.ShuffleNative(table, halves);
}
