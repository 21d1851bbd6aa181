using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Operations;

/// <summary>How clients call versions: by the fabric's name, and <c>null</c> that of a key which was made
/// while its bucket kept none.</summary>
internal static class VersionNames
{
    public const string Header = "x-amz-version-id";

    private const string Null = "null";

    private const int Digits = 32;

    /// <summary>Null: none is named.</summary>
    /// <exception cref="S3Exception">InvalidArgument: no version is called so.</exception>
    public static VersionId? Parse(string? name) => name switch
    {
        null => null,
        Null => VersionId.Null,
        { Length: Digits } when name.All(char.IsAsciiHexDigit) => VersionId.Parse(name.ToLowerInvariant()),
        _ => throw S3Exception.Argument("versionId", name, "Invalid version id specified"),
    };

    public static string Tell(VersionId version, bool isNull) => isNull ? Null : version.ToString();
}
