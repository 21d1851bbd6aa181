namespace ZeroStor;

/// <summary>How much passes a second, as of late: over the last <see cref="Seconds"/> seconds, or since the
/// first that passed after a start, when that is not so long ago. Thread-safe.</summary>
public sealed class RecentRate(TimeProvider time)
{
    /// <summary>Long enough to level what comes in batches, short enough to tell what is going on.</summary>
    public const int Seconds = 10;

    private readonly Lock _lock = new();
    private readonly long[] _passed = new long[Seconds];
    private long? _began;
    private long _last;

    /// <summary>Per second; 0 while nothing has passed of late.</summary>
    public double PerSecond
    {
        get
        {
            lock (_lock)
            {
                if (_began is not { } began)
                {
                    return 0;
                }

                Forget();
                double elapsed = time.GetElapsedTime(began).TotalSeconds;

                // The second that runs is not over: of the oldest one as much is gone.
                double whole = Seconds - 1 + (elapsed - Math.Floor(elapsed));
                return _passed.Sum() / Math.Clamp(elapsed, 1, whole);
            }
        }
    }

    /// <summary>What passed before counts no more.</summary>
    public void Restart()
    {
        lock (_lock)
        {
            _began = null;
            Array.Clear(_passed);
        }
    }

    public void Add(long amount)
    {
        lock (_lock)
        {
            if (_began is null)
            {
                _began = time.GetTimestamp();
                _last = 0;
            }

            Forget();
            _passed[_last % Seconds] += amount;
        }
    }

    // A cell holds one second; those that a second came round to again begin anew.
    private void Forget()
    {
        long now = (long)time.GetElapsedTime(_began!.Value).TotalSeconds;
        for (long second = Math.Max(_last + 1, now - Seconds + 1); second <= now; second++)
        {
            _passed[second % Seconds] = 0;
        }

        _last = now;
    }
}
