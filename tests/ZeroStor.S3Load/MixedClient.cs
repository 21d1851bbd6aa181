using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Amazon.S3;
using Amazon.S3.Model;
using ZeroStor.Load;

namespace ZeroStor.S3Load;

/// <summary>One client of a mixed load: one operation after another on keys that it alone writes, and reads
/// of everybody's. What it reads is right if the key's history allows it.</summary>
internal sealed class MixedClient(
    IAmazonS3 s3, string bucket, MixedKeys[] everybody, int number, int seed, MixedTally tally)
{
    private const int MaxBytes = 1024 * 1024;

    // Most objects of most buckets are small; with this spread one in fifty is larger than half a mebibyte.
    private const double MedianBytes = 16 * 1024;

    private const double Sigma = 1.7;

    private const int WholePageKeys = 1000;

    private static readonly TimeProvider Time = TimeProvider.System;

    private readonly MixedKeys _own = everybody[number];
    private readonly Random _random = new((seed * 100_003) + number);
    private readonly MixedReads _reads = new(s3, bucket);

    /// <summary>Every kind of operation.</summary>
    public static IEnumerable<string> Kinds => Shares.Select(s => s.Kind);

    // Of a thousand. Uploads are few: each is more than five mebibytes.
    private static (string Kind, int Share)[] Shares { get; } =
    [
        ("put", 250), ("get", 270), ("rangedGet", 130), ("head", 120), ("list", 100), ("delete", 85),
        ("deleteMany", 40), ("upload", 3), ("abortedUpload", 2),
    ];

    public async Task WorkAsync(TimeSpan length, CancellationToken cancel)
    {
        long began = Time.GetTimestamp();
        while (Time.GetElapsedTime(began) < length)
        {
            await StepAsync(Pick(), cancel);
        }
    }

    /// <summary>Once nobody writes any more, every key is what it was left as.</summary>
    public async Task CheckAllAsync(CancellationToken cancel)
    {
        foreach (string key in _own.All)
        {
            await TryAsync("get", key, () => _reads.GetAsync(_own[key], key, cancel));
        }

        await TryAsync("list", _own.Prefix, () => ListAsync(_own.Prefix, false, WholePageKeys, cancel));
    }

    private string Pick()
    {
        int at = _random.Next(Shares.Sum(s => s.Share));
        return Shares.First(s => (at -= s.Share) < 0).Kind;
    }

    private Task StepAsync(string kind, CancellationToken cancel)
    {
        MixedKeys whose = everybody[_random.Next(everybody.Length)];
        string any = whose.All[_random.Next(whose.All.Count)];
        string own = _own.All[_random.Next(_own.All.Count)];
        string prefix = _own.Prefix + MixedKeys.Folders[_random.Next(MixedKeys.Folders.Length)];
        int pageKeys = _random.Next(3) == 0 ? 1 + _random.Next(5) : WholePageKeys;
        bool isDelimited = _random.Next(2) == 0;
        return kind switch
        {
            "get" => TryAsync(kind, any, () => _reads.GetAsync(whose[any], any, cancel)),
            "rangedGet" => TryAsync(
                kind,
                any,
                () => _reads.GetRangeAsync(
                    whose[any], any, _random.NextDouble(), _random.NextDouble(), cancel)),
            "head" => TryAsync(kind, any, () => _reads.HeadAsync(whose[any], any, cancel)),
            "list" => TryAsync(kind, prefix, () => ListAsync(prefix, isDelimited, pageKeys, cancel)),
            "delete" => TryAsync(kind, own, () => DeleteAsync(own, cancel)),
            "deleteMany" => TryAsync(kind, own, () => DeleteManyAsync(cancel)),
            "upload" => TryAsync(kind, own, () => UploadAsync(own, isAborted: false, cancel)),
            "abortedUpload" => TryAsync(kind, own, () => UploadAsync(own, isAborted: true, cancel)),
            _ => TryAsync("put", own, () => PutAsync(own, cancel)),
        };
    }

    // What a put or a get comes to is how many bytes it moved.
    private async Task TryAsync(string kind, string key, Func<Task<long>> operation)
    {
        long began = Time.GetTimestamp();
        try
        {
            long bytes = await operation();
            tally.Done(kind, Time.GetElapsedTime(began), bytes);
        }
        catch (WrongAnswerException wrong)
        {
            tally.Wrong(kind, wrong.Message);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            tally.Failed(kind, key, failure);
        }
    }

    private async Task<long> PutAsync(string key, CancellationToken cancel)
    {
        (byte[] bytes, ulong contentSeed) = Make(NextBytes());
        string etag = Convert.ToHexStringLower(Md5(bytes));
        KeyHistory history = _own[key];
        history.Begin(new Written(contentSeed, bytes.Length, etag), Time.GetTimestamp());
        PutObjectResponse put = await s3.PutObjectAsync(
            new PutObjectRequest { BucketName = bucket, Key = key, InputStream = new MemoryStream(bytes) },
            cancel);
        history.End(Time.GetTimestamp());
        WrongAnswerException.Unless(put.ETag == $"\"{etag}\"", $"{key}: put {put.ETag} and not {etag}");
        return bytes.Length;
    }

    private async Task<long> DeleteAsync(string key, CancellationToken cancel)
    {
        _own[key].Begin(null, Time.GetTimestamp());
        await s3.DeleteObjectAsync(bucket, key, cancel);
        _own[key].End(Time.GetTimestamp());
        return 0;
    }

    private async Task<long> DeleteManyAsync(CancellationToken cancel)
    {
        string[] keys = [.. _own.All.Where(_ => _random.Next(3) == 0).DefaultIfEmpty(_own.All[0])];
        foreach (string key in keys)
        {
            _own[key].Begin(null, Time.GetTimestamp());
        }

        DeleteObjectsResponse answer = await s3.DeleteObjectsAsync(
            new DeleteObjectsRequest
            {
                BucketName = bucket, Objects = [.. keys.Select(k => new KeyVersion { Key = k })],
            },
            cancel);
        foreach (string key in keys)
        {
            _own[key].End(Time.GetTimestamp());
        }

        string[] told = [.. answer.DeletedObjects.Select(d => d.Key).Order(StringComparer.Ordinal)];
        WrongAnswerException.Unless(
            told.SequenceEqual(keys), $"deleted {string.Join(' ', keys)}, told {string.Join(' ', told)}");
        return 0;
    }

    // Two parts, the later one first.
    private async Task<long> UploadAsync(string key, bool isAborted, CancellationToken cancel)
    {
        const int FirstBytes = 5 * 1024 * 1024;
        (byte[] bytes, ulong contentSeed) = Make(FirstBytes + NextBytes());
        byte[][] parts = [bytes[..FirstBytes], bytes[FirstBytes..]];
        string id = (await s3.InitiateMultipartUploadAsync(bucket, key, cancel)).UploadId;
        var complete = new CompleteMultipartUploadRequest { BucketName = bucket, Key = key, UploadId = id };
        foreach (int number in new[] { 2, 1 })
        {
            complete.AddPartETags(await s3.UploadPartAsync(
                new UploadPartRequest
                {
                    BucketName = bucket,
                    Key = key,
                    UploadId = id,
                    PartNumber = number,
                    InputStream = new MemoryStream(parts[number - 1]),
                },
                cancel));
        }

        if (isAborted)
        {
            await s3.AbortMultipartUploadAsync(bucket, key, id, cancel);
            return 0;
        }

        string etag = $"{Convert.ToHexStringLower(Md5([.. parts.SelectMany(Md5)]))}-{parts.Length}";
        KeyHistory history = _own[key];
        history.Begin(new Written(contentSeed, bytes.Length, etag), Time.GetTimestamp());
        CompleteMultipartUploadResponse made = await s3.CompleteMultipartUploadAsync(complete, cancel);
        history.End(Time.GetTimestamp());
        WrongAnswerException.Unless(made.ETag == $"\"{etag}\"", $"{key}: made {made.ETag} and not {etag}");
        return bytes.Length;
    }

    private async Task<long> ListAsync(
        string prefix, bool isDelimited, int pageKeys, CancellationToken cancel)
    {
        List<string> told = await _reads.ListAsync(prefix, isDelimited, pageKeys, cancel);
        if (_own.Listed(prefix, isDelimited) is { } right)
        {
            WrongAnswerException.Unless(
                told.SequenceEqual(right),
                $"{prefix} in pages of {pageKeys}{(isDelimited ? ", delimited" : "")} is "
                + $"[{string.Join(", ", told)}] and not [{string.Join(", ", right)}]");
        }

        return 0;
    }

    private (byte[] Bytes, ulong Seed) Make(int length)
    {
        byte[] bytes = new byte[length];
        ulong contentSeed = (ulong)_random.NextInt64();
        new Content(contentSeed, length).Fill(0, bytes);
        return (bytes, contentSeed);
    }

    private int NextBytes()
    {
        if (_random.Next(50) == 0)
        {
            return 0;
        }

        // Box and Muller 1958.
        double normal = Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble()))
            * Math.Cos(2 * Math.PI * _random.NextDouble());
        return (int)Math.Clamp(MedianBytes * Math.Exp(Sigma * normal), 1, MaxBytes);
    }

    [SuppressMessage("Security", "CA5351", Justification = "What S3's clients expect of an ETag.")]
    private static byte[] Md5(byte[] content) => MD5.HashData(content);
}
