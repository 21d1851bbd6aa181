using Microsoft.Extensions.Time.Testing;
using ZeroStor.S3;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Signing;

namespace ZeroStor.Tests.S3.Signing;

public sealed class SignatureVerifierTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private readonly FakeTimeProvider _time = new(Now);
    private readonly KeyBook _keys = new(KeyBook.Test);
    private readonly TestSigner _signer = new(Now);

    private SignatureVerifier Verifier => new(_keys, _time);

    private static WireRequest Get =>
        Wire.Request("GET", "/bucket/key?acl&b=2&a=1", ("Host", "localhost:9000"));

    [Fact]
    public async Task Who_signs_is_known()
    {
        Caller caller = await Verifier.VerifyAsync(_signer.Sign(Get), Cancel);
        Assert.Equal(TestSigner.AccessKey, caller.Key!.Id);
        Assert.Null(caller.Chunks);
        Caller presigned = await Verifier.VerifyAsync(_signer.Presign(Get, 60), Cancel);
        Assert.Equal(TestSigner.AccessKey, presigned.Key!.Id);
    }

    [Fact]
    public async Task Who_gives_no_credentials_is_anonymous_and_no_key_is_looked_up()
    {
        Caller caller = await Verifier.VerifyAsync(Get, Cancel);
        Assert.True(caller.IsAnonymous);
        Assert.Equal(PayloadHash.Unsigned, caller.Payload);
        Assert.Equal(0, _keys.Asked);
        WireRequest chunked = Wire.Request(
            "PUT", "/b/k", ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"));
        await RefusedAsync(S3Error.AccessDenied, chunked);
    }

    [Fact]
    public async Task Whatever_is_changed_after_signing_is_noticed()
    {
        WireRequest signed = _signer.Sign(
            Wire.Request("PUT", "/bucket/key?a=1", ("Host", "localhost"), ("x-amz-meta-a", "1")));
        await Verifier.VerifyAsync(signed, Cancel);
        await RefusedAsync(S3Error.SignatureDoesNotMatch, signed with { Method = "DELETE" });
        await RefusedAsync(S3Error.SignatureDoesNotMatch, signed with { RawPath = "/bucket/Key" });
        await RefusedAsync(S3Error.SignatureDoesNotMatch, signed with { RawPath = "//bucket/key" });
        await RefusedAsync(S3Error.SignatureDoesNotMatch, signed with { RawPath = "/bucket/./key" });
        await RefusedAsync(S3Error.SignatureDoesNotMatch, signed with { RawQuery = "a=2" });
        await RefusedAsync(S3Error.SignatureDoesNotMatch, signed with { RawQuery = "a=1&b" });
        foreach (string header in new[] { "Host", "x-amz-meta-a", "x-amz-date", "x-amz-content-sha256" })
        {
            await RefusedAsync(S3Error.SignatureDoesNotMatch, Change(signed, header));
        }
    }

    [Fact]
    public async Task Another_secret_is_refused_and_an_unknown_key_as_well()
    {
        var other = new KeyBook(KeyBook.Test with { Secret = "another" });
        S3Exception refusal = await Wire.RefusesAsync(
            S3Error.SignatureDoesNotMatch,
            () => new SignatureVerifier(other, _time).VerifyAsync(_signer.Sign(Get), Cancel).AsTask());
        Assert.Contains(refusal.Details, d => d.Key == "StringToSign");
        Assert.DoesNotContain("another", string.Concat(refusal.Details), StringComparison.Ordinal);
        await Wire.RefusesAsync(
            S3Error.InvalidAccessKeyId,
            () => new SignatureVerifier(new KeyBook(), _time).VerifyAsync(_signer.Sign(Get), Cancel)
                .AsTask());
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(900, true)]
    [InlineData(-900, true)]
    [InlineData(901, false)]
    [InlineData(-901, false)]
    public async Task A_clock_may_be_off_by_a_quarter_of_an_hour(int seconds, bool isTaken)
    {
        WireRequest signed = new TestSigner(Now.AddSeconds(seconds)).Sign(Get);
        if (isTaken)
        {
            await Verifier.VerifyAsync(signed, Cancel);
            return;
        }

        await RefusedAsync(S3Error.RequestTimeTooSkewed, signed);
        Assert.Equal(0, _keys.Asked);
    }

    [Theory]
    [InlineData(60, 60, true)]
    [InlineData(60, 61, false)]
    [InlineData(604800, 604800, true)]
    [InlineData(604800, 604801, false)]
    [InlineData(60, -900, true)]
    [InlineData(60, -901, false)]
    public async Task A_presigned_address_holds_for_as_long_as_it_says(int validity, int later, bool isTaken)
    {
        WireRequest signed = _signer.Presign(Get, validity);
        SignatureVerifier verifier = new(_keys, new FakeTimeProvider(Now.AddSeconds(later)));
        if (isTaken)
        {
            await verifier.VerifyAsync(signed, Cancel);
            return;
        }

        await Wire.RefusesAsync(S3Error.AccessDenied, () => verifier.VerifyAsync(signed, Cancel).AsTask());
    }

    [Fact]
    public async Task Headers_of_S3_that_are_not_signed_are_refused()
    {
        WireRequest signed = _signer.Sign(Get);
        signed.Headers["x-amz-acl"] = "public-read";
        S3Exception refusal = await RefusedAsync(S3Error.AccessDenied, signed);
        Assert.Contains(refusal.Details, d => d is { Key: "HeadersNotSigned", Value: "x-amz-acl" });
        WireRequest presigned = _signer.Presign(Get, 60);
        presigned.Headers["X-Amz-Copy-Source"] = "/other/secret";
        await RefusedAsync(S3Error.AccessDenied, presigned);
        WireRequest harmless = _signer.Sign(Get);
        harmless.Headers["Accept"] = "*/*";
        await Verifier.VerifyAsync(harmless, Cancel);
    }

    [Fact]
    public async Task A_region_is_any_or_the_one_that_is_set()
    {
        SignatureVerifier strict = new(_keys, _time, "eu-north-9");
        S3Exception refusal = await Wire.RefusesAsync(
            S3Error.AuthorizationHeaderMalformed, () => strict.VerifyAsync(_signer.Sign(Get), Cancel)
                .AsTask());
        Assert.Contains(refusal.Details, d => d is { Key: "Region", Value: "eu-north-9" });
        await Wire.RefusesAsync(
            S3Error.AuthorizationQueryParametersError,
            () => strict.VerifyAsync(_signer.Presign(Get, 60), Cancel).AsTask());
        await new SignatureVerifier(_keys, _time, TestSigner.Region).VerifyAsync(_signer.Sign(Get), Cancel);
    }

    [Fact]
    public async Task A_signature_for_another_service_opens_nothing()
    {
        WireRequest signed = Change(_signer.Sign(Get), "Authorization", a => a.Replace("/s3/", "/sts/"));
        await RefusedAsync(S3Error.AuthorizationHeaderMalformed, signed);
    }

    [Fact]
    public async Task A_body_must_be_declared_and_session_tokens_are_none_of_ours()
    {
        WireRequest signed = _signer.Sign(Get);
        signed.Headers.Remove("x-amz-content-sha256");
        await RefusedAsync(S3Error.InvalidRequest, signed);
        WireRequest token = _signer.Sign(
            Wire.Request("GET", "/", ("Host", "h"), ("x-amz-security-token", "t")));
        await RefusedAsync(S3Error.InvalidToken, token);
        await RefusedAsync(S3Error.InvalidArgument, _signer.Sign(Get, "STREAMING-SOMETHING"));
    }

    [Fact]
    public async Task Both_ways_of_signing_at_once_are_refused()
    {
        WireRequest presigned = _signer.Presign(Get, 60);
        presigned.Headers.Authorization = "AWS4-HMAC-SHA256 x";
        await RefusedAsync(S3Error.InvalidArgument, presigned);
    }

    [Fact]
    public async Task Signed_chunks_belong_to_a_signed_header()
    {
        const string Streaming = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
        Assert.NotNull((await Verifier.VerifyAsync(_signer.Sign(Get, Streaming), Cancel)).Chunks);
        WireRequest presigned = _signer.Presign(
            Wire.Request("PUT", $"/b/k?X-Amz-Content-Sha256={Streaming}", ("Host", "h")), 60);
        await RefusedAsync(S3Error.InvalidRequest, presigned);
    }

    [Fact]
    public void Rights_are_asked_for_where_they_hold()
    {
        var key = new AccessKey("a", "s", AccessRights.Read | AccessRights.List, null);
        Assert.True(key.May(AccessRights.Read, "any"));
        Assert.False(key.May(AccessRights.Read | AccessRights.Write, "any"));
        AccessKey one = key with { Vaults = System.Collections.Frozen.FrozenSet.Create(["photos"]) };
        Assert.True(one.May(AccessRights.List, "photos"));
        Assert.False(one.May(AccessRights.List, "Photos"));
        Assert.DoesNotContain(
            "secret", (key with { Secret = "secret" }).ToString(), StringComparison.Ordinal);
    }

    private static WireRequest Change(WireRequest request, string header, Func<string, string>? change = null)
    {
        WireRequest changed = Wire.Request(request.Method, "/");
        foreach ((string name, var value) in request.Headers)
        {
            changed.Headers[name] = value;
        }

        string was = changed.Headers[header].ToString();
        changed.Headers[header] = change?.Invoke(was) ?? header switch
        {
            "x-amz-date" => "20261130T120001Z",
            "x-amz-content-sha256" => PayloadHash.OfEmpty,
            _ => was + "x",
        };
        return request with { Headers = changed.Headers };
    }

    private Task<S3Exception> RefusedAsync(S3Error error, WireRequest request) =>
        Wire.RefusesAsync(error, () => Verifier.VerifyAsync(request, Cancel).AsTask());
}
