using System.Buffers.Binary;

namespace ZeroStor.S3.Bodies;

/// <summary>CRC-64/NVME: reflected, polynomial 0xAD93D23594C93659, all ones before and after. .NET's own
/// CRC-64 has another polynomial. Sixteen bytes are taken at a time, each by a table of its own, so that no
/// step waits for the one before.</summary>
internal static class Crc64Nvme
{
    /// <summary>The polynomial with its bits the other way round.</summary>
    public const ulong Reflected = 0x9A6C9329AC4BC9B5;

    private const int Slices = 16;

    // 16 tables of 256 words, 32 KiB, in one array: table s says what a byte becomes with s bytes behind it.
    private static readonly ulong[] Tables = MakeTables();

    /// <param name="crc">The state before; all ones at the start.</param>
    /// <param name="bytes">What comes next.</param>
    /// <returns>The state after; inverted it is the value.</returns>
    public static ulong Update(ulong crc, ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<ulong> tables = Tables;
        while (bytes.Length >= Slices)
        {
            ulong low = crc ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            ulong high = BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]);
            crc = Fold(tables[(8 * 256)..], low) ^ Fold(tables, high);
            bytes = bytes[Slices..];
        }

        foreach (byte b in bytes)
        {
            crc = tables[(byte)(crc ^ b)] ^ (crc >> 8);
        }

        return crc;
    }

    // The first byte of a word has the most bytes behind it, so it takes the last of its eight tables.
    private static ulong Fold(ReadOnlySpan<ulong> tables, ulong word) =>
        tables[(7 * 256) + (byte)word]
        ^ tables[(6 * 256) + (byte)(word >> 8)]
        ^ tables[(5 * 256) + (byte)(word >> 16)]
        ^ tables[(4 * 256) + (byte)(word >> 24)]
        ^ tables[(3 * 256) + (byte)(word >> 32)]
        ^ tables[(2 * 256) + (byte)(word >> 40)]
        ^ tables[256 + (byte)(word >> 48)]
        ^ tables[(byte)(word >> 56)];

    private static ulong[] MakeTables()
    {
        ulong[] tables = new ulong[Slices * 256];
        for (int b = 0; b < 256; b++)
        {
            ulong crc = (ulong)b;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ Reflected : crc >> 1;
            }

            tables[b] = crc;
        }

        for (int i = 256; i < tables.Length; i++)
        {
            ulong before = tables[i - 256];
            tables[i] = tables[(byte)before] ^ (before >> 8);
        }

        return tables;
    }
}
