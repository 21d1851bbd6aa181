namespace ZeroStor.S3.Errors;

/// <summary>What a call to the fabric was about: the fabric says that something is not there, S3 says
/// what.</summary>
public enum S3Subject
{
    Bucket,
    Key,
    Version,
    Upload,
}

/// <summary>Turns the fabric's closed set of failures into S3's. The table stands in <c>client/README.md</c>.
/// What a caller did wrong keeps the fabric's sentence; what the fabric suffers does not, for it names disks
/// and silos, which are the operator's to know.</summary>
public static class FabricErrors
{
    public static S3Exception Of(ZeroStorException failure, S3Subject subject)
    {
        ArgumentNullException.ThrowIfNull(failure);
        bool isCallers = failure.Kind == ErrorKind.InvalidArgument;
        return new S3Exception(ErrorOf(failure.Kind, subject), isCallers ? failure.Message : null, failure);
    }

    public static S3Error ErrorOf(ErrorKind kind, S3Subject subject) => kind switch
    {
        ErrorKind.NotFound => subject switch
        {
            S3Subject.Bucket => S3Error.NoSuchBucket,
            S3Subject.Version => S3Error.NoSuchVersion,
            S3Subject.Upload => S3Error.NoSuchUpload,
            _ => S3Error.NoSuchKey,
        },
        ErrorKind.AlreadyExists =>
            subject == S3Subject.Bucket ? S3Error.BucketAlreadyOwnedByYou : S3Error.OperationAborted,
        ErrorKind.PreconditionFailed =>
            subject == S3Subject.Bucket ? S3Error.BucketNotEmpty : S3Error.PreconditionFailed,
        ErrorKind.InvalidArgument => S3Error.InvalidArgument,
        ErrorKind.Unauthorized or ErrorKind.Forbidden => S3Error.AccessDenied,
        ErrorKind.QuotaExceeded => S3Error.QuotaExceeded,
        ErrorKind.Busy => S3Error.SlowDown,
        ErrorKind.PolicyUnsatisfiable or ErrorKind.DiskOffline or ErrorKind.DiskFull
            or ErrorKind.Unavailable => S3Error.ServiceUnavailable,
        _ => S3Error.InternalError,
    };
}
