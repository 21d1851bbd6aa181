namespace ZeroStor.CommandLine;

/// <summary>What a verb ends with: scripts rely on these numbers.</summary>
internal enum Exit
{
    Done = 0,
    Failed = 1,
    Usage = 2,
    Unreachable = 3,
    NotFound = 4,
    PreconditionFailed = 5,
    Interrupted = 130,
}

/// <summary>A failure as it is told: its kind (an <see cref="ErrorKind"/>, <c>Local</c> for this machine's
/// files, or <c>Interrupted</c>), one sentence, and the exit code.</summary>
internal sealed record Failure(string Kind, string Message, Exit Exit)
{
    /// <param name="exception">What was thrown.</param>
    /// <param name="isInterrupted">Whether the user asked to stop.</param>
    public static Failure Of(Exception exception, bool isInterrupted) => exception switch
    {
        OperationCanceledException when isInterrupted =>
            new Failure(
                "Interrupted", "Interrupted: nothing half-written was left behind.", Exit.Interrupted),
        ZeroStorException own => new Failure(own.Kind.ToString(), own.Message, own.Kind switch
        {
            ErrorKind.InvalidArgument => Exit.Usage,
            ErrorKind.Unavailable => Exit.Unreachable,
            ErrorKind.NotFound => Exit.NotFound,
            ErrorKind.PreconditionFailed => Exit.PreconditionFailed,
            _ => Exit.Failed,
        }),
        _ => new Failure("Local", exception.Message, Exit.Failed),
    };

    /// <summary>Whether a verb over many objects goes on with the next one: the failure is of this object or
    /// this machine's file, not of the fabric.</summary>
    public static bool IsOfOneObject(Exception exception) => exception switch
    {
        ZeroStorException own => own.Kind is ErrorKind.InvalidArgument or ErrorKind.NotFound
            or ErrorKind.PreconditionFailed or ErrorKind.Corrupt or ErrorKind.TooFewShards,
        _ => exception is IOException or UnauthorizedAccessException,
    };
}
