namespace ZeroStor;

/// <summary>What can go wrong: a closed set, the same in Core, over the wire, in the SDK and at S3. The
/// numbers travel between versions: never reuse one.</summary>
public enum ErrorKind
{
    None = 0,
    NotFound = 1,
    AlreadyExists = 2,
    PreconditionFailed = 3,
    InvalidArgument = 4,
    Unauthorized = 5,
    Forbidden = 6,
    PolicyUnsatisfiable = 7,
    QuotaExceeded = 8,
    DiskOffline = 9,
    DiskFull = 10,
    DiskFailed = 11,
    TooFewShards = 12,
    Corrupt = 13,
    Busy = 14,
    Unavailable = 15,
}

/// <summary>The one exception of ZeroStor. Its message is one sentence that says what happened, to what
/// (vault, key, disk) and what to do about it; <see cref="Kind"/> is what programs decide by.</summary>
public sealed class ZeroStorException : Exception
{
    public ZeroStorException(ErrorKind kind, string message, Exception? inner = null)
        : base(message, inner) => Kind = kind;

    public ErrorKind Kind { get; }

    /// <summary>Whether the same call may succeed a little later without anybody's doing.</summary>
    public bool IsTransient => Kind is ErrorKind.Busy or ErrorKind.Unavailable or ErrorKind.DiskOffline;

    public static ZeroStorException Invalid(string message) => new(ErrorKind.InvalidArgument, message);

    public static ZeroStorException NotFound(string message) => new(ErrorKind.NotFound, message);

    public static ZeroStorException Corrupt(string message, Exception? inner = null) =>
        new(ErrorKind.Corrupt, message, inner);
}
