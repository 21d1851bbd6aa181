namespace ZeroStor.S3Load;

/// <summary>What one put of a key makes of it.</summary>
/// <param name="Seed">Of the bytes.</param>
/// <param name="Bytes">How many.</param>
/// <param name="ETag">What S3 calls them, without quotes.</param>
internal sealed record Written(ulong Seed, long Bytes, string ETag);

/// <summary>All that its one writer did to a key, and what may therefore be seen of it: a value whose write
/// began before the look ended, and that no later write which succeeded and ended before the look began has
/// replaced. Null, no object, is a value as others are; it is what a key begins with. A write that failed may
/// have happened or not. Thread-safe, for one writer and any who look.</summary>
internal sealed class KeyHistory
{
    private readonly Lock _lock = new();
    private readonly List<Write> _writes = [new(null, long.MinValue) { Ended = long.MinValue }];

    /// <summary>A write begins; the one before has ended or failed.</summary>
    public void Begin(Written? value, long now)
    {
        lock (_lock)
        {
            _writes.Add(new Write(value, now));
        }
    }

    /// <summary>The write that began last has succeeded. One that failed is never ended.</summary>
    public void End(long now)
    {
        lock (_lock)
        {
            _writes[^1].Ended = now;
        }
    }

    /// <summary>The values that a look may have seen, the latest first.</summary>
    public List<Written?> Seen(long began, long ended)
    {
        var seen = new List<Written?>();
        lock (_lock)
        {
            for (int i = _writes.Count - 1; i >= 0; i--)
            {
                if (_writes[i].Began <= ended)
                {
                    seen.Add(_writes[i].Value);
                }

                if (_writes[i].Ended < began)
                {
                    break;
                }
            }
        }

        return seen;
    }

    /// <summary>The values that it may have while nobody writes it.</summary>
    public List<Written?> Now() => Seen(long.MaxValue, long.MaxValue);

    private sealed class Write(Written? value, long began)
    {
        public Written? Value { get; } = value;

        public long Began { get; } = began;

        /// <summary>Null while it is under way, and for good when it failed.</summary>
        public long? Ended { get; set; }
    }
}
