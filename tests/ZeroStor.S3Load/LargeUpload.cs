using System.CommandLine;
using Amazon.S3;
using Amazon.S3.Model;
using Amazon.S3.Transfer;
using ZeroStor.Load;

namespace ZeroStor.S3Load;

/// <summary>One large object in parts, several at once, as AWS's own transfer utility makes it of a file;
/// then got and compared.</summary>
internal static class LargeUpload
{
    private const int PieceBytes = 1024 * 1024;

    private static readonly Option<string> Bytes = new("--bytes") { DefaultValueFactory = _ => "2GiB" };

    private static readonly Option<string> Folder = new("--folder")
    {
        Description = "Where the file is made that is uploaded",
        DefaultValueFactory = _ => Path.GetTempPath(),
    };

    public static Command Make() => Verb.Make(
        "upload",
        "Uploads one large object in parts, gets it and compares it.",
        [Bytes, Folder],
        RunAsync);

    private static async Task<bool> RunAsync(Run run, CancellationToken cancel)
    {
        var content = new Content((ulong)run.Seed, Sizes.Parse(run.Parsed.GetValue(Bytes)!));
        string bucket = $"upload-{run.Seed}";
        string path = Path.Combine(run.Parsed.GetValue(Folder)!, bucket);
        using AmazonS3Client s3 = run.Target.Connect();
        await s3.PutBucketAsync(bucket, cancel);
        try
        {
            await using (FileStream file = File.Create(path))
            await using (Stream made = content.Open())
            {
                await made.CopyToAsync(file, PieceBytes, cancel);
            }

            run.Silo?.ForgetPeak();
            long began = TimeProvider.System.GetTimestamp();
            using (var transfer = new TransferUtility(s3))
            {
                await transfer.UploadAsync(path, bucket, "large", cancel);
            }

            TimeSpan put = TimeProvider.System.GetElapsedTime(began);
            began = TimeProvider.System.GetTimestamp();
            using GetObjectResponse got = await s3.GetObjectAsync(bucket, "large", cancel);
            bool isEqual = await content.EqualsAsync(got.ResponseStream, cancel);
            TimeSpan get = TimeProvider.System.GetElapsedTime(began);
            run.Tell(w =>
            {
                w.WriteNumber("bytes", content.Bytes);
                w.WriteString("etag", got.ETag);
                w.WriteBoolean("isEqual", isEqual);
                w.WriteNumber("putMegabytesPerSecond", Math.Round(content.Bytes / put.TotalSeconds / 1e6, 1));
                w.WriteNumber("getMegabytesPerSecond", Math.Round(content.Bytes / get.TotalSeconds / 1e6, 1));
                if (run.Silo is { } silo)
                {
                    w.WriteNumber("peakResidentMiB", silo.PeakMiB);
                }
            });
            return isEqual;
        }
        finally
        {
            File.Delete(path);
            await s3.DeleteObjectAsync(bucket, "large", CancellationToken.None);
            await s3.DeleteBucketAsync(bucket, CancellationToken.None);
        }
    }
}
