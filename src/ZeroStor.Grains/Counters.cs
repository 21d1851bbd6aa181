using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using ZeroStor.Paths;

namespace ZeroStor.Grains;

/// <summary>What this silo has done since it started: for <c>zs status</c>, and as meter <c>ZeroStor</c>.
/// Thread-safe.</summary>
public sealed class Counters : IReadObserver, IDisposable
{
    public const string MeterName = "ZeroStor";

    private readonly Meter _meter = new(MeterName);
    private readonly Cell _stripesWritten;
    private readonly Cell _stripesShort;
    private readonly Cell _stripesRead;
    private readonly Cell _stripesDecoded;
    private readonly Cell _shardsMissed;
    private readonly Cell _shardsRepaired;
    private readonly Cell _contentsReclaimed;
    private readonly Cell _shardsScrubbed;
    private readonly Cell _shardsRotten;
    private readonly Counter<long> _repairIo;
    private readonly Cell[] _all;
    private readonly ConcurrentDictionary<DiskId, long> _wrong = new();

    public Counters()
    {
        _stripesWritten = new Cell(
            _meter, "stripesWritten", "zerostor.stripe.writes", "{stripe}", "Stripes made durable.");
        _stripesShort = new Cell(
            _meter, "stripesShort", "zerostor.stripe.writes.short", "{stripe}", "Of them, with fewer than n shards.");
        _stripesRead = new Cell(
            _meter, "stripesRead", "zerostor.stripe.reads", "{stripe}", "Stripes, or ranges of them, opened for readers.");
        _stripesDecoded = new Cell(
            _meter,
            "stripesDecoded",
            "zerostor.stripe.reads.decoded",
            "{stripe}",
            "Of them, with shards rebuilt from others.");
        _shardsMissed = new Cell(
            _meter,
            "shardsMissed",
            "zerostor.stripe.reads.missed",
            "{shard}",
            "Shards that a read found absent or wrong.");
        _shardsRepaired = new Cell(
            _meter, "shardsRepaired", "zerostor.repair.shards", "{shard}", "Shards rebuilt at their homes.");
        _contentsReclaimed = new Cell(
            _meter,
            "contentsReclaimed",
            "zerostor.reclaim.contents",
            "{content}",
            "Dead contents dropped from all disks.");
        _shardsScrubbed = new Cell(
            _meter, "shardsScrubbed", "zerostor.scrub.shards", "{shard}", "Shards that scrub read again.");
        _shardsRotten = new Cell(
            _meter, "shardsRotten", "zerostor.scrub.rotten", "{shard}", "Of them, with bytes that were not written so.");
        _repairIo = _meter.CreateCounter<long>(
            "zerostor.repair.io", "By", "Bytes of shards that repair read and wrote, on any silo.");
        _all =
        [
            _stripesWritten, _stripesShort, _stripesRead, _stripesDecoded, _shardsMissed, _shardsRepaired,
            _contentsReclaimed, _shardsScrubbed, _shardsRotten,
        ];
    }

    internal Meter Meter => _meter;

    public void Wrote(int missing)
    {
        _stripesWritten.Add(1);
        if (missing > 0)
        {
            _stripesShort.Add(1);
        }
    }

    public void Read() => _stripesRead.Add(1);

    public void Repaired(RepairTally tally)
    {
        _shardsRepaired.Add(tally.ShardsRebuilt + tally.ShardsCopied);
        _repairIo.Add(tally.BytesRead, new KeyValuePair<string, object?>("direction", "read"));
        _repairIo.Add(tally.BytesWritten, new KeyValuePair<string, object?>("direction", "write"));
    }

    public void Scrubbed(long shards, long rotten)
    {
        _shardsScrubbed.Add(shards);
        _shardsRotten.Add(rotten);
    }

    public void Reclaimed(int contents) => _contentsReclaimed.Add(contents);

    void IReadObserver.Decoded(StripeRef stripe) => _stripesDecoded.Add(1);

    void IReadObserver.Found(StripeRef stripe, int place, DiskId disk, ErrorKind what)
    {
        _shardsMissed.Add(1);
        if (what == ErrorKind.Corrupt)
        {
            _wrong.AddOrUpdate(disk, 1, (_, known) => known + 1);
        }
    }

    /// <summary>How often reads and repair found what a disk holds to be something else than was put there,
    /// for the disks of which they ever did.</summary>
    public ImmutableDictionary<DiskId, long> WrongShards() => _wrong.ToImmutableDictionary();

    public ImmutableSortedDictionary<string, long> Snapshot() =>
        _all.ToImmutableSortedDictionary(c => c.Name, c => c.Value);

    public void Dispose() => _meter.Dispose();

    // Known by one name to zs status and by another to those who listen to the meter.
    private sealed class Cell(Meter meter, string name, string instrument, string unit, string description)
    {
        private readonly Counter<long> _published = meter.CreateCounter<long>(instrument, unit, description);
        private long _value;

        public string Name => name;

        public long Value => Interlocked.Read(ref _value);

        public void Add(long count)
        {
            Interlocked.Add(ref _value, count);
            _published.Add(count);
        }
    }
}
