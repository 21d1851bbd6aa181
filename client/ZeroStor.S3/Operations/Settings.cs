using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using Microsoft.AspNetCore.Http;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Protocol;
using ZeroStor.S3.Xml;

namespace ZeroStor.S3.Operations;

/// <summary>A bucket's ACL, policy, CORS rules and tags; and the ACLs of objects, which are their
/// bucket's.</summary>
internal sealed class Settings(BucketSettingsStore store)
{
    public async Task GetAclAsync(S3Exchange exchange)
    {
        BucketSettings settings = await ReadAsync(exchange);
        await exchange.AnswerAsync(target => BucketAnswers.WriteAcl(target, settings.Acl));
    }

    /// <exception cref="S3Exception">MalformedXML, NotImplemented, InvalidArgument.</exception>
    public async Task PutAclAsync(S3Exchange exchange)
    {
        CannedAcl acl = await ReadAclAsync(exchange);
        await ChangeAsync(exchange, s => s with { Acl = acl });
        exchange.AnswerEmpty();
    }

    public async Task GetObjectAclAsync(S3Exchange exchange)
    {
        _ = await ObjectReads.FindAsync(exchange);
        BucketSettings settings = await ReadAsync(exchange);
        CannedAcl acl = settings.Access.HasFlag(PublicAccess.Read) ? CannedAcl.PublicRead : CannedAcl.Private;
        await exchange.AnswerAsync(target => BucketAnswers.WriteAcl(target, acl));
    }

    /// <summary>Takes what the object has already.</summary>
    /// <exception cref="S3Exception">NotImplemented: anything else.</exception>
    public async Task PutObjectAclAsync(S3Exchange exchange)
    {
        CannedAcl acl = await ReadAclAsync(exchange);
        _ = await ObjectReads.FindAsync(exchange);
        bool isPublic = (await ReadAsync(exchange)).Access.HasFlag(PublicAccess.Read);
        if (isPublic != (acl == CannedAcl.PublicRead))
        {
            throw S3Exception.NotImplemented("An object's ACL that is not its bucket's");
        }

        exchange.AnswerEmpty();
    }

    /// <exception cref="S3Exception">NoSuchBucketPolicy.</exception>
    public async Task GetPolicyAsync(S3Exchange exchange)
    {
        string policy = (await ReadAsync(exchange)).Policy
            ?? throw new S3Exception(S3Error.NoSuchBucketPolicy).With("BucketName", exchange.Bucket);
        await exchange.AnswerAsync(
            target => target.Write(Encoding.UTF8.GetBytes(policy)), "application/json");
    }

    /// <exception cref="S3Exception">MalformedPolicy, NotImplemented.</exception>
    public async Task PutPolicyAsync(S3Exchange exchange)
    {
        byte[] policy = await exchange.ReadBodyAsync(BucketPolicy.MaxBytes);
        PublicAccess access = BucketPolicy.Read(policy, exchange.Bucket);
        await ChangeAsync(
            exchange, s => s with { Policy = Encoding.UTF8.GetString(policy), PolicyAccess = access });
        exchange.AnswerEmpty(StatusCodes.Status204NoContent);
    }

    public async Task DeletePolicyAsync(S3Exchange exchange)
    {
        await ChangeAsync(exchange, s => s with { Policy = null, PolicyAccess = PublicAccess.None });
        exchange.AnswerEmpty(StatusCodes.Status204NoContent);
    }

    /// <exception cref="S3Exception">NoSuchBucketPolicy.</exception>
    public async Task GetPolicyStatusAsync(S3Exchange exchange)
    {
        BucketSettings settings = await ReadAsync(exchange);
        if (settings.Policy is null)
        {
            throw new S3Exception(S3Error.NoSuchBucketPolicy).With("BucketName", exchange.Bucket);
        }

        bool isPublic = settings.PolicyAccess != PublicAccess.None;
        await exchange.AnswerAsync(target => BucketAnswers.WritePolicyStatus(target, isPublic));
    }

    /// <exception cref="S3Exception">NoSuchCORSConfiguration.</exception>
    public async Task GetCorsAsync(S3Exchange exchange)
    {
        BucketSettings settings = await ReadAsync(exchange);
        if (settings.Cors.IsEmpty)
        {
            throw new S3Exception(S3Error.NoSuchCORSConfiguration).With("BucketName", exchange.Bucket);
        }

        await exchange.AnswerAsync(target => BucketAnswers.WriteCors(target, settings.Cors));
    }

    /// <exception cref="S3Exception">MalformedXML, InvalidRequest.</exception>
    public async Task PutCorsAsync(S3Exchange exchange)
    {
        ImmutableArray<CorsRule> rules = ConfigurationDocuments.ReadCors(
            await exchange.ReadBodyAsync(ConfigurationDocuments.MaxBytes));
        await ChangeAsync(exchange, s => s with { Cors = rules });
        exchange.AnswerEmpty();
    }

    public async Task DeleteCorsAsync(S3Exchange exchange)
    {
        await ChangeAsync(exchange, s => s with { Cors = [] });
        exchange.AnswerEmpty(StatusCodes.Status204NoContent);
    }

    /// <exception cref="S3Exception">NoSuchTagSet.</exception>
    public async Task GetTagsAsync(S3Exchange exchange)
    {
        TagSet tags = (await ReadAsync(exchange)).Tags;
        if (tags.Tags.IsEmpty)
        {
            throw new S3Exception(S3Error.NoSuchTagSet).With("BucketName", exchange.Bucket);
        }

        await exchange.AnswerAsync(target => BucketAnswers.WriteTagging(target, tags));
    }

    /// <exception cref="S3Exception">MalformedXML, InvalidTag, InvalidArgument.</exception>
    public async Task PutTagsAsync(S3Exchange exchange)
    {
        TagSet tags = ConfigurationDocuments.ReadTagging(
            await exchange.ReadBodyAsync(ConfigurationDocuments.MaxBytes), TagSet.MaxOfBucket);
        await ChangeAsync(exchange, s => s with { Tags = tags });
        exchange.AnswerEmpty(StatusCodes.Status204NoContent);
    }

    public async Task DeleteTagsAsync(S3Exchange exchange)
    {
        await ChangeAsync(exchange, s => s with { Tags = TagSet.Empty });
        exchange.AnswerEmpty(StatusCodes.Status204NoContent);
    }

    // A canned one in a header, or a document.
    private static async Task<CannedAcl> ReadAclAsync(S3Exchange exchange)
    {
        UnsupportedHeaders.Refuse(exchange.Wire);
        byte[] document = await exchange.ReadBodyAsync(ConfigurationDocuments.MaxBytes);
        return CannedAcls.Parse(exchange.Wire.Header(CannedAcls.Header))
            ?? ConfigurationDocuments.ReadAcl(document);
    }

    private Task<BucketSettings> ReadAsync(S3Exchange exchange) =>
        store.ReadAsync(exchange.Bucket, exchange.Cancel);

    private Task ChangeAsync(S3Exchange exchange, Func<BucketSettings, BucketSettings> change) =>
        store.ChangeAsync(exchange.Bucket, change, exchange.Cancel);
}
