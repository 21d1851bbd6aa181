using System.Buffers;
using System.Collections.Immutable;
using ZeroStor.S3.Protocol;

namespace ZeroStor.S3.Xml;

/// <summary>A bucket as a listing tells it.</summary>
public sealed record BucketEntry(string Name, DateTimeOffset Created);

/// <summary>Writes the answers that are about buckets and their configurations.</summary>
public static class BucketAnswers
{
    private const string Group =
        "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Group\">";

    private const string User =
        "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\">";

    public static void WriteBuckets(IBufferWriter<byte> target, IEnumerable<BucketEntry> buckets)
    {
        ArgumentNullException.ThrowIfNull(buckets);
        var xml = new XmlAnswer(target, "ListAllMyBucketsResult");
        Owner.Write(xml);
        xml.Start("Buckets");
        foreach (BucketEntry bucket in buckets)
        {
            xml.Start("Bucket")
                .Element("Name", bucket.Name)
                .Element("CreationDate", bucket.Created)
                .End("Bucket");
        }

        xml.End("Buckets").End("ListAllMyBucketsResult");
    }

    /// <param name="target">Takes UTF-8.</param>
    /// <param name="region">What the fabric is called; S3's first region is told as nothing.</param>
    public static void WriteLocation(IBufferWriter<byte> target, string region)
    {
        var xml = new XmlAnswer(target, "LocationConstraint");
        xml.Text(region == "us-east-1" ? "" : region);
        xml.End("LocationConstraint");
    }

    /// <param name="target">Takes UTF-8.</param>
    /// <param name="isEnabled">Null: versions were never kept, which S3 tells as nothing.</param>
    public static void WriteVersioning(IBufferWriter<byte> target, bool? isEnabled) =>
        new XmlAnswer(target, "VersioningConfiguration")
            .Optional("Status", isEnabled switch { null => null, true => "Enabled", false => "Suspended" })
            .End("VersioningConfiguration");

    public static void WriteTagging(IBufferWriter<byte> target, TagSet tags)
    {
        ArgumentNullException.ThrowIfNull(tags);
        XmlAnswer xml = new XmlAnswer(target, "Tagging").Start("TagSet");
        foreach ((string key, string value) in tags.Tags)
        {
            xml.Start("Tag").Element("Key", key).Element("Value", value).End("Tag");
        }

        xml.End("TagSet").End("Tagging");
    }

    public static void WriteCors(IBufferWriter<byte> target, ImmutableArray<CorsRule> rules)
    {
        var xml = new XmlAnswer(target, "CORSConfiguration");
        foreach (CorsRule rule in rules)
        {
            xml.Start("CORSRule").Optional("ID", rule.Id);
            WriteAll("AllowedOrigin", rule.Origins);
            WriteAll("AllowedMethod", rule.Methods);
            WriteAll("AllowedHeader", rule.Headers);
            WriteAll("ExposeHeader", rule.ExposedHeaders);
            if (rule.MaxAgeSeconds is { } seconds)
            {
                xml.Element("MaxAgeSeconds", seconds);
            }

            xml.End("CORSRule");
        }

        xml.End("CORSConfiguration");

        void WriteAll(string name, ImmutableArray<string> values)
        {
            foreach (string value in values)
            {
                xml.Element(name, value);
            }
        }
    }

    public static void WriteAcl(IBufferWriter<byte> target, CannedAcl acl)
    {
        var xml = new XmlAnswer(target, "AccessControlPolicy");
        Owner.Write(xml);
        xml.Start("AccessControlList").Start("Grant").Raw(User)
            .Element("ID", Owner.Id)
            .Element("DisplayName", Owner.Id)
            .End("Grantee")
            .Element("Permission", "FULL_CONTROL")
            .End("Grant");
        if (acl == CannedAcl.PublicRead)
        {
            xml.Start("Grant").Raw(Group)
                .Element("URI", "http://acs.amazonaws.com/groups/global/AllUsers")
                .End("Grantee")
                .Element("Permission", "READ")
                .End("Grant");
        }

        xml.End("AccessControlList").End("AccessControlPolicy");
    }

    public static void WritePolicyStatus(IBufferWriter<byte> target, bool isPublic) =>
        new XmlAnswer(target, "PolicyStatus").Element("IsPublic", isPublic).End("PolicyStatus");
}
