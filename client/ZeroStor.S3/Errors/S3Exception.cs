using System.Collections.Immutable;

namespace ZeroStor.S3.Errors;

/// <summary>The one exception by which a request is refused; whatever else is thrown is a defect and answered
/// as an internal error. Its message goes to the caller, so it names nothing that he did not.</summary>
public sealed class S3Exception(S3Error error, string? message = null, Exception? inner = null)
    : Exception(message ?? error?.Sentence, inner)
{
    public S3Error Error { get; } = error;

    /// <summary>Elements that S3 puts beside the code, as <c>ArgumentName</c>; in their order.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Details { get; private init; } = [];

    /// <summary>An argument that cannot be right, named as S3 does.</summary>
    public static S3Exception Argument(string name, string value, string message) =>
        new S3Exception(S3Error.InvalidArgument, message)
            .With("ArgumentName", name)
            .With("ArgumentValue", value);

    public static S3Exception NotImplemented(string what) => new(
        S3Error.NotImplemented, $"{what} implies functionality that is not implemented.");

    /// <summary>The same with an element more.</summary>
    public S3Exception With(string name, string value) =>
        new(Error, Message, InnerException) { Details = Details.Add(new(name, value)) };
}
