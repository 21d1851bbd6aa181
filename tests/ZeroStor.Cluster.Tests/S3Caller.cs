using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;

namespace ZeroStor.Cluster.Tests;

/// <summary>A client of S3 that signs its own requests (Signature V4), written apart from the server's side,
/// so that neither can be wrong with the other.</summary>
internal sealed class S3Caller(string address, string? accessKey, string secret) : IDisposable
{
    private const string Region = "us-east-1";

    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false });

    public Task<S3Answer> GetAsync(string target, params (string, string)[] headers) =>
        SendAsync("GET", target, [], headers);

    public Task<S3Answer> PutAsync(string target, byte[] body, params (string, string)[] headers) =>
        SendAsync("PUT", target, body, headers);

    public Task<S3Answer> PostAsync(string target, string body, params (string, string)[] headers) =>
        SendAsync("POST", target, Encoding.UTF8.GetBytes(body), headers);

    public Task<S3Answer> DeleteAsync(string target, params (string, string)[] headers) =>
        SendAsync("DELETE", target, [], headers);

    public Task<S3Answer> HeadAsync(string target, params (string, string)[] headers) =>
        SendAsync("HEAD", target, [], headers);

    /// <param name="method">Of HTTP.</param>
    /// <param name="target">Path and query, encoded as they shall go over the wire.</param>
    /// <param name="body">Signed by its hash.</param>
    /// <param name="headers">All are signed; <c>Range</c> and the like as well.</param>
    /// <param name="hash">What is said that the body's hash is; null: what it is.</param>
    public async Task<S3Answer> SendAsync(
        string method,
        string target,
        byte[] body,
        (string Name, string Value)[]? headers = null,
        string? hash = null)
    {
        var exact = new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true };
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(address + target, exact));
        var signed = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["host"] = request.RequestUri!.Authority,
        };
        foreach ((string name, string value) in headers ?? [])
        {
            signed[name.ToLowerInvariant()] = value;
        }

        if (body.Length > 0 || method is "PUT" or "POST")
        {
            request.Content = new ByteArrayContent(body);
        }

        if (accessKey is not null)
        {
            Sign(request, target, hash ?? Hash(body), signed);
        }

        foreach ((string name, string value) in signed.Where(h => h.Key != "host"))
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content!.Headers.TryAddWithoutValidation(name, value);
            }
        }

        using HttpResponseMessage response = await _http.SendAsync(
            request, TestContext.Current.CancellationToken);
        byte[] bytes = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        return new S3Answer(
            response.StatusCode,
            response.Headers.Concat(response.Content.Headers)
                .ToDictionary(h => h.Key, h => string.Join(", ", h.Value), StringComparer.OrdinalIgnoreCase),
            bytes);
    }

    public void Dispose() => _http.Dispose();

    private void Sign(
        HttpRequestMessage request, string target, string payload, SortedDictionary<string, string> headers)
    {
        string date = TimeProvider.System.GetUtcNow().ToString(
            "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        string scope = $"{date[..8]}/{Region}/s3/aws4_request";
        headers["x-amz-date"] = date;
        headers["x-amz-content-sha256"] = payload;
        string[] split = target.Split('?', 2);
        string query = string.Join('&', (split.Length > 1 ? split[1] : "")
            .Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Select(p => p.Contains('=', StringComparison.Ordinal) ? p : p + "=")
            .Order(StringComparer.Ordinal));
        string names = string.Join(';', headers.Keys);
        string canonical = $"{request.Method}\n{split[0]}\n{query}\n"
            + string.Concat(headers.Select(h => $"{h.Key}:{h.Value}\n")) + $"\n{names}\n{payload}";
        string toSign = $"AWS4-HMAC-SHA256\n{date}\n{scope}\n{Hash(Encoding.UTF8.GetBytes(canonical))}";
        byte[] key = Encoding.UTF8.GetBytes("AWS4" + secret);
        foreach (string step in scope.Split('/'))
        {
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(step));
        }

        string signature = Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(toSign)));
        request.Headers.TryAddWithoutValidation(
            "Authorization",
            $"AWS4-HMAC-SHA256 Credential={accessKey}/{scope}, SignedHeaders={names}, Signature={signature}");
    }

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}

/// <summary>What came back.</summary>
internal sealed record S3Answer(HttpStatusCode Status, Dictionary<string, string> Headers, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);

    public XElement Xml => XDocument.Parse(Text).Root!;

    /// <summary>The code of an error.</summary>
    public string Code => Xml.Element("Code")!.Value;

    public string? this[string header] => Headers.GetValueOrDefault(header);

    /// <summary>The texts of all elements of a name, in order.</summary>
    public string[] All(string name) =>
        [.. Xml.Descendants().Where(e => e.Name.LocalName == name).Select(e => e.Value)];

    public string One(string name) => All(name).Single();

    public S3Answer Is(HttpStatusCode status)
    {
        Assert.True(status == Status, $"{(int)Status} instead of {(int)status}: {Text}");
        return this;
    }

    public S3Answer Fails(HttpStatusCode status, string code)
    {
        Is(status);
        Assert.Equal(code, Code);
        return this;
    }
}
