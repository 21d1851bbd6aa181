using System.Text;
using ZeroStor.S3.Bodies;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Protocol;
using ZeroStor.S3.Xml;

namespace ZeroStor.Tests.S3.Xml;

public sealed class RequestDocumentsTests
{
    [Fact]
    public void The_parts_of_an_upload_are_read()
    {
        var parts = CompleteUploadDocument.Read("""
            <CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
              <Part><ETag>"a"</ETag><PartNumber>1</PartNumber></Part>
              <Part><PartNumber> 3 </PartNumber><ETag>&quot;b&quot;</ETag>
                <ChecksumCRC32C>AAAAAA==</ChecksumCRC32C></Part>
            </CompleteMultipartUpload>
            """u8);
        Assert.Equal(
            [
                new NamedPart(1, "a", null, null),
                new NamedPart(3, "b", ChecksumAlgorithm.Crc32C, "AAAAAA=="),
            ],
            parts);
    }

    [Theory]
    [InlineData("", "MalformedXML")]
    [InlineData("<Part><PartNumber>0</PartNumber><ETag>a</ETag></Part>", "MalformedXML")]
    [InlineData("<Part><PartNumber>10001</PartNumber><ETag>a</ETag></Part>", "MalformedXML")]
    [InlineData("<Part><PartNumber>one</PartNumber><ETag>a</ETag></Part>", "MalformedXML")]
    [InlineData("<Part><PartNumber>1</PartNumber></Part>", "MalformedXML")]
    [InlineData(
        "<Part><PartNumber>1</PartNumber><ETag>a</ETag><ChecksumSHA1>a</ChecksumSHA1>"
        + "<ChecksumCRC32>b</ChecksumCRC32></Part>",
        "MalformedXML")]
    [InlineData(
        "<Part><PartNumber>2</PartNumber><ETag>a</ETag></Part>"
        + "<Part><PartNumber>1</PartNumber><ETag>a</ETag></Part>",
        "InvalidPartOrder")]
    [InlineData(
        "<Part><PartNumber>2</PartNumber><ETag>a</ETag></Part>"
        + "<Part><PartNumber>2</PartNumber><ETag>a</ETag></Part>",
        "InvalidPartOrder")]
    public void Parts_that_are_none_are_refused(string inner, string code) => Refused(code, () =>
        CompleteUploadDocument.Read(Bytes($"<CompleteMultipartUpload>{inner}</CompleteMultipartUpload>")));

    [Fact]
    public void Ten_thousand_parts_fit_and_one_more_does_not()
    {
        string Parts(int count) => "<CompleteMultipartUpload>"
            + string.Concat(Enumerable.Range(1, count).Select(n =>
                $"<Part><PartNumber>{Math.Min(n, 10_000)}</PartNumber><ETag>\"{n:x32}\"</ETag>"
                + $"<ChecksumSHA256>{new string('A', 43)}=</ChecksumSHA256></Part>"))
            + "</CompleteMultipartUpload>";
        byte[] all = Bytes(Parts(10_000));
        Assert.InRange(all.Length, 1, CompleteUploadDocument.MaxBytes);
        Assert.Equal(10_000, CompleteUploadDocument.Read(all).Length);
        Refused("MalformedXML", () => CompleteUploadDocument.Read(Bytes(Parts(10_001))));
    }

    [Fact]
    public void Objects_to_be_deleted_are_read_with_their_odd_keys()
    {
        DeleteOrder order = DeleteDocument.Read("""
            <Delete><Quiet>true</Quiet>
              <Object><Key> a&amp;b&#x1;&#13; </Key><VersionId>v</VersionId></Object>
              <Object><Key>c</Key><ETag>"e"</ETag><VersionId></VersionId></Object>
            </Delete>
            """u8);
        Assert.True(order.IsQuiet);
        Assert.Equal(
            [new NamedObject(" a&b\u0001\r ", "v", null), new NamedObject("c", null, "\"e\"")],
            order.Objects);
    }

    [Fact]
    public void A_thousand_may_be_deleted_and_at_least_one()
    {
        string Objects(int count) => "<Delete>"
            + string.Concat(Enumerable.Range(0, count)
                .Select(n => $"<Object><Key>{n}</Key></Object>")) + "</Delete>";
        Assert.Equal(1000, DeleteDocument.Read(Bytes(Objects(1000))).Objects.Length);
        Refused("MalformedXML", () => DeleteDocument.Read(Bytes(Objects(1001))));
        Refused("MalformedXML", () => DeleteDocument.Read(Bytes(Objects(0))));
        Refused("MalformedXML", () => DeleteDocument.Read("<Delete><Object><Key></Key></Object></Delete>"u8));
        Refused("NotImplemented", () => DeleteDocument.Read(
            "<Delete><Object><Key>a</Key><Size>1</Size></Object></Delete>"u8));
    }

