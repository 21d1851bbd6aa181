namespace ZeroStor.Client;

/// <summary>Makes a call that may be repeated, and makes it again while it has no answer, and somebody is silent: a
/// gateway that hangs swallows what goes through it without a sign, and the next call goes through another one.
/// Where all are there, a call is slow, and asking it again would only make it slower. The first answer wins; the
/// other calls are cancelled, and what they bring is given back.</summary>
internal static class Hedge
{
    /// <summary>Once more where the second call meets another one that hangs.</summary>
    private const int MaxCalls = 3;

    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(8);

    /// <param name="call">May be repeated, also while an earlier one is under way.</param>
    /// <param name="silence">How long the first call may take before there is a second; it doubles with each.</param>
    /// <param name="onSilence">Looks whether anybody is silent, so that it shall be made again; done again and again
    /// while there is no answer; throws to give up. An answer that comes meanwhile is taken.</param>
    /// <param name="release">What becomes of an answer that came second.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<T> RunAsync<T>(
        Func<CancellationToken, Task<T>> call,
        TimeSpan silence,
        Func<CancellationToken, Task<bool>> onSilence,
        Action<T>? release,
        TimeProvider time,
        CancellationToken cancel)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var calls = new List<Task<T>> { call(over.Token) };
        int made = 1;
        try
        {
            Task<bool> quiet = QuietAsync(silence);
            while (true)
            {
                Task first = await Task.WhenAny([.. calls, quiet]).WaitAsync(cancel);
                if (first != quiet)
                {
                    var answer = (Task<T>)first;
                    calls.Remove(answer);
                    if (answer.IsCompletedSuccessfully || calls.Count == 0 || IsFinal(answer))
                    {
                        return await answer;
                    }

                    continue;
                }

                if (await quiet && made < MaxCalls)
                {
                    made++;
                    calls.Add(call(over.Token));
                }

                silence = silence * 2 < LongestSilence ? silence * 2 : LongestSilence;
                quiet = QuietAsync(silence);
            }
        }
        finally
        {
            // CancelAsync would send every answer round by the pool for what has nearly always a timer to stop.
            over.Cancel();
            foreach (Task<T> left in calls)
            {
                _ = GiveBackAsync(left, release);
            }
        }

        async Task<bool> QuietAsync(TimeSpan wait)
        {
            await Task.Delay(wait, time, over.Token);
            return await onSilence(over.Token);
        }
    }

    // A refusal is an answer; that one silo had no time, or went away, says nothing of the other calls.
    private static bool IsFinal<T>(Task<T> failed) =>
        failed.Exception?.InnerException is ZeroStorException { IsTransient: false };

    private static async Task GiveBackAsync<T>(Task<T> late, Action<T>? release)
    {
        await ((Task)late).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (late.IsCompletedSuccessfully)
        {
            release?.Invoke(late.Result);
        }
    }
}
