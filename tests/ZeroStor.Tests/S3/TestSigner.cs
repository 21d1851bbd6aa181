using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using ZeroStor.S3;
using ZeroStor.S3.Signing;

namespace ZeroStor.Tests.S3;

/// <summary>A client's side of Signature V4, written apart from the server's: signs requests with keys that
/// are simple enough to need no encoding, and bodies in chunks.</summary>
internal sealed class TestSigner(DateTimeOffset now)
{
    public const string AccessKey = "AKIDTEST";

    public const string Secret = "a/secret+of=the/tests";

    public const string Region = "us-east-1";

    private const string Empty = PayloadHash.OfEmpty;

    private readonly string _day = now.UtcDateTime.ToString("yyyyMMdd", CultureInfo.InvariantCulture);

    public string Date { get; } = now.UtcDateTime.ToString(
        "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);

    private string Scope => $"{_day}/{Region}/s3/aws4_request";

    /// <summary>The same request, signed over all its headers.</summary>
    public WireRequest Sign(WireRequest request, string payload = "UNSIGNED-PAYLOAD")
    {
        IHeaderDictionary headers = new HeaderDictionary();
        foreach ((string name, var value) in request.Headers)
        {
            headers[name] = value;
        }

        headers["x-amz-date"] = Date;
        headers["x-amz-content-sha256"] = payload;
        string[] names = [.. headers.Keys.Select(k => k.ToLowerInvariant()).Order(StringComparer.Ordinal)];
        string canonical = $"{request.Method}\n{request.RawPath}\n{SortedQuery(request.RawQuery)}\n"
            + string.Concat(names.Select(n => $"{n}:{string.Join(',', headers[n].ToArray())}\n"))
            + $"\n{string.Join(';', names)}\n{payload}";
        headers.Authorization = $"AWS4-HMAC-SHA256 Credential={AccessKey}/{Scope}, "
            + $"SignedHeaders={string.Join(';', names)}, Signature={Signature(canonical)}";
        return request with { Headers = headers };
    }

    /// <summary>A presigned address with the host alone signed.</summary>
    public WireRequest Presign(WireRequest request, int seconds)
    {
        string query =
            $"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={AccessKey}%2F{Scope.Replace("/", "%2F")}"
            + $"&X-Amz-Date={Date}&X-Amz-Expires={seconds}&X-Amz-SignedHeaders=host"
            + (request.RawQuery.Length > 0 ? "&" + request.RawQuery : "");
        string canonical = $"{request.Method}\n{request.RawPath}\n{SortedQuery(query)}\n"
            + $"host:{request.Header("Host")}\n\nhost\nUNSIGNED-PAYLOAD";
        return request with { RawQuery = $"{query}&X-Amz-Signature={Signature(canonical)}" };
    }

    /// <summary>A body in chunks of these lengths, each signed; with these headers behind it, if
    /// any.</summary>
    public byte[] Chunks(WireRequest signed, byte[] content, int[] lengths, params string[] trailer)
    {
        string before = signed.Headers.Authorization.ToString().Split("Signature=")[1];
        var body = new MemoryStream();
        int from = 0;
        foreach (int length in lengths.Append(0))
        {
            byte[] chunk = content[from..(from + length)];
            before = Hmac($"AWS4-HMAC-SHA256-PAYLOAD\n{Date}\n{Scope}\n{before}\n{Empty}\n{Hash(chunk)}");
            Write($"{length:x};chunk-signature={before}\r\n");
            body.Write(chunk);
            Write(length > 0 ? "\r\n" : "");
            from += length;
        }

        if (trailer.Length > 0)
        {
            byte[] signedText = Encoding.ASCII.GetBytes(string.Concat(trailer.Select(t => t + "\n")));
            string last = Hmac($"AWS4-HMAC-SHA256-TRAILER\n{Date}\n{Scope}\n{before}\n{Hash(signedText)}");
            Write(string.Concat(trailer.Select(t => t + "\r\n")) + $"x-amz-trailer-signature:{last}\r\n");
        }

        Write("\r\n");
        return body.ToArray();

        void Write(string text) => body.Write(Encoding.ASCII.GetBytes(text));
    }

    private static string SortedQuery(string raw) => string.Join('&', raw
        .Split('&', StringSplitOptions.RemoveEmptyEntries)
        .Select(p => p.Contains('=', StringComparison.Ordinal) ? p : p + "=")
        .Order(StringComparer.Ordinal));

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private string Signature(string canonical) =>
        Hmac($"AWS4-HMAC-SHA256\n{Date}\n{Scope}\n{Hash(Encoding.UTF8.GetBytes(canonical))}");

    private string Hmac(string text)
    {
        byte[] key = Encoding.UTF8.GetBytes("AWS4" + Secret);
        foreach (string step in Scope.Split('/'))
        {
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(step));
        }

        return Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));
    }
}

/// <summary>Access keys in memory, and how often they were asked for.</summary>
internal sealed class KeyBook(params AccessKey[] keys) : IAccessKeys
{
    public static readonly AccessKey Test = new(
        TestSigner.AccessKey, TestSigner.Secret, AccessRights.All, null);

    public int Asked { get; private set; }

    public ValueTask<AccessKey?> FindAsync(string accessKey, CancellationToken cancel)
    {
        Asked++;
        return ValueTask.FromResult(keys.FirstOrDefault(k => k.Id == accessKey));
    }
}
