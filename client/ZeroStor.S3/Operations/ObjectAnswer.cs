using System.Globalization;
using Microsoft.AspNetCore.Http;
using ZeroStor.Client;
using ZeroStor.S3.Bodies;
using ZeroStor.S3.Protocol;
using ZeroStor.S3.Xml;

namespace ZeroStor.S3.Operations;

/// <summary>Writes what headers tell of an object. Only those that this front end takes are told again:
/// another one may have kept any with it, and not every name is harmless in an answer.</summary>
internal static class ObjectAnswer
{
    // What the name of a header has beside letters and digits.
    private const string Marks = "!#$%&'*+-.^_`|~";

    /// <summary>What a get or a head tells, and no length.</summary>
    public static void WriteObject(HttpResponse response, ObjectVersion version)
    {
        IHeaderDictionary headers = response.Headers;
        WriteVersion(response, version);
        WriteValidators(response, version);
        headers.AcceptRanges = "bytes";
        headers.ContentType = HeaderText.Encode(
            version.ContentType.Length > 0 ? version.ContentType : ObjectHeaders.DefaultContentType);
        foreach ((string name, string value) in version.Headers)
        {
            if (ObjectHeaders.Standard.Contains(name) || IsUsers(name))
            {
                headers[name] = HeaderText.Encode(value);
            }
        }

        if (version.Tags.Count > 0)
        {
            headers["x-amz-tagging-count"] = version.Tags.Count.ToString(CultureInfo.InvariantCulture);
        }
    }

    /// <summary>What caches compare; all that a <c>304</c> tells.</summary>
    public static void WriteValidators(HttpResponse response, ObjectVersion version)
    {
        response.Headers.ETag = ETags.Quote(StoredTag.Of(version).ETag);
        response.Headers.LastModified = version.Modified.ToString("r", CultureInfo.InvariantCulture);
        if (version.Headers.TryGetValue("cache-control", out string? control))
        {
            response.Headers.CacheControl = HeaderText.Encode(control);
        }
    }

    /// <summary>Which version it is, where its bucket keeps versions, and that it is sealed at rest, as all
    /// are.</summary>
    public static void WriteVersion(HttpResponse response, ObjectVersion version)
    {
        if (!version.IsNull)
        {
            response.Headers[VersionNames.Header] = version.Version.ToString();
        }

        response.Headers[UnsupportedHeaders.EncryptionHeader] = UnsupportedHeaders.ManagedKeys;
    }

    public static void WriteChecksum(HttpResponse response, ObjectChecksum? checksum)
    {
        if (checksum is not null)
        {
            response.Headers[checksum.Algorithm.Header] = checksum.Value;
            response.Headers["x-amz-checksum-type"] = ChecksumTypes.NameOf(checksum.Type);
        }
    }

    // A name that no header can have was given to another front end.
    private static bool IsUsers(string name) =>
        name.StartsWith(ObjectHeaders.UserPrefix, StringComparison.Ordinal)
        && name.All(c => char.IsAsciiLetterOrDigit(c) || Marks.Contains(c, StringComparison.Ordinal));
}
