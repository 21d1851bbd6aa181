using ZeroStor.Client;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Operations;

/// <summary>Tells what is not there, where the fabric says only that something is not: S3 has a code for
/// each.</summary>
internal static class Missing
{
    /// <summary>The bucket, if it is that, else what the request was about.</summary>
    public static async Task<S3Subject> SubjectAsync(Vault vault, S3Subject asked, CancellationToken cancel)
    {
        try
        {
            await vault.DescribeAsync(cancel);
            return asked;
        }
        catch (ZeroStorException failure) when (failure.Kind == ErrorKind.NotFound)
        {
            return S3Subject.Bucket;
        }
    }
}
