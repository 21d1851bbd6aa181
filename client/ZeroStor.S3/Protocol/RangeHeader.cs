using System.Globalization;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Protocol;

/// <summary>The <c>Range</c> of a get, by S3's rules: one range; what cannot be read, and several at once,
/// ask for all bytes; what can be read and lies behind the end is refused.</summary>
public readonly record struct RangeHeader
{
    private const string Unit = "bytes=";

    private RangeHeader(string text, long first, long last, bool isSuffix) =>
        (Text, First, Last, IsSuffix) = (text, first, last, isSuffix);

    private string Text { get; }

    private long First { get; }

    private long Last { get; }

    private bool IsSuffix { get; }

    /// <summary>The range; null: all bytes.</summary>
    public static RangeHeader? Parse(string? header)
    {
        if (header is null || !header.StartsWith(Unit, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        string range = header[Unit.Length..].Trim();
        int dash = range.IndexOf('-', StringComparison.Ordinal);
        if (dash < 0
            || !TryRead(range[..dash], out long? first)
            || !TryRead(range[(dash + 1)..], out long? last))
        {
            return null;
        }

        return (first, last) switch
        {
            (null, null) => null,
            (null, _) => new RangeHeader(header, last.Value, 0, isSuffix: true),
            (_, null) => new RangeHeader(header, first.Value, long.MaxValue, isSuffix: false),
            _ => first <= last ? new RangeHeader(header, first.Value, last.Value, isSuffix: false) : null,
        };
    }

    /// <summary>Reads <c>x-amz-copy-source-range</c>, where both ends must stand.</summary>
    /// <exception cref="S3Exception">InvalidArgument.</exception>
    public static RangeHeader ParseCopy(string header) =>
        Parse(header) is { IsSuffix: false, Last: < long.MaxValue } range
            ? range
            : throw S3Exception.Argument(
                "x-amz-copy-source-range",
                header,
                "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last "
                + "are the zero-based offsets of the first and last bytes to copy");

    /// <summary>What the range is of an object of <paramref name="size"/> bytes.</summary>
    /// <exception cref="S3Exception">InvalidRange: it holds no byte of it.</exception>
    public (long Offset, long Length) Resolve(long size)
    {
        if (IsSuffix ? First > 0 && size > 0 : First < size)
        {
            long offset = IsSuffix ? Math.Max(0, size - First) : First;
            return (offset, IsSuffix ? size - offset : Math.Min(Last, size - 1) - First + 1);
        }

        throw new S3Exception(S3Error.InvalidRange)
            .With("RangeRequested", Text)
            .With("ActualObjectSize", size.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>As <see cref="Resolve"/>, where all of the range must be there.</summary>
    /// <exception cref="S3Exception">InvalidArgument.</exception>
    public (long Offset, long Length) ResolveCopy(long size) => Last < size
        ? (First, Last - First + 1)
        : throw S3Exception.Argument(
            "x-amz-copy-source-range",
            Text,
            $"Range specified is not valid for source object of size: {size}");

    // More digits than a long has are behind every end.
    private static bool TryRead(string digits, out long? value)
    {
        value = null;
        if (digits.Length > 0)
        {
            if (!digits.All(char.IsAsciiDigit))
            {
                return false;
            }

            value = long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long read)
                ? read
                : long.MaxValue;
        }

        return true;
    }
}
