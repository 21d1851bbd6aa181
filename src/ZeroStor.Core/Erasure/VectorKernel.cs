namespace ZeroStor.Erasure;

/// <summary>What the kernels on vector registers share: a loop written out for each number of outputs, and
/// the two forms in which vector instructions take a coefficient.</summary>
internal abstract unsafe class VectorKernel : Kernel
{
    /// <summary>Bytes of a coefficient as a matrix of bits.</summary>
    protected const int MatrixBytes = 8;

    /// <summary>Bytes of a coefficient as two tables, and of one of them.</summary>
    protected const int TablesBytes = 2 * TableBytes;
    protected const int TableBytes = 16;

    public sealed override void Run(
        byte* factors,
        byte** inputs,
        int inputCount,
        byte** outputs,
        int outputCount,
        nint offset,
        nint bytes,
        bool accumulate)
    {
        nint end = offset + bytes;
        switch (outputCount)
        {
            case 1:
                One(factors, inputs, inputCount, outputs, offset, end, accumulate);
                break;
            case 2:
                Two(factors, inputs, inputCount, outputs, offset, end, accumulate);
                break;
            case 3:
                Three(factors, inputs, inputCount, outputs, offset, end, accumulate);
                break;
            default:
                Four(factors, inputs, inputCount, outputs, offset, end, accumulate);
                break;
        }
    }

    /// <summary>Multiplying by a constant is linear over GF(2), hence a matrix of 8×8 bits, which
    /// GF2P8AFFINEQB takes so: row i makes bit i of the product and stands in byte 7-i; its bit j says
    /// whether bit j of the source counts, which it does where the product of the coefficient and 2^j has bit
    /// i.</summary>
    protected static void PrepareMatrix(byte coefficient, Span<byte> matrix)
    {
        matrix.Clear();
        for (int j = 0; j < 8; j++)
        {
            byte product = GaloisField.Multiply(coefficient, (byte)(1 << j));
            for (int i = 0; i < 8; i++)
            {
                matrix[7 - i] |= (byte)(((product >> i) & 1) << j);
            }
        }
    }

    /// <summary>As multiplying is linear, a product is the sum of those of a byte's two halves, and a half
    /// has 16 values: a table of the low half's products, then one of the high half's (J. S. Plank, K. M.
    /// Greenan, E. L. Miller, "Screaming Fast Galois Field Arithmetic Using Intel SIMD Instructions", FAST
    /// 2013).</summary>
    protected static void PrepareTables(byte coefficient, Span<byte> tables)
    {
        for (int half = 0; half < TableBytes; half++)
        {
            tables[half] = GaloisField.Multiply(coefficient, (byte)half);
            tables[TableBytes + half] = GaloisField.Multiply(coefficient, (byte)(half << 4));
        }
    }

    protected abstract void One(
        byte* factors, byte** inputs, int inputCount, byte** outputs, nint offset, nint end, bool accumulate);

    protected abstract void Two(
        byte* factors, byte** inputs, int inputCount, byte** outputs, nint offset, nint end, bool accumulate);

    protected abstract void Three(
        byte* factors, byte** inputs, int inputCount, byte** outputs, nint offset, nint end, bool accumulate);

    protected abstract void Four(
        byte* factors, byte** inputs, int inputCount, byte** outputs, nint offset, nint end, bool accumulate);
}
