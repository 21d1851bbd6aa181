using System.Collections.Immutable;
using Microsoft.AspNetCore.Http;
using ZeroStor.Client;
using ZeroStor.S3.Bodies;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Protocol;
using ZeroStor.S3.Xml;
using FabricOutcome = ZeroStor.Contracts.Doors.DeleteOutcome;

namespace ZeroStor.S3.Operations;

/// <summary>PutObject, DeleteObject, DeleteObjects.</summary>
internal static class ObjectWrites
{
    /// <summary>S3's rule for a put at once; what is larger comes in parts.</summary>
    public const long MaxPutBytes = 5L * 1024 * 1024 * 1024;

    private const string DeleteMarker = "x-amz-delete-marker";

    /// <summary>Puts the body as it comes. It ends with an exception where anything that was said of it is
    /// not so, and the fabric commits only behind its end.</summary>
    /// <exception cref="S3Exception">What <see cref="BodyStream"/> throws, PreconditionFailed,
    /// NotImplemented, MetadataTooLarge, InvalidTag, InvalidArgument.</exception>
    public static async Task PutAsync(S3Exchange exchange)
    {
        var write = WriteRequest.Read(exchange.Wire);
        await using BodyStream body = exchange.OpenBody(MaxPutBytes);
        Precondition condition = await WriteRequest.ToFabricAsync(
            exchange.Vault, exchange.Key, null, WriteConditions.OfPut(exchange.Wire), exchange.Cancel);
        ObjectVersion made = await exchange.Vault.PutAsync(
            exchange.Key,
            body,
            new PutOptions
            {
                If = condition,
                ContentType = write.Headers.ContentType,
                Headers = write.Headers.Headers,
                Tags = write.Tags.Tags,
                ETag = () => StoredTag.Of(body).ToString(),
            },
            exchange.Cancel);
        var tag = StoredTag.Of(made);
        ObjectAnswer.WriteVersion(exchange.Response, made);
        ObjectAnswer.WriteChecksum(exchange.Response, tag.Checksum);
        exchange.Response.Headers.ETag = ETags.Quote(tag.ETag);
        exchange.AnswerEmpty();
    }

    /// <exception cref="S3Exception">PreconditionFailed, InvalidArgument.</exception>
    public static async Task DeleteAsync(S3Exchange exchange)
    {
        VersionId? version = exchange.Version;
        Precondition condition = await WriteRequest.ToFabricAsync(
            exchange.Vault, exchange.Key, version, WriteConditions.OfDelete(exchange.Wire), exchange.Cancel);
        FabricOutcome outcome = await exchange.Vault.DeleteAsync(
            new DeleteItem(exchange.Key, version) { If = condition }, exchange.Cancel);
        if (outcome.IsMark)
        {
            exchange.Response.Headers[DeleteMarker] = "true";
        }

        if (exchange.Request.VersionId is { } named)
        {
            exchange.Response.Headers[VersionNames.Header] = named;
        }
        else if (outcome.IsMark)
        {
            exchange.Response.Headers[VersionNames.Header] = outcome.Version.ToString();
        }

        exchange.AnswerEmpty(StatusCodes.Status204NoContent);
    }

    /// <exception cref="S3Exception">MalformedXML, NotImplemented.</exception>
    public static async Task DeleteManyAsync(S3Exchange exchange)
    {
        DeleteOrder order = DeleteDocument.Read(await exchange.ReadBodyAsync(DeleteDocument.MaxBytes));
        var outcomes = new DeleteOutcome[order.Objects.Length];
        var items = new List<(int Place, DeleteItem Item)>();
        foreach ((int place, NamedObject named) in order.Objects.Index())
        {
            try
            {
                items.Add((place, await ItemAsync(exchange, named)));
            }
            catch (S3Exception refusal)
            {
                outcomes[place] = new DeleteOutcome(named, refusal);
            }
        }

        ImmutableArray<FabricOutcome> came = await exchange.Vault.DeleteManyAsync(
            [.. items.Select(i => i.Item)], exchange.Cancel);
        foreach ((FabricOutcome outcome, (int place, _)) in came.Zip(items))
        {
            outcomes[place] = OutcomeOf(order.Objects[place], outcome);
        }

        await exchange.AnswerAsync(target => ObjectAnswers.WriteDeleted(target, outcomes, order.IsQuiet));
    }

    private static async Task<DeleteItem> ItemAsync(S3Exchange exchange, NamedObject named)
    {
        string key = S3Address.CheckKey(named.Key);
        VersionId? version = VersionNames.Parse(named.VersionId);
        var asked = new Precondition { IfMatch = named.ETag is { } etag ? ETags.Bare(etag) : null };
        try
        {
            return new DeleteItem(key, version)
            {
                If = await WriteRequest.ToFabricAsync(exchange.Vault, key, version, asked, exchange.Cancel),
            };
        }
        catch (ZeroStorException failure) when (failure.Kind == ErrorKind.NotFound)
        {
            throw FabricErrors.Of(failure, version is null ? S3Subject.Key : S3Subject.Version);
        }
    }

    private static DeleteOutcome OutcomeOf(NamedObject named, FabricOutcome outcome) =>
        outcome.Kind is ErrorKind.None or ErrorKind.NotFound
            ? new DeleteOutcome(
                named, Marker: outcome.IsMark ? named.VersionId ?? outcome.Version.ToString() : null)
            : new DeleteOutcome(named, new S3Exception(FabricErrors.ErrorOf(outcome.Kind, S3Subject.Key)));
}
