using System.Collections.Immutable;
using System.Text;

namespace ZeroStor.Client;

/// <summary>What comes along with an object's bytes, checked before anything travels.</summary>
internal static class PutChecks
{
    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    public static void CheckHeaders(PutOptions options) => CheckHeaders(options.ContentType, options.Headers);

    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    public static void CheckHeaders(string contentType, ImmutableSortedDictionary<string, string> headers)
    {
        int bytes = CheckText(contentType, "content type");
        foreach ((string name, string value) in headers)
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

    private static int CheckText(string text, string what)
    {
        ObjectKey.CheckText(text, what);
        return Encoding.UTF8.GetByteCount(text);
    }
}
