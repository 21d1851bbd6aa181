using System.Security.Cryptography;
using CsCheck;
using ZeroStor.S3.Bodies;
using ZeroStor.S3.Errors;

namespace ZeroStor.Tests.S3.Bodies;

public sealed class MultipartSumsTests
{
    private static readonly ChecksumAlgorithm[] Crcs =
        [ChecksumAlgorithm.Crc32, ChecksumAlgorithm.Crc32C, ChecksumAlgorithm.Crc64Nvme];

    [Fact]
    public void The_sum_of_a_whole_is_made_of_those_of_its_parts_wherever_it_is_cut() =>
        Gen.Select(Gen.Byte.Array[0, 2000], Gen.Int[0, 2000].Array[0, 6]).Sample((content, cuts) =>
        {
            int[] bounds = [0, .. cuts.Select(c => Math.Min(c, content.Length)).Order(), content.Length];
            foreach (ChecksumAlgorithm algorithm in Crcs)
            {
                (byte[], long)[] parts =
                [
                    .. bounds.Zip(bounds.Skip(1)).Select(b => (
                        Sum(algorithm, content[b.First..b.Second]), (long)(b.Second - b.First))),
                ];
                string whole = Convert.ToBase64String(Sum(algorithm, content));
                Assert.Equal(whole, MultipartSums.FullObject(algorithm, parts));
            }
        });

    [Fact]
    public void Lengths_may_be_those_of_the_largest_objects()
    {
        // A part of zeros is a power of x alone; twice the half must be the whole.
        foreach (ChecksumAlgorithm algorithm in Crcs)
        {
            byte[] sum = Sum(algorithm, "part"u8.ToArray());
            byte[] zero = new byte[algorithm.ValueBytes];
            const long Whole = 50L << 40;
            byte[] atOnce = CrcCombination.Combine(algorithm, sum, zero, Whole);
            byte[] half = CrcCombination.Combine(algorithm, sum, zero, Whole / 2);
            Assert.Equal(atOnce, CrcCombination.Combine(algorithm, half, zero, Whole / 2));
            Assert.NotEqual(sum, atOnce);
        }
    }

    [Fact]
    public void A_hash_has_no_combination() => Assert.Throws<ArgumentException>(
        () => CrcCombination.Combine(ChecksumAlgorithm.Sha256, new byte[32], new byte[32], 1));

    [Fact]
    public void An_ETag_and_a_composite_are_of_the_parts_sums_and_count_them()
    {
        byte[][] md5s = [Wire.Md5([1]), Wire.Md5([2])];
        string hex = Convert.ToHexStringLower(Wire.Md5([.. md5s[0], .. md5s[1]]));
        Assert.Equal($"{hex}-2", MultipartSums.ETag(md5s));
        byte[][] sums = [SHA256.HashData("a"u8), SHA256.HashData("b"u8), SHA256.HashData("c"u8)];
        string base64 = Convert.ToBase64String(SHA256.HashData([.. sums.SelectMany(s => s)]));
        Assert.Equal($"{base64}-3", MultipartSums.Composite(ChecksumAlgorithm.Sha256, sums));
    }

    [Fact]
    public void Types_are_possible_as_S3_has_them()
    {
        Assert.Equal(ChecksumType.FullObject, MultipartSums.DefaultType(ChecksumAlgorithm.Crc64Nvme));
        foreach (ChecksumAlgorithm algorithm in ChecksumAlgorithms.All)
        {
            Assert.Equal(algorithm.IsCrc, MultipartSums.IsPossible(algorithm, ChecksumType.FullObject));
            Assert.True(MultipartSums.IsPossible(algorithm, MultipartSums.DefaultType(algorithm)));
        }

        Assert.False(MultipartSums.IsPossible(ChecksumAlgorithm.Crc64Nvme, ChecksumType.Composite));
    }

    [Theory]
    [InlineData("CRC32", null, ChecksumAlgorithm.Crc32, ChecksumType.Composite)]
    [InlineData("crc32", "FULL_OBJECT", ChecksumAlgorithm.Crc32, ChecksumType.FullObject)]
    [InlineData("CRC64NVME", null, ChecksumAlgorithm.Crc64Nvme, ChecksumType.FullObject)]
    [InlineData("SHA256", "COMPOSITE", ChecksumAlgorithm.Sha256, ChecksumType.Composite)]
    public void An_upload_says_how_it_is_summed(
        string algorithm, string? type, ChecksumAlgorithm asked, ChecksumType made) =>
        Assert.Equal(new UploadChecksum(asked, made), ReadUpload(algorithm, type));

    [Theory]
    [InlineData("SHA256", "FULL_OBJECT")]
    [InlineData("CRC64NVME", "COMPOSITE")]
    [InlineData("CRC32", "composite")]
    [InlineData("MD5", null)]
    [InlineData(null, "COMPOSITE")]
    public void An_upload_cannot_be_summed_otherwise(string? algorithm, string? type) =>
        Wire.Refuses(S3Error.InvalidRequest, () => ReadUpload(algorithm, type));

    [Fact]
    public void An_upload_need_not_be_summed() => Assert.Null(ReadUpload(null, null));

    private static UploadChecksum? ReadUpload(string? algorithm, string? type)
    {
        (string Name, string? Value)[] headers =
            [("x-amz-checksum-algorithm", algorithm), ("x-amz-checksum-type", type)];
        return UploadChecksum.Read(Wire.Request(
            "POST", "/b/k?uploads", [.. headers.Where(h => h.Value is not null).Select(
                h => (h.Name, h.Value!))]));
    }

    private static byte[] Sum(ChecksumAlgorithm algorithm, byte[] content)
    {
        using Checksum checksum = Checksum.Of(algorithm);
        checksum.Append(content);
        return checksum.Finish();
    }
}
