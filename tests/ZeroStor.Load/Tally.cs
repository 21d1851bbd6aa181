using System.Globalization;
using System.Text.Json;

namespace ZeroStor.Load;

/// <summary>What puts or gets came to: how many, how many went wrong, and how long they took. Thread-safe.</summary>
internal sealed class Tally(string what)
{
    private const int MostTold = 5;

    private readonly Lock _lock = new();
    private readonly List<double> _milliseconds = [];
    private readonly List<string> _wrong = [];
    private long _bytes;
    private int _wrongCount;

    public int Wrong
    {
        get
        {
            lock (_lock)
            {
                return _wrongCount;
            }
        }
    }

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _milliseconds.Count;
            }
        }
    }

    public void Done(TimeSpan took, long bytes)
    {
        lock (_lock)
        {
            _milliseconds.Add(took.TotalMilliseconds);
            _bytes += bytes;
        }
    }

    public void Failed(string why)
    {
        lock (_lock)
        {
            _wrongCount++;
            if (_wrong.Count < MostTold)
            {
                _wrong.Add(why);
            }
        }
    }

    public void Write(Utf8JsonWriter w)
    {
        lock (_lock)
        {
            double[] sorted = [.. _milliseconds.Order()];
            w.WriteStartObject(what);
            w.WriteNumber("count", sorted.Length);
            w.WriteNumber("bytes", _bytes);
            w.WriteNumber("wrong", _wrongCount);
            foreach ((string name, double share) in new[] { ("p50ms", 0.5), ("p90ms", 0.9), ("p99ms", 0.99), ("maxMs", 1.0) })
            {
                w.WriteNumber(name, sorted.Length == 0 ? 0 : Math.Round(At(sorted, share), 1));
            }

            w.WriteStartArray("why");
            foreach (string why in _wrong)
            {
                w.WriteStringValue(why);
            }

            w.WriteEndArray();
            w.WriteEndObject();
        }
    }

    public override string ToString()
    {
        lock (_lock)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{_milliseconds.Count} {what}, {_wrongCount} wrong");
        }
    }

    // The nearest rank.
    private static double At(double[] sorted, double share) =>
        sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Length) - 1)];
}
