namespace ZeroStor.CommandLine;

/// <summary>A line of progress that redraws itself while a verb moves bytes: share, rate, time left. It asks
/// how far the verb is; the verb need not know of it.</summary>
internal sealed class Bar : IDisposable
{
    private static readonly TimeSpan RedrawPeriod = TimeSpan.FromMilliseconds(200);

    private const int MinWidth = 20;
    private const int DefaultWidth = 79;

    private readonly string _label;
    private readonly Func<long?> _totalBytes;
    private readonly Func<long> _doneBytes;
    private readonly long _since = TimeProvider.System.GetTimestamp();
    private readonly Timer _timer;

    /// <param name="label">Before the bar.</param>
    /// <param name="totalBytes">May change; null while it is not known.</param>
    /// <param name="doneBytes">Of them.</param>
    public Bar(string label, Func<long?> totalBytes, Func<long> doneBytes)
    {
        (_label, _totalBytes, _doneBytes) = (label, totalBytes, doneBytes);
        _timer = new Timer(_ => Draw(), null, RedrawPeriod, RedrawPeriod);
    }

    /// <summary>Takes the line away, so that other text can stand there; the next redraw brings it
    /// back.</summary>
    public static void Clear()
    {
        if (!Console.IsErrorRedirected)
        {
            Console.Error.Write("\r\x1b[K");
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        Clear();
    }

    private void Draw() => Console.Error.Write("\r" + Text.Progress(
        Output.Printable(_label),
        _doneBytes(),
        _totalBytes(),
        TimeProvider.System.GetElapsedTime(_since),
        Width) + "\x1b[K");

    // A terminal that does not know its width says 0.
    private static int Width => Console.WindowWidth > MinWidth ? Console.WindowWidth - 1 : DefaultWidth;
}
