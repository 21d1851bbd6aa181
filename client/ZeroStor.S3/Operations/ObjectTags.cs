using Microsoft.AspNetCore.Http;
using ZeroStor.Client;
using ZeroStor.S3.Protocol;
using ZeroStor.S3.Xml;

namespace ZeroStor.S3.Operations;

/// <summary>GetObjectTagging, PutObjectTagging, DeleteObjectTagging.</summary>
internal static class ObjectTags
{
    public static async Task GetAsync(S3Exchange exchange)
    {
        ObjectVersion version = await ObjectReads.FindAsync(exchange);
        TellVersion(exchange, version);
        var tags = TagSet.Make(version.Tags, int.MaxValue);
        await exchange.AnswerAsync(target => BucketAnswers.WriteTagging(target, tags));
    }

    /// <exception cref="Errors.S3Exception">MalformedXML, InvalidTag, InvalidArgument.</exception>
    public static async Task PutAsync(S3Exchange exchange)
    {
        TagSet tags = ConfigurationDocuments.ReadTagging(
            await exchange.ReadBodyAsync(ConfigurationDocuments.MaxBytes), TagSet.MaxOfObject);
        await exchange.Vault.SetTagsAsync(exchange.Key, tags.Tags, exchange.Version, cancel: exchange.Cancel);
        exchange.AnswerEmpty();
    }

    public static async Task DeleteAsync(S3Exchange exchange)
    {
        await exchange.Vault.SetTagsAsync(
            exchange.Key, Tags.None, exchange.Version, cancel: exchange.Cancel);
        exchange.AnswerEmpty(StatusCodes.Status204NoContent);
    }

    private static void TellVersion(S3Exchange exchange, ObjectVersion version)
    {
        if (!version.IsNull)
        {
            exchange.Response.Headers[VersionNames.Header] = version.Version.ToString();
        }
    }
}
