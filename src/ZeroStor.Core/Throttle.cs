namespace ZeroStor;

/// <summary>Holds work in the background, a repair or a scrub, to so many bytes a second over all who share
/// it, so that readers don't notice it: a bucket that fills at that rate and holds one second of it. Who
/// finds anything in it may go, and takes what it needs even beyond what is there; whoever comes next waits
/// until that is paid back. So a shard larger than the bucket passes too, and over time the rate holds.
/// Thread-safe.</summary>
public sealed class Throttle(TimeProvider time)
{
    /// <summary>A waiter looks again at least this often, so that a raised limit is felt at once.</summary>
    private static readonly TimeSpan MaxPause = TimeSpan.FromMilliseconds(500);

    /// <summary>And at most this often: timers are no finer.</summary>
    private static readonly TimeSpan MinPause = TimeSpan.FromMilliseconds(1);

    private readonly Lock _lock = new();
    private long _bytesPerSecond;
    private long _takenBytes;
    private double _available;
    private long _filledAt = time.GetTimestamp();

    /// <summary>0, as at first, is unlimited.</summary>
    public long BytesPerSecond
    {
        get
        {
            lock (_lock)
            {
                return _bytesPerSecond;
            }
        }

        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            lock (_lock)
            {
                Fill();
                _bytesPerSecond = value;
                _available = Math.Min(_available, value);
            }
        }
    }

    /// <summary>All that was taken so far, limited or not.</summary>
    public long TakenBytes => Interlocked.Read(ref _takenBytes);

    /// <summary>Waits until these bytes may be moved. Who is cancelled has taken nothing.</summary>
    public async Task TakeAsync(long bytes, CancellationToken cancel)
    {
        while (true)
        {
            cancel.ThrowIfCancellationRequested();
            TimeSpan pause;
            lock (_lock)
            {
                Fill();
                if (_bytesPerSecond == 0 || _available > 0)
                {
                    _available -= _bytesPerSecond == 0 ? 0 : bytes;
                    _takenBytes += bytes;
                    return;
                }

                pause = TimeSpan.FromSeconds(-_available / _bytesPerSecond);
            }

            pause = pause > MaxPause ? MaxPause : pause < MinPause ? MinPause : pause;
            await Task.Delay(pause, time, cancel);
        }
    }

    private void Fill()
    {
        long now = time.GetTimestamp();
        double seconds = time.GetElapsedTime(_filledAt, now).TotalSeconds;
        _filledAt = now;
        _available = _bytesPerSecond == 0
            ? 0
            : Math.Min(_bytesPerSecond, _available + (seconds * _bytesPerSecond));
    }
}
