using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Security.Cryptography;

namespace ZeroStor.Cluster.Tests;

/// <summary>Multipart uploads as clients of S3 make them.</summary>
public sealed class S3UploadTests
{
    private const int PartBytes = 300_000;

    [Fact]
    public async Task Parts_in_any_order_become_one_object_called_as_clients_expect()
    {
        await using S3Fabric fabric = await S3Fabric.StartAsync(o => o.MinPartBytes = PartBytes);
        S3Caller s3 = fabric.Caller;
        string id = (await s3.PostAsync("/default/k?uploads", "", ("content-type", "text/plain"))).One(
            "UploadId");
        byte[][] parts =
            [.. Enumerable.Range(0, 3).Select(i => RandomNumberGenerator.GetBytes(PartBytes + i))];
        string[] etags = new string[3];
        foreach (int i in new[] { 2, 0, 1, 0 })
        {
            etags[i] = (await s3.PutAsync($"/default/k?partNumber={i + 1}&uploadId={id}", parts[i]))["ETag"]!;
            Assert.Equal($"\"{Convert.ToHexStringLower(Md5(parts[i]))}\"", etags[i]);
        }

        S3Answer listed = (await s3.GetAsync($"/default/k?uploadId={id}&max-parts=2")).Is(HttpStatusCode.OK);
        Assert.Equal(["1", "2"], listed.All("PartNumber"));
        Assert.Equal(("2", "true"), (listed.One("NextPartNumberMarker"), listed.One("IsTruncated")));
        Assert.Equal(
            ["3"], (await s3.GetAsync($"/default/k?uploadId={id}&part-number-marker=2")).All("PartNumber"));
        Assert.Equal([id], (await s3.GetAsync("/default?uploads")).All("UploadId"));
        (await s3.GetAsync("/default/k")).Fails(HttpStatusCode.NotFound, "NoSuchKey");
        string document = Document([1, 2, 3], etags);
        S3Answer completed = (await s3.PostAsync($"/default/k?uploadId={id}", document)).Is(
            HttpStatusCode.OK);
        string expected = $"\"{Convert.ToHexStringLower(Md5([.. parts.SelectMany(Md5)]))}-3\"";
        Assert.Equal(expected, completed.One("ETag"));
        S3Answer got = await s3.GetAsync("/default/k");
        Assert.Equal(parts.SelectMany(p => p), got.Body);
        Assert.Equal((expected, "text/plain"), (got["ETag"], got["Content-Type"]));

        // A client whose answer was lost asks again.
        Assert.Equal(expected, (await s3.PostAsync($"/default/k?uploadId={id}", document)).One("ETag"));
        (await s3.PutAsync($"/default/k?partNumber=1&uploadId={id}", parts[0])).Fails(
            HttpStatusCode.NotFound, "NoSuchUpload");
        Assert.Empty((await s3.GetAsync("/default?uploads")).All("UploadId"));
    }

    [Fact]
    public async Task What_is_wrong_with_a_completion_is_told_and_the_upload_goes_on()
    {
        await using S3Fabric fabric = await S3Fabric.StartAsync(o => o.MinPartBytes = PartBytes);
        S3Caller s3 = fabric.Caller;
        string id = (await s3.PostAsync("/default/k?uploads", "")).One("UploadId");
        string small = (await s3.PutAsync($"/default/k?partNumber=1&uploadId={id}", [1]))["ETag"]!;
        string last = (await s3.PutAsync($"/default/k?partNumber=2&uploadId={id}", [2]))["ETag"]!;
        await FailsAsync(Document([1, 2], [small, last]), "EntityTooSmall");
        await FailsAsync(Document([2, 1], [last, small]), "InvalidPartOrder");
        await FailsAsync(Document([1, 3], [small, last]), "InvalidPart");
        await FailsAsync(Document([2], [small]), "InvalidPart");
        await FailsAsync("<CompleteMultipartUpload/>", "MalformedXML");
        (await s3.PostAsync($"/default/k?uploadId={id}", Document([2], [last]))).Is(HttpStatusCode.OK);
        Assert.Equal([2], (await s3.GetAsync("/default/k")).Body);
        id = (await s3.PostAsync("/default/k?uploads", "")).One("UploadId");
        (await s3.DeleteAsync($"/default/k?uploadId={id}")).Is(HttpStatusCode.NoContent);
        (await s3.DeleteAsync($"/default/k?uploadId={id}")).Fails(HttpStatusCode.NotFound, "NoSuchUpload");
        (await s3.PutAsync("/default/k?partNumber=1&uploadId=none", [1])).Fails(
            HttpStatusCode.NotFound, "NoSuchUpload");
        (await s3.PutAsync($"/default/k?partNumber=10001&uploadId={id}", [1])).Fails(
            HttpStatusCode.BadRequest, "InvalidArgument");

        async Task FailsAsync(string document, string code) =>
            (await s3.PostAsync($"/default/k?uploadId={id}", document)).Fails(
                HttpStatusCode.BadRequest, code);
    }

