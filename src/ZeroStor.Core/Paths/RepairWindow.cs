namespace ZeroStor.Paths;

/// <summary>How many stripes repair restores at once: as many as its homes bear without answering more slowly,
/// so that repair takes what readers and writers leave. It begins with the fewest, and learns from how long its own
/// looks at stripes take, which all cost about the same: while the median of a few stays near the lowest that was
/// seen of late, one more may go; when it has doubled, half of them may. Never fewer than <see cref="MinStripes"/>:
/// where homes are busy all the time, stripes must not be left without redundancy for it. A look waits wherever a reader waits,
/// for a processor, a link or a disk, so nobody needs to be asked how readers fare. The idea is that of LEDBAT
/// (RFC 6817), a transport that yields to others by watching its own delay. Thread-safe.</summary>
public sealed class RepairWindow(TimeProvider time)
{
    /// <summary>Enough to hide the homes' answers, few enough to bound memory to some tens of megabytes: a stripe
    /// of 4 MiB takes up to 5.</summary>
    public const int MaxStripes = 16;

    /// <summary>A quarter: what repair is sure of, however busy the homes are.</summary>
    public const int MinStripes = 4;

    /// <summary>The window is set anew after so many looks: their median is steady, and it follows within a
    /// second or so.</summary>
    internal const int LooksPerChange = 16;

    /// <summary>The lowest median counts for between one and two of these. Long enough that repair meets a moment
    /// when others rest; not for ever, since homes and links change.</summary>
    internal static readonly TimeSpan BaseSpan = TimeSpan.FromMinutes(5);

    /// <summary>Slowing down by less than this is what timers and schedulers do by themselves.</summary>
    internal static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(2);

    private readonly Lock _lock = new();
    private readonly Queue<TaskCompletionSource> _waiting = [];
    private readonly List<TimeSpan> _looks = [];
    private TimeSpan _lowest = TimeSpan.MaxValue;
    private TimeSpan _lowestBefore = TimeSpan.MaxValue;
    private long _spanBegan = time.GetTimestamp();
    private int _stripes = MinStripes;
    private int _inside;
    private bool _isWide;

    /// <summary>How many may be restored at once, now.</summary>
    public int Stripes
    {
        get
        {
            lock (_lock)
            {
                return _stripes;
            }
        }
    }

    /// <summary>As wide as can be, whatever the homes bear: who wants redundancy back more than quick reads says
    /// so. No longer when set to false, from the next looks on.</summary>
    public bool IsWide
    {
        set
        {
            lock (_lock)
            {
                _isWide = value;
                if (value)
                {
                    Resize(MaxStripes);
                }
            }
        }
    }

    /// <summary>Waits until one more stripe may be restored; <see cref="Leave"/> when it is.</summary>
    public async Task EnterAsync(CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            _waiting.Enqueue(turn);
            Admit();
        }

        using (cancel.UnsafeRegister(_ => turn.TrySetCanceled(cancel), null))
        {
            await turn.Task;
        }
    }

    public void Leave()
    {
        lock (_lock)
        {
            _inside--;
            Admit();
        }
    }

    /// <summary>A look at a stripe of this pass took so long.</summary>
    public void Looked(TimeSpan took)
    {
        lock (_lock)
        {
            _looks.Add(took);
            if (_looks.Count < LooksPerChange)
            {
                return;
            }

            _looks.Sort();
            TimeSpan median = _looks[LooksPerChange / 2];
            _looks.Clear();
            TimeSpan lowest = Lowest(median);
            if (!_isWide)
            {
                Resize(Next(median, lowest));
            }
        }
    }

    private int Next(TimeSpan median, TimeSpan lowest) =>
        median > lowest + Max(lowest, Slack) ? Math.Max(MinStripes, _stripes / 2)
        : median < lowest + Max(lowest / 2, Slack / 2) ? Math.Min(MaxStripes, _stripes + 1)
        : _stripes;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private TimeSpan Lowest(TimeSpan median)
    {
        TimeSpan since = time.GetElapsedTime(_spanBegan);
        if (since >= BaseSpan)
        {
            _lowestBefore = since < 2 * BaseSpan ? _lowest : TimeSpan.MaxValue;
            _lowest = TimeSpan.MaxValue;
            _spanBegan = time.GetTimestamp();
        }

        _lowest = median < _lowest ? median : _lowest;
        return _lowest < _lowestBefore ? _lowest : _lowestBefore;
    }

    private void Resize(int stripes)
    {
        _stripes = stripes;
        Admit();
    }

    // Who gave up waiting takes no turn.
    private void Admit()
    {
        while (_inside < _stripes && _waiting.TryDequeue(out TaskCompletionSource? next))
        {
            _inside += next.TrySetResult() ? 1 : 0;
        }
    }
}
