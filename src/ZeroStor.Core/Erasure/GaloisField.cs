namespace ZeroStor.Erasure;

/// <summary>Arithmetic of GF(2^8) with the polynomial x^8+x^4+x^3+x^2+1 (0x11d), the one that Backblaze,
/// klauspost and ISA-L code with. Adding is XOR, and so is subtracting.</summary>
internal static class GaloisField
{
    public const int Order = 256;

    private const int Polynomial = 0x11d;

    // 2 generates the field's 255 non-zero elements. Its powers stand here twice, so that the sum of two
    // logarithms needs no reduction.
    private static readonly byte[] Powers = new byte[2 * (Order - 1)];
    private static readonly byte[] Logarithms = new byte[Order];

    static GaloisField()
    {
        int value = 1;
        for (int power = 0; power < Order - 1; power++)
        {
            Powers[power] = Powers[power + Order - 1] = (byte)value;
            Logarithms[value] = (byte)power;
            value <<= 1;
            value = value >= Order ? value ^ Polynomial : value;
        }
    }

    public static byte Multiply(byte a, byte b) =>
        a == 0 || b == 0 ? (byte)0 : Powers[Logarithms[a] + Logarithms[b]];

    /// <summary>1/<paramref name="a"/>.</summary>
    /// <exception cref="DivideByZeroException">0 has no inverse.</exception>
    public static byte Invert(byte a) =>
        a == 0
            ? throw new DivideByZeroException("0 has no inverse in GF(2^8).")
            : Powers[Order - 1 - Logarithms[a]];

    /// <summary><paramref name="a"/> to a power; 0^0 is 1.</summary>
    public static byte Power(byte a, int exponent)
    {
        if (exponent == 0)
        {
            return 1;
        }

        return a == 0 ? (byte)0 : Powers[Logarithms[a] * exponent % (Order - 1)];
    }
}
