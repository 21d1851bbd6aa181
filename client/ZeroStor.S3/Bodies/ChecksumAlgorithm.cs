using System.Security.Cryptography;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Bodies;

/// <summary>A checksum that S3 keeps with an object.</summary>
public enum ChecksumAlgorithm
{
    Crc32,
    Crc32C,
    Crc64Nvme,
    Sha1,
    Sha256,
}

/// <summary>What the algorithms are called, and how long their values are.</summary>
public static class ChecksumAlgorithms
{
    public const string HeaderPrefix = "x-amz-checksum-";

    public static readonly IReadOnlyList<ChecksumAlgorithm> All = Enum.GetValues<ChecksumAlgorithm>();

    extension(ChecksumAlgorithm algorithm)
    {
        /// <summary>As <c>x-amz-checksum-algorithm</c> and XML have it: <c>CRC32</c>.</summary>
        public string Name => algorithm switch
        {
            ChecksumAlgorithm.Crc32 => "CRC32",
            ChecksumAlgorithm.Crc32C => "CRC32C",
            ChecksumAlgorithm.Crc64Nvme => "CRC64NVME",
            ChecksumAlgorithm.Sha1 => "SHA1",
            _ => "SHA256",
        };

        /// <summary>The element of XML that holds a value: <c>ChecksumCRC32</c>.</summary>
        public string Element => "Checksum" + algorithm.Name;

        /// <summary>The header that holds a value: <c>x-amz-checksum-crc32</c>.</summary>
        public string Header => HeaderPrefix + algorithm.Name.ToLowerInvariant();

        /// <summary>Bytes of a value before it becomes base64.</summary>
        public int ValueBytes => algorithm switch
        {
            ChecksumAlgorithm.Crc32 or ChecksumAlgorithm.Crc32C => sizeof(uint),
            ChecksumAlgorithm.Crc64Nvme => sizeof(ulong),
            ChecksumAlgorithm.Sha1 => SHA1.HashSizeInBytes,
            _ => SHA256.HashSizeInBytes,
        };

        /// <summary>Whether the checksum of a whole can be reckoned from those of its parts.</summary>
        public bool IsCrc => algorithm is ChecksumAlgorithm.Crc32 or ChecksumAlgorithm.Crc32C
            or ChecksumAlgorithm.Crc64Nvme;

        /// <summary>Whether this is the base64 of a value.</summary>
        public bool IsValue(string base64)
        {
            Span<byte> value = stackalloc byte[SHA256.HashSizeInBytes + 1];
            return Convert.TryFromBase64String(base64, value, out int bytes) && bytes == algorithm.ValueBytes;
        }
    }

    /// <summary>By its name, in any case, as clients write it.</summary>
    public static ChecksumAlgorithm? Find(string? name)
    {
        foreach (ChecksumAlgorithm algorithm in All)
        {
            if (string.Equals(algorithm.Name, name, StringComparison.OrdinalIgnoreCase))
            {
                return algorithm;
            }
        }

        return null;
    }

    /// <exception cref="S3Exception">InvalidRequest: there is no such algorithm.</exception>
    public static ChecksumAlgorithm Parse(string name) => Find(name) ?? throw new S3Exception(
        S3Error.InvalidRequest,
        "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
        + "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
}
