using System.Collections.Immutable;
using System.Globalization;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;
using ZeroStor.S3.Bodies;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Protocol;
using ZeroStor.S3.Xml;

namespace ZeroStor.S3.Operations;

/// <summary>CompleteMultipartUpload: holds what the client names against the parts that stand, makes the
/// object's ETag and checksum of theirs, and asks the fabric for one version of them.</summary>
internal sealed class Completion(S3Options options)
{
    /// <exception cref="S3Exception">MalformedXML, InvalidPartOrder; InvalidPart: one is not there, or
    /// another; EntityTooSmall; BadDigest: the object's checksum is another than the request says;
    /// PreconditionFailed. </exception>
    public async Task CompleteAsync(S3Exchange exchange)
    {
        Upload upload = Uploads.Open(exchange);
        ImmutableArray<NamedPart> named = CompleteUploadDocument.Read(
            await exchange.ReadBodyAsync(CompleteUploadDocument.MaxBytes));
        Precondition condition = await WriteRequest.ToFabricAsync(
            exchange.Vault, exchange.Key, null, WriteConditions.OfPut(exchange.Wire), exchange.Cancel);
        (ImmutableArray<PartName> parts, StoredTag? tag) = await FindAsync(upload, named, exchange);
        ObjectVersion made;
        try
        {
            made = await upload.CompleteAsync(
                parts, new CompleteOptions { If = condition, ETag = tag?.ToString() }, exchange.Cancel);
        }
        catch (ZeroStorException failure) when (failure.Kind == ErrorKind.InvalidArgument)
        {
            // A part was put again since it was looked at.
            throw new S3Exception(S3Error.InvalidPart, null, failure);
        }

        var told = StoredTag.Of(made);
        ObjectAnswer.WriteVersion(exchange.Response, made);
        string location = $"http://{exchange.Wire.Header("Host")}/{exchange.Bucket}/"
            + Percent.Encode(exchange.Key, keepSlash: true);
        await exchange.AnswerAsync(target => ObjectAnswers.WriteCompleted(
            target, location, exchange.Bucket, exchange.Key, told.ETag, told.Checksum));
    }

    // The parts as the fabric knows them. An upload that is no more may have been completed by a request
    // whose answer was lost: then the fabric knows the parts, which are what the client says, and answers
    // again.
    private async Task<(ImmutableArray<PartName> Parts, StoredTag? Tag)> FindAsync(
        Upload upload, ImmutableArray<NamedPart> named, S3Exchange exchange)
    {
        var stand = new Dictionary<int, PartInfo>();
        UploadChecksum? asked;
        try
        {
            asked = UploadSums.Of((await upload.DescribeAsync(exchange.Cancel)).Headers);
            await foreach (PartInfo part in upload.ListPartsAsync(cancel: exchange.Cancel))
            {
                stand.Add(part.Number, part);
            }
        }
        catch (ZeroStorException failure) when (failure.Kind == ErrorKind.NotFound)
        {
            return ([.. named.Select(AsNamed)], null);
        }

        // Which parts are there is told before how large they are.
        PartInfo[] parts = [.. named.Select(n => Demand(stand.GetValueOrDefault(n.Number), n, upload))];
        if (Array.Find(parts[..^1], p => p.Size < options.MinPartBytes) is { } small)
        {
            throw new S3Exception(S3Error.EntityTooSmall)
                .With("ProposedSize", small.Size.ToString(CultureInfo.InvariantCulture))
                .With("MinSizeAllowed", options.MinPartBytes.ToString(CultureInfo.InvariantCulture))
                .With("PartNumber", small.Number.ToString(CultureInfo.InvariantCulture))
                .With("ETag", StoredTag.Parse(small.ETag).ETag);
        }

        StoredTag tag = UploadSums.TagOf(asked, [.. parts.Select(p => (StoredTag.Parse(p.ETag), p.Size))]);
        DemandSum(tag, exchange.Wire);
        return ([.. parts.Select(p => new PartName(p.Number, p.ETag))], tag);
    }

    private static PartInfo Demand(PartInfo? part, NamedPart name, Upload upload)
    {
        StoredTag? tag = part is null ? null : StoredTag.Parse(part.ETag);
        bool isSame = tag is not null
            && tag.ETag == name.ETag
            && (name.Algorithm is null
                || (tag.Checksum?.Algorithm == name.Algorithm && tag.Checksum?.Value == name.Checksum));
        return isSame
            ? part!
            : throw new S3Exception(S3Error.InvalidPart)
                .With("UploadId", upload.Id.ToString())
                .With("PartNumber", name.Number.ToString(CultureInfo.InvariantCulture))
                .With("ETag", name.ETag);
    }

    private static void DemandSum(StoredTag tag, WireRequest wire)
    {
        foreach (ChecksumAlgorithm algorithm in ChecksumAlgorithms.All)
        {
            if (wire.Header(algorithm.Header) is { } said
                && tag.Checksum is { } made
                && (made.Algorithm != algorithm || made.Value != said))
            {
                throw new S3Exception(
                    S3Error.BadDigest,
                    $"The {algorithm.Name} you specified did not match the calculated checksum.");
            }
        }
    }

    private static PartName AsNamed(NamedPart name) => new(
        name.Number,
        new StoredTag(
            name.ETag,
            name.Algorithm is { } algorithm
                ? new ObjectChecksum(algorithm, name.Checksum!, ChecksumType.FullObject)
                : null).ToString());
}
