using ZeroStor.Client;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Protocol;
using ZeroStor.S3.Xml;

namespace ZeroStor.S3.Operations;

/// <summary>CopyObject. Within a bucket no bytes move; from another one they go through this front
/// end.</summary>
internal sealed class Copies(ZeroStorClient client)
{
    /// <exception cref="S3Exception">NoSuchBucket, NoSuchKey, NoSuchVersion: of the source;
    /// PreconditionFailed, InvalidRequest: nothing would change; and what a write may be refused
    /// for.</exception>
    public async Task CopyAsync(S3Exchange exchange)
    {
        WireRequest wire = exchange.Wire;
        CopySource source = SourceOf(wire);
        var write = WriteRequest.Read(wire);
        bool replacesHeaders = CopyDirectives.Read(wire, CopyDirectives.OfHeaders) == CopyDirective.Replace;
        bool replacesTags = CopyDirectives.Read(wire, CopyDirectives.OfTags) == CopyDirective.Replace;
        if (!replacesHeaders
            && !replacesTags
            && source == new CopySource(exchange.Bucket, exchange.Key, null))
        {
            throw new S3Exception(
                S3Error.InvalidRequest,
                "This copy request is illegal because it is trying to copy an object to itself without "
                + "changing the object's metadata, storage class, website redirect location or encryption "
                + "attributes.");
        }

        ObjectVersion found = await FindAsync(client, source, wire, exchange.Cancel);
        Precondition condition = await WriteRequest.ToFabricAsync(
            exchange.Vault, exchange.Key, null, WriteConditions.OfPut(wire), exchange.Cancel);
        var options = new CopyOptions
        {
            SourceIfMatch = ReadConditions.OfCopySource(wire) == new ReadConditions() ? null : found.ETag,
            SourceVersion = VersionNames.Parse(source.VersionId),
            If = condition,
            ReplacesHeaders = replacesHeaders,
            ContentType = write.Headers.ContentType,
            Headers = write.Headers.Headers,
            Tags = replacesTags ? write.Tags.Tags : null,
        };
        ObjectVersion made = source.Bucket == exchange.Bucket
            ? await exchange.Vault.CopyAsync(source.Key, exchange.Key, options, exchange.Cancel)
            : await PutAsync(exchange, source, found, options);
        var tag = StoredTag.Of(made);
        ObjectAnswer.WriteVersion(exchange.Response, made);
        if (source.VersionId is not null || !found.IsNull)
        {
            exchange.Response.Headers["x-amz-copy-source-version-id"] =
                VersionNames.Tell(found.Version, found.IsNull);
        }

        await exchange.AnswerAsync(target => ObjectAnswers.WriteCopied(
            target, isPart: false, tag.ETag, made.Modified, tag.Checksum));
    }

    /// <summary>What a request wants to copy.</summary>
    /// <exception cref="S3Exception">As <see cref="CopySource.Parse"/>.</exception>
    public static CopySource SourceOf(WireRequest wire) =>
        CopySource.Parse(wire.Header(OperationTable.CopySource) ?? "");

    /// <summary>The source, if it is there and has what the request demands of it.</summary>
    /// <exception cref="S3Exception">NoSuchBucket, NoSuchKey, NoSuchVersion, PreconditionFailed;
    /// InvalidRequest: the mark of a delete.</exception>
    public static async Task<ObjectVersion> FindAsync(
        ZeroStorClient client, CopySource source, WireRequest wire, CancellationToken cancel)
    {
        Vault vault = client.Vault(source.Bucket);
        ObjectVersion found;
        try
        {
            found = VersionNames.Parse(source.VersionId) is { } named
                ? await vault.HeadAsync(source.Key, named, cancel)
                : await vault.HeadAsync(source.Key, cancel);
        }
        catch (ZeroStorException failure) when (failure.Kind == ErrorKind.NotFound)
        {
            throw FabricErrors.Of(
                failure,
                await Missing.SubjectAsync(
                    vault, source.VersionId is null ? S3Subject.Key : S3Subject.Version, cancel));
        }

        if (found.IsMark)
        {
            throw new S3Exception(
                S3Error.InvalidRequest,
                "The source of a copy request may not specifically refer to a delete marker by version id.");
        }

        ConditionOutcome outcome =
            ReadConditions.OfCopySource(wire).Judge(StoredTag.Of(found).ETag, found.Modified);
        return outcome == ConditionOutcome.Holds ? found : throw new S3Exception(S3Error.PreconditionFailed);
    }

    private async Task<ObjectVersion> PutAsync(
        S3Exchange exchange, CopySource source, ObjectVersion found, CopyOptions options)
    {
        await using ObjectStream content = await client.Vault(source.Bucket).OpenReadAsync(
            source.Key, new ReadOptions { Version = options.SourceVersion }, exchange.Cancel);
        if (options.SourceIfMatch is { } etag && etag != content.Version.ETag)
        {
            throw new S3Exception(S3Error.PreconditionFailed);
        }

        found = content.Version;
        bool hasTag = found.ETag != found.Version.ToString();
        return await exchange.Vault.PutAsync(
            exchange.Key,
            content,
            new PutOptions
            {
                If = options.If,
                ContentType = options.ReplacesHeaders ? options.ContentType : found.ContentType,
                Headers = options.ReplacesHeaders ? options.Headers : found.Headers,
                Tags = options.Tags ?? found.Tags,
                ETag = hasTag ? () => found.ETag : null,
            },
            exchange.Cancel);
    }
}
