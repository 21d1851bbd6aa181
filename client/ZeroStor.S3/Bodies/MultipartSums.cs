using System.Globalization;

namespace ZeroStor.S3.Bodies;

/// <summary>How the checksum of an object of many parts is made: over the checksums of its parts, or over all
/// its bytes.</summary>
public enum ChecksumType
{
    FullObject,
    Composite,
}

/// <summary>What S3 calls them, in headers and documents.</summary>
internal static class ChecksumTypes
{
    private const string FullObject = "FULL_OBJECT";

    private const string Composite = "COMPOSITE";

    public static string NameOf(ChecksumType type) => type == ChecksumType.FullObject ? FullObject : Composite;

    /// <summary>Null: S3 knows none of this name.</summary>
    public static ChecksumType? Find(string name) => name switch
    {
        FullObject => ChecksumType.FullObject,
        Composite => ChecksumType.Composite,
        _ => null,
    };
}

/// <summary>What S3's clients expect an object of many parts to be called and summed: made of what was kept
/// of the parts, without their bytes.</summary>
public static class MultipartSums
{
    /// <summary>The MD5 over the parts' MD5s, and how many they were.</summary>
    public static string ETag(IEnumerable<byte[]> md5s)
    {
        using Checksum md5 = Checksum.Md5();
        int parts = Append(md5, md5s);
        return Numbered(Convert.ToHexStringLower(md5.Finish()), parts);
    }

    /// <summary>The checksum over the parts' checksums, in base64, and how many they were.</summary>
    public static string Composite(ChecksumAlgorithm algorithm, IEnumerable<byte[]> sums)
    {
        using Checksum checksum = Checksum.Of(algorithm);
        int parts = Append(checksum, sums);
        return Numbered(Convert.ToBase64String(checksum.Finish()), parts);
    }

    /// <summary>The checksum over all bytes, in base64: what a put of the same bytes at once has.</summary>
    /// <param name="algorithm">One that is a CRC.</param>
    /// <param name="parts">Each part's checksum and length, in order.</param>
    public static string FullObject(ChecksumAlgorithm algorithm, IEnumerable<(byte[] Sum, long Bytes)> parts)
    {
        using Checksum empty = Checksum.Of(algorithm);
        byte[] whole = empty.Finish();
        foreach ((byte[] sum, long bytes) in parts)
        {
            whole = CrcCombination.Combine(algorithm, whole, sum, bytes);
        }

        return Convert.ToBase64String(whole);
    }

    /// <summary>What S3 makes of an upload that names an algorithm and no type: CRC-64 has only whole
    /// objects, the hashes only composites.</summary>
    public static ChecksumType DefaultType(ChecksumAlgorithm algorithm) =>
        algorithm == ChecksumAlgorithm.Crc64Nvme ? ChecksumType.FullObject : ChecksumType.Composite;

    public static bool IsPossible(ChecksumAlgorithm algorithm, ChecksumType type) =>
        type == ChecksumType.FullObject ? algorithm.IsCrc : algorithm != ChecksumAlgorithm.Crc64Nvme;

    private static string Numbered(string sum, int parts) =>
        string.Create(CultureInfo.InvariantCulture, $"{sum}-{parts}");

    private static int Append(Checksum checksum, IEnumerable<byte[]> sums)
    {
        int parts = 0;
        foreach (byte[] sum in sums)
        {
            checksum.Append(sum);
            parts++;
        }

        return parts;
    }
}
