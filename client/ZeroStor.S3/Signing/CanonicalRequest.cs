using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Primitives;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Signing;

/// <summary>The one text that signer and verifier make of a request, by S3's rules: the path is encoded once,
/// and neither dots nor double slashes in it are resolved; the query is sorted by the bytes of its encoded
/// names, then values; headers are in small letters, trimmed, with runs of spaces made one.</summary>
internal static class CanonicalRequest
{
    /// <param name="request">As it came.</param>
    /// <param name="claim">Says which headers are signed.</param>
    /// <param name="payload">What stands for the body.</param>
    /// <exception cref="S3Exception">InvalidURI; SignatureDoesNotMatch: a signed header is not
    /// there.</exception>
    public static string Of(WireRequest request, SignatureClaim claim, string payload)
    {
        var text = new StringBuilder(512);
        text.Append(request.Method).Append('\n')
            .Append(Path(request.RawPath)).Append('\n')
            .Append(Query(request.RawQuery)).Append('\n');
        foreach (string name in claim.SignedHeaders)
        {
            text.Append(name).Append(':').Append(HeaderValue(request, name)).Append('\n');
        }

        return text.Append('\n')
            .Append(string.Join(';', claim.SignedHeaders)).Append('\n')
            .Append(payload)
            .ToString();
    }

    public static string StringToSign(string canonical, SignatureClaim claim) =>
        $"{SignatureClaim.Algorithm}\n{claim.Date}\n{claim.Scope}\n"
        + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)));

    private static string Path(string rawPath) =>
        Percent.TryDecode(rawPath, plusIsSpace: false, out byte[] path)
            ? Percent.Encode(path, keepSlash: true)
            : throw new S3Exception(S3Error.InvalidURI);

    private static string Query(string rawQuery)
    {
        var pairs = new List<(string Name, string Value)>();
        foreach ((string name, string value) in QueryParameters.Parse(rawQuery).All)
        {
            if (name != SignatureClaim.SignatureParameter)
            {
                pairs.Add((Percent.Encode(name, keepSlash: false), Percent.Encode(value, keepSlash: false)));
            }
        }

        pairs.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name) is var order and not 0
            ? order
            : string.CompareOrdinal(a.Value, b.Value));
        return string.Join('&', pairs.Select(p => $"{p.Name}={p.Value}"));
    }

    private static string HeaderValue(WireRequest request, string name)
    {
        if (!request.Headers.TryGetValue(name, out StringValues values) || values.Count == 0)
        {
            throw new S3Exception(
                S3Error.SignatureDoesNotMatch, $"The header '{name}' was signed, and did not come.");
        }

        return string.Join(',', values.Select(v => Squeeze(v ?? "")));
    }

    private static string Squeeze(string value)
    {
        var squeezed = new StringBuilder(value.Length);
        foreach (char c in value.AsSpan().Trim(" \t"))
        {
            if (c != ' ' || squeezed[^1] != ' ')
            {
                squeezed.Append(c);
            }
        }

        return squeezed.ToString();
    }
}