    [Fact]
    public async Task Parts_are_copied_and_checksums_of_parts_become_that_of_the_object()
    {
        await using S3Fabric fabric = await S3Fabric.StartAsync(o => o.MinPartBytes = 1);
        S3Caller s3 = fabric.Caller;
        byte[] source = RandomNumberGenerator.GetBytes(PartBytes);
        (await s3.PutAsync("/default/source", source)).Is(HttpStatusCode.OK);
        string id = (await s3.PostAsync("/default/k?uploads", "")).One("UploadId");
        string copied = (await s3.PutAsync(
            $"/default/k?partNumber=1&uploadId={id}",
            [],
            ("x-amz-copy-source", "/default/source"),
            ("x-amz-copy-source-range", "bytes=1000-1999"))).Is(HttpStatusCode.OK).One("ETag");
        string put = (await s3.PutAsync($"/default/k?partNumber=2&uploadId={id}", [1, 2]))["ETag"]!;
        (await s3.PostAsync($"/default/k?uploadId={id}", Document([1, 2], [copied, put]))).Is(
            HttpStatusCode.OK);
        Assert.Equal([.. source[1000..2000], 1, 2], (await s3.GetAsync("/default/k")).Body);

        id = (await s3.PostAsync("/default/s?uploads", "", ("x-amz-checksum-algorithm", "SHA256"))).One(
            "UploadId");
        string sum = Convert.ToBase64String(SHA256.HashData(source));
        S3Answer part = await s3.PutAsync(
            $"/default/s?partNumber=1&uploadId={id}", source, ("x-amz-checksum-sha256", sum));
        Assert.Equal(sum, part.Is(HttpStatusCode.OK)["x-amz-checksum-sha256"]);
        (
            await s3.PutAsync($"/default/s?partNumber=1&uploadId={id}", source, ("x-amz-checksum-crc32", "AAAAAA==")))
            .Fails(HttpStatusCode.BadRequest, "InvalidRequest");
        S3Answer completed = await s3.PostAsync($"/default/s?uploadId={id}", Document([1], [part["ETag"]!]));
        string whole = Convert.ToBase64String(SHA256.HashData(SHA256.HashData(source))) + "-1";
        Assert.Equal((whole, "COMPOSITE"), (completed.One("ChecksumSHA256"), completed.One("ChecksumType")));
        S3Answer attributes = await s3.GetAsync(
            "/default/s?attributes", ("x-amz-object-attributes", "ETag,Checksum,ObjectParts,ObjectSize"));
        Assert.Equal(
            (whole, "1", $"{PartBytes}"),
            (attributes.One("ChecksumSHA256"), attributes.One("PartsCount"), attributes.One("ObjectSize")));
    }

    private static string Document(int[] numbers, string[] etags) =>
        "<CompleteMultipartUpload>"
        + string.Concat(numbers.Zip(
            etags, (n, e) => $"<Part><PartNumber>{n}</PartNumber><ETag>{e}</ETag></Part>"))
        + "</CompleteMultipartUpload>";

    [SuppressMessage("Security", "CA5351", Justification = "What S3's clients expect of an ETag.")]
    private static byte[] Md5(byte[] content) => MD5.HashData(content);
}
