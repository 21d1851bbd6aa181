using System.Net;
using System.Text.Json;
using Amazon.Runtime;
using ZeroStor.Load;

namespace ZeroStor.S3Load;

/// <summary>What the clients of a mixed load did, by kind, and apart: what was answered wrong, what was
/// refused because the fabric was busy, and what failed. Thread-safe.</summary>
internal sealed class MixedTally
{
    private const int MostTold = 20;

    private const string SlowDown = "SlowDown";

    private readonly Dictionary<string, Tally> _kinds =
        MixedClient.Kinds.ToDictionary(k => k, k => new Tally(k));
    private readonly Lock _lock = new();
    private readonly List<string> _told = [];
    private int _wrong;
    private int _refused;
    private int _failed;

    public bool IsRight
    {
        get
        {
            lock (_lock)
            {
                return _wrong == 0 && _failed == 0;
            }
        }
    }

    public int Operations => _kinds.Values.Sum(t => t.Count);

    public void Done(string kind, TimeSpan took, long bytes) => _kinds[kind].Done(took, bytes);

    public void Wrong(string kind, string what)
    {
        _kinds[kind].Failed(what);
        Count(ref _wrong, $"wrong: {kind} {what}");
    }

    /// <summary>An operation ended in an exception, after all that the SDK tried.</summary>
    public void Failed(string kind, string key, Exception failure)
    {
        var told = failure as AmazonServiceException;
        if (told is { StatusCode: HttpStatusCode.ServiceUnavailable, ErrorCode: SlowDown })
        {
            Count(ref _refused, null);
            return;
        }

        string code = told is null ? "" : $"{(int)told.StatusCode} {told.ErrorCode}: ";
        _kinds[kind].Failed(code + failure.Message);
        Count(ref _failed, $"failed: {kind} {key}: {failure.GetType().Name}: {code}{failure.Message}");
    }

    public void Write(Utf8JsonWriter w)
    {
        lock (_lock)
        {
            w.WriteNumber("wrong", _wrong);
            w.WriteNumber("refused", _refused);
            w.WriteNumber("failed", _failed);
            w.WriteStartArray("told");
            _told.ForEach(w.WriteStringValue);
            w.WriteEndArray();
        }

        foreach (Tally kind in _kinds.Values)
        {
            kind.Write(w);
        }
    }

    private void Count(ref int count, string? what)
    {
        lock (_lock)
        {
            count++;
            if (what is not null && _told.Count < MostTold)
            {
                _told.Add(what);
            }
        }
    }
}
