using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Bodies;

/// <summary>How the parts of a multipart upload, and the object that they become, are summed: said when the
/// upload is made, and kept to by every part.</summary>
/// <param name="Algorithm">What makes the sums.</param>
/// <param name="Type">What the object's is made over.</param>
public sealed record UploadChecksum(ChecksumAlgorithm Algorithm, ChecksumType Type)
{
    private const string AlgorithmHeader = "x-amz-checksum-algorithm";

    private const string TypeHeader = "x-amz-checksum-type";

    /// <summary>What a CreateMultipartUpload asks for; null: no checksum.</summary>
    /// <exception cref="S3Exception">InvalidRequest.</exception>
    public static UploadChecksum? Read(WireRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        string? type = request.Header(TypeHeader);
        if (request.Header(AlgorithmHeader) is not { } name)
        {
            return type is null ? null : throw new S3Exception(
                S3Error.InvalidRequest, $"The {TypeHeader} header can only be used with {AlgorithmHeader}.");
        }

        ChecksumAlgorithm algorithm = ChecksumAlgorithms.Parse(name);
        ChecksumType asked = type is null
            ? MultipartSums.DefaultType(algorithm)
            : ChecksumTypes.Find(type)
                ?? throw new S3Exception(S3Error.InvalidRequest, $"Value for {TypeHeader} header is invalid.");
        return MultipartSums.IsPossible(algorithm, asked)
            ? new UploadChecksum(algorithm, asked)
            : throw new S3Exception(
                S3Error.InvalidRequest,
                $"The {type} checksum type cannot be used with the {algorithm.Name} checksum algorithm.");
    }
}
