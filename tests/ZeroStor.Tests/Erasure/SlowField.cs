namespace ZeroStor.Tests.Erasure;

/// <summary>The code from first principles and by other means than the codec's: products bit by bit,
/// coefficients by Lagrange's interpolation (data shard c is the value at point c of a polynomial of degree
/// below k, parity shard r the value at point k+r). Slow, and in no need of a second look.</summary>
internal static class SlowField
{
    public static byte Multiply(byte a, byte b)
    {
        int product = 0;
        for (int bit = 7; bit >= 0; bit--)
        {
            product = (product << 1) ^ ((product & 0x80) != 0 ? 0x11d : 0);
            product ^= ((b >> bit) & 1) != 0 ? a : 0;
        }

        return (byte)product;
    }

    /// <summary>The power 254, as all 255 non-zero elements are roots of x^255 = 1.</summary>
    public static byte Invert(byte a)
    {
        byte power = 1;
        for (int i = 0; i < 254; i++)
        {
            power = Multiply(power, a);
        }

        return power;
    }

    /// <summary>What data shard <paramref name="column"/> contributes to the shard at <paramref
    /// name="place"/>. </summary>
    public static byte Coefficient(Code code, int place, int column)
    {
        byte above = 1, below = 1;
        for (int other = 0; other < code.K; other++)
        {
            if (other != column)
            {
                above = Multiply(above, (byte)(place ^ other));
                below = Multiply(below, (byte)(column ^ other));
            }
        }

        return Multiply(above, Invert(below));
    }

    /// <summary>All n shards of these k data shards.</summary>
    public static byte[][] Stripe(Code code, byte[][] data)
    {
        byte[][] stripe = [.. data, .. Enumerable.Range(0, code.M).Select(_ => new byte[data[0].Length])];
        for (int place = code.K; place < code.N; place++)
        {
            for (int column = 0; column < code.K; column++)
            {
                byte coefficient = Coefficient(code, place, column);
                for (int at = 0; at < data[column].Length; at++)
                {
                    stripe[place][at] ^= Multiply(coefficient, data[column][at]);
                }
            }
        }

        return stripe;
    }
}
