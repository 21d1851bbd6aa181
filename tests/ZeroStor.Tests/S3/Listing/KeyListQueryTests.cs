using ZeroStor.S3.Errors;
using ZeroStor.S3.Listing;

namespace ZeroStor.Tests.S3.Listing;

public sealed class KeyListQueryTests
{
    [Theory]
    [InlineData("", 1000)]
    [InlineData("max-keys=", 1000)]
    [InlineData("max-keys=0", 0)]
    [InlineData("max-keys=7", 7)]
    [InlineData("max-keys=2147483647", 1000)]
    public void The_most_is_a_thousand(string query, int max) =>
        Assert.Equal(max, new ListObjectsQuery(Wire.Query(query), isSecond: false).Max);

    [Theory]
    [InlineData("max-keys=-1")]
    [InlineData("max-keys=2147483648")]
    [InlineData("max-keys=ten")]
    [InlineData("encoding-type=base64")]
    public void What_is_none_is_refused(string query) => Wire.Refuses(
        S3Error.InvalidArgument, () => new ListObjectsQuery(Wire.Query(query), isSecond: true));

    [Fact]
    public void Where_to_begin_depends_on_the_form()
    {
        string token = ContinuationToken.Make("t/ä");
        string all = $"marker=m&start-after=s&continuation-token={token}";
        Assert.Equal("m", new ListObjectsQuery(Wire.Query(all), isSecond: false).Behind);
        Assert.Equal("t/ä", new ListObjectsQuery(Wire.Query(all), isSecond: true).Behind);
        Assert.Equal("s", new ListObjectsQuery(Wire.Query("start-after=s"), isSecond: true).Behind);
        Assert.Equal("", new ListObjectsQuery(Wire.Query("marker=m"), isSecond: true).Behind);
    }

    [Theory]
    [InlineData("")]
    [InlineData("abc")]
    [InlineData("%%%")]
    [InlineData("Mi9h")]
    [InlineData("MS__")]
    public void A_token_that_was_not_made_here_is_refused(string token) =>
        Wire.Refuses(S3Error.InvalidArgument, () => ContinuationToken.Read(token));

    [Fact]
    public void Keys_are_told_as_they_are_or_encoded()
    {
        var plain = new ListObjectsQuery(Wire.Query("delimiter="), isSecond: true);
        Assert.Equal("a b/ä", plain.Tell("a b/ä"));
        Assert.Null(plain.Delimiter);
        Assert.False(plain.HasOwner);
        var encoded = new ListObjectsQuery(Wire.Query("encoding-type=URL&fetch-owner=true"), isSecond: true);
        Assert.Equal("a%20b/%C3%A4", encoded.Tell("a b/ä"));
        Assert.True(encoded.HasOwner);
    }

    [Fact]
    public void A_marker_within_a_key_needs_the_key()
    {
        Wire.Refuses(
            S3Error.InvalidArgument, () => ListManyQuery.OfVersions(Wire.Query("version-id-marker=v")));
        Assert.Equal("v", ListManyQuery.OfVersions(Wire.Query("key-marker=k&version-id-marker=v")).IdMarker);
        Assert.Null(ListManyQuery.OfUploads(Wire.Query("upload-id-marker=u")).IdMarker);
        Assert.Equal(5, ListManyQuery.OfUploads(Wire.Query("max-uploads=5")).Max);
    }

    [Theory]
    [InlineData("", "1,2,3", false, 3)]
    [InlineData("max-parts=2", "1,2", true, 2)]
    [InlineData("max-parts=3", "1,2,3", false, 3)]
    [InlineData("max-parts=1&part-number-marker=1", "2", true, 2)]
    [InlineData("part-number-marker=3", "", false, 0)]
    [InlineData("max-parts=0", "", false, 0)]
    public void Parts_are_listed_by_number(string query, string numbers, bool isTruncated, int next)
    {
        PartEntry[] parts = [.. Enumerable.Range(1, 3).Select(n => new PartEntry(n, "e", 1, default))];
        PartPage page = PartLister.List(parts, ListPartsQuery.OfUpload(Wire.Query(query)));
        Assert.Equal(numbers, string.Join(',', page.Parts.Select(p => p.Number)));
        Assert.Equal((isTruncated, next), (page.IsTruncated, page.NextMarker));
        Wire.Refuses(
            S3Error.InvalidArgument, () => ListPartsQuery.OfUpload(Wire.Query("part-number-marker=-1")));
        var attributes = ListPartsQuery.OfAttributes(
            Wire.Request("GET", "/", ("x-amz-max-parts", "5"), ("x-amz-part-number-marker", "2")));
        Assert.Equal((5, 2), (attributes.Max, attributes.Marker));
    }
}
