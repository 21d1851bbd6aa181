using System.Net;
using System.Text;

namespace ZeroStor.Cluster.Tests;

/// <summary>Versions, tags, and what buckets are told, as clients of S3 use them; and public buckets as an
/// origin.</summary>
public sealed class S3SettingsTests
{
    private const string Versioned =
        "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";

    [Fact]
    public async Task A_bucket_that_keeps_versions_gives_each_of_them_and_marks_deletes()
    {
        await using S3Fabric fabric = await S3Fabric.StartAsync();
        S3Caller s3 = fabric.Caller;
        (await s3.PutAsync("/default/k", [0])).Is(HttpStatusCode.OK);
        Assert.Empty((await s3.GetAsync("/default?versioning")).All("Status"));
        (await s3.PutAsync("/default?versioning", Bytes(Versioned))).Is(
            HttpStatusCode.OK);
        Assert.Equal("Enabled", (await s3.GetAsync("/default?versioning")).One("Status"));
        string first = (await s3.PutAsync("/default/k", [1]))["x-amz-version-id"]!;
        string second = (await s3.PutAsync("/default/k", [2]))["x-amz-version-id"]!;
        S3Answer deleted = (await s3.DeleteAsync("/default/k")).Is(HttpStatusCode.NoContent);
        string mark = deleted["x-amz-version-id"]!;
        Assert.Equal("true", deleted["x-amz-delete-marker"]);
        (await s3.GetAsync("/default/k")).Fails(HttpStatusCode.NotFound, "NoSuchKey");
        Assert.Equal([1], (await s3.GetAsync($"/default/k?versionId={first}")).Is(HttpStatusCode.OK).Body);
        Assert.Equal([0], (await s3.GetAsync("/default/k?versionId=null")).Is(HttpStatusCode.OK).Body);
        (await s3.GetAsync($"/default/k?versionId={mark}")).Fails(
            HttpStatusCode.MethodNotAllowed, "MethodNotAllowed");
        (await s3.GetAsync($"/default/k?versionId={mark}", ("range", "bytes=0-0"))).Fails(
            HttpStatusCode.MethodNotAllowed, "MethodNotAllowed");
        (await s3.GetAsync($"/default/k?versionId={new string('a', 32)}")).Fails(
            HttpStatusCode.NotFound, "NoSuchVersion");
        (await s3.GetAsync("/default/k?versionId=x")).Fails(HttpStatusCode.BadRequest, "InvalidArgument");
        S3Answer list = (await s3.GetAsync("/default?versions")).Is(HttpStatusCode.OK);
        Assert.Equal([mark, second, first, "null"], await VersionsAsync(s3, "/default?versions"));
        Assert.Equal(["true", "false", "false", "false"], list.All("IsLatest"));

        // Page by page, and where what a page told was deleted meanwhile.
        S3Answer page = await s3.GetAsync("/default?versions&max-keys=2");
        string behind = $"&key-marker=k&version-id-marker={page.One("NextVersionIdMarker")}";
        Assert.Equal([first, "null"], await VersionsAsync(s3, "/default?versions" + behind));
        (await s3.DeleteAsync($"/default/k?versionId={second}")).Is(HttpStatusCode.NoContent);
        Assert.Equal([mark, first, "null"], await VersionsAsync(s3, "/default?versions" + behind));
        (await s3.DeleteAsync($"/default/k?versionId={mark}")).Is(HttpStatusCode.NoContent);
        Assert.Equal([1], (await s3.GetAsync("/default/k")).Is(HttpStatusCode.OK).Body);
    }

    [Fact]
    public async Task Tags_of_objects_and_buckets_are_put_told_and_deleted()
    {
        await using S3Fabric fabric = await S3Fabric.StartAsync();
        S3Caller s3 = fabric.Caller;
        byte[] tags = Bytes("<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>");
        (await s3.PutAsync("/default/k", [0])).Is(HttpStatusCode.OK);
        Assert.Empty((await s3.GetAsync("/default/k?tagging")).All("Tag"));
        (await s3.PutAsync("/default/k?tagging", tags)).Is(HttpStatusCode.OK);
        Assert.Equal(
            ("a", "1"),
            ((await s3.GetAsync("/default/k?tagging")).One("Key"), (await s3.GetAsync("/default/k?tagging")).One("Value")));
        (await s3.DeleteAsync("/default/k?tagging")).Is(HttpStatusCode.NoContent);
        Assert.Empty((await s3.GetAsync("/default/k?tagging")).All("Tag"));
        (await s3.GetAsync("/default?tagging")).Fails(HttpStatusCode.NotFound, "NoSuchTagSet");
        (await s3.PutAsync("/default?tagging", tags)).Is(HttpStatusCode.NoContent);
        Assert.Equal("a", (await s3.GetAsync("/default?tagging")).One("Key"));
        (await s3.DeleteAsync("/default?tagging")).Is(HttpStatusCode.NoContent);
        (await s3.GetAsync("/default?tagging")).Fails(HttpStatusCode.NotFound, "NoSuchTagSet");
    }

