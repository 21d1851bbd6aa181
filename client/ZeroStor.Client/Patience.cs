namespace ZeroStor.Client;

/// <summary>Waits between the tries of one step: capped exponential, with jitter so that many clients which
/// lost the same silo do not return as one; no more once the patience, which begins with the first failure,
/// is over. Not thread-safe.</summary>
internal sealed class Patience(TimeProvider time, IEntropy entropy, TimeSpan patience)
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(20);

    // A slot frees itself within a put's time, a lost silo is noticed within seconds: asking more seldom than
    // this would only add to the wait.
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(2);

    private long? _since;
    private TimeSpan _delay = FirstDelay;

    /// <summary>Waits before the next try; false at once when there shall be none.</summary>
    public async ValueTask<bool> WaitAsync(CancellationToken cancel)
    {
        _since ??= time.GetTimestamp();
        TimeSpan left = patience - time.GetElapsedTime(_since.Value);
        if (left <= TimeSpan.Zero)
        {
            return false;
        }

        // Between half the delay and all of it.
        double share = 0.5 + ((double)(uint)Id128.Random(entropy) / uint.MaxValue / 2);
        TimeSpan delay = _delay * share;
        await Task.Delay(delay < left ? delay : left, time, cancel);
        _delay = _delay * 2 < LongestDelay ? _delay * 2 : LongestDelay;
        return true;
    }
}
