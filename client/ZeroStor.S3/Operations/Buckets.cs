using Microsoft.AspNetCore.Http;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Protocol;
using ZeroStor.S3.Signing;
using ZeroStor.S3.Xml;

namespace ZeroStor.S3.Operations;

/// <summary>ListBuckets, CreateBucket, HeadBucket, DeleteBucket, GetBucketLocation, and whether a bucket
/// keeps versions. A bucket is a vault.</summary>
internal sealed class Buckets(ZeroStorClient client, BucketSettingsStore settings, S3Options options)
{
    private const string RegionHeader = "x-amz-bucket-region";

    /// <summary>Those that the caller's key is for.</summary>
    public async Task ListAsync(S3Exchange exchange)
    {
        AccessKey key = exchange.Caller.Key!;
        BucketEntry[] buckets =
        [
            .. (await client.ListVaultsAsync(exchange.Cancel))
                .Where(v => key.May(AccessRights.List, v.Name))
                .Select(v => new BucketEntry(v.Name, v.Created ?? DateTimeOffset.UnixEpoch)),
        ];
        await exchange.AnswerAsync(target => BucketAnswers.WriteBuckets(target, buckets));
    }

    /// <exception cref="S3Exception">BucketAlreadyOwnedByYou, MalformedXML, NotImplemented.</exception>
    public async Task CreateAsync(S3Exchange exchange)
    {
        WireRequest wire = exchange.Wire;
        UnsupportedHeaders.Refuse(wire);
        if (wire.Header("x-amz-bucket-object-lock-enabled") is "true" or "True")
        {
            throw S3Exception.NotImplemented("A bucket whose objects can be locked");
        }

        // It may name any region, as signatures may: there is one fabric.
        _ = ConfigurationDocuments.ReadCreateBucket(
            await exchange.ReadBodyAsync(ConfigurationDocuments.MaxBytes));
        CannedAcl acl = CannedAcls.Parse(wire.Header(CannedAcls.Header)) ?? CannedAcl.Private;
        await client.CreateVaultAsync(exchange.Bucket, new VaultSpec(), exchange.Cancel);
        if (acl != CannedAcl.Private)
        {
            await settings.ChangeAsync(exchange.Bucket, s => s with { Acl = acl }, exchange.Cancel);
        }

        exchange.Response.Headers.Location = "/" + exchange.Bucket;
        exchange.AnswerEmpty();
    }

    public async Task HeadAsync(S3Exchange exchange)
    {
        await exchange.Vault.DescribeAsync(exchange.Cancel);
        exchange.Response.Headers[RegionHeader] = options.Region;
        exchange.AnswerEmpty();
    }

    /// <exception cref="S3Exception">BucketNotEmpty.</exception>
    public async Task DeleteAsync(S3Exchange exchange)
    {
        await client.RemoveVaultAsync(exchange.Bucket, withContent: false, exchange.Cancel);
        settings.Forget(exchange.Bucket);
        exchange.AnswerEmpty(StatusCodes.Status204NoContent);
    }

    public async Task GetLocationAsync(S3Exchange exchange)
    {
        await exchange.Vault.DescribeAsync(exchange.Cancel);
        await exchange.AnswerAsync(target => BucketAnswers.WriteLocation(target, options.Region));
    }

    public static async Task GetVersioningAsync(S3Exchange exchange)
    {
        VaultInfo vault = await exchange.Vault.DescribeAsync(exchange.Cancel);
        bool? isEnabled = vault.Versioning == Versioning.Off ? null : vault.Versioning == Versioning.On;
        await exchange.AnswerAsync(target => BucketAnswers.WriteVersioning(target, isEnabled));
    }

    /// <exception cref="S3Exception">MalformedXML, NotImplemented.</exception>
    public static async Task PutVersioningAsync(S3Exchange exchange)
    {
        bool isEnabled = ConfigurationDocuments.ReadVersioning(
            await exchange.ReadBodyAsync(ConfigurationDocuments.MaxBytes));
        await exchange.Vault.SetVersioningAsync(
            isEnabled ? Versioning.On : Versioning.Suspended, exchange.Cancel);
        exchange.AnswerEmpty();
    }
}
