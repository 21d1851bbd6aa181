using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Protocol;

/// <summary>Who besides the holders of access keys may read: nobody, or everybody. It is all that this front
/// end has of S3's access control lists.</summary>
public enum CannedAcl
{
    Private,
    PublicRead,
}

public static class CannedAcls
{
    public const string Header = "x-amz-acl";

    /// <summary>What a header asks for; null where it does not stand.</summary>
    /// <exception cref="S3Exception">NotImplemented: another of S3's; InvalidArgument: none.</exception>
    public static CannedAcl? Parse(string? header) => header switch
    {
        null => null,
        "private" or "bucket-owner-full-control" or "bucket-owner-read" => CannedAcl.Private,
        "public-read" => CannedAcl.PublicRead,
        "public-read-write" or "authenticated-read" or "aws-exec-read" or "log-delivery-write" =>
            throw S3Exception.NotImplemented($"The canned ACL '{header}'"),
        _ => throw S3Exception.Argument(Header, header, "The canned ACL specified is not one of S3's."),
    };
}
