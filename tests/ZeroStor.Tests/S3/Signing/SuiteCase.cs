using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using ZeroStor.S3;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Signing;

namespace ZeroStor.Tests.S3.Signing;

/// <summary>A case of the public suite of Signature V4. The suite is for services that resolve dots in paths
/// and encode them twice; S3 does neither. So the path that is verified is the one that a client of such a
/// service encodes: dots resolved where the case says so, encoded once.</summary>
internal sealed class SuiteCase
{
    private const string Service = "service";

    private readonly JsonElement _files;
    private readonly JsonElement _context;

    /// <param name="line">Its line of <c>aws-c-auth.jsonl</c>.</param>
    public SuiteCase(string line)
    {
        _files = JsonElement.Parse(line).GetProperty("files");
        _context = JsonElement.Parse(Read("context.json"));
    }

    private JsonElement Credentials => _context.GetProperty("credentials");

    private DateTimeOffset Now =>
        DateTimeOffset.Parse(_context.GetProperty("timestamp").GetString()!, CultureInfo.InvariantCulture);

    public async Task ProveAsync(CancellationToken cancel)
    {
        await ProveAsync("header", cancel);
        await ProveAsync("query", cancel);
    }

    private async Task ProveAsync(string form, CancellationToken cancel)
    {
        (WireRequest request, string body) = Parse(Read($"{form}-signed-request.txt"));
        QueryParameters query = QueryParameters.Parse(request.RawQuery);
        SignatureClaim claim = SignatureClaim.Read(request, query)!;
        string payload = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body)));
        WireRequest signed = WithoutLateToken(request);
        string canonical = CanonicalRequest.Of(signed, claim, payload);
        Assert.Equal(Read($"{form}-canonical-request.txt"), canonical);
        Assert.Equal(Read($"{form}-string-to-sign.txt"), CanonicalRequest.StringToSign(canonical, claim));

        var key = new AccessKey(
            Credentials.GetProperty("access_key_id").GetString()!,
            Credentials.GetProperty("secret_access_key").GetString()!,
            AccessRights.All,
            null);
        byte[] signingKey = new SigningKeys().For(key.Secret, claim.Scope);
        string toSign = CanonicalRequest.StringToSign(canonical, claim);
        Assert.Equal(Read($"{form}-signature.txt"), Signatures.Sign(signingKey, toSign));
        Assert.Equal(Read($"{form}-signature.txt"), claim.Signature);

        SignatureVerifier verifier = new(new KeyBook(key), new FakeTimeProvider(Now), null, Service);
        ValueTask<Caller> verifying = verifier.VerifyAsync(
            request, query, claim, new PayloadHash(payload), cancel);
        if (Credentials.TryGetProperty("token", out _))
        {
            // Keys here have no session tokens, and S3 wants every header of its own signed.
            S3Exception refusal = await Assert.ThrowsAsync<S3Exception>(verifying.AsTask);
            Assert.Contains(refusal.Error, new[] { S3Error.InvalidToken, S3Error.AccessDenied });
            return;
        }

        Assert.Same(key, (await verifying).Key);
    }

    private (WireRequest Request, string Body) Parse(string text)
    {
        int end = text.IndexOf("\n\n", StringComparison.Ordinal);
        string[] head = (end < 0 ? text : text[..end]).Replace("\n ", " ").Split('\n');
        string target = head[0][(head[0].IndexOf(' ') + 1)..head[0].LastIndexOf(' ')];
        (string, string)[] headers =
        [
            .. head.Skip(1)
                .Where(l => l.Length > 0)
                .Select(l => (l[..l.IndexOf(':')], l[(l.IndexOf(':') + 1)..])),
        ];
        WireRequest request = Wire.Request(head[0][..head[0].IndexOf(' ')], target, headers);
        string path = _context.GetProperty("normalize").GetBoolean()
            ? Resolve(request.RawPath) : request.RawPath;
        return (
            request with { RawPath = Percent.Encode(path, keepSlash: true) },
            _context.GetProperty("sign_body").GetBoolean() && end >= 0 ? text[(end + 2)..] : "");
    }

    private WireRequest WithoutLateToken(WireRequest request)
    {
        bool isLate = _context.TryGetProperty("omit_session_token", out JsonElement omit)
            && omit.GetBoolean();
        return isLate
            ? request with
            {
                RawQuery = string.Join('&', request.RawQuery.Split('&')
                    .Where(p => !p.StartsWith("X-Amz-Security-Token=", StringComparison.Ordinal))),
            }
            : request;
    }

    private static string Resolve(string path)
    {
        var kept = new Stack<string>();
        foreach (string segment in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (segment == "..")
            {
                kept.TryPop(out _);
            }
            else if (segment != ".")
            {
                kept.Push(segment);
            }
        }

        string resolved = "/" + string.Join('/', kept.Reverse());
        return path.EndsWith('/') && resolved != "/" ? resolved + "/" : resolved;
    }

    private string Read(string name) =>
        _files.GetProperty(name).GetString()!.Replace("\r\n", "\n");
}
