using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using ZeroStor.Client;
using ZeroStor.S3;
using ZeroStor.S3.Hosting;
using ZeroStor.S3.Signing;
using ZeroStor.Tests.Client;

namespace ZeroStor.Tests.S3.Hosting;

/// <summary>The way of a request from its first line to its answer, over a fabric in memory.</summary>
public sealed class S3EndpointTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 30, 1, 2, 3, TimeSpan.Zero);

    private readonly FakeFabric _fabric = new();
    private readonly TestSigner _signer = new(Now);
    private readonly S3Endpoint _endpoint;

    public S3EndpointTests() => _endpoint = Make(new KeyBook(KeyBook.Test));

    [Fact]
    public async Task An_object_is_put_read_and_deleted()
    {
        Answer put = await SendAsync("PUT", "/vault/k", "hello", ("content-type", "text/plain"));
        Assert.Equal((200, "\"5d41402abc4b2a76b9719d911017c592\""), (put.Status, put["ETag"]));
        Answer got = await SendAsync("GET", "/vault/k");
        Assert.Equal(
            (200, "hello", "text/plain", "5"),
            (got.Status, got.Text, got["Content-Type"], got["Content-Length"]));
        Assert.Equal(put["ETag"], (await SendAsync("HEAD", "/vault/k"))["ETag"]);
        Assert.Equal(204, (await SendAsync("DELETE", "/vault/k")).Status);
        Answer missing = await SendAsync("GET", "/vault/k");
        Assert.Equal((404, "NoSuchKey"), (missing.Status, missing.Code));
        Assert.Equal(missing["x-amz-request-id"], missing.Element("RequestId"));
        Assert.Equal("/vault/k", missing.Element("Resource"));
    }

    [Theory]
    [InlineData(ErrorKind.Busy, 503, "SlowDown")]
    [InlineData(ErrorKind.Unavailable, 503, "ServiceUnavailable")]
    [InlineData(ErrorKind.PolicyUnsatisfiable, 503, "ServiceUnavailable")]
    [InlineData(ErrorKind.Corrupt, 500, "InternalError")]
    public async Task What_the_fabric_suffers_is_told_without_what_it_is(
        ErrorKind kind, int status, string code)
    {
        await SendAsync("PUT", "/vault/k", "hello", ("cache-control", "max-age=1"));
        _fabric.Before = (_, method, _) => method is "head" or "describe"
            ? Task.CompletedTask
            : throw new ZeroStorException(kind, "disk 5 of silo 7");
        Answer failed = await SendAsync("GET", "/vault/k");
        Assert.Equal((status, code), (failed.Status, failed.Code));
        Assert.DoesNotContain("disk 5", failed.Text, StringComparison.Ordinal);
        Assert.Equal(status == 503 ? "1" : null, failed["Retry-After"]);

        // What was to be told of the object would be believed of the error.
        Assert.Equal((null, null), (failed["ETag"], failed["Cache-Control"]));
    }

    [Fact]
    public async Task A_defect_is_an_internal_error_and_tells_nothing_of_itself()
    {
        Answer failed = await SendAsync(Make(new BrokenKeys()), "GET", "/vault/k", "");
        Assert.Equal((500, "InternalError"), (failed.Status, failed.Code));
        Assert.DoesNotContain("secret of the defect", failed.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ten_thousand_signed_requests_of_nonsense_meet_no_defect_and_a_good_one_goes_through()
    {
        string[] methods = ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"];
        string[] paths = ["/", "/vault", "/vault/", "/vault/k", "/vault/k%20", "/none", "/none/k", "/vault//", "/vault/%ff"];
        string[] queries =
        [
            "acl", "policy", "policyStatus", "cors", "tagging", "versioning", "versions", "uploads", "location", "delete",
            "list-type=2", "list-type=x", "uploadId=0123456789abcdef0123456789abcdef", "uploadId=x", "partNumber=1",
            "partNumber=0", "versionId=null", "versionId=x", "max-keys=2", "max-keys=-1", "max-keys=0", "prefix=a",
            "delimiter=/", "marker=k", "continuation-token=x", "attributes", "lifecycle", "encoding-type=url", "x=%",
        ];
        (string, string)[] headers =
        [
            ("range", "bytes=0-"), ("range", "bytes=9-"), ("range", "bytes=-0"), ("range", "x"), (
                "if-match", "\"x\""),
            ("if-none-match", "*"), ("if-modified-since", "x"), ("x-amz-copy-source", "/vault/k"),
            ("x-amz-copy-source", "x"), ("x-amz-copy-source-range", "bytes=0-1"), (
                "x-amz-acl", "public-read"),
            ("x-amz-acl", "x"), ("x-amz-tagging", "a=1&a=1"), ("x-amz-checksum-crc32", "x"), (
                "content-md5", "x"),
            ("x-amz-object-attributes", "ETag,x"), ("x-amz-server-side-encryption", "aws:kms"), (
                "origin", "http://a"),
            ("x-amz-sdk-checksum-algorithm", "CRC32"), ("x-amz-metadata-directive", "REPLACE"),
        ];
        string[] bodies =
        [
            "", "x", "<Delete/>", "<Delete><Object><Key>k</Key></Object></Delete>", "<Tagging><TagSet/></Tagging>",
            "<!DOCTYPE a><a/>", "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part>"
            + "</CompleteMultipartUpload>", "{\"Statement\":[{}]}", "<VersioningConfiguration/>", new string('<', 5000),
        ];
        var random = new Random(5);
        T One<T>(T[] from) => from[random.Next(from.Length)];
        for (int i = 0; i < 10_000; i++)
        {
            string query = string.Join('&', Enumerable.Range(0, random.Next(3)).Select(_ => One(queries)));
            (string, string)[] some = [.. Enumerable.Range(0, random.Next(3)).Select(_ => One(headers)).DistinctBy(h => h.Item1)];
            (string method, string target) = (
                One(methods), One(paths) + (query.Length > 0 ? "?" + query : ""));
            Answer answer = await SendAsync(method, target, One(bodies), some);
            Assert.True(answer.Status != 500, $"request {i}: {method} {target}: {answer.Text}");
        }

        Assert.Equal(200, (await SendAsync("PUT", "/vault/k", "hello")).Status);
        Assert.Equal("hello", (await SendAsync("GET", "/vault/k")).Text);
        Assert.Equal(0, _fabric.OpenSlots);
    }

    private S3Endpoint Make(IAccessKeys keys) => new(
        new ZeroStorClient(_fabric.Connect(configure: o => o.Patience = TimeSpan.Zero)),
        keys,
        new S3Options(),
        new FakeTimeProvider(Now),
        new SeededEntropy(3),
        NullLogger<S3Endpoint>.Instance);

    private Task<Answer> SendAsync(
        string method, string target, string body = "", params (string, string)[] headers) =>
        SendAsync(_endpoint, method, target, body, headers);

    private async Task<Answer> SendAsync(
        S3Endpoint endpoint, string method, string target, string body, params (string, string)[] headers)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(body);
        WireRequest signed = _signer.Sign(Wire.Request(
            method, target, [("Host", "localhost"), ("Content-Length", $"{bytes.Length}"), .. headers]));
        var http = new DefaultHttpContext();
        http.Request.Method = method;
        http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = target;
        foreach ((string name, var value) in signed.Headers)
        {
            http.Request.Headers[name] = value;
        }

        http.Request.Body = new MemoryStream(bytes);
        var answered = new MemoryStream();
        http.Response.Body = answered;
        await endpoint.AnswerAsync(http);
        return new Answer(
            http.Response.StatusCode, http.Response.Headers, Encoding.UTF8.GetString(answered.ToArray()));
    }

    private sealed record Answer(int Status, IHeaderDictionary Headers, string Text)
    {
        public string Code => Element("Code");

        public string? this[string header] =>
            Headers.TryGetValue(header, out var value) ? value.ToString() : null;

        public string Element(string name) => XDocument.Parse(Text).Root!.Element(name)!.Value;
    }

    private sealed class BrokenKeys : IAccessKeys
    {
        public ValueTask<AccessKey?> FindAsync(string accessKey, CancellationToken cancel) =>
            throw new InvalidOperationException("secret of the defect");
    }
}
