namespace ZeroStor.Catalog;

/// <summary>The end of every wait. Thread-safe.</summary>
internal sealed class Patience(TimeSpan limit, TimeProvider time)
{
    /// <summary>Waits for something that ends when its token does.</summary>
    /// <exception cref="ZeroStorException">Unavailable: it took too long; with <paramref name="tooLong"/>.
    /// </exception>
    /// <exception cref="OperationCanceledException">The caller's own token ended it.</exception>
    public async Task<T> WaitAsync<T>(
        Func<CancellationToken, Task<T>> wait, string tooLong, CancellationToken cancel)
    {
        using var timer = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancel);
        try
        {
            return await wait(either.Token);
        }
        catch (OperationCanceledException error) when (timer.IsCancellationRequested)
        {
            cancel.ThrowIfCancellationRequested();
            throw new ZeroStorException(ErrorKind.Unavailable, tooLong, error);
        }
    }
}
