using System.Collections.Immutable;
using Microsoft.AspNetCore.Http;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;
using ZeroStor.S3.Bodies;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Listing;
using ZeroStor.S3.Protocol;
using ZeroStor.S3.Xml;

namespace ZeroStor.S3.Operations;

/// <summary>CreateMultipartUpload, UploadPart, UploadPartCopy, ListParts, AbortMultipartUpload. See
/// <see cref="Completion"/> for the end.</summary>
internal sealed class Uploads(ZeroStorClient client)
{
    private const int IdDigits = 32;

    /// <exception cref="S3Exception">What a write may be refused for; InvalidRequest: a checksum that is
    /// none. </exception>
    public static async Task CreateAsync(S3Exchange exchange)
    {
        var write = WriteRequest.Read(exchange.Wire);
        UploadChecksum? checksum = UploadChecksum.Read(exchange.Wire);
        Upload upload = await exchange.Vault.BeginUploadAsync(
            exchange.Key,
            new UploadOptions
            {
                ContentType = write.Headers.ContentType,
                Headers = UploadSums.Keep(write.Headers.Headers, checksum),
                Tags = write.Tags.Tags,
            },
            exchange.Cancel);
        HttpResponse response = exchange.Response;
        response.Headers[UnsupportedHeaders.EncryptionHeader] = UnsupportedHeaders.ManagedKeys;
        if (checksum is not null)
        {
            response.Headers["x-amz-checksum-algorithm"] = checksum.Algorithm.Name;
            response.Headers["x-amz-checksum-type"] = ChecksumTypes.NameOf(checksum.Type);
        }

        await exchange.AnswerAsync(target => ObjectAnswers.WriteInitiated(
            target, exchange.Bucket, exchange.Key, upload.Id.ToString()));
    }

    /// <exception cref="S3Exception">What <see cref="BodyStream"/> throws; InvalidRequest: another checksum
    /// than the upload's; InvalidArgument: the number.</exception>
    public static async Task PutPartAsync(S3Exchange exchange)
    {
        int number = exchange.Request.PartNumber!.Value;
        UnsupportedHeaders.Refuse(exchange.Wire);
        Upload upload = Open(exchange);
        // Of which that of the whole is made.
        await using BodyStream body = exchange.OpenBody(ObjectWrites.MaxPutBytes, needsMd5: true);
        UploadChecksum? kept = UploadSums.Of((await upload.DescribeAsync(exchange.Cancel)).Headers);
        if (kept is not null && body.Algorithm is { } algorithm && algorithm != kept.Algorithm)
        {
            throw new S3Exception(
                S3Error.InvalidRequest,
                $"Checksum Type mismatch occurred, expected checksum Type: {kept.Algorithm.Name}, "
                + $"actual checksum Type: {algorithm.Name}");
        }

        PartInfo part = await upload.PutPartAsync(
            number, body, new PartOptions { ETag = () => StoredTag.Of(body).ToString() }, exchange.Cancel);
        var tag = StoredTag.Parse(part.ETag);
        exchange.Response.Headers.ETag = ETags.Quote(tag.ETag);
        exchange.Response.Headers[UnsupportedHeaders.EncryptionHeader] = UnsupportedHeaders.ManagedKeys;
        if (tag.Checksum is { } sum)
        {
            exchange.Response.Headers[sum.Algorithm.Header] = sum.Value;
        }

        exchange.AnswerEmpty();
    }

    /// <exception cref="S3Exception">NoSuchBucket, NoSuchKey, NoSuchVersion: of the source;
    /// PreconditionFailed; InvalidArgument: the range, or the number.</exception>
    public async Task CopyPartAsync(S3Exchange exchange)
    {
        int number = exchange.Request.PartNumber!.Value;
        UnsupportedHeaders.Refuse(exchange.Wire);
        CopySource source = Copies.SourceOf(exchange.Wire);
        ObjectVersion found = await Copies.FindAsync(client, source, exchange.Wire, exchange.Cancel);
        ByteRange? range = null;
        if (exchange.Wire.Header("x-amz-copy-source-range") is { } header)
        {
            (long offset, long length) = RangeHeader.ParseCopy(header).ResolveCopy(found.Size);
            range = ByteRange.OfLength(offset, length);
        }

        PartInfo part = await Open(exchange).CopyPartAsync(
            number,
            client.Vault(source.Bucket),
            source.Key,
            new CopyPartOptions
            {
                Range = range,
                SourceVersion = VersionNames.Parse(source.VersionId),
                SourceIfMatch = range is null ? null : found.ETag,
            },
            exchange.Cancel);
        await exchange.AnswerAsync(target => ObjectAnswers.WriteCopied(
            target, isPart: true, StoredTag.Parse(part.ETag).ETag, part.Modified, null));
    }

    /// <exception cref="S3Exception">InvalidArgument.</exception>
    public static async Task ListPartsAsync(S3Exchange exchange)
    {
        var query = ListPartsQuery.OfUpload(exchange.Request.Query);
        Upload upload = Open(exchange);
        await upload.DescribeAsync(exchange.Cancel);
        ImmutableArray<PartInfo> parts = query.Max == 0
            ? []
            : await ReadPartsAsync(upload, query, exchange.Cancel);
        PartPage page = PartLister.List([.. parts.Select(Tell)], query);
        await exchange.AnswerAsync(target => ListAnswers.WriteParts(
            target, exchange.Bucket, exchange.Key, upload.Id.ToString(), page));
    }

    /// <exception cref="S3Exception">NoSuchUpload.</exception>
    public static async Task AbortAsync(S3Exchange exchange)
    {
        if (!await Open(exchange).AbortAsync(exchange.Cancel))
        {
            throw new S3Exception(S3Error.NoSuchUpload).With("UploadId", exchange.Request.UploadId!);
        }

        exchange.AnswerEmpty(StatusCodes.Status204NoContent);
    }

    /// <summary>The upload that a request names; whether it is there shows at its first use.</summary>
    /// <exception cref="S3Exception">NoSuchUpload: none is called so.</exception>
    public static Upload Open(S3Exchange exchange) => exchange.Vault.OpenUpload(
        exchange.Key,
        TryParse(exchange.Request.UploadId!)
            ?? throw new S3Exception(S3Error.NoSuchUpload).With("UploadId", exchange.Request.UploadId!));

    public static UploadId? TryParse(string name) => name.Length == IdDigits && name.All(char.IsAsciiHexDigit)
        ? UploadId.Parse(name.ToLowerInvariant())
        : null;

    // One more than asked for, where there is one.
    private static async Task<ImmutableArray<PartInfo>> ReadPartsAsync(
        Upload upload, ListPartsQuery query, CancellationToken cancel)
    {
        int first = Math.Min(query.Max + 1, ListObjects.MaxPerPage);
        ImmutableArray<PartInfo> parts = await upload.ListPartsPageAsync(query.Marker, first, cancel);
        return parts.Length == first && first == query.Max
            ? parts.AddRange(await upload.ListPartsPageAsync(parts[^1].Number, 1, cancel))
            : parts;
    }

    private static PartEntry Tell(PartInfo part)
    {
        var tag = StoredTag.Parse(part.ETag);
        return new PartEntry(
            part.Number, tag.ETag, part.Size, part.Modified, tag.Checksum?.Algorithm, tag.Checksum?.Value);
    }
}
