using System.Collections.Immutable;
using System.Globalization;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Signing;

/// <summary>What a request claims of itself before anything is checked: who signed which headers, when, for
/// what, and the signature. Read from the <c>Authorization</c> header or from the query of a presigned
/// address.</summary>
internal sealed record SignatureClaim
{
    public const string Algorithm = "AWS4-HMAC-SHA256";

    public const string AlgorithmParameter = "X-Amz-Algorithm";

    public const string SignatureParameter = "X-Amz-Signature";

    public const string TokenHeader = "x-amz-security-token";

    /// <summary>A presigned address holds for a week at most.</summary>
    public static readonly TimeSpan MaxValidity = TimeSpan.FromDays(7);

    private const string DateHeader = "x-amz-date";

    private const string DateFormat = "yyyyMMdd'T'HHmmss'Z'";

    public required string AccessKey { get; init; }

    public required CredentialScope Scope { get; init; }

    /// <summary>In small letters, sorted.</summary>
    public required ImmutableArray<string> SignedHeaders { get; init; }

    public required string Signature { get; init; }

    /// <summary>As it was signed: <c>yyyyMMddTHHmmssZ</c>.</summary>
    public required string Date { get; init; }

    public required DateTimeOffset SignedAt { get; init; }

    /// <summary>How long a presigned address holds; null for a header.</summary>
    public TimeSpan? Validity { get; init; }

    public bool IsPresigned => Validity is not null;

    /// <summary>What the request claims; null where it gives no credentials.</summary>
    /// <exception cref="S3Exception">Credentials that cannot be read.</exception>
    public static SignatureClaim? Read(WireRequest request, QueryParameters query)
    {
        string? authorization = request.Header("Authorization");
        bool isPresigned = query.Has(AlgorithmParameter) || query.Has(SignatureParameter);
        if (authorization is not null && isPresigned)
        {
            throw S3Exception.Argument(
                "Authorization",
                authorization,
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query "
                + "string parameter or the Authorization header should be specified.");
        }

        if (authorization is null && !isPresigned && (query.Has("AWSAccessKeyId") || query.Has("Signature")))
        {
            throw Unsupported();
        }

        return authorization is not null
            ? OfHeader(request, authorization)
            : isPresigned ? OfQuery(query) : null;
    }

    private static SignatureClaim OfHeader(WireRequest request, string authorization)
    {
        int space = authorization.IndexOf(' ', StringComparison.Ordinal);
        if (space < 0 || authorization[..space] != Algorithm)
        {
            throw Unsupported();
        }

        string? credential = null;
        string? signedHeaders = null;
        string? signature = null;
        foreach (string field in authorization[space..].Split(','))
        {
            string[] pair = field.Trim().Split('=', 2);
            ref string? target = ref signature;
            switch (pair[0])
            {
                case "Credential": target = ref credential; break;
                case "SignedHeaders": target = ref signedHeaders; break;
                case "Signature": break;
                default: throw Malformed($"it has a field '{pair[0]}'.");
            }

            target = target is null && pair.Length == 2
                ? pair[1]
                : throw Malformed($"{pair[0]} stands twice, or without a value.");
        }

        if (credential is null || signedHeaders is null || signature is null)
        {
            throw Malformed("it must have Credential, SignedHeaders and Signature.");
        }

        string date = DateOf(request);
        return Make(credential, signedHeaders, signature, date, null, Malformed);
    }

    private static SignatureClaim OfQuery(QueryParameters query)
    {
        string algorithm = One(AlgorithmParameter);
        if (algorithm != Algorithm)
        {
            throw QueryError($"X-Amz-Algorithm only supports \"{Algorithm}\".");
        }

        if (!int.TryParse(
            One("X-Amz-Expires"),
            NumberStyles.AllowLeadingSign,
            CultureInfo.InvariantCulture,
            out int seconds))
        {
            throw QueryError("X-Amz-Expires should be a number.");
        }

        if (seconds < 1)
        {
            throw QueryError("X-Amz-Expires must be positive.");
        }

        var validity = TimeSpan.FromSeconds(seconds);
        if (validity > MaxValidity)
        {
            throw QueryError("X-Amz-Expires must be less than a week (in seconds); that is, 604800 at most.");
        }

        return Make(
            One("X-Amz-Credential"),
            One("X-Amz-SignedHeaders"),
            One(SignatureParameter),
            One("X-Amz-Date"),
            validity,
            QueryError);

        string One(string name) => query.Count(name) == 1
            ? query[name]!
            : throw QueryError(
                "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
                + "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders and X-Amz-Expires parameters, "
                + "each once.");
    }

    private static SignatureClaim Make(
        string credential,
        string signedHeaders,
        string signature,
        string date,
        TimeSpan? validity,
        Func<string, S3Exception> refusal)
    {
        if (!CredentialScope.TryParse(credential, out string accessKey, out CredentialScope scope))
        {
            throw refusal(
                "the Credential is mal-formed; expecting "
                + $"\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/{CredentialScope.Terminator}\".");
        }

        if (!DateTimeOffset.TryParseExact(
            date,
            DateFormat,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal,
            out DateTimeOffset signedAt))
        {
            throw refusal("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\".");
        }

        if (!date.StartsWith(scope.Day, StringComparison.Ordinal) || scope.Day.Length != 8)
        {
            throw refusal(
                $"invalid credential date \"{scope.Day}\": it is not that of X-Amz-Date \"{date}\".");
        }

        return new SignatureClaim
        {
            AccessKey = accessKey,
            Scope = scope,
            SignedHeaders = HeaderNames(signedHeaders, refusal),
            Signature = signature,
            Date = date,
            SignedAt = signedAt,
            Validity = validity,
        };
    }

    // Unsorted, or with a name twice, one request would have several canonical forms.
    private static ImmutableArray<string> HeaderNames(string list, Func<string, S3Exception> refusal)
    {
        ImmutableArray<string> names = [.. list.Split(';')];
        for (int i = 0; i < names.Length; i++)
        {
            bool isName = names[i].Length > 0
                && !names[i].Any(c => c is <= ' ' or > '~' or ':' || char.IsAsciiLetterUpper(c));
            if (!isName || (i > 0 && string.CompareOrdinal(names[i - 1], names[i]) >= 0))
            {
                throw refusal(
                    "SignedHeaders must be names in small letters, sorted, each once, separated by ';'.");
            }
        }

        return names.Contains("host") ? names : throw refusal("SignedHeaders must have the host.");
    }

    // A Date header is what clients send whose platform sets it for them.
    private static string DateOf(WireRequest request)
    {
        if (request.Header(DateHeader) is { } exact)
        {
            return exact;
        }

        return DateTimeOffset.TryParseExact(
            request.Header("Date"),
            "r",
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal,
            out DateTimeOffset date)
                ? date.UtcDateTime.ToString(DateFormat, CultureInfo.InvariantCulture)
                : throw new S3Exception(
                    S3Error.AccessDenied, "AWS authentication requires a valid Date or x-amz-date header.");
    }

    private static S3Exception Malformed(string why) => new(
        S3Error.AuthorizationHeaderMalformed, $"The authorization header is malformed; {why}");

    private static S3Exception QueryError(string why) => new(S3Error.AuthorizationQueryParametersError, why);

    private static S3Exception Unsupported() => new(
        S3Error.InvalidRequest,
        $"The authorization mechanism you have provided is not supported. Please use {Algorithm}.");
}
