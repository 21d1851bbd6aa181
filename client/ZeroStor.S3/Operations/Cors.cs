using System.Collections.Immutable;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Protocol;

namespace ZeroStor.S3.Operations;

/// <summary>Tells browsers which pages of other origins may ask, by the bucket's rules. A bucket that is not
/// there answers as one without rules.</summary>
internal sealed class Cors(BucketSettingsStore store)
{
    private const string Any = "*";

    /// <summary>Answers a preflight.</summary>
    /// <exception cref="S3Exception">AccessDenied: no rule lets it; InvalidRequest: it does not say what it
    /// asks for. </exception>
    public async Task AnswerPreflightAsync(HttpContext http, S3Request request)
    {
        WireRequest wire = request.Wire;
        string? origin = wire.Header(HeaderNames.Origin);
        string? method = wire.Header(HeaderNames.AccessControlRequestMethod);
        if (origin is null || method is null)
        {
            throw new S3Exception(
                S3Error.InvalidRequest,
                "Insufficient information. Origin and Access-Control-Request-Method request headers needed.");
        }

        string[] headers = (wire.Header(HeaderNames.AccessControlRequestHeaders) ?? "")
            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        CorsRule rule = await FindAsync(
            request.Bucket, r => r.Allows(origin, method, headers), http.RequestAborted)
            ?? throw new S3Exception(
                S3Error.AccessDenied,
                "CORSResponse: This CORS request is not allowed. This is usually because the evaluation of "
                + "Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers "
                + "are not whitelisted by the resource's CORS spec.");
        Write(http.Response, rule, origin);
        http.Response.Headers.AccessControlAllowMethods = string.Join(", ", rule.Methods);
        if (headers.Length > 0)
        {
            http.Response.Headers.AccessControlAllowHeaders = string.Join(", ", headers);
        }

        if (rule.MaxAgeSeconds is { } seconds)
        {
            http.Response.Headers.AccessControlMaxAge = seconds.ToString(CultureInfo.InvariantCulture);
        }

        http.Response.ContentLength = 0;
    }

    /// <summary>Writes what lets a page read the answer that is to come, error or not.</summary>
    public async ValueTask MarkAsync(HttpContext http, S3Request request)
    {
        if (request.Wire.Header(HeaderNames.Origin) is { } origin
            && request.Address.Bucket is not null
            && await FindAsync(
                request.Bucket,
                r => r.Allows(origin, request.Wire.Method, []),
                http.RequestAborted) is { } rule)
        {
            Write(http.Response, rule, origin);
        }
    }

    private static void Write(HttpResponse response, CorsRule rule, string origin)
    {
        // The answer to one origin is none for another, and caches must not take it for one.
        bool isAny = rule.Origins.Contains(Any);
        response.Headers.AccessControlAllowOrigin = isAny ? Any : origin;
        response.Headers.Vary = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";
        if (!isAny)
        {
            response.Headers.AccessControlAllowCredentials = "true";
        }

        if (!rule.ExposedHeaders.IsEmpty)
        {
            response.Headers.AccessControlExposeHeaders = string.Join(", ", rule.ExposedHeaders);
        }
    }

    private async ValueTask<CorsRule?> FindAsync(
        string bucket, Func<CorsRule, bool> isFit, CancellationToken cancel)
    {
        ImmutableArray<CorsRule> rules = (await store.FindAsync(bucket, cancel))?.Cors ?? [];
        return rules.FirstOrDefault(isFit);
    }
}
