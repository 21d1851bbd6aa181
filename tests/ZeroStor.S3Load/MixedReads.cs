using System.Net;
using Amazon.S3;
using Amazon.S3.Model;
using ZeroStor.Load;

namespace ZeroStor.S3Load;

/// <summary>Reads of keys that others may be writing: each answer must be one of those that the key's history
/// allows. Operations give how many bytes came.</summary>
internal sealed class MixedReads(IAmazonS3 s3, string bucket)
{
    private const int MaxRangeBytes = 64 * 1024;

    private static readonly TimeProvider Time = TimeProvider.System;

    public async Task<long> GetAsync(KeyHistory history, string key, CancellationToken cancel)
    {
        long began = Time.GetTimestamp();
        Answer got = await AskAsync(new GetObjectRequest { BucketName = bucket, Key = key }, cancel);
        List<Written?> seen = history.Seen(began, Time.GetTimestamp());
        Check(key, got, seen, value => Fits(got, value, 0, value.Bytes) && got.WholeBytes == value.Bytes);
        return got.Bytes.Length;
    }

    /// <summary>Some part of the object, as far as its size is known: what the key is meanwhile may be
    /// shorter. Where it begins and how long it is are given as shares of what they may be.</summary>
    public async Task<long> GetRangeAsync(
        KeyHistory history, string key, double where, double share, CancellationToken cancel)
    {
        long known = history.Now().Max(v => v?.Bytes ?? 0);
        long first = (long)(where * known);
        long last = first + (long)(share * MaxRangeBytes);
        long began = Time.GetTimestamp();
        Answer got = await AskAsync(
            new GetObjectRequest { BucketName = bucket, Key = key, ByteRange = new ByteRange(first, last) },
            cancel);
        List<Written?> seen = history.Seen(began, Time.GetTimestamp());
        Check(key, got, seen, value => first >= value.Bytes
            ? got.Status == HttpStatusCode.RequestedRangeNotSatisfiable
            : Fits(got, value, first, Math.Min(last + 1, value.Bytes) - first)
                && got.Status == HttpStatusCode.PartialContent
                && got.WholeBytes == value.Bytes);
        return got.Bytes.Length;
    }

    public async Task<long> HeadAsync(KeyHistory history, string key, CancellationToken cancel)
    {
        long began = Time.GetTimestamp();
        Answer got;
        try
        {
            GetObjectMetadataResponse head = await s3.GetObjectMetadataAsync(bucket, key, cancel);
            got = new Answer(head.HttpStatusCode, head.ETag, head.ContentLength, []);
        }
        catch (AmazonS3Exception refusal) when (refusal.StatusCode == HttpStatusCode.NotFound)
        {
            got = Answer.Of(refusal);
        }

        List<Written?> seen = history.Seen(began, Time.GetTimestamp());
        Check(key, got, seen, value => got.ETag == $"\"{value.ETag}\"" && got.WholeBytes == value.Bytes);
        return 0;
    }

    /// <summary>All pages of a listing, as <see cref="MixedKeys.Listed"/> tells it.</summary>
    public async Task<List<string>> ListAsync(
        string prefix, bool isDelimited, int pageKeys, CancellationToken cancel)
    {
        var request = new ListObjectsV2Request
        {
            BucketName = bucket, Prefix = prefix, MaxKeys = pageKeys, Delimiter = isDelimited ? "/" : null,
        };
        var told = new List<(string Key, string Line)>();
        ListObjectsV2Response page;
        do
        {
            page = await s3.ListObjectsV2Async(request, cancel);
            int before = told.Count;
            told.AddRange((page.S3Objects ?? []).Select(
                o => (o.Key, MixedKeys.Line(o.Key, o.Size ?? -1, o.ETag.Trim('"')))));
            told.AddRange((page.CommonPrefixes ?? []).Select(p => (p, p)));
            WrongAnswerException.Unless(
                told.Count - before <= pageKeys && page.KeyCount == told.Count - before,
                $"{prefix}: a page of {pageKeys} has {told.Count - before}, and says {page.KeyCount}");
            request.ContinuationToken = page.NextContinuationToken;
        }
        while (page.IsTruncated ?? false);
        return [.. told.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => t.Line)];
    }

    private async Task<Answer> AskAsync(GetObjectRequest request, CancellationToken cancel)
    {
        try
        {
            using GetObjectResponse got = await s3.GetObjectAsync(request, cancel);
            using var bytes = new MemoryStream();
            await got.ResponseStream.CopyToAsync(bytes, cancel);
            string? range = got.ContentRange;
            long whole = string.IsNullOrEmpty(range)
                ? got.ContentLength
                : long.Parse(range[(range.IndexOf('/') + 1)..], null);
            return new Answer(got.HttpStatusCode, got.ETag, whole, bytes.ToArray());
        }
        catch (AmazonS3Exception refusal) when (refusal.StatusCode
            is HttpStatusCode.NotFound or HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            return Answer.Of(refusal);
        }
    }

    private static void Check(string key, Answer got, List<Written?> seen, Func<Written, bool> fits)
    {
        bool isRight = seen.Any(value => value is null ? got.Status == HttpStatusCode.NotFound : fits(value));
        WrongAnswerException.Unless(
            isRight, $"{key}: {got} where any of [{string.Join(", ", seen)}] would be right");
    }

    private static bool Fits(Answer got, Written value, long first, long length)
    {
        if (got.ETag != $"\"{value.ETag}\"" || got.Bytes.Length != length)
        {
            return false;
        }

        // Contents are made from positions that are multiples of eight.
        int before = (int)(first % sizeof(ulong));
        byte[] right = new byte[before + length];
        new Content(value.Seed, value.Bytes).Fill(first - before, right);
        return right.AsSpan(before).SequenceEqual(got.Bytes);
    }

    /// <param name="Status">Of HTTP.</param>
    /// <param name="ETag">As it came; null: there is no such object, or range.</param>
    /// <param name="WholeBytes">What is said that the object has.</param>
    /// <param name="Bytes">What came of it.</param>
    private sealed record Answer(HttpStatusCode Status, string? ETag, long WholeBytes, byte[] Bytes)
    {
        public static Answer Of(AmazonS3Exception refusal) => new(refusal.StatusCode, null, 0, []);

        public override string ToString() => $"{(int)Status} {ETag}, {Bytes.Length} of {WholeBytes} bytes";
    }
}
