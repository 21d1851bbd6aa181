using ZeroStor.S3.Bodies;
using ZeroStor.S3.Errors;

namespace ZeroStor.Tests.S3.Bodies;

public sealed class ChecksumTests
{
    [Theory]
    [InlineData(ChecksumAlgorithm.Crc32, "cbf43926")]
    [InlineData(ChecksumAlgorithm.Crc32C, "e3069283")]
    [InlineData(ChecksumAlgorithm.Crc64Nvme, "ae8b14860a799888")]
    [InlineData(ChecksumAlgorithm.Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441")]
    [InlineData(ChecksumAlgorithm.Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225")]
    public void The_catalogued_check_values(ChecksumAlgorithm algorithm, string hex) =>
        Assert.Equal(hex, Convert.ToHexStringLower(Sum(algorithm, "123456789"u8.ToArray())));

    [Fact]
    public void The_MD5_of_nothing()
    {
        using Checksum md5 = Checksum.Md5();
        Assert.Equal("d41d8cd98f00b204e9800998ecf8427e", Convert.ToHexStringLower(md5.Finish()));
    }

    [Fact]
    public void Cyclic_sums_are_those_of_the_definition_bit_by_bit_however_they_are_fed()
    {
        byte[] bytes = new byte[1000];
        new Random(8).NextBytes(bytes);
        foreach ((ChecksumAlgorithm algorithm, ulong polynomial) in new[]
        {
            (ChecksumAlgorithm.Crc32, 0xEDB88320UL),
            (ChecksumAlgorithm.Crc32C, 0x82F63B78UL),
            (ChecksumAlgorithm.Crc64Nvme, 0x9A6C9329AC4BC9B5UL),
        })
        {
            for (int length = 0; length <= 70; length++)
            {
                byte[] content = bytes[..length];
                Assert.Equal(Slow(content, polynomial, algorithm.ValueBytes), Sum(algorithm, content));
            }

            using Checksum parts = Checksum.Of(algorithm);
            foreach (Range piece in new[] { 0..1, 1..18, 18..18, 18..100, 100..777, 777..1000 })
            {
                parts.Append(bytes.AsSpan(piece));
            }

            Assert.Equal(Slow(bytes, polynomial, algorithm.ValueBytes), parts.Finish());
        }
    }

    [Fact]
    public void A_sum_begins_anew_when_it_is_finished()
    {
        foreach (ChecksumAlgorithm algorithm in ChecksumAlgorithms.All)
        {
            using Checksum checksum = Checksum.Of(algorithm);
            checksum.Append("one"u8);
            byte[] first = checksum.Finish();
            checksum.Append("one"u8);
            Assert.Equal(first, checksum.Finish());
            Assert.Equal(algorithm.ValueBytes, first.Length);
        }
    }

    [Theory]
    [InlineData(ChecksumAlgorithm.Crc32, "CRC32", "x-amz-checksum-crc32", "ChecksumCRC32")]
    [InlineData(ChecksumAlgorithm.Crc32C, "CRC32C", "x-amz-checksum-crc32c", "ChecksumCRC32C")]
    [InlineData(ChecksumAlgorithm.Crc64Nvme, "CRC64NVME", "x-amz-checksum-crc64nvme", "ChecksumCRC64NVME")]
    [InlineData(ChecksumAlgorithm.Sha1, "SHA1", "x-amz-checksum-sha1", "ChecksumSHA1")]
    [InlineData(ChecksumAlgorithm.Sha256, "SHA256", "x-amz-checksum-sha256", "ChecksumSHA256")]
    public void Names_are_S3s(ChecksumAlgorithm algorithm, string name, string header, string element)
    {
        Assert.Equal((name, header, element), (algorithm.Name, algorithm.Header, algorithm.Element));
        Assert.Equal(algorithm, ChecksumAlgorithms.Parse(name.ToLowerInvariant()));
    }

    [Fact]
    public void An_unknown_algorithm_and_a_value_of_another_length_are_refused()
    {
        Wire.Refuses(S3Error.InvalidRequest, () => ChecksumAlgorithms.Parse("MD5"));
        Assert.True(ChecksumAlgorithm.Crc32.IsValue("AAAAAA=="));
        foreach (string wrong in new[] { "", "AAAAAA", "AAAAAAA=", "====", new string('A', 5000) })
        {
            Assert.False(ChecksumAlgorithm.Crc32.IsValue(wrong));
        }
    }

    private static byte[] Sum(ChecksumAlgorithm algorithm, byte[] content)
    {
        using Checksum checksum = Checksum.Of(algorithm);
        checksum.Append(content);
        return checksum.Finish();
    }

    private static byte[] Slow(byte[] content, ulong polynomial, int valueBytes)
    {
        ulong ones = valueBytes == 8 ? ulong.MaxValue : uint.MaxValue;
        ulong crc = ones;
        foreach (byte b in content)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ polynomial : crc >> 1;
            }
        }

        return Convert.FromHexString((crc ^ ones).ToString(valueBytes == 8 ? "X16" : "X8"));
    }
}
