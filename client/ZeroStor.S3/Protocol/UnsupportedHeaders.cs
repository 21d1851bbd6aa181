using System.Collections.Immutable;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Protocol;

/// <summary>Headers of a write that ask for what is not done. Taken silently they would be promises that
/// nobody keeps.</summary>
public static class UnsupportedHeaders
{
    /// <summary>How S3 calls encryption by the service's own keys, which every object here has.</summary>
    public const string ManagedKeys = "AES256";

    public const string EncryptionHeader = "x-amz-server-side-encryption";

    private static readonly ImmutableArray<string> Prefixes =
    [
        EncryptionHeader + "-customer-", "x-amz-copy-source-server-side-encryption-customer-",
        EncryptionHeader + "-aws-", EncryptionHeader + "-context", EncryptionHeader + "-bucket-key-enabled",
        "x-amz-object-lock-", "x-amz-grant-", "x-amz-write-offset-bytes", "x-amz-bypass-governance-retention",
    ];

    /// <exception cref="S3Exception">NotImplemented; InvalidArgument: an encryption that S3 has
    /// not.</exception>
    public static void Refuse(WireRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        foreach (string given in request.Headers.Keys)
        {
            if (Prefixes.Any(p => given.StartsWith(p, StringComparison.OrdinalIgnoreCase)))
            {
                throw S3Exception.NotImplemented($"The header '{given.ToLowerInvariant()}'")
                    .With("Header", given);
            }
        }

        switch (request.Header(EncryptionHeader))
        {
            case null or ManagedKeys:
                return;
            case "aws:kms" or "aws:kms:dsse":
                throw S3Exception.NotImplemented("Encryption by a key management service");
            case var other:
                throw S3Exception.Argument(
                    EncryptionHeader, other, "The encryption method specified is not supported");
        }
    }
}
