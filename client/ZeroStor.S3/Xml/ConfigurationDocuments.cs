using System.Collections.Immutable;
using System.Globalization;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Protocol;

namespace ZeroStor.S3.Xml;

/// <summary>Reads the small documents by which buckets and objects are configured.</summary>
public static class ConfigurationDocuments
{
    /// <summary>A hundred rules of CORS are some tens of kilobytes.</summary>
    public const int MaxBytes = 128 * 1024;

    public const int MaxCorsRules = 100;

    private const string AllUsers = "http://acs.amazonaws.com/groups/global/AllUsers";

    /// <summary>Reads <c>Tagging</c>.</summary>
    /// <exception cref="S3Exception">MalformedXML, InvalidTag, InvalidArgument.</exception>
    public static TagSet ReadTagging(ReadOnlySpan<byte> document, int maxTags)
    {
        var tags = new List<KeyValuePair<string, string>>();
        bool hasSet = false;
        XmlDocumentReader.Read(document, "Tagging", xml =>
        {
            xml.ForEachChild(name =>
            {
                if (name != "TagSet")
                {
                    return false;
                }

                hasSet = true;
                xml.ForEachChild(inner =>
                {
                    if (inner != "Tag")
                    {
                        return false;
                    }

                    tags.Add(ReadTag(xml));
                    return true;
                });
                return true;
            });
            return true;
        });
        return hasSet ? TagSet.Make(tags, maxTags) : throw XmlDocumentReader.Malformed("there is no TagSet");
    }

    /// <summary>Reads <c>VersioningConfiguration</c>: whether versions are kept from now on.</summary>
    /// <exception cref="S3Exception">MalformedXML; NotImplemented: deleting that needs a second
    /// factor.</exception>
    public static bool ReadVersioning(ReadOnlySpan<byte> document)
    {
        string? status = null;
        string? mfaDelete = null;
        XmlDocumentReader.Read(document, "VersioningConfiguration", xml =>
        {
            xml.ForEachChild(name =>
            {
                switch (name)
                {
                    case "Status": status = xml.Text().Trim(); return true;
                    case "MfaDelete": mfaDelete = xml.Text().Trim(); return true;
                    default: return false;
                }
            });
            return true;
        });
        if (mfaDelete is not (null or "Disabled"))
        {
            throw S3Exception.NotImplemented("MfaDelete");
        }

        return status switch
        {
            "Enabled" => true,
            "Suspended" => false,
            _ => throw XmlDocumentReader.Malformed("Status is neither Enabled nor Suspended"),
        };
    }

    /// <summary>Reads <c>CreateBucketConfiguration</c>: the region that is asked for; null where none is. No
    /// document at all asks for nothing.</summary>
    /// <exception cref="S3Exception">MalformedXML; NotImplemented: a bucket of a directory, or
    /// tags.</exception>
    public static string? ReadCreateBucket(ReadOnlySpan<byte> document)
    {
        if (document.IsEmpty)
        {
            return null;
        }

        string? region = null;
        XmlDocumentReader.Read(document, "CreateBucketConfiguration", xml =>
        {
            xml.ForEachChild(name =>
            {
                if (name is "Location" or "Bucket" or "Tags")
                {
                    throw S3Exception.NotImplemented($"{name} of a new bucket");
                }

                region = name == "LocationConstraint" ? xml.Text().Trim() : region;
                return name == "LocationConstraint";
            });
            return true;
        });
        return string.IsNullOrEmpty(region) ? null : region;
    }

    /// <summary>Reads <c>CORSConfiguration</c>.</summary>
    /// <exception cref="S3Exception">MalformedXML, InvalidRequest.</exception>
    public static ImmutableArray<CorsRule> ReadCors(ReadOnlySpan<byte> document)
    {
        ImmutableArray<CorsRule>.Builder rules = ImmutableArray.CreateBuilder<CorsRule>();
        XmlDocumentReader.Read(document, "CORSConfiguration", xml =>
        {
            xml.ForEachChild(name =>
            {
                if (name != "CORSRule")
                {
                    return false;
                }

                rules.Add(rules.Count < MaxCorsRules
                    ? ReadCorsRule(xml).Check()
                    : throw XmlDocumentReader.Malformed($"there are more than {MaxCorsRules} rules"));
                return true;
            });
            return true;
        });
        return rules.Count > 0 ? rules.ToImmutable() : throw XmlDocumentReader.Malformed("there is no rule");
    }