    [Fact]
    public void Tags_are_read()
    {
        TagSet tags = ConfigurationDocuments.ReadTagging(
            "<Tagging><TagSet><Tag><Key>a</Key><Value/></Tag></TagSet></Tagging>"u8, 10);
        Assert.Equal(["a="], tags.Tags.Select(t => $"{t.Key}={t.Value}"));
        Assert.Empty(ConfigurationDocuments.ReadTagging("<Tagging><TagSet/></Tagging>"u8, 10).Tags);
        Refused("MalformedXML", () => ConfigurationDocuments.ReadTagging("<Tagging/>"u8, 10));
        Refused("MalformedXML", () => ConfigurationDocuments.ReadTagging(
            "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>"u8, 10));
        Refused("InvalidTag", () => ConfigurationDocuments.ReadTagging(
            "<Tagging><TagSet><Tag><Key/><Value/></Tag></TagSet></Tagging>"u8, 10));
    }

    [Theory]
    [InlineData("<Status>Enabled</Status>", true)]
    [InlineData("<Status>Suspended</Status><MfaDelete>Disabled</MfaDelete>", false)]
    public void Versioning_is_on_or_off(string inner, bool isOn) =>
        Assert.Equal(isOn, ConfigurationDocuments.ReadVersioning(Versioning(inner)));

    [Theory]
    [InlineData("", "MalformedXML")]
    [InlineData("<Status>enabled</Status>", "MalformedXML")]
    [InlineData("<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>", "NotImplemented")]
    public void Other_versioning_is_refused(string inner, string code) =>
        Refused(code, () => ConfigurationDocuments.ReadVersioning(Versioning(inner)));

    [Fact]
    public void A_new_bucket_may_name_a_region()
    {
        Assert.Null(ConfigurationDocuments.ReadCreateBucket([]));
        Assert.Null(ConfigurationDocuments.ReadCreateBucket("<CreateBucketConfiguration/>"u8));
        Assert.Equal("eu", ConfigurationDocuments.ReadCreateBucket("""
            <CreateBucketConfiguration>
              <LocationConstraint>eu</LocationConstraint>
            </CreateBucketConfiguration>
            """u8));
        Refused("NotImplemented", () => ConfigurationDocuments.ReadCreateBucket(
            "<CreateBucketConfiguration><Bucket/></CreateBucketConfiguration>"u8));
    }

    [Fact]
    public void Rules_of_CORS_are_read_and_written_the_same()
    {
        CorsRule[] rules =
        [
            new()
            {
                Id = "one <&>",
                Origins = ["*", "http://a"],
                Methods = ["GET", "PUT"],
                Headers = ["x-*"],
                ExposedHeaders = ["ETag", "x-amz-version-id"],
                MaxAgeSeconds = 3000,
            },
            new() { Origins = ["http://b"], Methods = ["HEAD"] },
        ];
        var read = ConfigurationDocuments.ReadCors(
            Bytes(Wire.Written(b => BucketAnswers.WriteCors(b, [.. rules]))));
        Assert.Equal(rules.Select(Told), read.Select(Told));
        Refused("MalformedXML", () => ConfigurationDocuments.ReadCors("<CORSConfiguration/>"u8));
        Refused("MalformedXML", () => ConfigurationDocuments.ReadCors(
            "<CORSConfiguration><CORSRule><MaxAgeSeconds>x</MaxAgeSeconds></CORSRule>"u8));

        static string Told(CorsRule r) => string.Join('|', [
            r.Id, .. r.Origins, "", .. r.Methods, "", .. r.Headers, "", .. r.ExposedHeaders,
            $"{r.MaxAgeSeconds}",
        ]);
    }

    [Theory]
    [InlineData(CannedAcl.Private)]
    [InlineData(CannedAcl.PublicRead)]
    public void Lists_of_access_are_read_as_they_are_written(CannedAcl acl) => Assert.Equal(
        acl, ConfigurationDocuments.ReadAcl(Bytes(Wire.Written(b => BucketAnswers.WriteAcl(b, acl)))));

    [Theory]
    [InlineData("Group", "http://acs.amazonaws.com/groups/global/AllUsers", "WRITE", "NotImplemented")]
    [InlineData(
        "Group", "http://acs.amazonaws.com/groups/global/AuthenticatedUsers", "READ", "NotImplemented")]
    [InlineData("CanonicalUser", "", "READ", "NotImplemented")]
    [InlineData("Group", "", "", "MalformedXML")]
    public void Other_grants_are_refused(string type, string uri, string permission, string code)
    {
        string inner = uri.Length > 0 ? $"<URI>{uri}</URI>" : "<ID>x</ID>";
        Refused(code, () => ConfigurationDocuments.ReadAcl(Bytes($"""
            <AccessControlPolicy><AccessControlList><Grant>
              <Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="{type}">
                {inner}
              </Grantee>
              <Permission>{permission}</Permission>
            </Grant></AccessControlList></AccessControlPolicy>
            """)));
    }

    private static byte[] Versioning(string inner) =>
        Bytes($"<VersioningConfiguration>{inner}</VersioningConfiguration>");

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static void Refused(string code, Action act) =>
        Assert.Equal(code, Assert.Throws<S3Exception>(act).Error.Code);
}
