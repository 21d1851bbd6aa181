using System.Buffers.Binary;

namespace ZeroStor.S3.Bodies;

/// <summary>The CRC of a whole from those of its parts, without their bytes: the first part's is multiplied
/// by x^(bits of the second), modulo the polynomial, and added. Polynomials have their bits the other way
/// round, so the top bit is x^0.</summary>
internal static class CrcCombination
{
    private const ulong Crc32Reflected = 0xEDB88320;

    private const ulong Crc32CReflected = 0x82F63B78;

    /// <param name="algorithm">One that is a CRC.</param>
    /// <param name="first">The value of the first part.</param>
    /// <param name="second">The value of the part behind it.</param>
    /// <param name="secondBytes">The length of that part.</param>
    public static byte[] Combine(
        ChecksumAlgorithm algorithm, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, long secondBytes)
    {
        ulong polynomial = algorithm switch
        {
            ChecksumAlgorithm.Crc32 => Crc32Reflected,
            ChecksumAlgorithm.Crc32C => Crc32CReflected,
            ChecksumAlgorithm.Crc64Nvme => Crc64Nvme.Reflected,
            _ => throw new ArgumentException($"{algorithm.Name} is no CRC.", nameof(algorithm)),
        };
        int bits = algorithm.ValueBytes * 8;
        ulong one = 1UL << (bits - 1);
        ulong shift = PowerOfX(secondBytes, polynomial, one);
        ulong combined = Multiply(shift, Read(first), polynomial, one) ^ Read(second);
        byte[] value = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(value, combined);
        return value[^algorithm.ValueBytes..];
    }

    private static ulong Read(ReadOnlySpan<byte> value)
    {
        ulong read = 0;
        foreach (byte b in value)
        {
            read = (read << 8) | b;
        }

        return read;
    }

    // x^(8 × bytes) by squaring: begins with x^8 and has a step for each bit of the length.
    private static ulong PowerOfX(long bytes, ulong polynomial, ulong one)
    {
        ulong power = one;
        ulong square = one >> 8;
        for (; bytes > 0; bytes >>= 1)
        {
            if ((bytes & 1) != 0)
            {
                power = Multiply(power, square, polynomial, one);
            }

            square = Multiply(square, square, polynomial, one);
        }

        return power;
    }

    private static ulong Multiply(ulong a, ulong b, ulong polynomial, ulong one)
    {
        ulong product = 0;
        for (ulong bit = one; bit != 0; bit >>= 1)
        {
            if ((a & bit) != 0)
            {
                product ^= b;
            }

            b = (b & 1) != 0 ? (b >> 1) ^ polynomial : b >> 1;
        }

        return product;
    }
}
