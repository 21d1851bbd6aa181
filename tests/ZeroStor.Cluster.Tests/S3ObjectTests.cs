using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Cluster.Tests;

/// <summary>Buckets and objects as clients of S3 use them, over real connections and real disks.</summary>
public sealed class S3ObjectTests
{
    private const int MiB = 1024 * 1024;

    [Fact]
    public async Task A_bucket_is_made_filled_listed_read_emptied_and_removed()
    {
        await using S3Fabric fabric = await S3Fabric.StartAsync();
        S3Caller s3 = fabric.Caller;
        (await s3.PutAsync("/photos", [])).Is(HttpStatusCode.OK);
        (await s3.PutAsync("/photos", [])).Fails(HttpStatusCode.Conflict, "BucketAlreadyOwnedByYou");
        Assert.Contains("photos", (await s3.GetAsync("/")).Is(HttpStatusCode.OK).All("Name"));
        foreach (int bytes in new[] { 0, 1, 65_537, (5 * MiB) + 1 })
        {
            byte[] content = RandomNumberGenerator.GetBytes(bytes);
            string etag = $"\"{Convert.ToHexStringLower(Md5(content))}\"";
            S3Answer put = (await s3.PutAsync(
                $"/photos/of/{bytes}", content, ("content-type", "image/png"), ("x-amz-meta-who", "me"))).Is(HttpStatusCode.OK);
            Assert.Equal(etag, put["ETag"]);
            S3Answer got = (await s3.GetAsync($"/photos/of/{bytes}")).Is(HttpStatusCode.OK);
            Assert.Equal(content, got.Body);
            Assert.Equal(
                (etag, "image/png", "me"), (got["ETag"], got["Content-Type"], got["x-amz-meta-who"]));
            S3Answer head = (await s3.HeadAsync($"/photos/of/{bytes}")).Is(HttpStatusCode.OK);
            Assert.Equal((etag, $"{bytes}"), (head["ETag"], head["Content-Length"]));
        }

        S3Answer list = (await s3.GetAsync("/photos?list-type=2&prefix=of%2F")).Is(HttpStatusCode.OK);
        Assert.Equal(["of/0", "of/1", "of/5242881", "of/65537"], list.All("Key"));
        Assert.Equal(["of/"], (await s3.GetAsync("/photos?delimiter=%2F")).Xml.Descendants()
            .Where(e => e.Name.LocalName == "CommonPrefixes").Select(e => e.Value));
        (await s3.DeleteAsync("/photos")).Fails(HttpStatusCode.Conflict, "BucketNotEmpty");
        S3Answer deleted = await s3.PostAsync(
            "/photos?delete", "<Delete><Object><Key>of/0</Key></Object><Object><Key>none</Key></Object></Delete>");
        Assert.Equal(["of/0", "none"], deleted.Is(HttpStatusCode.OK).All("Key"));
        (await s3.GetAsync("/photos/of/0")).Fails(HttpStatusCode.NotFound, "NoSuchKey");
        foreach (int bytes in new[] { 1, 65_537, (5 * MiB) + 1 })
        {
            (await s3.DeleteAsync($"/photos/of/{bytes}")).Is(HttpStatusCode.NoContent);
        }

        (await s3.DeleteAsync("/photos/of/1")).Is(HttpStatusCode.NoContent);
        (await s3.DeleteAsync("/photos")).Is(HttpStatusCode.NoContent);
        (await s3.GetAsync("/photos")).Fails(HttpStatusCode.NotFound, "NoSuchBucket");
        (await s3.GetAsync("/photos/of/1")).Fails(HttpStatusCode.NotFound, "NoSuchBucket");
        (await s3.PutAsync("/photos/of/1", [1])).Fails(HttpStatusCode.NotFound, "NoSuchBucket");
    }

    [Fact]
    public async Task Odd_keys_come_back_as_they_went()
    {
        await using S3Fabric fabric = await S3Fabric.StartAsync();
        S3Caller s3 = fabric.Caller;
        string[] keys =
        [
            "a b", "a+b", "a%b", "a%2Fb", "a//b", "/a", "a/", "./a", "../a", "ä€\U0001F600", "a&<>\"'b",
            "a?b#c",
            new string('k', 1024),
        ];
        foreach (string key in keys)
        {
            (await s3.PutAsync($"/default/{Encode(key)}", Encoding.UTF8.GetBytes(key))).Is(HttpStatusCode.OK);
        }

        foreach (string key in keys)
        {
            Assert.Equal(key, (await s3.GetAsync($"/default/{Encode(key)}")).Is(HttpStatusCode.OK).Text);
        }

        Assert.Equal(
            keys.Order(Comparer<string>.Create(ObjectKey.Compare)),
            (await s3.GetAsync("/default")).All("Key"));
        string next = "";
        var paged = new List<string>();
        do
        {
            S3Answer page = (await s3.GetAsync($"/default?list-type=2&max-keys=5{next}")).Is(
                HttpStatusCode.OK);
            paged.AddRange(page.All("Key"));
            next = page.All("NextContinuationToken") is [string token]
                ? $"&continuation-token={Encode(token)}"
                : "";
        }
        while (next.Length > 0);
        Assert.Equal((await s3.GetAsync("/default")).All("Key"), paged);
        (await s3.PutAsync($"/default/{new string('k', 1025)}", [])).Fails(
            HttpStatusCode.BadRequest, "KeyTooLongError");
    }

