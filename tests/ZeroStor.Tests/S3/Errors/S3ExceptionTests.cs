using ZeroStor.S3.Errors;

namespace ZeroStor.Tests.S3.Errors;

public sealed class S3ExceptionTests
{
    [Fact]
    public void Details_keep_their_order_and_the_rest()
    {
        var inner = new InvalidOperationException();
        S3Exception failure =
            new S3Exception(S3Error.NoSuchKey, "said", inner).With("Key", "a").With("Other", "b");
        Assert.Equal(["Key", "Other"], failure.Details.Select(d => d.Key));
        Assert.Equal(
            ("said", S3Error.NoSuchKey, inner), (failure.Message, failure.Error, failure.InnerException));
        Assert.Equal(S3Error.NoSuchKey.Sentence, new S3Exception(S3Error.NoSuchKey).Message);
    }
}
