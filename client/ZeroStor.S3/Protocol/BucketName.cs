using System.Net;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Protocol;

/// <summary>What a bucket may be called: as a vault, and not as an IP address, which no client could tell
/// from a host. </summary>
public static class BucketName
{
    /// <summary>Gives the name back.</summary>
    /// <exception cref="S3Exception">InvalidBucketName.</exception>
    public static string Check(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        try
        {
            VaultName.Check(name);
        }
        catch (ZeroStorException)
        {
            throw Invalid(name);
        }

        return IPAddress.TryParse(name, out _) && name.Split('.').Length == 4 ? throw Invalid(name) : name;
    }

    private static S3Exception Invalid(string name) =>
        new S3Exception(S3Error.InvalidBucketName).With("BucketName", name);
}
