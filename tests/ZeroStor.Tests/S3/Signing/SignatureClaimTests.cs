using ZeroStor.S3;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Signing;

namespace ZeroStor.Tests.S3.Signing;

public sealed class SignatureClaimTests
{
    private const string Credential = "Credential=AKID/20261130/us-east-1/s3/aws4_request";

    private const string Good = $"AWS4-HMAC-SHA256 {Credential}, SignedHeaders=host;range, Signature=ab";

    private const string Query =
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID/20261130/us-east-1/s3/aws4_request"
        + "&X-Amz-Date=20261130T120000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=ab";

    [Theory]
    [InlineData(Good)]
    [InlineData($"AWS4-HMAC-SHA256 {Credential},SignedHeaders=host;range,Signature=ab")]
    [InlineData($"AWS4-HMAC-SHA256   Signature=ab ,  SignedHeaders=host;range ,{Credential}")]
    public void A_header_is_read(string authorization)
    {
        SignatureClaim claim = Header(authorization)!;
        Assert.Equal(("AKID", "ab", "20261130T120000Z"), (claim.AccessKey, claim.Signature, claim.Date));
        Assert.Equal(new CredentialScope("20261130", "us-east-1", "s3"), claim.Scope);
        Assert.Equal(["host", "range"], claim.SignedHeaders);
        Assert.Equal(new DateTimeOffset(2026, 11, 30, 12, 0, 0, TimeSpan.Zero), claim.SignedAt);
        Assert.False(claim.IsPresigned);
    }

    [Fact]
    public void A_query_is_read_and_nothing_where_nothing_is_claimed()
    {
        SignatureClaim claim = OfQuery(Query)!;
        Assert.Equal(
            ("AKID", "ab", TimeSpan.FromMinutes(1)), (claim.AccessKey, claim.Signature, claim.Validity));
        Assert.True(claim.IsPresigned);
        Assert.Null(OfQuery("acl"));
    }

    [Fact]
    public void A_date_of_HTTP_does_where_the_other_is_missing()
    {
        WireRequest request = Wire.Request(
            "GET", "/", ("Authorization", Good), ("Date", "Mon, 30 Nov 2026 12:00:00 GMT"));
        Assert.Equal("20261130T120000Z", SignatureClaim.Read(request, Wire.Query(""))!.Date);
        WireRequest without = Wire.Request("GET", "/", ("Authorization", Good), ("Date", "yesterday"));
        Wire.Refuses(S3Error.AccessDenied, () => SignatureClaim.Read(without, Wire.Query("")));
    }

    [Theory]
    [InlineData("AWS4-HMAC-SHA256 ")]
    [InlineData("AWS4-HMAC-SHA256 Credential=a")]
    [InlineData($"AWS4-HMAC-SHA256 {Credential}, SignedHeaders=host")]
    [InlineData($"AWS4-HMAC-SHA256 {Credential}, SignedHeaders=host, Signature")]
    [InlineData($"AWS4-HMAC-SHA256 {Credential}, SignedHeaders=host, Signature=a, Signature=b")]
    [InlineData($"AWS4-HMAC-SHA256 {Credential}, SignedHeaders=host, Signature=a, Other=b")]
    [InlineData($"AWS4-HMAC-SHA256 {Credential}, SignedHeaders=, Signature=a")]
    [InlineData($"AWS4-HMAC-SHA256 {Credential}, SignedHeaders=range, Signature=a")]
    [InlineData($"AWS4-HMAC-SHA256 {Credential}, SignedHeaders=Host, Signature=a")]
    [InlineData($"AWS4-HMAC-SHA256 {Credential}, SignedHeaders=range;host, Signature=a")]
    [InlineData($"AWS4-HMAC-SHA256 {Credential}, SignedHeaders=host;host, Signature=a")]
    [InlineData("AWS4-HMAC-SHA256 Credential=AKID/20261130/s3/aws4_request, SignedHeaders=host, Signature=a")]
    [InlineData("AWS4-HMAC-SHA256 Credential=/20261130/r/s3/aws4_request, SignedHeaders=host, Signature=a")]
    [InlineData("AWS4-HMAC-SHA256 Credential=A/20261130/r/s3/aws5_request, SignedHeaders=host, Signature=a")]
    [InlineData("AWS4-HMAC-SHA256 Credential=A/20261129/r/s3/aws4_request, SignedHeaders=host, Signature=a")]
    [InlineData("AWS4-HMAC-SHA256 Credential=A/2026113/r/s3/aws4_request, SignedHeaders=host, Signature=a")]
    public void A_malformed_header_is_refused(string authorization) =>
        Wire.Refuses(S3Error.AuthorizationHeaderMalformed, () => Header(authorization));

    [Theory]
    [InlineData("AWS AKID:signature")]
    [InlineData("AWS4-ECDSA-P256-SHA256 Credential=a")]
    [InlineData("Bearer token")]
    [InlineData("AWS4-HMAC-SHA256")]
    [InlineData("")]
    public void Other_ways_of_signing_are_not_supported(string authorization) =>
        Wire.Refuses(S3Error.InvalidRequest, () => Header(authorization));

    [Fact]
    public void The_second_version_in_a_query_is_not_supported() => Wire.Refuses(
        S3Error.InvalidRequest, () => OfQuery("AWSAccessKeyId=a&Expires=1&Signature=b"));

    [Theory]
    [InlineData("X-Amz-Expires=60", "X-Amz-Expires=0")]
    [InlineData("X-Amz-Expires=60", "X-Amz-Expires=-1")]
    [InlineData("X-Amz-Expires=60", "X-Amz-Expires=604801")]
    [InlineData("X-Amz-Expires=60", "X-Amz-Expires=soon")]
    [InlineData("X-Amz-Expires=60", "X-Amz-Expires=99999999999")]
    [InlineData("&X-Amz-Expires=60", "")]
    [InlineData("&X-Amz-Signature=ab", "")]
    [InlineData("&X-Amz-Signature=ab", "&X-Amz-Signature=ab&X-Amz-Signature=ab")]
    [InlineData("X-Amz-Algorithm=AWS4-HMAC-SHA256&", "")]
    [InlineData("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256")]
    [InlineData("20261130T120000Z", "2026-11-30T12:00:00Z")]
    [InlineData("20261130T120000Z", "20261131T120000Z")]
    [InlineData("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=")]
    [InlineData("/s3/", "/")]
    public void A_malformed_query_is_refused(string good, string bad) => Wire.Refuses(
        S3Error.AuthorizationQueryParametersError, () => OfQuery(Query.Replace(good, bad)));

    private static SignatureClaim? Header(string authorization) => SignatureClaim.Read(
        Wire.Request("GET", "/", ("Authorization", authorization), ("x-amz-date", "20261130T120000Z")),
        Wire.Query(""));

    private static SignatureClaim? OfQuery(string query) =>
        SignatureClaim.Read(Wire.Request("GET", "/?" + query), Wire.Query(query));
}
