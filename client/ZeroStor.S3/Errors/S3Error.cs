using System.Net;

namespace ZeroStor.S3.Errors;

/// <summary>An error as S3 names it: the code that clients decide by, the status of HTTP, and a sentence for
/// people where nothing better is known. The codes are S3's; one that S3 has not would be retried or
/// misread.</summary>
/// <param name="Code">Stands in the body.</param>
/// <param name="Status">The status of HTTP.</param>
/// <param name="Sentence">What happened.</param>
public sealed record S3Error(string Code, int Status, string Sentence)
{
    public static readonly S3Error AccessDenied = Forbidden("AccessDenied", "Access Denied");

    public static readonly S3Error AuthorizationHeaderMalformed = Bad(
        "AuthorizationHeaderMalformed", "The authorization header that you provided is not valid.");

    public static readonly S3Error AuthorizationQueryParametersError = Bad(
        "AuthorizationQueryParametersError",
        "The authorization query parameters that you provided are not valid.");

    public static readonly S3Error BadDigest = Bad(
        "BadDigest", "The checksum that you specified did not match what was received.");

    public static readonly S3Error BucketAlreadyExists = Conflict(
        "BucketAlreadyExists", "The requested bucket name is not available; choose another one.");

    public static readonly S3Error BucketAlreadyOwnedByYou = Conflict(
        "BucketAlreadyOwnedByYou", "The bucket that you tried to create already exists, and you own it.");

    public static readonly S3Error BucketNotEmpty = Conflict(
        "BucketNotEmpty", "The bucket that you tried to delete is not empty.");

    public static readonly S3Error EntityTooLarge = Bad(
        "EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size.");

    public static readonly S3Error EntityTooSmall = Bad(
        "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed object size.");

