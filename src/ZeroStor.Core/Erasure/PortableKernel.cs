namespace ZeroStor.Erasure;

/// <summary>A table of all products, one look-up a byte: for processors without any of the other kernels'
/// instructions, and the measure that those are held against.</summary>
internal sealed unsafe class PortableKernel : Kernel
{
    private static readonly byte[] Products = AllProducts();

    public override string Name => "portable";

    public override bool IsSupported => true;

    public override int StepBytes => 1;

    public override int FactorBytes => 1;

    public override void Prepare(byte coefficient, Span<byte> factor) => factor[0] = coefficient;

    public override void Run(
        byte* factors,
        byte** inputs,
        int inputCount,
        byte** outputs,
        int outputCount,
        nint offset,
        nint bytes,
        bool accumulate)
    {
        for (int o = 0; o < outputCount; o++)
        {
            var output = new Span<byte>(outputs[o] + offset, (int)bytes);
            if (!accumulate)
            {
                output.Clear();
            }

            for (int i = 0; i < inputCount; i++)
            {
                byte factor = factors[(i * outputCount) + o];
                AddProducts(output, new ReadOnlySpan<byte>(inputs[i] + offset, (int)bytes), factor);
            }
        }
    }

    private static void AddProducts(Span<byte> output, ReadOnlySpan<byte> input, byte factor)
    {
        ReadOnlySpan<byte> products = Products.AsSpan(factor * GaloisField.Order, GaloisField.Order);
        for (int at = 0; at < output.Length; at++)
        {
            output[at] ^= products[input[at]];
        }
    }

    private static byte[] AllProducts()
    {
        byte[] products = new byte[GaloisField.Order * GaloisField.Order];
        for (int i = 0; i < products.Length; i++)
        {
            products[i] = GaloisField.Multiply((byte)(i / GaloisField.Order), (byte)(i % GaloisField.Order));
        }

        return products;
    }
}
