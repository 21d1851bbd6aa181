using ZeroStor.S3.Errors;
using ZeroStor.S3.Protocol;

namespace ZeroStor.Tests.S3.Protocol;

public sealed class S3RequestTests
{
    [Theory]
    [InlineData("GET", "/", S3Operation.ListBuckets)]
    [InlineData("PUT", "/photos", S3Operation.CreateBucket)]
    [InlineData("HEAD", "/photos", S3Operation.HeadBucket)]
    [InlineData("DELETE", "/photos", S3Operation.DeleteBucket)]
    [InlineData("GET", "/photos", S3Operation.ListObjects)]
    [InlineData("GET", "/photos?prefix=a&delimiter=/", S3Operation.ListObjects)]
    [InlineData("GET", "/photos?list-type=2&prefix=a", S3Operation.ListObjectsV2)]
    [InlineData("GET", "/photos?versions", S3Operation.ListObjectVersions)]
    [InlineData("GET", "/photos?uploads", S3Operation.ListMultipartUploads)]
    [InlineData("POST", "/photos?delete", S3Operation.DeleteObjects)]
    [InlineData("GET", "/photos?location", S3Operation.GetBucketLocation)]
    [InlineData("GET", "/photos?versioning=", S3Operation.GetBucketVersioning)]
    [InlineData("PUT", "/photos?versioning", S3Operation.PutBucketVersioning)]
    [InlineData("GET", "/photos?tagging", S3Operation.GetBucketTagging)]
    [InlineData("PUT", "/photos?acl", S3Operation.PutBucketAcl)]
    [InlineData("DELETE", "/photos?policy", S3Operation.DeleteBucketPolicy)]
    [InlineData("GET", "/photos?policyStatus", S3Operation.GetBucketPolicyStatus)]
    [InlineData("PUT", "/photos?cors", S3Operation.PutBucketCors)]
    [InlineData("GET", "/photos/a", S3Operation.GetObject)]
    [InlineData("GET", "/photos/a?versionId=1&partNumber=2&x-id=GetObject", S3Operation.GetObject)]
    [InlineData("GET", "/photos/a?list-type=2", S3Operation.GetObject)]
    [InlineData("HEAD", "/photos/a", S3Operation.HeadObject)]
    [InlineData("PUT", "/photos/a", S3Operation.PutObject)]
    [InlineData("DELETE", "/photos/a?versionId=1", S3Operation.DeleteObject)]
    [InlineData("GET", "/photos/a?attributes", S3Operation.GetObjectAttributes)]
    [InlineData("GET", "/photos/a?acl", S3Operation.GetObjectAcl)]
    [InlineData("PUT", "/photos/a?tagging", S3Operation.PutObjectTagging)]
    [InlineData("POST", "/photos/a?uploads", S3Operation.CreateMultipartUpload)]
    [InlineData("PUT", "/photos/a?partNumber=1&uploadId=u", S3Operation.UploadPart)]
    [InlineData("GET", "/photos/a?uploadId=u", S3Operation.ListParts)]
    [InlineData("POST", "/photos/a?uploadId=u", S3Operation.CompleteMultipartUpload)]
    [InlineData("DELETE", "/photos/a?uploadId=u", S3Operation.AbortMultipartUpload)]
    [InlineData("OPTIONS", "/photos/a", S3Operation.CorsPreflight)]
    public void What_is_asked_for_is_found(string method, string target, S3Operation operation) =>
        Assert.Equal(operation, Parse(method, target).Operation);

    [Fact]
    public void A_source_makes_a_put_a_copy()
    {
        (string, string) source = ("x-amz-copy-source", "/photos/b");
        Assert.Equal(S3Operation.CopyObject, Parse("PUT", "/photos/a", source).Operation);
        Assert.Equal(
            S3Operation.UploadPartCopy, Parse("PUT", "/photos/a?partNumber=1&uploadId=u", source).Operation);
        Assert.Equal(S3Operation.GetObject, Parse("GET", "/photos/a", source).Operation);
    }

