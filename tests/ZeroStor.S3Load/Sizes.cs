using System.Globalization;

namespace ZeroStor.S3Load;

/// <summary>Sizes as people write them.</summary>
internal static class Sizes
{
    private static readonly (string Unit, long Bytes)[] Units =
        [("KiB", 1024), ("MiB", 1024 * 1024), ("GiB", 1024 * 1024 * 1024), ("", 1)];

    /// <exception cref="FormatException">Not a size.</exception>
    public static long Parse(string text)
    {
        (string unit, long bytes) = Units.First(u => text.EndsWith(u.Unit, StringComparison.Ordinal));
        return bytes * long.Parse(text[..^unit.Length], CultureInfo.InvariantCulture);
    }
}
