using System.Buffers;
using CsCheck;
using ZeroStor.Erasure;

namespace ZeroStor.Tests.Erasure;

/// <summary>Every kernel that this machine runs, alone.</summary>
public sealed unsafe class KernelTests
{
    public static TheoryData<string> Kernels => Stripe.Kernels;

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Every_product_of_two_bytes_is_right(string name)
    {
        byte[] all = [.. Enumerable.Range(0, 256).Select(value => (byte)value)];
        for (int coefficient = 0; coefficient < 256; coefficient++)
        {
            byte[] products = new byte[256];
            Run(name, 1, 1, [(byte)coefficient], [all], [products], 0, 256, accumulate: false);
            Assert.Equal(all.Select(value => SlowField.Multiply((byte)coefficient, value)), products);
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Sums_of_products_are_right_for_any_number_of_inputs_and_outputs(string name) =>
        (from inputs in Gen.Int[1, 24]
         from outputs in Gen.Int[1, Kernel.MaxOutputs]
         from steps in Gen.Int[1, 3]
         from accumulate in Gen.Bool
         from seed in Gen.Int
         select (inputs, outputs, steps, accumulate, seed)).Sample(
            x => AssertSums(name, x.inputs, x.outputs, x.steps, x.accumulate, new Random(x.seed)),
            iter: 60);

    [Fact]
    public void The_kernels_stand_in_order_and_the_last_runs_everywhere()
    {
        Assert.Equal("portable", Kernel.All[^1].Name);
        Assert.True(Kernel.All[^1].IsSupported);
        Assert.Same(Kernel.All.First(kernel => kernel.IsSupported), Kernel.Best);
        Assert.Equal(Kernel.All.Count, Kernel.All.Select(kernel => kernel.Name).Distinct().Count());
    }

    private static void AssertSums(
        string name, int inputs, int outputs, int steps, bool accumulate, Random random)
    {
        int step = Math.Max(Stripe.KernelNamed(name).StepBytes, 8);
        byte[][] rows = Rows(inputs, (steps + 1) * step, random);
        byte[][] sums = Rows(outputs, (steps + 1) * step, random);
        byte[] coefficients = Rows(1, inputs * outputs, random)[0];
        byte[][] expected = [.. sums.Select(sum => sum.ToArray())];
        for (int o = 0; o < outputs; o++)
        {
            for (int at = step; at < step + (steps * step); at++)
            {
                expected[o][at] = accumulate ? expected[o][at] : (byte)0;
                for (int i = 0; i < inputs; i++)
                {
                    expected[o][at] ^= SlowField.Multiply(coefficients[(i * outputs) + o], rows[i][at]);
                }
            }
        }

        Run(name, inputs, outputs, coefficients, rows, sums, step, steps * step, accumulate);
        for (int o = 0; o < outputs; o++)
        {
            Assert.Equal(expected[o], sums[o]);
        }
    }

    private static byte[][] Rows(int count, int bytes, Random random)
    {
        byte[][] rows = new byte[count][];
        for (int i = 0; i < count; i++)
        {
            rows[i] = new byte[bytes];
            random.NextBytes(rows[i]);
        }

        return rows;
    }

    private static void Run(
        string name,
        int inputs,
        int outputs,
        byte[] coefficients,
        byte[][] rows,
        byte[][] sums,
        int offset,
        int bytes,
        bool accumulate)
    {
        Kernel kernel = Stripe.KernelNamed(name);
        byte[] prepared = new byte[coefficients.Length * kernel.FactorBytes];
        for (int i = 0; i < coefficients.Length; i++)
        {
            kernel.Prepare(coefficients[i], prepared.AsSpan(i * kernel.FactorBytes, kernel.FactorBytes));
        }

        MemoryHandle[] pins = [.. rows.Concat(sums).Select(row => row.AsMemory().Pin())];
        byte** addresses = stackalloc byte*[pins.Length];
        for (int i = 0; i < pins.Length; i++)
        {
            addresses[i] = (byte*)pins[i].Pointer;
        }

        fixed (byte* factors = prepared)
        {
            kernel.Run(
                factors, addresses, inputs, addresses + inputs, outputs, offset, bytes, accumulate);
        }

        Array.ForEach(pins, pin => pin.Dispose());
    }
}
