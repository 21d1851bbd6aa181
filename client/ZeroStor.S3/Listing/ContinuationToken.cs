using System.Buffers.Text;
using System.Text;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Listing;

/// <summary>Where the next page of a listing begins, in a form that no client takes for a key. It holds
/// nothing that the page did not tell, so it needs no seal.</summary>
internal static class ContinuationToken
{
    // What says that the token was made here, and in which form.
    private const string Form = "1/";

    public static string Make(string behind) =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(Form + behind));

    /// <exception cref="S3Exception">InvalidArgument.</exception>
    public static string Read(string token)
    {
        try
        {
            string text = new UTF8Encoding(false, throwOnInvalidBytes: true)
                .GetString(Base64Url.DecodeFromChars(token));
            if (text.StartsWith(Form, StringComparison.Ordinal))
            {
                return text[Form.Length..];
            }
        }
        catch (Exception e) when (e is FormatException or DecoderFallbackException)
        {
            // Refused below, as all that was not made here.
        }

        throw S3Exception.Argument(
            "continuation-token", token, "The continuation token provided is incorrect");
    }
}
