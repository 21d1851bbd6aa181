using ZeroStor.S3;
using ZeroStor.S3.Errors;

namespace ZeroStor.Tests.S3;

public sealed class QueryParametersTests
{
    [Fact]
    public void Names_and_values_are_decoded_and_told_apart_by_case()
    {
        QueryParameters query = Wire.Query("acl&prefix=a+b%2Fc&Prefix=x=y&empty=&&prefix=second");
        Assert.Equal("", query["acl"]);
        Assert.Equal("a b/c", query["prefix"]);
        Assert.Equal("x=y", query["Prefix"]);
        Assert.Equal("", query["empty"]);
        Assert.Null(query["ACL"]);
        Assert.True(query.Has("acl"));
        Assert.Equal(2, query.Count("prefix"));
        Assert.Equal(5, query.All.Length);
    }

    [Theory]
    [InlineData("a=%")]
    [InlineData("%zz=1")]
    [InlineData("a=%FF")]
    public void What_cannot_be_decoded_is_refused(string raw) =>
        Wire.Refuses(S3Error.InvalidURI, () => Wire.Query(raw));

    [Fact]
    public void Parameters_are_bounded() => Wire.Refuses(
        S3Error.InvalidURI, () => Wire.Query(
            string.Join('&', Enumerable.Range(0, 101).Select(i => $"p{i}"))));
}
