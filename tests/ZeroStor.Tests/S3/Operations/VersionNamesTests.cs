using ZeroStor.S3.Errors;
using ZeroStor.S3.Operations;

namespace ZeroStor.Tests.S3.Operations;

public sealed class VersionNamesTests
{
    [Fact]
    public void A_version_is_called_by_its_name_or_null()
    {
        VersionId version = VersionId.New(new SeededEntropy(1));
        Assert.Null(VersionNames.Parse(null));
        Assert.Equal(VersionId.Null, VersionNames.Parse(VersionNames.Tell(version, isNull: true)));
        Assert.Equal(version, VersionNames.Parse(VersionNames.Tell(version, isNull: false)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("NULL")]
    [InlineData("0123456789abcdef0123456789abcde")]
    [InlineData("0123456789abcdef0123456789abcdeg")]
    [InlineData("3HL4kqCxf3vjVBH40Nrjfkd")]
    public void Anything_else_is_refused(string name) =>
        Wire.Refuses(S3Error.InvalidArgument, () => VersionNames.Parse(name));
}
