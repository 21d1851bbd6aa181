namespace ZeroStor.Tests.S3.Listing;

/// <summary>S3's listing as its documentation says it, over all keys in memory, without any haste.</summary>
internal static class ListingModel
{
    /// <summary>The lines behind a marker: keys, and common prefixes once each.</summary>
    /// <param name="keys">In order; a key that has several entries stands as often.</param>
    /// <param name="prefix">What they begin with.</param>
    /// <param name="delimiter">Null: nothing is folded.</param>
    /// <param name="marker">A common prefix that holds it was told before.</param>
    /// <returns>Each line with the places in <paramref name="keys"/> that it stands for.</returns>
    public static List<(string Line, bool IsPrefix, int At)> Lines(
        IReadOnlyList<string> keys, string prefix, string? delimiter, string marker)
    {
        var lines = new List<(string, bool, int)>();
        for (int i = 0; i < keys.Count; i++)
        {
            string key = keys[i];
            if (!key.StartsWith(prefix, StringComparison.Ordinal))
            {
                continue;
            }

            int at = delimiter is null ? -1 : key.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal);
            string line = at < 0 ? key : key[..(at + delimiter!.Length)];
            bool isBehind = ObjectKey.Compare(line, marker) > 0;
            if (isBehind && (at < 0 || !lines.Contains((line, true, -1))))
            {
                lines.Add((line, at >= 0, at < 0 ? i : -1));
            }
        }

        return lines;
    }
}
