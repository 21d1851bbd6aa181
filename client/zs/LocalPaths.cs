namespace ZeroStor.CommandLine;

/// <summary>Keys as paths below a folder of this machine.</summary>
internal static class LocalPaths
{
    /// <summary>The last part of a key: the name that <c>get</c> gives a file.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: it has none that a file could have.</exception>
    public static string NameOf(string key)
    {
        string name = key[(key.LastIndexOf('/') + 1)..];
        return IsName(name)
            ? name
            : throw ZeroStorException.Invalid(
                $"'{key}' does not end in the name of a file: say which FILE to write.");
    }

    /// <summary>Where the key <paramref name="relativeKey"/> lies below <paramref name="folder"/>; one that
    /// ends in a slash (or is empty) is a folder itself. A key that would lie elsewhere (<c>..</c>, absolute)
    /// or on top of another key's place (<c>a//b</c>, <c>a/./b</c>) is refused.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    public static (string Path, bool IsFolder) Below(string folder, string relativeKey)
    {
        bool isFolder = relativeKey.Length == 0 || relativeKey.EndsWith('/');
        string rest = isFolder && relativeKey.Length > 0 ? relativeKey[..^1] : relativeKey;
        string[] parts = relativeKey.Length == 0 ? [] : rest.Split('/');
        return parts.All(IsName)
            ? (Path.Combine([folder, .. parts]), isFolder)
            : throw ZeroStorException.Invalid(
                $"The key '{relativeKey}' is no path below '{folder}': get it alone, to a FILE.");
    }

    /// <summary>The key of a file of a put folder.</summary>
    public static string KeyOf(string prefix, string relativePath) =>
        prefix + (Path.DirectorySeparatorChar == '/'
            ? relativePath
            : relativePath.Replace(Path.DirectorySeparatorChar, '/'));

    private static bool IsName(string part) =>
        part.Length > 0 && part is not ("." or "..") && part.IndexOfAny(Path.GetInvalidFileNameChars()) < 0;
}
