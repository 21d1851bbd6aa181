using System.Collections.Immutable;
using System.Globalization;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Protocol;

/// <summary>What a request asks for, read from its first line and its headers. It touches no bucket, so it
/// may be made before anybody knows who asks; nothing of it may be answered before somebody does.</summary>
public sealed record S3Request
{
    public const int MaxPartNumber = 10_000;

    private const int MaxIdLength = 1024;

    public required WireRequest Wire { get; init; }

    public required S3Operation Operation { get; init; }

    public required S3Address Address { get; init; }

    public required QueryParameters Query { get; init; }

    /// <summary>Empty where the request is for the service.</summary>
    public string Bucket => Address.Bucket ?? "";

    /// <summary>Empty where the request is for a bucket.</summary>
    public string Key => Address.Key ?? "";

    /// <summary>The version that is asked for; null: the current one. S3 calls the version of a bucket that
    /// never had versioning <c>null</c>, in letters.</summary>
    public string? VersionId => IdOf("versionId");

    /// <summary>The multipart upload that is meant.</summary>
    public string? UploadId => IdOf("uploadId");

    /// <summary>The part that is put, or of which a get or head asks; null: none is named.</summary>
    public int? PartNumber
    {
        get
        {
            if (Query["partNumber"] is not { } text)
            {
                return Operation is S3Operation.UploadPart or S3Operation.UploadPartCopy
                    ? throw S3Exception.Argument("partNumber", "", "An upload of a part must say its number.")
                    : null;
            }

            return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                && number is >= 1 and <= MaxPartNumber
                    ? number
                    : throw S3Exception.Argument(
                        "partNumber",
                        text,
                        $"Part number must be an integer between 1 and {MaxPartNumber}, inclusive");
        }
    }

    /// <param name="wire">As it came.</param>
    /// <param name="domains">What this front end is called by where buckets stand before it, as
    /// <c>s3.example.com</c>; empty: they stand in the path.</param>
    /// <exception cref="S3Exception">InvalidURI, InvalidBucketName, KeyTooLongError, MethodNotAllowed,
    /// NotImplemented, InvalidArgument.</exception>
    public static S3Request Parse(WireRequest wire, ImmutableArray<string> domains)
    {
        ArgumentNullException.ThrowIfNull(wire);
        QueryParameters query = QueryParameters.Parse(wire.RawQuery);
        var address = S3Address.Parse(wire, domains);
        return new S3Request
        {
            Wire = wire,
            Operation = OperationTable.Find(wire, address, query),
            Address = address,
            Query = query,
        };
    }

    private string? IdOf(string parameter) => Query[parameter] switch
    {
        null => null,
        { Length: > 0 and <= MaxIdLength } id => id,
        var wrong => throw S3Exception.Argument(
            parameter, wrong, $"The {parameter} given is empty or too long."),
    };
}
