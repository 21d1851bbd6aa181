using ZeroStor.Client;
using ZeroStor.S3.Listing;
using ZeroStor.S3.Xml;

namespace ZeroStor.S3.Operations;

/// <summary>ListObjects in both forms, ListObjectVersions, ListMultipartUploads.</summary>
internal static class Listings
{
    /// <exception cref="Errors.S3Exception">InvalidArgument.</exception>
    public static async Task ListObjectsAsync(S3Exchange exchange, bool isSecond)
    {
        var query = new ListObjectsQuery(exchange.Request.Query, isSecond);
        ObjectPage page = await ObjectLister.ListAsync(
            exchange.Vault.ListPageAsync, query, exchange.Cancel);
        if (query.Max == 0)
        {
            // Nothing was asked of the fabric so far, and a bucket that is not there must not look empty.
            await exchange.Vault.DescribeAsync(exchange.Cancel);
        }

        page = page with { Entries = [.. page.Entries.Select(Told)] };
        await exchange.AnswerAsync(target => ListAnswers.WriteObjects(target, exchange.Bucket, page));
    }

    /// <exception cref="Errors.S3Exception">InvalidArgument.</exception>
    public static async Task ListVersionsAsync(S3Exchange exchange)
    {
        var query = ListManyQuery.OfVersions(exchange.Request.Query);
        ManyPage<VersionLine> page = await ManyLister.ListAsync(
            new VersionSource(exchange.Vault), query, exchange.Cancel);
        if (query.Max == 0)
        {
            await exchange.Vault.DescribeAsync(exchange.Cancel);
        }

        await exchange.AnswerAsync(target => ListAnswers.WriteVersions(target, exchange.Bucket, page));
    }

    /// <exception cref="Errors.S3Exception">InvalidArgument.</exception>
    public static async Task ListUploadsAsync(S3Exchange exchange)
    {
        var query = ListManyQuery.OfUploads(exchange.Request.Query);
        ManyPage<UploadLine> page = await ManyLister.ListAsync(
            new UploadSource(exchange.Vault), query, exchange.Cancel);
        if (query.Max == 0)
        {
            await exchange.Vault.DescribeAsync(exchange.Cancel);
        }

        await exchange.AnswerAsync(target => ListAnswers.WriteUploads(target, exchange.Bucket, page));
    }

    private static ListEntry Told(ListEntry entry) =>
        entry.IsPrefix ? entry : entry with { ETag = StoredTag.Of(entry.ETag, entry.Version).ETag };
}