    /// <summary>Reads <c>AccessControlPolicy</c>: what is granted beside the owner's full control.</summary>
    /// <exception cref="S3Exception">MalformedXML; NotImplemented: anything but reading by
    /// everybody.</exception>
    public static CannedAcl ReadAcl(ReadOnlySpan<byte> document)
    {
        CannedAcl acl = CannedAcl.Private;
        XmlDocumentReader.Read(document, "AccessControlPolicy", xml =>
        {
            xml.ForEachChild(name =>
            {
                if (name != "AccessControlList")
                {
                    return false;
                }

                xml.ForEachChild(inner =>
                {
                    if (inner != "Grant")
                    {
                        return false;
                    }

                    acl = ReadGrant(xml) ? CannedAcl.PublicRead : acl;
                    return true;
                });
                return true;
            });
            return true;
        });
        return acl;
    }

    private static KeyValuePair<string, string> ReadTag(XmlDocumentReader xml)
    {
        string? key = null;
        string? value = null;
        xml.ForEachChild(name =>
        {
            switch (name)
            {
                case "Key": key = xml.Text(); return true;
                case "Value": value = xml.Text(); return true;
                default: return false;
            }
        });
        return key is null || value is null
            ? throw XmlDocumentReader.Malformed("a tag has no key or no value")
            : new(key, value);
    }

    private static CorsRule ReadCorsRule(XmlDocumentReader xml)
    {
        var rule = new CorsRule();
        xml.ForEachChild(name =>
        {
            switch (name)
            {
                case "ID": rule = rule with { Id = xml.Text() }; return true;
                case "AllowedOrigin": rule = rule with { Origins = AndOne(rule.Origins) }; return true;
                case "AllowedMethod": rule = rule with { Methods = AndOne(rule.Methods) }; return true;
                case "AllowedHeader": rule = rule with { Headers = AndOne(rule.Headers) }; return true;
                case "ExposeHeader":
                    rule = rule with { ExposedHeaders = AndOne(rule.ExposedHeaders) };
                    return true;
                case "MaxAgeSeconds":
                    rule = rule with { MaxAgeSeconds = ReadSeconds(xml.Text().Trim()) };
                    return true;
                default: return false;
            }
        });
        return rule;

        ImmutableArray<string> AndOne(ImmutableArray<string> values) => values.Add(xml.Text().Trim());
    }

    private static int ReadSeconds(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds)
            ? seconds
            : throw XmlDocumentReader.Malformed("MaxAgeSeconds is no number");

    // Whether it lets everybody read; the owner's own full control says nothing new.
    private static bool ReadGrant(XmlDocumentReader xml)
    {
        string? type = null;
        string? uri = null;
        string permission = "";
        xml.ForEachChild(name =>
        {
            if (name == "Permission")
            {
                permission = xml.Text().Trim();
                return true;
            }

            if (name != "Grantee")
            {
                return false;
            }

            type = xml.Attribute("type");
            xml.ForEachChild(inner =>
            {
                uri = inner == "URI" ? xml.Text().Trim() : uri;
                return inner == "URI";
            });
            return true;
        });
        return (type, uri, permission) switch
        {
            ("CanonicalUser", null, "FULL_CONTROL") => false,
            ("Group", AllUsers, "READ") => true,
            (null, _, _) or (_, _, "") =>
                throw XmlDocumentReader.Malformed("a grant has no grantee or permission"),
            _ => throw S3Exception.NotImplemented($"A grant of {permission} to this grantee"),
        };
    }
}
