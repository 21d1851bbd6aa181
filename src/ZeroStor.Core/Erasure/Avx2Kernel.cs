using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ZeroStor.Erasure;

/// <summary>AVX2: PSHUFB looks up 32 products of halves of a byte at once.
/// <para>Four outputs (a to d) by two vectors (0 and 1) take 8 of the 16 registers for sums, 4 for the halves
/// of the input (x), 2 for tables. All sums are named locals: arrays or references would put them on the
/// stack.</para></summary>
internal sealed unsafe class Avx2Kernel : VectorKernel
{
    private const int VectorBytes = 32;
    private const int Columns = 2 * VectorBytes;

    public override string Name => "avx2";

    public override bool IsSupported => Avx2.IsSupported;

    public override int StepBytes => Columns;

    public override int FactorBytes => TablesBytes;

    public override void Prepare(byte coefficient, Span<byte> factor) => PrepareTables(coefficient, factor);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void One(
        byte* factors, byte** inputs, int inputCount, byte** outputs, nint offset, nint end, bool accumulate)
    {
        byte* a = outputs[0];
        Vector256<byte> halves = Vector256.Create((byte)0x0f);
        for (nint at = offset; at < end; at += Columns)
        {
            Vector256<byte> a0 = default, a1 = default;
            if (accumulate)
            {
                a0 = Load(a + at, 0); a1 = Load(a + at, 1);
            }

            byte* f = factors;
            for (int i = 0; i < inputCount; i++)
            {
                byte* x = inputs[i] + at;
                FetchAhead(x);
                Vector256<byte> low0 = Load(x, 0), low1 = Load(x, 1);
                Vector256<byte> high0 = HighHalves(low0, halves), high1 = HighHalves(low1, halves);
                low0 &= halves;
                low1 &= halves;

                Vector256<byte> al = Table(f, 0), ah = Table(f, 1);
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
        Vector256<byte> halves = Vector256.Create((byte)0x0f);
        for (nint at = offset; at < end; at += Columns)
        {
            Vector256<byte> a0 = default, a1 = default;
            Vector256<byte> b0 = default, b1 = default;
            if (accumulate)
            {
                a0 = Load(a + at, 0); a1 = Load(a + at, 1);
                b0 = Load(b + at, 0); b1 = Load(b + at, 1);
            }

            byte* f = factors;
            for (int i = 0; i < inputCount; i++)
            {
                byte* x = inputs[i] + at;
                FetchAhead(x);
                Vector256<byte> low0 = Load(x, 0), low1 = Load(x, 1);
                Vector256<byte> high0 = HighHalves(low0, halves), high1 = HighHalves(low1, halves);
                low0 &= halves;
                low1 &= halves;

                Vector256<byte> al = Table(f, 0), ah = Table(f, 1);
                a0 ^= Shuffle(al, low0) ^ Shuffle(ah, high0);
                a1 ^= Shuffle(al, low1) ^ Shuffle(ah, high1);
                Vector256<byte> bl = Table(f, 2), bh = Table(f, 3);
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
        Vector256<byte> halves = Vector256.Create((byte)0x0f);
        for (nint at = offset; at < end; at += Columns)
        {
            Vector256<byte> a0 = default, a1 = default;
            Vector256<byte> b0 = default, b1 = default;
            Vector256<byte> c0 = default, c1 = default;
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
                FetchAhead(x);
                Vector256<byte> low0 = Load(x, 0), low1 = Load(x, 1);
                Vector256<byte> high0 = HighHalves(low0, halves), high1 = HighHalves(low1, halves);
                low0 &= halves;
                low1 &= halves;

                Vector256<byte> al = Table(f, 0), ah = Table(f, 1);
                a0 ^= Shuffle(al, low0) ^ Shuffle(ah, high0);
                a1 ^= Shuffle(al, low1) ^ Shuffle(ah, high1);
                Vector256<byte> bl = Table(f, 2), bh = Table(f, 3);
                b0 ^= Shuffle(bl, low0) ^ Shuffle(bh, high0);
                b1 ^= Shuffle(bl, low1) ^ Shuffle(bh, high1);
                Vector256<byte> cl = Table(f, 4), ch = Table(f, 5);
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
        Vector256<byte> halves = Vector256.Create((byte)0x0f);
        for (nint at = offset; at < end; at += Columns)
        {
            Vector256<byte> a0 = default, a1 = default;
            Vector256<byte> b0 = default, b1 = default;
            Vector256<byte> c0 = default, c1 = default;
            Vector256<byte> d0 = default, d1 = default;
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
                FetchAhead(x);
                Vector256<byte> low0 = Load(x, 0), low1 = Load(x, 1);
                Vector256<byte> high0 = HighHalves(low0, halves), high1 = HighHalves(low1, halves);
                low0 &= halves;
                low1 &= halves;

                Vector256<byte> al = Table(f, 0), ah = Table(f, 1);
                a0 ^= Shuffle(al, low0) ^ Shuffle(ah, high0);
                a1 ^= Shuffle(al, low1) ^ Shuffle(ah, high1);
                Vector256<byte> bl = Table(f, 2), bh = Table(f, 3);
                b0 ^= Shuffle(bl, low0) ^ Shuffle(bh, high0);
                b1 ^= Shuffle(bl, low1) ^ Shuffle(bh, high1);
                Vector256<byte> cl = Table(f, 4), ch = Table(f, 5);
                c0 ^= Shuffle(cl, low0) ^ Shuffle(ch, high0);
                c1 ^= Shuffle(cl, low1) ^ Shuffle(ch, high1);
                Vector256<byte> dl = Table(f, 6), dh = Table(f, 7);
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

    private static Vector256<byte> Load(byte* source, int vector) =>
        Vector256.Load(source + (vector * VectorBytes));

    private static void Store(Vector256<byte> value, byte* target, int vector) =>
        value.Store(target + (vector * VectorBytes));

    // The next step's line of an input. Lines come from many inputs in turns, and a processor that fetches ahead
    // by itself does so too late for this loop: a tenth faster with 20+4 and shards of 256 KiB. Beyond a shard
    // it does nothing.
    private static void FetchAhead(byte* source) => Sse.Prefetch0(source + Columns);

    private static Vector256<byte> HighHalves(Vector256<byte> source, Vector256<byte> halves) =>
        (source.AsUInt16() >>> 4).AsByte() & halves;

    private static Vector256<byte> Table(byte* tables, int index) =>
        Avx2.BroadcastVector128ToVector256(tables + (index * TableBytes));

    private static Vector256<byte> Shuffle(Vector256<byte> table, Vector256<byte> halves) =>
        Avx2.Shuffle(table, halves);
}
