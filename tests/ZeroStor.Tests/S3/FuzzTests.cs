using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using ZeroStor.S3;
using ZeroStor.S3.Bodies;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Listing;
using ZeroStor.S3.Protocol;
using ZeroStor.S3.Signing;
using ZeroStor.S3.Xml;
using ZeroStor.Tests.Proofs;

namespace ZeroStor.Tests.S3;

/// <summary>Ten thousand inputs of each kind that are good ones with pieces changed, cut, doubled or mixed:
/// each is taken or refused as S3 refuses, with no other exception, and what is refused is no fault of the
/// server.</summary>
public sealed class FuzzTests
{
    private const int Inputs = 10_000;

    private static readonly DateTimeOffset Now = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private static readonly string[] Documents =
    [
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>a</ETag></Part>"
        + "</CompleteMultipartUpload>",
        "<Delete><Quiet>true</Quiet><Object><Key>a&amp;b</Key><VersionId>v</VersionId></Object></Delete>",
        "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>",
        "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
        "<CreateBucketConfiguration><LocationConstraint>eu</LocationConstraint></CreateBucketConfiguration>",
        "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
        + "<MaxAgeSeconds>5</MaxAgeSeconds></CORSRule></CORSConfiguration>",
        "<AccessControlPolicy><AccessControlList><Grant><Grantee xmlns:x=\"u\" x:type=\"CanonicalUser\">"
        + "<ID>1</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList>"
        + "</AccessControlPolicy>",
        "<!DOCTYPE a [<!ENTITY e \"x\"><!ENTITY f \"&e;&e;\">]><Delete>&f;</Delete>",
    ];

    private static readonly string[] Targets =
    [
        "/photos/a%20b?partNumber=1&uploadId=u%2F", "/photos?list-type=2&prefix=a%2F&max-keys=5&delimiter=/",
        "/photos?versions&key-marker=a&version-id-marker=b", "/?x=y", "//a/../b",
        "/photos/%C3%A4?tagging&versionId=v", "/photos/a/?partNumber=2&versionId=null",
        "/photos?uploads&encoding-type=url&max-uploads=3", "/photos/a?response-content-type=text/plain",
    ];

    private static readonly (string Name, string Value)[] Headers =
    [
        ("Host", "photos.s3.example.com:9000"), ("Range", "bytes=0-9"), ("If-Match", "\"e\", W/\"f\""),
        ("If-Modified-Since", "Mon, 30 Nov 2026 12:00:00 GMT"),
        ("x-amz-copy-source", "/photos/a%20b?versionId=v"), ("x-amz-copy-source-range", "bytes=0-9"),
        ("x-amz-meta-a", "b"), ("x-amz-tagging", "a=1&b=2"), ("x-amz-acl", "public-read"),
        ("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="), ("x-amz-checksum-crc32", "AAAAAA=="),
        ("x-amz-trailer", "x-amz-checksum-sha1"), ("x-amz-sdk-checksum-algorithm", "SHA256"),
        ("Content-Length", "100"), ("x-amz-decoded-content-length", "50"),
        ("Content-Encoding", "aws-chunked"), ("x-amz-server-side-encryption", "AES256"),
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("x-amz-metadata-directive", "REPLACE"), ("x-amz-object-attributes", "ETag,ObjectSize"),
        ("x-amz-checksum-algorithm", "CRC32C"), ("x-amz-checksum-type", "FULL_OBJECT"),
        ("x-amz-max-parts", "5"),
    ];

    [Fact]
    public async Task Documents_of_XML() => await Seeds.ForEachAsync(4, seed =>
    {
        var chance = new Mutator(seed);
        for (int i = 0; i < Inputs / 4; i++)
        {
            byte[] document = chance.Bytes(Encoding.UTF8.GetBytes(chance.Pick(Documents)), Documents);
            Bear(() => CompleteUploadDocument.Read(document));
            Bear(() => DeleteDocument.Read(document));
            Bear(() => ConfigurationDocuments.ReadTagging(document, 10));
            Bear(() => ConfigurationDocuments.ReadVersioning(document));
            Bear(() => ConfigurationDocuments.ReadCreateBucket(document));
            Bear(() => ConfigurationDocuments.ReadCors(document));
            Bear(() => ConfigurationDocuments.ReadAcl(document));
        }

        return Task.CompletedTask;
    });

