using System.Globalization;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Signing;

/// <summary>Tells who sends a request, by AWS Signature Version 4 in a header or in the query of a presigned
/// address, or refuses it as S3 does. Nothing is looked up for a request before it has passed here, so
/// whoever has no valid credentials is told about those, and about no bucket. Thread-safe.</summary>
public sealed class SignatureVerifier
{
    /// <summary>How far a client's clock may be off, as S3 has it.</summary>
    public static readonly TimeSpan MaxSkew = TimeSpan.FromMinutes(15);

    private const string SignedHeaderPrefix = "x-amz-";

    private static readonly string MaxSkewMilliseconds =
        MaxSkew.TotalMilliseconds.ToString(CultureInfo.InvariantCulture);

    private readonly SigningKeys _keys = new();
    private readonly IAccessKeys _accessKeys;
    private readonly TimeProvider _time;
    private readonly string? _region;
    private readonly string _service;

    /// <param name="accessKeys">Where keys are looked up.</param>
    /// <param name="time">What time it is.</param>
    /// <param name="region">The region that clients must sign for; null: any, since there is one fabric
    /// whatever they call it.</param>
    public SignatureVerifier(IAccessKeys accessKeys, TimeProvider time, string? region = null)
        : this(accessKeys, time, region, "s3")
    {
    }

    internal SignatureVerifier(IAccessKeys accessKeys, TimeProvider time, string? region, string service) =>
        (_accessKeys, _time, _region, _service) = (accessKeys, time, region, service);

    /// <summary>Who sends this. One without credentials is anonymous, and what that may see is the caller's
    /// to decide.</summary>
    /// <exception cref="S3Exception">InvalidAccessKeyId, SignatureDoesNotMatch, RequestTimeTooSkewed,
    /// AccessDenied (expired, headers that are not signed), AuthorizationHeaderMalformed,
    /// AuthorizationQueryParametersError, InvalidArgument, InvalidRequest, InvalidToken,
    /// InvalidURI.</exception>
    /// <exception cref="ZeroStorException">Unavailable: keys cannot be looked up.</exception>
    public async ValueTask<Caller> VerifyAsync(WireRequest request, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(request);
        QueryParameters query = QueryParameters.Parse(request.RawQuery);
        SignatureClaim? claim = SignatureClaim.Read(request, query);
        PayloadHash payload = PayloadOf(request, query, claim);
        if (claim is null)
        {
            return payload.HasSignedChunks
                ? throw new S3Exception(
                    S3Error.AccessDenied, "A body in signed chunks needs a signed request.")
                : new Caller(null, payload, null);
        }

        return await VerifyAsync(request, query, claim, payload, cancel);
    }

    internal async ValueTask<Caller> VerifyAsync(
        WireRequest request,
        QueryParameters query,
        SignatureClaim claim,
        PayloadHash payload,
        CancellationToken cancel)
    {
        CheckScope(claim);
        CheckTime(claim);
        CheckCoverage(request, claim);
        if (query.Has("X-Amz-Security-Token") || request.Header(SignatureClaim.TokenHeader) is not null)
        {
            throw new S3Exception(
                S3Error.InvalidToken, "Access keys here have no session tokens: send none.");
        }

        AccessKey key = await _accessKeys.FindAsync(claim.AccessKey, cancel)
            ?? throw new S3Exception(S3Error.InvalidAccessKeyId).With("AWSAccessKeyId", claim.AccessKey);
        byte[] signingKey = _keys.For(key.Secret, claim.Scope);
        string canonical = CanonicalRequest.Of(request, claim, payload.Text);
        string toSign = CanonicalRequest.StringToSign(canonical, claim);
        if (!Signatures.AreEqual(Signatures.Sign(signingKey, toSign), claim.Signature))
        {
            // What was signed here is what the client sent, so it learns nothing but where its own text
            // differs.
            throw new S3Exception(S3Error.SignatureDoesNotMatch)
                .With("AWSAccessKeyId", claim.AccessKey)
                .With("StringToSign", toSign)
                .With("SignatureProvided", claim.Signature)
                .With("CanonicalRequest", canonical);
        }

        return new Caller(key, payload, payload.HasSignedChunks ? new ChunkSigner(signingKey, claim) : null);
    }

    private static PayloadHash PayloadOf(WireRequest request, QueryParameters query, SignatureClaim? claim)
    {
        string? said = request.Header(PayloadHash.Header)
            ?? (claim?.IsPresigned == true ? query["X-Amz-Content-Sha256"] : null);
        if (said is null && claim is { IsPresigned: false })
        {
            throw new S3Exception(
                S3Error.InvalidRequest, $"Missing required header for this request: {PayloadHash.Header}");
        }

        PayloadHash payload = said is null ? PayloadHash.Unsigned : PayloadHash.Parse(said);
        return claim?.IsPresigned == true && payload.HasSignedChunks
            ? throw new S3Exception(
                S3Error.InvalidRequest, "A presigned request cannot have a body in signed chunks.")
            : payload;
    }

    private void CheckScope(SignatureClaim claim)
    {
        string? wrong = claim.Scope.Service != _service
            ? $"incorrect service \"{claim.Scope.Service}\". This endpoint belongs to \"{_service}\"."
            : _region is not null && claim.Scope.Region != _region
                ? $"the region '{claim.Scope.Region}' is wrong; expecting '{_region}'"
                : null;
        if (wrong is null)
        {
            return;
        }

        S3Error error = claim.IsPresigned
            ? S3Error.AuthorizationQueryParametersError
            : S3Error.AuthorizationHeaderMalformed;
        var refusal = new S3Exception(error, $"The authorization is malformed; {wrong}");
        throw _region is null ? refusal : refusal.With("Region", _region);
    }

    private void CheckTime(SignatureClaim claim)
    {
        DateTimeOffset now = _time.GetUtcNow();
        if (claim.Validity is not { } validity)
        {
            if ((now - claim.SignedAt).Duration() > MaxSkew)
            {
                throw new S3Exception(S3Error.RequestTimeTooSkewed)
                    .With("RequestTime", claim.Date)
                    .With("ServerTime", Format(now))
                    .With("MaxAllowedSkewMilliseconds", MaxSkewMilliseconds);
            }

            return;
        }

        if (claim.SignedAt - now > MaxSkew)
        {
            throw new S3Exception(S3Error.AccessDenied, "Request is not yet valid")
                .With("X-Amz-Date", claim.Date)
                .With("ServerTime", Format(now));
        }

        if (now - claim.SignedAt > validity)
        {
            throw new S3Exception(S3Error.AccessDenied, "Request has expired")
                .With("Expires", Format(claim.SignedAt + validity))
                .With("ServerTime", Format(now));
        }

        static string Format(DateTimeOffset time) =>
            time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
    }

    // What S3 reads from headers of its own must be what was signed.
    private static void CheckCoverage(WireRequest request, SignatureClaim claim)
    {
        string[] open =
        [
            .. request.Headers.Keys
                .Select(name => name.ToLowerInvariant())
                .Where(name => name.StartsWith(SignedHeaderPrefix, StringComparison.Ordinal)
                    && !claim.SignedHeaders.Contains(name))
                .Order(StringComparer.Ordinal),
        ];
        if (open.Length > 0)
        {
            throw new S3Exception(
                S3Error.AccessDenied, "There were headers present in the request which were not signed")
                .With("HeadersNotSigned", string.Join(", ", open));
        }
    }
}
