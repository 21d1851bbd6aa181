using System.Collections.Concurrent;

namespace ZeroStor.Paths;

/// <summary>What this process has learned of homes by using them: how fast they answer, which of them failed
/// a moment ago, how much room they have. Advice only; nothing that must be right depends on it. Thread-safe.
/// </summary>
public sealed class HomeHealth(TimeProvider time)
{
    /// <summary>A home that failed is asked for nothing new for this long, unless no other is left: long
    /// enough not to run into it with every stripe, short enough that a hiccup costs little.</summary>
    public static readonly TimeSpan AvoidFor = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<DiskId, long> _avoidUntil = new();
    private readonly ConcurrentDictionary<DiskId, long> _freeBytes = new();

    /// <summary>How long appends take, over all homes.</summary>
    public LatencyWindow Appends { get; } = new(time);

    /// <summary>How long reads take, over all homes.</summary>
    public LatencyWindow Reads { get; } = new(time);

    /// <summary>How long it takes to open a range of a stripe, whatever homes it needs.</summary>
    public LatencyWindow Gets { get; } = new(time);

    public void Failed(DiskId disk) => _avoidUntil[disk] = time.GetTimestamp() + TicksOf(AvoidFor);

    public void Worked(DiskId disk) => _avoidUntil.TryRemove(disk, out _);

    public bool Avoids(DiskId disk) =>
        _avoidUntil.TryGetValue(disk, out long until) && time.GetTimestamp() < until;

    public void Reported(DiskId disk, long freeBytes) => _freeBytes[disk] = freeBytes;

    /// <summary>Free space as last reported; a home that never did counts as roomy.</summary>
    public long FreeBytes(DiskId disk) => _freeBytes.GetValueOrDefault(disk, long.MaxValue);

    private long TicksOf(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);
}

/// <summary>The 95th and 99th percentile of the last few hundred durations. Thread-safe.</summary>
public sealed class LatencyWindow(TimeProvider time)
{
    /// <summary>Enough for steady percentiles, few enough to forget a bad minute.</summary>
    private const int Samples = 512;

    /// <summary>The percentiles are taken anew after so many samples.</summary>
    private const int SamplesPerUpdate = 32;

    private readonly Lock _lock = new();
    private readonly long[] _ring = new long[Samples];
    private long _count;
    private TimeSpan _p95;
    private TimeSpan _p99;

    public long Start() => time.GetTimestamp();

    public void Stop(long started)
    {
        long elapsed = time.GetTimestamp() - started;
        lock (_lock)
        {
            _ring[_count++ % Samples] = elapsed;
            if (_count % SamplesPerUpdate == 0)
            {
                long[] sorted = _ring[..(int)Math.Min(_count, Samples)];
                Array.Sort(sorted);
                _p95 = At(sorted, 95);
                _p99 = At(sorted, 99);
            }
        }
    }

    /// <summary>Zero until enough was seen.</summary>
    public TimeSpan P95
    {
        get
        {
            lock (_lock)
            {
                return _p95;
            }
        }
    }

    /// <summary>Zero until enough was seen.</summary>
    public TimeSpan P99
    {
        get
        {
            lock (_lock)
            {
                return _p99;
            }
        }
    }

    private TimeSpan At(long[] sorted, int percent) =>
        TimeSpan.FromSeconds(sorted[sorted.Length * percent / 100] / (double)time.TimestampFrequency);
}
