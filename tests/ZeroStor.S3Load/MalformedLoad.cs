using System.CommandLine;
using System.Net;
using System.Text;
using System.Text.Json;
using Amazon.S3;
using Amazon.S3.Model;

namespace ZeroStor.S3Load;

/// <summary>Requests that are wrong in every way, many at once: each gets an answer or an end, none is a
/// fault of the server, and between them and afterwards a good one works.</summary>
internal static class MalformedLoad
{
    private const int AtOnce = 64;

    private const int MostTold = 20;

    /// <summary>A share of the requests is left open, so that the server must end them; it would last long if
    /// all were.</summary>
    private const int OneLeftOpenOf = 25;

    private const int OneGoodAfter = 250;

    /// <summary>The server waits 15 seconds for headers, and 10 for a body that does not come.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    /// <summary>What a process may take more after the last nine tenths than after the first: what collects
    /// garbage does not do it at once.</summary>
    private const long MaxGrowthMiB = 64;

    private static readonly Option<int> Count = new("--count") { DefaultValueFactory = _ => 10_000 };

    public static Command Make() => Verb.Make(
        "malformed",
        "Sends requests that are wrong somewhere; none may hang, or be answered as a fault of the server.",
        [Count],
        RunAsync);

    private static async Task<bool> RunAsync(Run run, CancellationToken cancel)
    {
        using AmazonS3Client s3 = run.Target.Connect();
        string bucket = $"malformed-{run.Seed}";
        await s3.PutBucketAsync(bucket, cancel);
        await s3.PutBucketAsync($"{bucket}-good", cancel);
        var good = new GoodRequests(
            bucket, await BeginAsync(s3, bucket, cancel), await BeginAsync(s3, bucket, cancel));
        var state = new State(run, good, s3, $"{bucket}-good");
        int count = run.Parsed.GetValue(Count);
        await state.SendAllAsync(0, count / 10, cancel);
        (long? MiB, int? Handles) before = (run.Silo?.ResidentMiB, run.Silo?.Handles);
        await state.SendAllAsync(count / 10, count, cancel);
        await state.TryGoodAsync(cancel);
        (long? MiB, int? Handles) after = (run.Silo?.ResidentMiB, run.Silo?.Handles);
        bool hasGrown = after.MiB - before.MiB > MaxGrowthMiB;
        run.Tell(w =>
        {
            w.WriteNumber("count", count);
            state.Write(w);
            if (run.Silo is not null)
            {
                w.WriteNumber("residentMiBAfterATenth", before.MiB!.Value);
                w.WriteNumber("residentMiBAfterAll", after.MiB!.Value);
                w.WriteNumber("handlesAfterATenth", before.Handles!.Value);
                w.WriteNumber("handlesAfterAll", after.Handles!.Value);
                w.WriteBoolean("hasGrown", hasGrown);
            }
        });
        return state.IsRight && !hasGrown;
    }

    private static async Task<string> BeginAsync(
        AmazonS3Client s3, string bucket, CancellationToken cancel) =>
        (await s3.InitiateMultipartUploadAsync(bucket, "parts", cancel)).UploadId;

    /// <summary>What came of the requests so far. Thread-safe.</summary>
    private sealed class State(Run run, GoodRequests good, IAmazonS3 s3, string goodBucket)
    {
        private readonly Lock _lock = new();
        private readonly SortedDictionary<string, int> _answers = new(StringComparer.Ordinal);
        private readonly List<string> _told = [];
        private readonly RawCaller _caller = new(run.Target.Url);
        private readonly Signer _signer = new(run.Target, TimeProvider.System);
        private int _wrong;
        private int _goodOnes;

        public bool IsRight => _wrong == 0;

        public Task SendAllAsync(int from, int to, CancellationToken cancel) => Parallel.ForEachAsync(
            Enumerable.Range(from, to - from),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancel },
            async (i, token) =>
            {
                await SendAsync(i, token);
                if (i % OneGoodAfter == OneGoodAfter - 1)
                {
                    await TryGoodAsync(token);
                }
            });

        /// <summary>A good put and a good get work.</summary>
        public async Task TryGoodAsync(CancellationToken cancel)
        {
            int number = Interlocked.Increment(ref _goodOnes);
            try
            {
                string content = $"good {number}";
                string key = $"k{number}";
                await s3.PutObjectAsync(
                    new PutObjectRequest { BucketName = goodBucket, Key = key, ContentBody = content },
                    cancel);
                using GetObjectResponse got = await s3.GetObjectAsync(goodBucket, key, cancel);
                using var reader = new StreamReader(got.ResponseStream);
                string read = await reader.ReadToEndAsync(cancel);
                WrongAnswerException.Unless(read == content, $"{read} and not {content}");
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                Wrong($"a good request: {failure.Message}");
            }
        }

        public void Write(Utf8JsonWriter w)
        {
            w.WriteNumber("wrong", _wrong);
            w.WriteNumber("goodOnes", _goodOnes);
            w.WriteStartObject("answers");
            foreach ((string answer, int times) in _answers)
            {
                w.WriteNumber(answer, times);
            }

            w.WriteEndObject();
            w.WriteStartArray("told");
            _told.ForEach(w.WriteStringValue);
            w.WriteEndArray();
        }

        private async Task SendAsync(int i, CancellationToken cancel)
        {
            // Each by a seed of its own, so that one that was answered wrong can be made again.
            BadRequest bad = new BadRequests(good, _signer, (run.Seed * 1_000_003) + i).Next();
            using var patience = new CancellationTokenSource(Patience);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, patience.Token);
            try
            {
                RawAnswer answer = await _caller.SendAsync(bad.Bytes, i % OneLeftOpenOf != 0, both.Token);
                Count(answer.Status == 0 ? "closed" : $"{answer.Status}");
                if (!IsAllowed(answer))
                {
                    Wrong($"{i} ({bad.How}): {answer.Status} {answer.Body} for {Shown(bad.Bytes)}");
                }
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                Wrong($"{i} ({bad.How}): no answer and no end for {Shown(bad.Bytes)}");
            }
        }

        // What it has not, that it is busy, and another version of HTTP are answers and no faults.
        private static bool IsAllowed(RawAnswer answer) => answer.Status switch
        {
            < 500 or (int)HttpStatusCode.NotImplemented or (int)HttpStatusCode.HttpVersionNotSupported =>
                true,
            (int)HttpStatusCode.ServiceUnavailable =>
                answer.Body.Contains("SlowDown", StringComparison.Ordinal),
            _ => false,
        };

        private static string Shown(byte[] bytes)
        {
            const int MostShown = 1200;
            string text = Encoding.Latin1.GetString(bytes, 0, Math.Min(bytes.Length, MostShown));
            return text.Replace("\r\n", "\\n", StringComparison.Ordinal);
        }

        private void Count(string answer)
        {
            lock (_lock)
            {
                _answers[answer] = _answers.GetValueOrDefault(answer) + 1;
            }
        }

        private void Wrong(string what)
        {
            lock (_lock)
            {
                _wrong++;
                if (_told.Count < MostTold)
                {
                    _told.Add(what);
                }
            }
        }
    }
}