    [Fact]
    public async Task Ranges_and_conditions_are_answered_as_S3_does()
    {
        await using S3Fabric fabric = await S3Fabric.StartAsync();
        S3Caller s3 = fabric.Caller;
        byte[] content = RandomNumberGenerator.GetBytes(300_000);
        string etag = (await s3.PutAsync("/default/k", content))["ETag"]!;
        foreach ((string range, int from, int length) in new[]
        {
            ("bytes=0-0", 0, 1), ("bytes=65530-65545", 65_530, 16), ("bytes=299999-", 299_999, 1),
            ("bytes=-10", 299_990, 10), ("bytes=100-999999", 100, 299_900), ("bytes=-999999", 0, 300_000),
        })
        {
            S3Answer part = (await s3.GetAsync("/default/k", ("range", range))).Is(
                HttpStatusCode.PartialContent);
            Assert.Equal(content[from..(from + length)], part.Body);
            Assert.Equal($"bytes {from}-{from + length - 1}/300000", part["Content-Range"]);
        }

        (await s3.GetAsync("/default/k", ("range", "bytes=300000-"))).Fails(
            HttpStatusCode.RequestedRangeNotSatisfiable, "InvalidRange");
        Assert.Equal(
            300_000,
            (await s3.GetAsync("/default/k", ("range", "bytes=5-2"))).Is(HttpStatusCode.OK).Body.Length);
        (await s3.GetAsync("/default/k", ("if-none-match", etag))).Is(HttpStatusCode.NotModified);
        (await s3.GetAsync("/default/k", ("if-match", etag))).Is(HttpStatusCode.OK);
        (await s3.GetAsync("/default/k", ("if-match", "\"other\""), ("range", "bytes=300000-"))).Fails(
            HttpStatusCode.PreconditionFailed, "PreconditionFailed");
        (await s3.PutAsync("/default/k", [1], ("if-none-match", "*"))).Fails(
            HttpStatusCode.PreconditionFailed, "PreconditionFailed");
        (await s3.PutAsync("/default/k", [1], ("if-match", "\"other\""))).Fails(
            HttpStatusCode.PreconditionFailed, "PreconditionFailed");
        Assert.Equal(content, (await s3.GetAsync("/default/k")).Body);
        (await s3.PutAsync("/default/k", [2], ("if-match", etag))).Is(HttpStatusCode.OK);
        Assert.Equal([2], (await s3.GetAsync("/default/k")).Body);
        (await s3.PutAsync("/default/new", [3], ("if-match", etag))).Fails(
            HttpStatusCode.NotFound, "NoSuchKey");
    }