    [Fact]
    public async Task A_public_bucket_is_an_origin_for_everybody_and_nothing_more()
    {
        await using S3Fabric fabric = await S3Fabric.StartAsync();
        S3Caller s3 = fabric.Caller;
        (await s3.PutAsync("/site", [], ("x-amz-acl", "public-read"))).Is(HttpStatusCode.OK);
        string etag = (await s3.PutAsync("/site/a.css", Bytes("body{}"), ("cache-control", "max-age=60"), ("content-type", "text/css")))["ETag"]!;
        using S3Caller everybody = fabric.Stranger();
        S3Answer got = (await everybody.GetAsync("/site/a.css")).Is(HttpStatusCode.OK);
        Assert.Equal(
            ("body{}", etag, "max-age=60", "text/css", "bytes"),
            (got.Text, got["ETag"], got["Cache-Control"], got["Content-Type"], got["Accept-Ranges"]));
        Assert.NotNull(got["Last-Modified"]);
        (await everybody.HeadAsync("/site/a.css")).Is(HttpStatusCode.OK);
        Assert.Equal(
            "od",
            (await everybody.GetAsync("/site/a.css", ("range", "bytes=1-2"))).Is(HttpStatusCode.PartialContent).Text);
        (await everybody.GetAsync("/site/a.css", ("if-modified-since", got["Last-Modified"]!))).Is(
            HttpStatusCode.NotModified);
        (await everybody.GetAsync("/site/none")).Fails(HttpStatusCode.NotFound, "NoSuchKey");
        (await everybody.GetAsync("/site")).Fails(HttpStatusCode.Forbidden, "AccessDenied");
        (await everybody.PutAsync("/site/b", [1])).Fails(HttpStatusCode.Forbidden, "AccessDenied");
        (await everybody.GetAsync("/site/a.css?tagging")).Fails(HttpStatusCode.Forbidden, "AccessDenied");
        (await s3.PutAsync("/site?acl", [], ("x-amz-acl", "private"))).Is(HttpStatusCode.OK);
        (await everybody.GetAsync("/site/a.css")).Fails(HttpStatusCode.Forbidden, "AccessDenied");
        const string Policy = """
            {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",
            "Action":["s3:GetObject"],"Resource":"arn:aws:s3:::site/*"}]}
            """;
        (await s3.GetAsync("/site?policy")).Fails(HttpStatusCode.NotFound, "NoSuchBucketPolicy");
        (await s3.PutAsync("/site?policy", Bytes(Policy.Replace("Allow", "Deny", StringComparison.Ordinal)))).Fails(
            HttpStatusCode.NotImplemented, "NotImplemented");
        (await s3.PutAsync("/site?policy", Bytes(Policy))).Is(HttpStatusCode.NoContent);
        Assert.Equal(Policy, (await s3.GetAsync("/site?policy")).Text);
        Assert.Equal("true", (await s3.GetAsync("/site?policyStatus")).One("IsPublic"));
        (await everybody.GetAsync("/site/a.css")).Is(HttpStatusCode.OK);
    }

    [Fact]
    public async Task An_origin_speaks_HTTP_2_to_a_proxy_that_begins_with_it()
    {
        await using S3Fabric fabric = await S3Fabric.StartAsync(
            o => o.Http2Endpoint = new IPEndPoint(IPAddress.Loopback, 0));
        (await fabric.Caller.PutAsync("/site", [], ("x-amz-acl", "public-read"))).Is(HttpStatusCode.OK);
        (await fabric.Caller.PutAsync("/site/k", [1, 2, 3])).Is(HttpStatusCode.OK);
        using var proxy = new HttpClient
        {
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using HttpResponseMessage got = await proxy.GetAsync(
            new Uri(fabric.Addresses[1] + "/site/k"), TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.OK, HttpVersion.Version20), (got.StatusCode, got.Version));
        Assert.Equal(
            [1, 2, 3], await got.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Pages_of_other_origins_may_ask_as_far_as_the_bucket_lets_them()
    {
        await using S3Fabric fabric = await S3Fabric.StartAsync();
        S3Caller s3 = fabric.Caller;
        using S3Caller browser = fabric.Stranger();
        (string, string)[] asks =
        [
            ("origin", "https://a.example"), ("access-control-request-method", "PUT"),
            ("access-control-request-headers", "x-amz-date"),
        ];
        (await browser.SendAsync("OPTIONS", "/default/k", [], asks)).Fails(
            HttpStatusCode.Forbidden, "AccessDenied");
        (await browser.SendAsync("OPTIONS", "/none/k", [], asks)).Fails(
            HttpStatusCode.Forbidden, "AccessDenied");
        const string Rules = "<CORSConfiguration><CORSRule><AllowedOrigin>https://*.example</AllowedOrigin>"
            + "<AllowedMethod>PUT</AllowedMethod><AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>"
            + "<MaxAgeSeconds>60</MaxAgeSeconds></CORSRule></CORSConfiguration>";
        (await s3.PutAsync("/default?cors", Bytes(Rules))).Is(HttpStatusCode.OK);
        Assert.Equal("https://*.example", (await s3.GetAsync("/default?cors")).One("AllowedOrigin"));
        S3Answer allowed = default!;
        await Eventually.HoldsAsync(
            async () =>
            {
                allowed = await browser.SendAsync("OPTIONS", "/default/k", [], asks);
                return allowed.Status == HttpStatusCode.OK;
            },
            "the rules are known");
        Assert.Equal(("https://a.example", "PUT", "x-amz-date", "60"), (
            allowed["Access-Control-Allow-Origin"], allowed["Access-Control-Allow-Methods"],
            allowed["Access-Control-Allow-Headers"], allowed["Access-Control-Max-Age"]));
        S3Answer put = await s3.PutAsync("/default/k", [1], ("origin", "https://a.example"));
        Assert.Equal(
            ("https://a.example", "ETag"),
            (put["Access-Control-Allow-Origin"], put["Access-Control-Expose-Headers"]));
        Assert.Null(
            (await s3.PutAsync("/default/k", [1], ("origin", "https://b.test")))["Access-Control-Allow-Origin"]);
    }

    private static async Task<string[]> VersionsAsync(S3Caller s3, string target) =>
        [.. (await s3.GetAsync(target)).Xml.Elements().Where(
            e => e.Name.LocalName is "Version" or "DeleteMarker")
            .Select(e => e.Elements().Single(v => v.Name.LocalName == "VersionId").Value)];

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
