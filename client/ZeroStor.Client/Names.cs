using System.Text;

namespace ZeroStor.Client;

/// <summary>What names may be, checked before anything travels, and how they are ordered.</summary>
internal static class Names
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    public static string CheckVault(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Length > 0 && !name.Contains('/', StringComparison.Ordinal)
            ? name
            : throw ZeroStorException.Invalid(
                $"'{name}' is not the name of a vault: it is empty or holds a slash.");
    }

    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    public static string CheckKey(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (key.Length == 0)
        {
            throw ZeroStorException.Invalid("The key is empty: an object has a key of at least one byte.");
        }

        int bytes = CheckText(key, "key");
        return bytes <= Geometry.MaxKeyBytes
            ? key
            : throw ZeroStorException.Invalid(
                $"The key '{key[..32]}…' has {bytes} bytes: the longest has {Geometry.MaxKeyBytes}.");
    }

    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    public static void CheckHeaders(PutOptions options)
    {
        int bytes = CheckText(options.ContentType, "content type");
        foreach ((string name, string value) in options.Headers)
        {
            bytes += CheckText(name, "header name") + CheckText(value, "header value");
        }

        if (bytes > PutOptions.MaxHeaderBytes)
        {
            throw ZeroStorException.Invalid(
                $"Content type and headers have {bytes} bytes, and the most is {PutOptions.MaxHeaderBytes}.");
        }
    }

    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    public static string CheckETag(string etag) =>
        etag.Length > 0 && etag != "*" && CheckText(etag, "ETag") <= PutOptions.MaxETagBytes
            ? etag
            : throw ZeroStorException.Invalid(
                $"'{etag}' is not an ETag: it has 1 to {PutOptions.MaxETagBytes} bytes and is not '*'.");

    /// <summary>By UTF-8 bytes, as the catalog orders keys; UTF-16 sorts surrogates before U+E000.</summary>
    public static int Compare(string a, string b)
    {
        int common = a.AsSpan().CommonPrefixLength(b);
        if (common == a.Length || common == b.Length)
        {
            return a.Length - b.Length;
        }

        return Weight(a[common]) - Weight(b[common]);

        static int Weight(char c) => char.IsSurrogate(c) ? c + 0x10000 : c;
    }

    private static int CheckText(string text, string what)
    {
        // PostgreSQL's text holds every character but this one.
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            throw ZeroStorException.Invalid($"The {what} holds a NUL character, which no {what} may.");
        }

        try
        {
            return StrictUtf8.GetByteCount(text);
        }
        catch (EncoderFallbackException)
        {
            throw ZeroStorException.Invalid(
                $"The {what} is not Unicode: half of a surrogate pair is missing.");
        }
    }
}
