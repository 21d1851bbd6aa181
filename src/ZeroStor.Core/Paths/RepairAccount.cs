namespace ZeroStor.Paths;

/// <summary>How a round of repair stands.</summary>
/// <param name="Done">What it came to so far.</param>
/// <param name="ShardsToDo">Shards still to restore, about: as digests tell.</param>
/// <param name="BytesToDo">Their bytes, as if each were as large as the mean of those that were restored so far;
/// null until there are some.</param>
/// <param name="BytesPerSecond">Shard bytes restored, as of late.</param>
/// <param name="TimeLeft">How long the rest takes at that rate; null while nothing can be told yet.</param>
public sealed record RepairRoundState(
    RepairTally Done, long ShardsToDo, long? BytesToDo, double BytesPerSecond, TimeSpan? TimeLeft);

/// <summary>How repair stands.</summary>
/// <param name="GroupsToRepair">Groups of the last round that are not dealt with.</param>
/// <param name="ShardsLeft">Shards that the last round could not restore.</param>
/// <param name="Done">What all rounds came to.</param>
/// <param name="Busy">Time spent repairing.</param>
/// <param name="Round">The round that runs; null between rounds.</param>
public sealed record RepairState(
    int GroupsToRepair, long ShardsLeft, RepairTally Done, TimeSpan Busy, RepairRoundState? Round);

/// <summary>Keeps account of repair, round by round: what was restored, how fast, and how much is still to do.
/// Thread-safe.</summary>
public sealed class RepairAccount(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly RecentRate _rate = new(time);
    private readonly Dictionary<GroupId, Entry> _groups = [];
    private long _left;
    private RepairTally _done;
    private RepairTally _round;
    private TimeSpan _busy;
    private long? _began;

    public RepairState State
    {
        get
        {
            lock (_lock)
            {
                return new RepairState(_groups.Count, _left, _done, Busy(), _began is null ? null : Round());
            }
        }
    }

    /// <summary>A round begins.</summary>
    /// <param name="lacking">About how many shards each of its groups lacks.</param>
    public void Begin(IEnumerable<KeyValuePair<GroupId, long>> lacking)
    {
        lock (_lock)
        {
            _groups.Clear();
            foreach ((GroupId group, long shards) in lacking)
            {
                _groups[group] = new Entry(shards, Left: 0);
            }

            _left = 0;
            _round = default;
            _rate.Restart();
            _began = time.GetTimestamp();
        }
    }

    /// <summary>A stripe of the group was dealt with.</summary>
    public void Restored(GroupId group, RepairTally stripe)
    {
        lock (_lock)
        {
            _done += stripe;
            _round += stripe;
            _left += stripe.ShardsLeft;
            _rate.Add(stripe.BytesWritten);
            if (_groups.TryGetValue(group, out Entry entry))
            {
                _groups[group] = new Entry(
                    Math.Max(0, entry.ToDo - stripe.ShardsRestored - stripe.ShardsLeft),
                    entry.Left + stripe.ShardsLeft);
            }
        }
    }

    /// <summary>The group was dealt with.</summary>
    public void Ended(GroupId group, RepairTally tally)
    {
        lock (_lock)
        {
            _groups.Remove(group, out Entry entry);
            _left += tally.ShardsLeft - entry.Left;
        }
    }

    /// <summary>The round is over, however it ended.</summary>
    public void End()
    {
        lock (_lock)
        {
            _busy = Busy();
            _began = null;
        }
    }

    private TimeSpan Busy() => _busy + (_began is { } began ? time.GetElapsedTime(began) : TimeSpan.Zero);

    private RepairRoundState Round()
    {
        long shards = _groups.Values.Sum(g => g.ToDo);
        double rate = _rate.PerSecond;
        long? bytes = shards == 0 ? 0
            : _done.ShardsRestored > 0 ? (long)((double)shards * _done.BytesWritten / _done.ShardsRestored)
            : null;
        TimeSpan? left = bytes == 0 ? TimeSpan.Zero
            : bytes / rate is { } seconds && seconds < TimeSpan.MaxValue.TotalSeconds
                ? TimeSpan.FromSeconds(seconds)
                : null;
        return new RepairRoundState(_round, shards, bytes, rate, left);
    }

    /// <param name="ToDo">Shards still to restore, about.</param>
    /// <param name="Left">Shards of it that could not be restored, as told so far.</param>
    private readonly record struct Entry(long ToDo, long Left);
}