    [Theory]
    [InlineData("PUT", "/photos?lifecycle", "NotImplemented")]
    [InlineData("GET", "/photos?encryption", "NotImplemented")]
    [InlineData("GET", "/photos?object-lock", "NotImplemented")]
    [InlineData("PUT", "/photos/a?legal-hold", "NotImplemented")]
    [InlineData("POST", "/photos/a?select&select-type=2", "NotImplemented")]
    [InlineData("POST", "/photos", "NotImplemented")]
    [InlineData("POST", "/", "MethodNotAllowed")]
    [InlineData("PATCH", "/photos/a", "MethodNotAllowed")]
    [InlineData("POST", "/photos/a", "MethodNotAllowed")]
    [InlineData("DELETE", "/photos?location", "MethodNotAllowed")]
    [InlineData("GET", "/photos?delete", "MethodNotAllowed")]
    [InlineData("GET", "/photos?list-type=3", "InvalidArgument")]
    [InlineData("GET", "/photos?acl&tagging", "InvalidArgument")]
    [InlineData("PUT", "/photos/a?partNumber=1", "InvalidArgument")]
    public void What_cannot_be_asked_for_is_refused(string method, string target, string code) =>
        Assert.Equal(code, Assert.Throws<S3Exception>(() => Parse(method, target)).Error.Code);

    [Fact]
    public void Every_operation_can_be_asked_for()
    {
        var found = new HashSet<S3Operation>();
        string[] subs =
        [
            "", "list-type=2", "versions", "uploads", "delete", "location", "versioning", "tagging", "acl",
            "policy", "policyStatus", "cors", "attributes", "uploadId=u&partNumber=1",
        ];
        (string, string)[] source = [("x-amz-copy-source", "/photos/b")];
        foreach ((string method, string path, string sub, bool isCopy) in
            from m in new[] { "GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS" }
            from p in new[] { "/", "/photos", "/photos/a" }
            from s in subs
            from c in new[] { false, true }
            select (m, p, s, c))
        {
            try
            {
                found.Add(Parse(method, $"{path}?{sub}", isCopy ? source : []).Operation);
            }
            catch (S3Exception)
            {
                // Not every combination is one.
            }
        }

        Assert.Equal(Enum.GetValues<S3Operation>(), found.Order());
    }

    [Theory]
    [InlineData("partNumber=1&uploadId=u", 1)]
    [InlineData("partNumber=10000&uploadId=u", 10000)]
    [InlineData("partNumber=0&uploadId=u", null)]
    [InlineData("partNumber=10001&uploadId=u", null)]
    [InlineData("partNumber=-1&uploadId=u", null)]
    [InlineData("partNumber=&uploadId=u", null)]
    [InlineData("uploadId=u", null)]
    public void A_part_has_a_number(string query, int? number)
    {
        S3Request request = Parse("PUT", "/photos/a?" + query);
        if (number is null)
        {
            Wire.Refuses(S3Error.InvalidArgument, () => request.PartNumber);
        }
        else
        {
            Assert.Equal(number, request.PartNumber);
        }
    }

    [Fact]
    public void Ids_are_read_and_bounded()
    {
        S3Request request = Parse("GET", "/photos/a?versionId=null&uploadId=x%2Fy");
        Assert.Equal(("null", "x/y", null), (request.VersionId, request.UploadId, request.PartNumber));
        Assert.Equal(("photos", "a"), (request.Bucket, request.Key));
        Assert.Null(Parse("GET", "/photos/a").VersionId);
        Wire.Refuses(S3Error.InvalidArgument, () => Parse("GET", "/photos/a?versionId=").VersionId);
        string endless = new('x', 1025);
        Wire.Refuses(S3Error.InvalidArgument, () => Parse("GET", $"/photos/a?uploadId={endless}").UploadId);
    }

    private static S3Request Parse(string method, string target, params (string, string)[] headers) =>
        S3Request.Parse(Wire.Request(method, target, headers), []);
}
