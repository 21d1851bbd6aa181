namespace ZeroStor.Client;

/// <summary>Turns what a grain call may throw into the one exception of ZeroStor. What came from the fabric
/// is passed on as it is; anything else means that no answer came back, and that the same call may succeed
/// later. </summary>
internal static class Failures
{
    /// <param name="failure">What the call threw.</param>
    /// <param name="doing">What was done, to continue "while": <c>reading 'vault/key'</c>.</param>
    public static ZeroStorException Translate(Exception failure, string doing) => failure switch
    {
        ZeroStorException own => own,
        GatewayTooBusyException => new ZeroStorException(
            ErrorKind.Busy, $"The gateway was too busy while {doing}; try again a little later.", failure),
        TimeoutException or OperationCanceledException => new ZeroStorException(
            ErrorKind.Unavailable,
            $"No answer came in time while {doing}; is the silo overloaded or hung?",
            failure),
        OrleansMessageRejectionException or SiloUnavailableException => new ZeroStorException(
            ErrorKind.Unavailable,
            $"A silo went away while {doing}; the others take over within seconds.",
            failure),
        // Connection failures have their own types, and a runtime exception that this side cannot decode
        // arrives as a codec's complaint: both say nothing but that no answer came.
        _ => new ZeroStorException(
            ErrorKind.Unavailable,
            $"No answer came while {doing} ({failure.GetType().Name}: {FirstLine(failure.Message)}).",
            failure),
    };

    private static string FirstLine(string text)
    {
        int end = text.AsSpan().IndexOfAny('\r', '\n');
        return (end < 0 ? text : text[..end]).TrimEnd('.');
    }
}
