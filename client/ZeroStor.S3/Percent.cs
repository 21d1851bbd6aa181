using System.Buffers;
using System.Text;

namespace ZeroStor.S3;

/// <summary>Percent-encoding as S3 has it: of the bytes of UTF-8, hexadecimals in capitals, and only letters,
/// digits and <c>-._~</c> stay as they are. Decoding is exact: a <c>%</c> that two hexadecimals do not follow
/// is an error, not a percent sign.</summary>
internal static class Percent
{
    private static readonly SearchValues<byte> Unreserved = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"u8);

    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    /// <param name="text">Any text.</param>
    /// <param name="keepSlash">Whether <c>/</c> stays, as it does in a path and in the keys of a
    /// listing.</param>
    public static string Encode(string text, bool keepSlash) =>
        Encode(Encoding.UTF8.GetBytes(text), keepSlash);

    public static string Encode(ReadOnlySpan<byte> bytes, bool keepSlash)
    {
        var encoded = new StringBuilder(bytes.Length + (bytes.Length / 4));
        foreach (byte b in bytes)
        {
            if (Unreserved.Contains(b) || (keepSlash && b == (byte)'/'))
            {
                encoded.Append((char)b);
            }
            else
            {
                encoded.Append('%').Append(Hex(b >> 4)).Append(Hex(b & 15));
            }
        }

        return encoded.ToString();

        static char Hex(int digit) => (char)(digit < 10 ? '0' + digit : 'A' + digit - 10);
    }

    /// <summary>The bytes that were encoded; false where a <c>%</c> begins nothing.</summary>
    /// <param name="text">What came over the wire.</param>
    /// <param name="plusIsSpace">As in a query, and nowhere else.</param>
    /// <param name="bytes">The bytes, else empty.</param>
    public static bool TryDecode(ReadOnlySpan<char> text, bool plusIsSpace, out byte[] bytes)
    {
        byte[] raw = new byte[Encoding.UTF8.GetByteCount(text)];
        Encoding.UTF8.GetBytes(text, raw);
        int length = 0;
        for (int i = 0; i < raw.Length; i++)
        {
            byte b = raw[i];
            if (b == (byte)'%')
            {
                if (i + 2 >= raw.Length
                    || !char.IsAsciiHexDigit((char)raw[i + 1])
                    || !char.IsAsciiHexDigit((char)raw[i + 2]))
                {
                    bytes = [];
                    return false;
                }

                b = (byte)((Value(raw[i + 1]) << 4) | Value(raw[i + 2]));
                i += 2;
            }
            else if (plusIsSpace && b == (byte)'+')
            {
                b = (byte)' ';
            }

            raw[length++] = b;
        }

        bytes = raw[..length];
        return true;

        static int Value(byte digit) => digit <= (byte)'9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
    }

    /// <summary>As text; false also where the bytes are no UTF-8.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, bool plusIsSpace, out string decoded)
    {
        decoded = "";
        if (!TryDecode(text, plusIsSpace, out byte[] bytes))
        {
            return false;
        }

        try
        {
            decoded = Utf8.GetString(bytes);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }
}
