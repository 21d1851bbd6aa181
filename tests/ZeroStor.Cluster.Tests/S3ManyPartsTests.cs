using System.Globalization;
using System.Net;
using System.Text;

namespace ZeroStor.Cluster.Tests;

/// <summary>An upload of very many parts, which are small so that it ends: 1,000, or as many as
/// <c>ZEROSTOR_PARTS</c> says, up to the 10,000 that there may be.</summary>
public sealed class S3ManyPartsTests
{
    private const int MostParts = 10_000;

    private const int PagedParts = 1000;

    private const int AtOnce = 8;

    private static readonly int Count = int.Parse(
        Environment.GetEnvironmentVariable("ZEROSTOR_PARTS") ?? "1000", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Parts_put_at_once_in_any_order_are_listed_and_become_one_object()
    {
        await using S3Fabric fabric = await S3Fabric.StartAsync(o => o.MinPartBytes = 1);
        S3Caller s3 = fabric.Caller;
        string id = (await s3.PostAsync("/default/k?uploads", "")).One("UploadId");
        string[] etags = new string[Count];
        int[] order = [.. Enumerable.Range(0, Count)];
        new Random(1).Shuffle(order);
        await Parallel.ForEachAsync(
            order,
            new ParallelOptions
            {
                MaxDegreeOfParallelism = AtOnce, CancellationToken = TestContext.Current.CancellationToken,
            },
            async (i, _) => etags[i] = (await s3.PutAsync(
                $"/default/k?partNumber={i + 1}&uploadId={id}", Part(i))).Is(HttpStatusCode.OK)["ETag"]!);
        (await s3.PutAsync($"/default/k?partNumber={MostParts + 1}&uploadId={id}", [1])).Fails(
            HttpStatusCode.BadRequest, "InvalidArgument");
        Assert.Equal(Enumerable.Range(1, Count), await ListAsync(s3, id));

        string document = string.Concat(etags.Select(
            (etag, i) => $"<Part><PartNumber>{i + 1}</PartNumber><ETag>{etag}</ETag></Part>"));
        S3Answer completed = (await s3.PostAsync(
            $"/default/k?uploadId={id}",
            $"<CompleteMultipartUpload>{document}</CompleteMultipartUpload>")).Is(HttpStatusCode.OK);
        Assert.EndsWith($"-{Count}\"", completed.One("ETag"), StringComparison.Ordinal);
        byte[] whole = [.. Enumerable.Range(0, Count).SelectMany(Part)];
        Assert.Equal(whole, (await s3.GetAsync("/default/k")).Body);
        int half = whole.Length / 2;
        Assert.Equal(
            whole[(half - 100)..(half + 100)],
            (await s3.GetAsync("/default/k", ("range", $"bytes={half - 100}-{half + 99}"))).Body);
    }

    private static async Task<List<int>> ListAsync(S3Caller s3, string id)
    {
        var numbers = new List<int>();
        for (string? marker = "0"; marker is not null;)
        {
            S3Answer page = (await s3.GetAsync($"/default/k?uploadId={id}&part-number-marker={marker}")).Is(
                HttpStatusCode.OK);
            int before = numbers.Count;
            numbers.AddRange(page.All("PartNumber").Select(n => int.Parse(n, CultureInfo.InvariantCulture)));
            Assert.InRange(numbers.Count - before, 0, PagedParts);
            marker = page.One("IsTruncated") == "true" ? page.One("NextPartNumberMarker") : null;
        }

        return numbers;
    }

    // No two are alike.
    private static byte[] Part(int i) => Encoding.ASCII.GetBytes($"{i},");
}
