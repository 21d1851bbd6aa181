using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace ZeroStor.S3Load;

/// <summary>Signature V4 as a client makes it, written apart from the server's side: so that neither can be
/// wrong with the other, and so that wrong requests can be signed right.</summary>
internal sealed class Signer(Target target, TimeProvider time)
{
    public const string Unsigned = "UNSIGNED-PAYLOAD";

    public const string SignedChunks = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";

    private const string Algorithm = "AWS4-HMAC-SHA256";

    private static readonly string EmptyHash = Hash([]);

    /// <summary>The message with what names its sender, signed over all its headers.</summary>
    /// <param name="message">Without a host, a date and a length.</param>
    /// <param name="payload">What is said of the body; null: its hash.</param>
    public Message Sign(Message message, string? payload = null)
    {
        string date = Date();
        string hash = payload ?? Hash(message.Body);
        (string Name, string Value)[] headers =
        [
            .. message.Headers,
            ("Host", target.Url.Authority),
            ("x-amz-date", date),
            ("x-amz-content-sha256", hash),
        ];
        ILookup<string, string> byName = headers.ToLookup(
            h => h.Name.ToLowerInvariant(), h => h.Value.Trim());
        string[] names = [.. byName.Select(h => h.Key).Order(StringComparer.Ordinal)];
        string[] split = message.Target.Split('?', 2);
        string canonical = $"{message.Method}\n{split[0]}\n{Sorted(split.Length > 1 ? split[1] : "")}\n"
            + string.Concat(names.Select(n => $"{n}:{string.Join(',', byName[n])}\n"))
            + $"\n{string.Join(';', names)}\n{hash}";
        string scope = Scope(date);
        string signature = SignatureOf(canonical, date);
        string authorization = $"{Algorithm} Credential={target.AccessKey}/{scope}, "
            + $"SignedHeaders={string.Join(';', names)}, Signature={signature}";
        return message with
        {
            Headers =
            [
                .. headers,
                ("Authorization", authorization),
                ("Content-Length", message.Body.Length.ToString(CultureInfo.InvariantCulture)),
            ],
        };
    }

    /// <summary>An address that needs no header but the host.</summary>
    public Message Presign(Message message, int seconds)
    {
        string date = Date();
        string scope = Scope(date);
        string query = $"X-Amz-Algorithm={Algorithm}&X-Amz-Credential={target.AccessKey}%2F"
            + $"{scope.Replace("/", "%2F", StringComparison.Ordinal)}&X-Amz-Date={date}"
            + $"&X-Amz-Expires={seconds}&X-Amz-SignedHeaders=host";
        string canonical = $"{message.Method}\n{message.Target}\n{Sorted(query)}\n"
            + $"host:{target.Url.Authority}\n\nhost\n{Unsigned}";
        string signature = SignatureOf(canonical, date);
        return message with
        {
            Target = $"{message.Target}?{query}&X-Amz-Signature={signature}",
            Headers = [.. message.Headers, ("Host", target.Url.Authority)],
        };
    }

    /// <summary>The message with its body in signed chunks of a length.</summary>
    public Message SignChunks(Message message, int chunkBytes)
    {
        byte[] content = message.Body;
        Message head = Sign(
            message.With("Content-Encoding", "aws-chunked")
                .With("x-amz-decoded-content-length", content.Length.ToString(CultureInfo.InvariantCulture))
                with { Body = [] },
            SignedChunks);
        string date = head["x-amz-date"]!;
        string scope = Scope(date);
        string before = head["Authorization"]!.Split("Signature=")[1];
        var body = new MemoryStream();
        foreach (byte[] chunk in content.Chunk(chunkBytes).Append([]))
        {
            before = Hmac(
                $"{Algorithm}-PAYLOAD\n{date}\n{scope}\n{before}\n{EmptyHash}\n{Hash(chunk)}", scope);
            body.Write(Encoding.ASCII.GetBytes($"{chunk.Length:x};chunk-signature={before}\r\n"));
            body.Write(chunk);
            body.Write("\r\n"u8);
        }

        return WithBody(head, body.ToArray());
    }

    /// <summary>The same request with another body, its length told.</summary>
    public static Message WithBody(Message message, byte[] body) => message with
    {
        Headers =
        [
            .. message.Headers.Where(h => h.Name != "Content-Length"),
            ("Content-Length", body.Length.ToString(CultureInfo.InvariantCulture)),
        ],
        Body = body,
    };

    private string Date() => time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);

    private static string Scope(string date) => $"{date[..8]}/{Target.Region}/s3/aws4_request";

    private static string Sorted(string query) => string.Join('&', query
        .Split('&', StringSplitOptions.RemoveEmptyEntries)
        .Select(p => p.Contains('=', StringComparison.Ordinal) ? p : p + "=")
        .Order(StringComparer.Ordinal));

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private string SignatureOf(string canonical, string date) => Hmac(
        $"{Algorithm}\n{date}\n{Scope(date)}\n{Hash(Encoding.UTF8.GetBytes(canonical))}", Scope(date));

    private string Hmac(string text, string scope)
    {
        byte[] key = Encoding.UTF8.GetBytes("AWS4" + target.Secret);
        foreach (string step in scope.Split('/'))
        {
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(step));
        }

        return Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));
    }
}