    [Fact]
    public async Task A_put_that_is_not_what_it_says_leaves_nothing()
    {
        await using S3Fabric fabric = await S3Fabric.StartAsync();
        S3Caller s3 = fabric.Caller;
        byte[] content = RandomNumberGenerator.GetBytes(2 * MiB);
        (await s3.SendAsync("PUT", "/default/k", content, hash: new string('0', 64))).Fails(
            HttpStatusCode.BadRequest, "XAmzContentSHA256Mismatch");
        (await s3.PutAsync("/default/k", content, ("content-md5", Convert.ToBase64String(new byte[16])))).Fails(
            HttpStatusCode.BadRequest, "BadDigest");
        (await s3.PutAsync("/default/k", content, ("x-amz-checksum-crc32", "AAAAAA=="))).Fails(
            HttpStatusCode.BadRequest, "BadDigest");
        (await s3.GetAsync("/default/k")).Fails(HttpStatusCode.NotFound, "NoSuchKey");
        string sum = Convert.ToBase64String(SHA256.HashData(content));
        S3Answer put = await s3.PutAsync("/default/k", content, ("x-amz-checksum-sha256", sum));
        Assert.Equal(sum, put.Is(HttpStatusCode.OK)["x-amz-checksum-sha256"]);
        Assert.Equal(
            sum,
            (await s3.HeadAsync("/default/k", ("x-amz-checksum-mode", "ENABLED")))["x-amz-checksum-sha256"]);
        Assert.Equal(put["ETag"], (await s3.HeadAsync("/default/k"))["ETag"]);
        Assert.Equal(put["ETag"], (await s3.GetAsync("/default")).One("ETag"));
        (await s3.PutAsync("/default/k", [1], ("if-match", put["ETag"]!))).Is(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Copies_keep_what_they_are_told_to_within_a_bucket_and_between_two()
    {
        await using S3Fabric fabric = await S3Fabric.StartAsync();
        S3Caller s3 = fabric.Caller;
        (await s3.PutAsync("/other", [])).Is(HttpStatusCode.OK);
        byte[] content = RandomNumberGenerator.GetBytes(MiB);
        string etag = (await s3.PutAsync(
            "/default/a%20b", content, ("x-amz-meta-x", "1"), ("x-amz-tagging", "t=1")))["ETag"]!;
        foreach (string target in new[] { "/default/copy", "/other/copy" })
        {
            S3Answer copied = (await s3.PutAsync(target, [], ("x-amz-copy-source", "default/a%20b"))).Is(
                HttpStatusCode.OK);
            Assert.Equal(etag, copied.One("ETag"));
            S3Answer got = (await s3.GetAsync(target)).Is(HttpStatusCode.OK);
            Assert.Equal(content, got.Body);
            Assert.Equal((etag, "1", "1"), (got["ETag"], got["x-amz-meta-x"], got["x-amz-tagging-count"]));
            (await s3.PutAsync(
                target, [], ("x-amz-copy-source", target), ("x-amz-metadata-directive", "REPLACE"), ("x-amz-meta-y", "2")))
                .Is(HttpStatusCode.OK);
            got = await s3.GetAsync(target);
            Assert.Equal(content, got.Body);
            Assert.Equal((null, "2"), (got["x-amz-meta-x"], got["x-amz-meta-y"]));
            (await s3.PutAsync(target, [], ("x-amz-copy-source", target))).Fails(
                HttpStatusCode.BadRequest, "InvalidRequest");
        }

        (await s3.PutAsync("/default/c", [], ("x-amz-copy-source", "/none/k"))).Fails(
            HttpStatusCode.NotFound, "NoSuchBucket");
        (await s3.PutAsync("/default/c", [], ("x-amz-copy-source", "/other/none"))).Fails(
            HttpStatusCode.NotFound, "NoSuchKey");
        (await s3.PutAsync(
            "/default/c", [], ("x-amz-copy-source", "/other/copy"), ("x-amz-copy-source-if-match", "\"x\"")))
            .Fails(HttpStatusCode.PreconditionFailed, "PreconditionFailed");
    }

    [Fact]
    public async Task Who_has_no_valid_key_learns_nothing_and_a_key_opens_what_it_is_for()
    {
        await using S3Fabric fabric = await S3Fabric.StartAsync();
        (await fabric.Caller.PutAsync("/default/k", [1])).Is(HttpStatusCode.OK);
        using S3Caller nobody = fabric.Stranger();
        foreach (
            string target in new[] { "/", "/default", "/none", "/default/k", "/default/none", "/none/k" })
        {
            (await nobody.GetAsync(target)).Fails(HttpStatusCode.Forbidden, "AccessDenied");
        }

        using S3Caller liar = fabric.Stranger("ZS000000000000000000");
        (await liar.GetAsync("/default/k")).Fails(HttpStatusCode.Forbidden, "InvalidAccessKeyId");
        using S3Caller reader = await fabric.CallerAsync(VaultRights.Read | VaultRights.List, "default");
        Assert.Equal([1], (await reader.GetAsync("/default/k")).Is(HttpStatusCode.OK).Body);
        Assert.Equal(["default"], (await reader.GetAsync("/")).All("Name"));
        (await reader.PutAsync("/default/k", [2])).Fails(HttpStatusCode.Forbidden, "AccessDenied");
        (await reader.DeleteAsync("/default/k")).Fails(HttpStatusCode.Forbidden, "AccessDenied");
        (await reader.GetAsync("/none")).Fails(HttpStatusCode.Forbidden, "AccessDenied");
        (await reader.PutAsync("/more", [])).Fails(HttpStatusCode.Forbidden, "AccessDenied");
        AccessKeyInfo known = (await fabric.Client.AccessKeys.ListAsync(TestContext.Current.CancellationToken))[^1];
        Assert.Equal(VaultRights.Read | VaultRights.List, known.Rights);
        Assert.True(await fabric.Client.AccessKeys.RevokeAsync(known.Id, TestContext.Current.CancellationToken));
        await Eventually.HoldsAsync(
            async () => (await reader.GetAsync("/default/k")).Status == HttpStatusCode.Forbidden,
            "a revoked key is refused");
    }

    private static string Encode(string key) =>
        string.Join('/', key.Split('/').Select(Uri.EscapeDataString));

    [SuppressMessage("Security", "CA5351", Justification = "What S3's clients expect of an ETag.")]
    private static byte[] Md5(byte[] content) => MD5.HashData(content);
}