    public static readonly S3Error IncompleteBody = Bad(
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header.");

    public static readonly S3Error InternalError = new(
        "InternalError", (int)HttpStatusCode.InternalServerError, "An internal error occurred; try again.");

    public static readonly S3Error InvalidAccessKeyId = Forbidden(
        "InvalidAccessKeyId", "The access key ID that you provided does not exist in our records.");

    public static readonly S3Error InvalidArgument = Bad("InvalidArgument", "Invalid Argument");

    public static readonly S3Error InvalidBucketName = Bad(
        "InvalidBucketName", "The specified bucket is not valid.");

    public static readonly S3Error InvalidBucketState = Conflict(
        "InvalidBucketState", "The request is not valid for the current state of the bucket.");

    public static readonly S3Error InvalidChunkSizeError = Forbidden(
        "InvalidChunkSizeError", "Only the last chunk is allowed to have a size less than 8192 bytes.");

    public static readonly S3Error InvalidDigest = Bad(
        "InvalidDigest", "The Content-MD5 that you specified is not valid.");

    public static readonly S3Error InvalidLocationConstraint = Bad(
        "InvalidLocationConstraint", "The specified location constraint is not valid.");

    public static readonly S3Error InvalidPart = Bad(
        "InvalidPart",
        "One or more of the specified parts could not be found, or its entity tag did not match.");

    public static readonly S3Error InvalidPartOrder = Bad(
        "InvalidPartOrder", "The list of parts was not in ascending order; order them by part number.");

    public static readonly S3Error InvalidRange = new(
        "InvalidRange",
        (int)HttpStatusCode.RequestedRangeNotSatisfiable,
        "The requested range is not satisfiable.");

    public static readonly S3Error InvalidRequest = Bad("InvalidRequest", "Invalid Request");

    public static readonly S3Error InvalidTag = Bad("InvalidTag", "The tag that you provided is not valid.");

    public static readonly S3Error InvalidToken = Bad(
        "InvalidToken", "The provided token is malformed or otherwise not valid.");

    public static readonly S3Error InvalidURI = Bad("InvalidURI", "Couldn't parse the specified URI.");

    public static readonly S3Error KeyTooLongError = Bad("KeyTooLongError", "Your key is too long.");

    public static readonly S3Error MalformedPolicy = Bad(
        "MalformedPolicy", "The policy that you provided is not valid.");

    public static readonly S3Error MalformedTrailerError = Bad(
        "MalformedTrailerError",
        "The request contained trailing data that was not well-formed.");

    public static readonly S3Error MalformedXML = Bad(
        "MalformedXML", "The XML that you provided was not well formed or did not validate.");

    public static readonly S3Error MetadataTooLarge = Bad(
        "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size.");

    public static readonly S3Error MethodNotAllowed = new(
        "MethodNotAllowed",
        (int)HttpStatusCode.MethodNotAllowed,
        "The specified method is not allowed against this resource.");

    public static readonly S3Error MissingContentLength = new(
        "MissingContentLength",
        (int)HttpStatusCode.LengthRequired,
        "You must provide the Content-Length HTTP header.");

    public static readonly S3Error NoSuchBucket = Missing(
        "NoSuchBucket", "The specified bucket does not exist.");

    public static readonly S3Error NoSuchBucketPolicy = Missing(
        "NoSuchBucketPolicy", "The bucket policy does not exist.");

    public static readonly S3Error NoSuchCORSConfiguration = Missing(
        "NoSuchCORSConfiguration", "The CORS configuration does not exist.");

    public static readonly S3Error NoSuchKey = Missing("NoSuchKey", "The specified key does not exist.");

    public static readonly S3Error NoSuchTagSet = Missing("NoSuchTagSet", "The TagSet does not exist.");

    public static readonly S3Error NoSuchUpload = Missing(
        "NoSuchUpload",
        "The specified multipart upload does not exist: it may have been aborted or completed.");

    public static readonly S3Error NoSuchVersion = Missing(
        "NoSuchVersion", "The specified version does not exist.");

    public static readonly S3Error NotImplemented = new(
        "NotImplemented",
        (int)HttpStatusCode.NotImplemented,
        "What you asked for implies functionality that is not implemented.");

    public static readonly S3Error NotModified = new(
        "NotModified", (int)HttpStatusCode.NotModified, "Not Modified");

    public static readonly S3Error OperationAborted = Conflict(
        "OperationAborted", "A conflicting operation is in progress against this resource; try again.");

    public static readonly S3Error PreconditionFailed = new(
        "PreconditionFailed",
        (int)HttpStatusCode.PreconditionFailed,
        "At least one of the preconditions that you specified did not hold.");

    public static readonly S3Error QuotaExceeded = Forbidden(
        "QuotaExceeded", "The quota of the bucket is used up.");

    public static readonly S3Error RequestTimeout = Bad(
        "RequestTimeout", "Your socket connection to the server was not read from or written to in time.");

    public static readonly S3Error RequestTimeTooSkewed = Forbidden(
        "RequestTimeTooSkewed",
        "The difference between the request time and the server's time is too large.");

    public static readonly S3Error ServiceUnavailable = new(
        "ServiceUnavailable", (int)HttpStatusCode.ServiceUnavailable, "Please try again.");

    public static readonly S3Error SignatureDoesNotMatch = Forbidden(
        "SignatureDoesNotMatch",
        "The request signature that we calculated does not match the signature that you provided: "
        + "check your secret access key and signing method.");

    public static readonly S3Error SlowDown = new(
        "SlowDown", (int)HttpStatusCode.ServiceUnavailable, "Please reduce your request rate.");

    public static readonly S3Error XAmzContentSHA256Mismatch = Bad(
        "XAmzContentSHA256Mismatch",
        "The provided 'x-amz-content-sha256' header does not match what was computed.");

    private static S3Error Bad(string code, string sentence) =>
        new(code, (int)HttpStatusCode.BadRequest, sentence);

    private static S3Error Forbidden(string code, string sentence) =>
        new(code, (int)HttpStatusCode.Forbidden, sentence);

    private static S3Error Missing(string code, string sentence) =>
        new(code, (int)HttpStatusCode.NotFound, sentence);

    private static S3Error Conflict(string code, string sentence) =>
        new(code, (int)HttpStatusCode.Conflict, sentence);
}
