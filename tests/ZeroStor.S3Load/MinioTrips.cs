using System.CommandLine;
using Minio;
using Minio.DataModel.Args;

namespace ZeroStor.S3Load;

/// <summary>MinIO's client of .NET as it comes: round trips of the files of a folder, and of odd
/// keys.</summary>
internal static class MinioTrips
{
    // More than 512 this client itself refuses, saying that they were more than 1,024.
    private static readonly string[] OddKeys =
    [
        "a b", "a+b", "a%b", "a%20b", "\u00e4\u20ac", "a&b=c?d", "a/b/c", "(a)'!*~", new string('k', 512),
    ];

    private static readonly Option<string> Files = new("--files")
    {
        Description = "Folder whose files go and come back", Required = true,
    };

    public static Command Make() => Verb.Make(
        "minio", "Round trips with MinIO's client of .NET.", [Files], RunAsync);

    private static async Task<bool> RunAsync(Run run, CancellationToken cancel)
    {
        string bucket = $"minio-{run.Seed}";
        using IMinioClient minio = new MinioClient()
            .WithEndpoint(run.Target.Url.Authority)
            .WithCredentials(run.Target.AccessKey, run.Target.Secret)
            .WithSSL(run.Target.Url.Scheme == Uri.UriSchemeHttps)
            .Build();
        await minio.MakeBucketAsync(new MakeBucketArgs().WithBucket(bucket), cancel);
        string[] files = Directory.GetFiles(run.Parsed.GetValue(Files)!);
        (string Key, byte[] Content)[] all =
        [
            .. files.Select(f => (Path.GetFileName(f), File.ReadAllBytes(f))),
            .. OddKeys.Select((k, i) => (k, System.Text.Encoding.UTF8.GetBytes(k + i))),
        ];
        var wrong = new List<string>();
        foreach ((string key, byte[] content) in all)
        {
            if (await TripAsync(minio, bucket, key, content, cancel) is { } why)
            {
                wrong.Add($"{key}: {why}");
            }
        }

        var listed = new List<string>();
        await foreach (Minio.DataModel.Item item in minio.ListObjectsEnumAsync(
            new ListObjectsArgs().WithBucket(bucket).WithRecursive(true), cancel))
        {
            listed.Add(item.Key);
        }

        if (!listed.ToHashSet().SetEquals(all.Select(a => a.Key)))
        {
            wrong.Add($"it lists {string.Join(", ", listed)}");
        }

        foreach (string key in listed)
        {
            await minio.RemoveObjectAsync(new RemoveObjectArgs().WithBucket(bucket).WithObject(key), cancel);
        }

        await minio.RemoveBucketAsync(new RemoveBucketArgs().WithBucket(bucket), cancel);
        run.Tell(w =>
        {
            w.WriteNumber("objects", all.Length);
            w.WriteStartArray("wrong");
            wrong.ForEach(w.WriteStringValue);
            w.WriteEndArray();
        });
        return wrong.Count == 0;
    }

    // Why it came back otherwise; null: it did not.
    private static async Task<string?> TripAsync(
        IMinioClient minio, string bucket, string key, byte[] content, CancellationToken cancel)
    {
        try
        {
            using var source = new MemoryStream(content);
            await minio.PutObjectAsync(
                new PutObjectArgs().WithBucket(bucket).WithObject(key).WithStreamData(source)
                    .WithObjectSize(content.Length).WithContentType("application/octet-stream"),
                cancel);
            var got = new MemoryStream();
            await minio.GetObjectAsync(
                new GetObjectArgs().WithBucket(bucket).WithObject(key)
                    .WithCallbackStream((stream, token) => stream.CopyToAsync(got, token)),
                cancel);
            return got.ToArray().AsSpan().SequenceEqual(content) ? null : $"{got.Length} other bytes came";
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            return $"{failure.GetType().Name}: {failure.Message}";
        }
    }
}
