using System.Reflection;
using ZeroStor.S3.Errors;

namespace ZeroStor.Tests.S3.Errors;

public sealed class FabricErrorsTests
{
    [Theory]
    [InlineData(ErrorKind.NotFound, S3Subject.Bucket, "NoSuchBucket", 404)]
    [InlineData(ErrorKind.NotFound, S3Subject.Key, "NoSuchKey", 404)]
    [InlineData(ErrorKind.NotFound, S3Subject.Version, "NoSuchVersion", 404)]
    [InlineData(ErrorKind.NotFound, S3Subject.Upload, "NoSuchUpload", 404)]
    [InlineData(ErrorKind.AlreadyExists, S3Subject.Bucket, "BucketAlreadyOwnedByYou", 409)]
    [InlineData(ErrorKind.AlreadyExists, S3Subject.Key, "OperationAborted", 409)]
    [InlineData(ErrorKind.PreconditionFailed, S3Subject.Bucket, "BucketNotEmpty", 409)]
    [InlineData(ErrorKind.PreconditionFailed, S3Subject.Key, "PreconditionFailed", 412)]
    [InlineData(ErrorKind.InvalidArgument, S3Subject.Key, "InvalidArgument", 400)]
    [InlineData(ErrorKind.Unauthorized, S3Subject.Key, "AccessDenied", 403)]
    [InlineData(ErrorKind.Forbidden, S3Subject.Key, "AccessDenied", 403)]
    [InlineData(ErrorKind.PolicyUnsatisfiable, S3Subject.Key, "ServiceUnavailable", 503)]
    [InlineData(ErrorKind.QuotaExceeded, S3Subject.Key, "QuotaExceeded", 403)]
    [InlineData(ErrorKind.DiskOffline, S3Subject.Key, "ServiceUnavailable", 503)]
    [InlineData(ErrorKind.DiskFull, S3Subject.Key, "ServiceUnavailable", 503)]
    [InlineData(ErrorKind.DiskFailed, S3Subject.Key, "InternalError", 500)]
    [InlineData(ErrorKind.TooFewShards, S3Subject.Key, "InternalError", 500)]
    [InlineData(ErrorKind.Corrupt, S3Subject.Key, "InternalError", 500)]
    [InlineData(ErrorKind.Busy, S3Subject.Key, "SlowDown", 503)]
    [InlineData(ErrorKind.Unavailable, S3Subject.Key, "ServiceUnavailable", 503)]
    public void Each_kind_has_its_code(ErrorKind kind, S3Subject subject, string code, int status)
    {
        S3Error error = FabricErrors.ErrorOf(kind, subject);
        Assert.Equal((code, status), (error.Code, error.Status));
    }

    [Fact]
    public void The_readme_tells_the_same_of_every_kind()
    {
        string readme = File.ReadAllText(Checkout.PathOf("client", "README.md"));
        foreach (ErrorKind kind in Enum.GetValues<ErrorKind>().Where(k => k != ErrorKind.None))
        {
            string row = Assert.Single(
                readme.Split('\n'), l => l.StartsWith($"| `{kind}` |", StringComparison.Ordinal));
            foreach (S3Subject subject in Enum.GetValues<S3Subject>())
            {
                S3Error error = FabricErrors.ErrorOf(kind, subject);
                Assert.Contains($"`{error.Code}` ({error.Status})", row, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void What_the_fabric_suffers_is_not_told_to_callers_and_what_they_did_is()
    {
        var own = ZeroStorException.Invalid("A key is empty: name the object.");
        var foreign = new ZeroStorException(ErrorKind.TooFewShards, "Disks 3 and 4 of silo a are gone.");
        Assert.Equal(own.Message, FabricErrors.Of(own, S3Subject.Key).Message);
        S3Exception told = FabricErrors.Of(foreign, S3Subject.Key);
        Assert.Equal(S3Error.InternalError.Sentence, told.Message);
        Assert.Same(foreign, told.InnerException);
    }

    [Fact]
    public void No_code_stands_for_two_errors()
    {
        S3Error[] all =
        [
            .. typeof(S3Error).GetFields(BindingFlags.Public | BindingFlags.Static)
                .Select(f => f.GetValue(null))
                .OfType<S3Error>(),
        ];
        Assert.True(all.Length > 40);
        Assert.Equal(all.Length, all.Select(e => e.Code).Distinct().Count());
        Assert.All(all, e => Assert.InRange(e.Status, 300, 503));
        Assert.All(all, e => Assert.NotEmpty(e.Sentence));
    }
}
