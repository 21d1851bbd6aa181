using System.Net;

namespace ZeroStor.Cluster.Tests;

/// <summary>Ranges of an object that is replaced by longer and by empty ones meanwhile.</summary>
public sealed class S3RangeTests
{
    private const int Gets = 1000;

    private const int Getters = 4;

    [Fact]
    public async Task A_range_is_one_of_the_object_before_or_after_and_never_another_error()
    {
        await using S3Fabric fabric = await S3Fabric.StartAsync();
        S3Caller s3 = fabric.Caller;
        byte[] content = [.. Enumerable.Range(0, 100).Select(i => (byte)i)];
        (await s3.PutAsync("/default/k", content)).Is(HttpStatusCode.OK);
        bool isOver = false;
        Task puts = PutAsync();
        try
        {
            await Task.WhenAll(Enumerable.Range(0, Getters).Select(_ => GetAsync()));
        }
        finally
        {
            Volatile.Write(ref isOver, true);
            await puts;
        }

        async Task PutAsync()
        {
            for (int i = 0; !Volatile.Read(ref isOver); i++)
            {
                (await s3.PutAsync("/default/k", i % 2 == 0 ? [] : content)).Is(HttpStatusCode.OK);
            }
        }

        async Task GetAsync()
        {
            for (int i = 0; i < Gets / Getters; i++)
            {
                S3Answer got = await s3.GetAsync("/default/k", ("range", "bytes=10-19"));
                if (got.Status == HttpStatusCode.PartialContent)
                {
                    Assert.Equal(content[10..20], got.Body);
                }
                else
                {
                    got.Fails(HttpStatusCode.RequestedRangeNotSatisfiable, "InvalidRange");
                }
            }
        }
    }
}
