using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Protocol;

/// <summary>What a copy copies: <c>x-amz-copy-source</c>, percent-encoded, with or without a slash before it,
/// and a version behind it. A question mark in a key is encoded, so the one that stands separates.</summary>
public sealed record CopySource(string Bucket, string Key, string? VersionId)
{
    private const string Version = "?versionId=";

    /// <exception cref="S3Exception">InvalidArgument, InvalidBucketName, KeyTooLongError; NotImplemented: an
    /// ARN of an access point.</exception>
    public static CopySource Parse(string header)
    {
        ArgumentNullException.ThrowIfNull(header);
        if (header.StartsWith("arn:", StringComparison.Ordinal))
        {
            throw S3Exception.NotImplemented("A copy from an access point");
        }

        string? versionId = null;
        string path = header;
        int at = header.LastIndexOf(Version, StringComparison.Ordinal);
        if (at >= 0)
        {
            versionId = header[(at + Version.Length)..];
            path = header[..at];
        }

        if (versionId?.Length == 0 || !Percent.TryDecode(path, plusIsSpace: false, out string decoded))
        {
            throw Invalid(header);
        }

        decoded = decoded.StartsWith('/') ? decoded[1..] : decoded;
        int slash = decoded.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && slash < decoded.Length - 1
            ? new CopySource(
                BucketName.Check(decoded[..slash]), S3Address.CheckKey(decoded[(slash + 1)..]), versionId)
            : throw Invalid(header);
    }

    private static S3Exception Invalid(string header) => S3Exception.Argument(
        OperationTable.CopySource,
        header,
        "Copy Source must mention the source bucket and key: sourcebucket/sourcekey");
}
