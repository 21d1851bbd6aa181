namespace ZeroStor.S3Load;

/// <summary>The keys of one client, which nobody else writes, and what its own listings must therefore
/// show.</summary>
internal sealed class MixedKeys
{
    private static readonly string[] Names =
    [
        "0", "a b", "a+b%", "d/0", "d/1", "d/e/0", "f/ü", "f//1", "g/", "z",
    ];

    /// <summary>What follows a client's own prefix in the prefixes that it lists.</summary>
    public static readonly string[] Folders = ["", "d/", "d/e/", "f/", "a", "none/"];

    private readonly SortedDictionary<string, KeyHistory> _keys = new(StringComparer.Ordinal);

    public MixedKeys(int client)
    {
        Prefix = $"c{client:000}/";
        foreach (string name in Names)
        {
            _keys[Prefix + name] = new KeyHistory();
        }

        All = [.. _keys.Keys];
    }

    public string Prefix { get; }

    public IReadOnlyList<string> All { get; }

    public KeyHistory this[string key] => _keys[key];

    /// <summary>What a listing shows while the client writes nothing: each object with its size and ETag,
    /// each common prefix alone, in the order of keys. Null: a write that failed leaves it open.</summary>
    public List<string>? Listed(string prefix, bool isDelimited)
    {
        var lines = new List<string>();
        foreach ((string key, KeyHistory history) in _keys)
        {
            if (!key.StartsWith(prefix, StringComparison.Ordinal))
            {
                continue;
            }

            List<Written?> now = history.Now();
            if (now.Count > 1)
            {
                return null;
            }

            if (now[0] is not { } value)
            {
                continue;
            }

            int cut = isDelimited ? key.IndexOf('/', prefix.Length) : -1;
            string line = cut < 0 ? Line(key, value.Bytes, value.ETag) : key[..(cut + 1)];
            if (lines.Count == 0 || lines[^1] != line)
            {
                lines.Add(line);
            }
        }

        return lines;
    }

    public static string Line(string key, long bytes, string etag) => $"{key} {bytes} {etag}";
}
