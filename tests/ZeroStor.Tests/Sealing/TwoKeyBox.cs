using System.Buffers.Binary;
using System.Security.Cryptography;

namespace ZeroStor.Tests.Sealing;

/// <summary>The attack that a key commitment stops: a box of two ciphertext blocks that verifies under two
/// keys (Grubbs, Lu, Ristenpart 2017; Dodis, Grubbs, Ristenpart, Woodage 2018). GCM's tag is a polynomial
/// over GF(2^128), linear in every ciphertext block, so the second block can be chosen to make two tags
/// equal.</summary>
internal static class TwoKeyBox
{
    private const int BlockBytes = 16;
    private const int NonceBytes = 12;

    /// <param name="nonceAndBlock">12 and 16 bytes, free to choose.</param>
    public static byte[] Forge(
        byte[] key, byte[] associated, byte[] otherKey, byte[] otherAssociated, byte[] nonceAndBlock)
    {
        var one = new Side(key, associated, nonceAndBlock);
        var other = new Side(otherKey, otherAssociated, nonceAndBlock);

        // tag = known + block2 · H²; equal tags: block2 = (known + known') / (H² + H'²).
        UInt128 block2 = Multiply(one.Known ^ other.Known, Invert(one.HashSquared ^ other.HashSquared));
        UInt128 tag = one.Known ^ Multiply(block2, one.HashSquared);
        return [.. nonceAndBlock, .. Id128.ToBytes(block2), .. Id128.ToBytes(tag)];
    }

    // Multiplication as SP 800-38D, 6.3 has it: the first bit of a block is the lowest coefficient.
    private static UInt128 Multiply(UInt128 x, UInt128 y)
    {
        UInt128 reduction = (UInt128)0xE1 << 120;
        UInt128 product = 0;
        for (int bit = 127; bit >= 0; bit--)
        {
            product ^= ((x >> bit) & 1) != 0 ? y : 0;
            y = (y >> 1) ^ ((y & 1) != 0 ? reduction : 0);
        }

        return product;
    }

    // x^(2^128 - 2), by squaring: all exponent bits but the lowest are set.
    private static UInt128 Invert(UInt128 x)
    {
        UInt128 power = x;
        UInt128 inverse = (UInt128)1 << 127;
        for (int bit = 1; bit < 128; bit++)
        {
            power = Multiply(power, power);
            inverse = Multiply(inverse, power);
        }

        return inverse;
    }

    private sealed class Side
    {
        public Side(byte[] key, byte[] associated, byte[] nonceAndBlock)
        {
            using Aes aes = Aes.Create();
            aes.Key = key;
            UInt128 hash = Encrypt(aes, new byte[BlockBytes]);
            HashSquared = Multiply(hash, hash);
            UInt128 sum = 0;
            for (int at = 0; at < associated.Length; at += BlockBytes)
            {
                byte[] padded = new byte[BlockBytes];
                associated.AsSpan(at, Math.Min(BlockBytes, associated.Length - at)).CopyTo(padded);
                sum = Multiply(sum ^ Id128.Read(padded), hash);
            }

            sum = Multiply(sum ^ Id128.Read(nonceAndBlock.AsSpan(NonceBytes)), hash);
            sum = Multiply(sum, hash);
            byte[] lengths = new byte[BlockBytes];
            BinaryPrimitives.WriteInt64BigEndian(lengths, associated.Length * 8L);
            BinaryPrimitives.WriteInt64BigEndian(lengths.AsSpan(8), 2 * BlockBytes * 8L);
            sum = Multiply(sum ^ Id128.Read(lengths), hash);
            Known = sum ^ Encrypt(aes, [.. nonceAndBlock.AsSpan(0, NonceBytes), 0, 0, 0, 1]);
        }

        public UInt128 HashSquared { get; }

        /// <summary>The tag, were the second block zero.</summary>
        public UInt128 Known { get; }

        private static UInt128 Encrypt(Aes aes, byte[] block) =>
            Id128.Read(aes.EncryptEcb(block, PaddingMode.None));
    }
}