    [Fact]
    public async Task Targets_and_headers() => await Seeds.ForEachAsync(4, seed =>
    {
        var chance = new Mutator(seed);
        for (int i = 0; i < Inputs / 4; i++)
        {
            WireRequest request = Wire.Request(
                chance.Pick(["GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "BREW"]),
                chance.Text(chance.Pick(Targets), Targets),
                [
                    .. Headers.Where(_ => chance.Next(3) == 0)
                        .Select(h => (h.Name, chance.Text(h.Value, Targets))),
                ]);
            Bear(() => S3Request.Parse(request, ["s3.example.com"]).PartNumber);
            Bear(() => S3Request.Parse(request, []).UploadId);
            BearHeaders(request);
            Bear(() => BearListings(QueryParameters.Parse(request.RawQuery)));
        }

        return Task.CompletedTask;
    });

    [Fact]
    public async Task Frames_of_chunks() => await Seeds.ForEachAsync(4, async seed =>
    {
        var chance = new Mutator(seed);
        var signer = new TestSigner(Now);
        SignatureVerifier verifier = new(new KeyBook(KeyBook.Test), new FakeTimeProvider(Now));
        for (int i = 0; i < Inputs / 4; i++)
        {
            bool isSigned = chance.Next(2) == 0;
            string payload = isSigned
                ? "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
                : "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
            WireRequest request = signer.Sign(
                Wire.Request("PUT", "/b/k", ("Host", "h"), ("x-amz-decoded-content-length", "20")), payload);
            byte[] good = isSigned
                ? signer.Chunks(request, new byte[20], [20], "x-amz-checksum-crc32:AAAAAA==")
                : "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"u8
                    .ToArray();
            byte[] framed = chance.Bytes(good, ["\r\n", "0\r\n\r\n", ";chunk-signature=", "ffffffff"]);
            Caller caller = await verifier.VerifyAsync(request, Cancel);
            await using var body = BodyStream.Open(
                request, caller, Wire.Pipe(framed, framed.Length / 2), long.MaxValue);
            await BearAsync(async () =>
            {
                byte[] content = await Wire.ReadAllAsync(body, 1 + chance.Next(30), Cancel);
                Assert.Equal(20, content.Length);
                Assert.True(!isSigned || content.All(b => b == 0), "Bytes that nobody signed came through.");
            });
        }
    });

    [Fact]
    public async Task Signatures() => await Seeds.ForEachAsync(4, async seed =>
    {
        var chance = new Mutator(seed);
        var signer = new TestSigner(Now);
        SignatureVerifier verifier = new(new KeyBook(KeyBook.Test), new FakeTimeProvider(Now));
        WireRequest plain = Wire.Request("GET", "/photos/a?b=1", ("Host", "h"), ("x-amz-meta-a", "b"));
        WireRequest bare = Wire.Request("GET", "/photos/a?b=1", ("Host", "h"));
        for (int i = 0; i < Inputs / 4; i++)
        {
            WireRequest good = chance.Next(2) == 0 ? signer.Sign(plain) : signer.Presign(bare, 60);
            string[] names = [.. good.Headers.Keys];
            string changed = chance.Pick(["", .. names]);
            var headers = new HeaderDictionary();
            foreach (string name in names)
            {
                string value = good.Headers[name].ToString();
                headers[name] = name == changed ? chance.Text(value, [value, ";", ",", "="]) : value;
            }

            WireRequest request = good with { Headers = headers };
            request = changed.Length > 0 ? request : request with
            {
                RawQuery = chance.Text(good.RawQuery, ["&X-Amz-Date=", "&X-Amz-Expires=9", "&a", "%"]),
            };
            await BearAsync(async () =>
            {
                Caller caller = await verifier.VerifyAsync(request, Cancel);
                bool isClaimed = request.Headers.Authorization.Count > 0
                    || Wire.Query(request.RawQuery).Has("X-Amz-Algorithm");
                Assert.True(caller.IsAnonymous != isClaimed);
            });
        }
    });

    private static void BearHeaders(WireRequest request)
    {
        Bear(() => RangeHeader.Parse(request.Header("Range"))?.Resolve(10));
        Bear(() => RangeHeader.ParseCopy(request.Header("x-amz-copy-source-range") ?? "").ResolveCopy(10));
        Bear(() => ReadConditions.OfRead(request).Judge("e", Now));
        Bear(() => ReadConditions.OfCopySource(request).Judge("e", Now));
        Bear(() => WriteConditions.OfPut(request));
        Bear(() => WriteConditions.OfDelete(request));
        Bear(() => CopySource.Parse(request.Header("x-amz-copy-source") ?? ""));
        Bear(() => ObjectHeaders.Read(request));
        Bear(() => CopyDirectives.Read(request, CopyDirectives.OfHeaders));
        Bear(() => AttributesHeader.Read(request));
        Bear(() => UploadChecksum.Read(request));
        Bear(() => ListPartsQuery.OfAttributes(request));
        Bear(() => TagSet.OfHeader(request.Header("x-amz-tagging")));
        Bear(() => CannedAcls.Parse(request.Header("x-amz-acl")));
        Bear(() => { UnsupportedHeaders.Refuse(request); return 0; });
        Bear(() =>
        {
            var payload = PayloadHash.Parse(request.Header(PayloadHash.Header) ?? "UNSIGNED-PAYLOAD");
            return BodyDeclaration.Read(request, payload, 1000);
        });
    }

    private static int BearListings(QueryParameters query)
    {
        Bear(() => new ListObjectsQuery(query, isSecond: true));
        Bear(() => new ListObjectsQuery(query, isSecond: false));
        Bear(() => ListManyQuery.OfVersions(query));
        Bear(() => ListManyQuery.OfUploads(query));
        Bear(() => ListPartsQuery.OfUpload(query));
        Bear(() => ResponseOverrides.Read(query, isAnonymous: false));
        return 0;
    }

    private static void Bear<T>(Func<T> act)
    {
        try
        {
            act();
        }
        catch (S3Exception refusal)
        {
            Judge(refusal);
        }
    }

    private static async Task BearAsync(Func<Task> act)
    {
        try
        {
            await act();
        }
        catch (S3Exception refusal)
        {
            Judge(refusal);
        }
    }

    private static void Judge(S3Exception refusal)
    {
        bool isCallers = refusal.Error.Status is >= 400 and < 500 || refusal.Error == S3Error.NotImplemented;
        Assert.True(isCallers, $"{refusal.Error.Code} is no refusal of what a caller sent.");
        Assert.NotEmpty(Wire.Written(b => ErrorAnswer.Write(b, refusal, "/", "ID")));
    }
}
