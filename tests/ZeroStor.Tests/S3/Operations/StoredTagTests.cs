using CsCheck;
using ZeroStor.S3.Bodies;
using ZeroStor.S3.Operations;
using ZeroStor.S3.Xml;

namespace ZeroStor.Tests.S3.Operations;

public sealed class StoredTagTests
{
    [Fact]
    public void What_is_kept_is_read_as_it_was()
    {
        Gen<ObjectChecksum?> checksums = Gen.Select(
            Gen.Enum<ChecksumAlgorithm>(),
            Gen.Byte.Array[0, 32],
            Gen.Enum<ChecksumType>(),
            (algorithm, value, type) => (ObjectChecksum?)new ObjectChecksum(
                algorithm, Convert.ToBase64String(value) + (type == ChecksumType.Composite ? "-3" : ""), type));
        Gen.Select(Gen.Byte.Array[16], Gen.OneOf(checksums, Gen.Const((ObjectChecksum?)null))).Sample((md5, sum) =>
        {
            var tag = new StoredTag(Convert.ToHexStringLower(md5), sum);
            return StoredTag.Parse(tag.ToString()) == tag;
        });
    }

    [Fact]
    public void What_another_front_end_put_is_not_told_as_an_MD5()
    {
        VersionId version = VersionId.New(new SeededEntropy(1));
        Assert.Equal($"{version}-1", StoredTag.Of(version.ToString(), version).ETag);
        Assert.Equal("its own", StoredTag.Of("its own", version).ETag);
    }
}
