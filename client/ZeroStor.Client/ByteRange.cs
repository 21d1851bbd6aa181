using System.Globalization;

namespace ZeroStor.Client;

/// <summary>A range of an object's bytes, as HTTP counts them: from a first byte to a last one, both
/// included, or to the end, or the last so many. A last byte beyond the object's end means its end.</summary>
public readonly record struct ByteRange
{
    private readonly long _first;
    private readonly long _last;
    private readonly bool _isSuffix;

    private ByteRange(long first, long last, bool isSuffix) =>
        (_first, _last, _isSuffix) = (first, last, isSuffix);

    /// <summary>From <paramref name="first"/> to the end.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: negative.</exception>
    public static ByteRange From(long first) => Between(first, long.MaxValue);

    /// <summary>From <paramref name="first"/> to <paramref name="last"/>, both included.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: negative, or the last before the
    /// first.</exception>
    public static ByteRange Between(long first, long last) =>
        first >= 0 && last >= first
            ? new ByteRange(first, last, isSuffix: false)
            : throw ZeroStorException.Invalid(
                $"Bytes {first} to {last} are no range: the first is at least 0, the last not before it.");

    /// <summary><paramref name="length"/> bytes from <paramref name="offset"/>.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: a negative offset, or less than one
    /// byte.</exception>
    public static ByteRange OfLength(long offset, long length) =>
        offset >= 0 && length > 0 && offset <= long.MaxValue - length
            ? new ByteRange(offset, offset + length - 1, isSuffix: false)
            : throw ZeroStorException.Invalid(
                $"{length} bytes from byte {offset} are no range: it begins at 0 or later and holds a byte.");

    /// <summary>The last <paramref name="length"/> bytes, or all where the object has fewer.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: less than one byte.</exception>
    public static ByteRange Suffix(long length) =>
        length > 0
            ? new ByteRange(length, 0, isSuffix: true)
            : throw ZeroStorException.Invalid($"The last {length} bytes are no range: ask for at least one.");

    /// <summary>Reads <c>A-B</c>, <c>A-</c> or <c>-N</c>.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument, with what a range looks like.</exception>
    public static ByteRange Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int dash = text.IndexOf('-', StringComparison.Ordinal);
        if (dash >= 0)
        {
            string before = text[..dash];
            string behind = text[(dash + 1)..];
            bool hasFirst = TryRead(before, out long first);
            bool hasLast = TryRead(behind, out long last);
            if (hasFirst && hasLast)
            {
                return Between(first, last);
            }

            if (hasFirst && behind.Length == 0)
            {
                return From(first);
            }

            if (hasLast && before.Length == 0)
            {
                return Suffix(last);
            }
        }

        throw ZeroStorException.Invalid(
            $"'{text}' is not a range: write A-B (both included), A- (to the end) or -N (the last N bytes).");

        static bool TryRead(string digits, out long value) =>
            long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>What the range is of an object of <paramref name="size"/> bytes.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: it begins at or behind the end; the sentence
    /// states the size.</exception>
    public (long Offset, long Length) Resolve(long size)
    {
        if (_isSuffix)
        {
            long length = Math.Min(_first, size);
            return (size - length, length);
        }

        return _first < size
            ? (_first, Math.Min(_last, size - 1) - _first + 1)
            : throw ZeroStorException.Invalid(
                $"The range {this} begins behind the end: the object has {size} bytes.");
    }

    /// <summary>As <see cref="Parse"/> reads it.</summary>
    public override string ToString() =>
        _isSuffix ? $"-{_first}" : _last == long.MaxValue ? $"{_first}-" : $"{_first}-{_last}";
}
