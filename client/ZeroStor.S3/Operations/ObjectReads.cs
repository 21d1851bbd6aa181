using System.Collections.Immutable;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using ZeroStor.Client;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Listing;
using ZeroStor.S3.Protocol;
using ZeroStor.S3.Xml;

namespace ZeroStor.S3.Operations;

/// <summary>GetObject, HeadObject, GetObjectAttributes.</summary>
internal static class ObjectReads
{
    /// <exception cref="S3Exception">PreconditionFailed, InvalidRange, MethodNotAllowed: the mark of a
    /// delete; NotImplemented: a part of many.</exception>
    public static async Task GetAsync(S3Exchange exchange)
    {
        bool isSettled = false;
        bool isPartial = false;
        await using ObjectStream content = await OpenAsync(exchange, version =>
        {
            isSettled = AnswersCondition(exchange, version);
            (long offset, long length, isPartial) = isSettled ? default : RangeOf(exchange, version);
            return isPartial ? ByteRange.OfLength(offset, length) : null;
        });
        if (isSettled)
        {
            return;
        }

        WriteHead(exchange, content.Version, content.Offset, content.Length, isPartial);

        // The first bytes start the answer: what keeps them from being read is still told as an error.
        await content.CopyToAsync(exchange.Response.Body, exchange.Cancel);
    }

    /// <exception cref="S3Exception">As <see cref="GetAsync"/>.</exception>
    public static async Task HeadAsync(S3Exchange exchange)
    {
        ObjectVersion version = await FindAsync(exchange);
        if (AnswersCondition(exchange, version))
        {
            return;
        }

        (long offset, long length, bool isPartial) = RangeOf(exchange, version);
        WriteHead(exchange, version, offset, length, isPartial);
    }

    /// <exception cref="S3Exception">InvalidArgument.</exception>
    public static async Task GetAttributesAsync(S3Exchange exchange)
    {
        RequestedAttributes asked = AttributesHeader.Read(exchange.Wire);
        var parts = ListPartsQuery.OfAttributes(exchange.Wire);
        ObjectVersion version = await FindAsync(exchange);
        var tag = StoredTag.Of(version);
        int count = PartsOf(tag);
        exchange.Response.Headers.LastModified = version.Modified.ToString("r", CultureInfo.InvariantCulture);
        ObjectAnswer.WriteVersion(exchange.Response, version);
        await exchange.AnswerAsync(target => ObjectAnswers.WriteAttributes(target, new ObjectAttributes
        {
            ETag = asked.HasFlag(RequestedAttributes.ETag) ? tag.ETag : null,
            Checksum = asked.HasFlag(RequestedAttributes.Checksum) ? tag.Checksum : null,
            Parts = asked.HasFlag(RequestedAttributes.ObjectParts) && count > 0
                ? new PartPage(parts, [], IsTruncated: false)
                : null,
            PartsCount = count,
            HasStorageClass = asked.HasFlag(RequestedAttributes.StorageClass),
            Size = asked.HasFlag(RequestedAttributes.ObjectSize) ? version.Size : null,
        }));
    }

    /// <summary>The version that is asked for.</summary>
    /// <exception cref="S3Exception">MethodNotAllowed: it is the mark of a delete, which the answer
    /// tells.</exception>
    /// <exception cref="ZeroStorException">NotFound.</exception>
    public static async Task<ObjectVersion> FindAsync(S3Exchange exchange)
    {
        ObjectVersion version = exchange.Version is { } named
            ? await exchange.Vault.HeadAsync(exchange.Key, named, exchange.Cancel)
            : await exchange.Vault.HeadAsync(exchange.Key, exchange.Cancel);
        return version.IsMark
            ? throw new S3Exception(S3Error.MethodNotAllowed).With("ResourceType", "DeleteMarker")
            : version;
    }

    // Which bytes is told of the version that is read: another one may take its place at any time.
    private static async Task<ObjectStream> OpenAsync(S3Exchange exchange, Func<ObjectVersion, ByteRange?> rangeOf)
    {
        try
        {
            return await exchange.Vault.OpenReadAsync(
                exchange.Key, new ReadOptions { Version = exchange.Version, RangeOf = rangeOf }, exchange.Cancel);
        }
        catch (ZeroStorException failure)
            when (failure.Kind == ErrorKind.NotFound && exchange.Version is not null)
        {
            // Whether it is the mark of a delete only a head can tell.
            _ = await FindAsync(exchange);
            throw;
        }
    }

    private static void WriteHead(
        S3Exchange exchange, ObjectVersion version, long offset, long length, bool isPartial)
    {
        HttpResponse response = exchange.Response;
        ImmutableArray<KeyValuePair<string, string>> overrides =
            ResponseOverrides.Read(exchange.Request.Query, exchange.Caller.IsAnonymous);
        ObjectAnswer.WriteObject(response, version);
        foreach ((string name, string value) in overrides)
        {
            response.Headers[name] = value;
        }

        response.ContentLength = length;
        if (isPartial)
        {
            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange = string.Create(
                CultureInfo.InvariantCulture, $"bytes {offset}-{offset + length - 1}/{version.Size}");
        }
        else if (exchange.Wire.Header("x-amz-checksum-mode") == "ENABLED")
        {
            // A checksum of all bytes says nothing of some.
            ObjectAnswer.WriteChecksum(response, StoredTag.Of(version).Checksum);
        }
    }

    // Whether the conditions of the request settled it.
    private static bool AnswersCondition(S3Exchange exchange, ObjectVersion version)
    {
        string etag = StoredTag.Of(version).ETag;
        switch (ReadConditions.OfRead(exchange.Wire).Judge(etag, version.Modified))
        {
            case ConditionOutcome.NotModified:
                exchange.Response.StatusCode = StatusCodes.Status304NotModified;
                ObjectAnswer.WriteValidators(exchange.Response, version);
                return true;
            case ConditionOutcome.Failed:
                throw new S3Exception(S3Error.PreconditionFailed);
            default:
                return false;
        }
    }

    private static (long Offset, long Length, bool IsPartial) RangeOf(
        S3Exchange exchange, ObjectVersion version)
    {
        var tag = StoredTag.Of(version);
        if (exchange.Request.PartNumber is { } part)
        {
            // What lies where within an object is not told by the fabric once it is one.
            return part == 1 && PartsOf(tag) == 0
                ? (0, version.Size, version.Size > 0)
                : throw S3Exception.NotImplemented("A single part of a completed upload");
        }

        bool isOther = exchange.Wire.Header("If-Range") is { } validator
            && ETags.Bare(validator) != tag.ETag
            && validator != version.Modified.ToString("r", CultureInfo.InvariantCulture);
        if (isOther || RangeHeader.Parse(exchange.Wire.Header("Range")) is not { } range)
        {
            return (0, version.Size, false);
        }

        (long offset, long length) = range.Resolve(version.Size);
        return (offset, length, true);
    }

    private static int PartsOf(StoredTag tag)
    {
        int dash = tag.ETag.LastIndexOf('-');
        return dash >= 0
            && int.TryParse(tag.ETag.AsSpan(dash + 1), CultureInfo.InvariantCulture, out int parts)
                ? parts
                : 0;
    }
}
