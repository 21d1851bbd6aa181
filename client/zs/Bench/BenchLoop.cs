namespace ZeroStor.CommandLine.Bench;

/// <summary>Does the same again and again, so many times at once, for a time.</summary>
internal static class BenchLoop
{
    /// <param name="concurrency">How many are under way at once.</param>
    /// <param name="time">When it is over none begins any more; each worker has done one at least.</param>
    /// <param name="once">What is done.</param>
    /// <param name="cancel">Ends it at once.</param>
    /// <returns>How long each took.</returns>
    /// <remarks>The first that fails ends all, and its failure comes out.</remarks>
    public static async Task<List<TimeSpan>> RunAsync(
        int concurrency, TimeSpan time, Func<CancellationToken, Task> once, CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        long began = TimeProvider.System.GetTimestamp();
        List<TimeSpan>[] took = await Task.WhenAll(
            Enumerable.Range(0, concurrency).Select(_ => Task.Run(WorkAsync, CancellationToken.None)));
        return [.. took.SelectMany(t => t)];

        async Task<List<TimeSpan>> WorkAsync()
        {
            var own = new List<TimeSpan>();
            try
            {
                do
                {
                    stop.Token.ThrowIfCancellationRequested();
                    long from = TimeProvider.System.GetTimestamp();
                    await once(stop.Token);
                    own.Add(TimeProvider.System.GetElapsedTime(from));
                }
                while (TimeProvider.System.GetElapsedTime(began) < time);
                return own;
            }
            catch
            {
                await stop.CancelAsync();
                throw;
            }
        }
    }
}
