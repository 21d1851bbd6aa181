namespace ZeroStor.S3.Protocol;

/// <summary>Tags of versions as they stand in headers and XML: in quotes, which clients of S3 leave out at
/// times. </summary>
public static class ETags
{
    /// <summary>Any version at all.</summary>
    public const string Any = "*";

    private const string Weak = "W/";

    public static string Quote(string etag) => $"\"{etag}\"";

    /// <summary>Without quotes, and without the sign of a weak tag: an object's versions are told apart byte
    /// by byte, so a tag that a cache made weak still means the same one.</summary>
    public static string Bare(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string tag = text.Trim();
        tag = tag.StartsWith(Weak, StringComparison.Ordinal) ? tag[Weak.Length..] : tag;
        return tag.Length >= 2 && tag[0] == '"' && tag[^1] == '"' ? tag[1..^1] : tag;
    }

    /// <summary>Whether a list of tags, or <c>*</c>, names this one.</summary>
    public static bool Match(string list, string etag)
    {
        ArgumentNullException.ThrowIfNull(list);
        return list.Split(',').Select(Bare).Any(tag => tag == Any || tag == etag);
    }
}
