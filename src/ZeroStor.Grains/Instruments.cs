using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using ZeroStor.Volumes;

namespace ZeroStor.Grains;

/// <summary>How much and how long: the histograms, bytes and queues of meter <c>ZeroStor</c>, beside the
/// <see cref="Counters"/>. Recording allocates nothing, and costs next to nothing while nobody listens. What each one
/// means stands in <c>silo/README.md</c>. Thread-safe.</summary>
internal sealed class Instruments : IDiskObserver, IDisposable
{
    /// <summary>From an answer out of memory to the longest patience, in seconds: the library's own steps are made
    /// for milliseconds.</summary>
    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries =
            [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    };

    // By number: to name a kind anew each time would allocate.
    private static readonly string[] ErrorNames =
    [
        .. Enumerable.Range(0, (int)Enum.GetValues<ErrorKind>().Max() + 1).Select(kind => ((ErrorKind)kind).ToString()),
    ];

    private readonly Meter _meter = new(Counters.MeterName);
    private readonly TimeProvider _time;
    private readonly Histogram<double> _stripeWrite;
    private readonly Histogram<double> _stripeRead;
    private readonly Counter<long> _stripeIo;
    private readonly Histogram<double> _append;
    private readonly Histogram<double> _sync;
    private readonly Counter<long> _diskIo;
    private readonly Histogram<double> _catalogCall;
    private readonly Counter<long> _catalogFailures;
    private readonly ConcurrentDictionary<DiskId, KeyValuePair<string, object?>> _tags = new();
    private long _catalogCalls;

    public Instruments(TimeProvider time)
    {
        _time = time;
        _stripeWrite = Duration("zerostor.stripe.write.duration", "Writing a stripe: sealed, coded, durable.");
        _stripeRead = Duration("zerostor.stripe.read.duration", "Reading a stripe, or a range of one.");
        _stripeIo = Bytes("zerostor.stripe.io", "Content of stripes that were written or read.");
        _append = Duration("zerostor.disk.append.duration", "A shard's append to a disk of this silo, queue and sync "
            + "included.");
        _sync = Duration("zerostor.disk.sync.duration", "One sync of a disk, for all that was laid together.");
        _diskIo = Bytes("zerostor.disk.io", "Records that disks of this silo wrote.");
        _catalogCall = Duration("zerostor.catalog.call.duration", "A call of the catalog, its queue included.");
        _catalogFailures = _meter.CreateCounter<long>(
            "zerostor.catalog.call.failures", "{call}", "Calls that the catalog did not answer.");
        _meter.CreateObservableUpDownCounter(
            "zerostor.catalog.call.active",
            () => Interlocked.Read(ref _catalogCalls),
            "{call}",
            "Calls of the catalog that wait for their answer.");
    }

    private static KeyValuePair<string, object?> Write { get; } = new("direction", "write");

    private static KeyValuePair<string, object?> Read { get; } = new("direction", "read");

    internal Meter Meter => _meter;

    /// <summary>The moment from which a duration counts.</summary>
    public long Begin() => _time.GetTimestamp();

    public void WroteStripe(long began, int bytes)
    {
        _stripeWrite.Record(Since(began));
        _stripeIo.Add(bytes, Write);
    }

    public void ReadStripe(long began, int bytes)
    {
        _stripeRead.Record(Since(began));
        _stripeIo.Add(bytes, Read);
    }

    /// <summary>A stripe's write or read ended with an error.</summary>
    public void FailedStripe(long began, bool isWrite, ErrorKind why) =>
        (isWrite ? _stripeWrite : _stripeRead).Record(Since(began), Error(why));

    public void Appended(DiskId disk, long began, ErrorKind answer)
    {
        if (_append.Enabled)
        {
            Record(_append, began, TagOf(disk), answer);
        }
    }

    void IDiskObserver.Synced(DiskId disk, long bytes, TimeSpan sync)
    {
        try
        {
            if (_sync.Enabled)
            {
                _sync.Record(sync.TotalSeconds, TagOf(disk));
            }

            if (_diskIo.Enabled)
            {
                _diskIo.Add(bytes, TagOf(disk), Write);
            }
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Listeners are called within: none may end the writing of a disk.
        }
    }

    public long BeginCatalogCall()
    {
        Interlocked.Increment(ref _catalogCalls);
        return Begin();
    }

    public void EndCatalogCall(string operation, long began, ErrorKind answer)
    {
        Interlocked.Decrement(ref _catalogCalls);
        var tag = new KeyValuePair<string, object?>("operation", operation);
        Record(_catalogCall, began, tag, answer);
        if (answer == ErrorKind.Unavailable)
        {
            _catalogFailures.Add(1, tag);
        }
    }

    /// <summary>What waits, asked for when somebody looks.</summary>
    public void Observe(LocalHomes homes, PutSlots puts)
    {
        _meter.CreateObservableUpDownCounter(
            "zerostor.disk.queue.length",
            () => homes.All.Select(d => new Measurement<long>(d.Queued.Items, TagOf(d.Id))),
            "{item}",
            "What waits for a disk's writer.");
        _meter.CreateObservableUpDownCounter(
            "zerostor.disk.queue.size",
            () => homes.All.Select(d => new Measurement<long>(d.Queued.Bytes, TagOf(d.Id))),
            "By",
            "The bytes of it.");
        _meter.CreateObservableUpDownCounter(
            "zerostor.put.active", () => (long)puts.Count, "{put}", "Puts that hold a slot.");
        _meter.CreateObservableUpDownCounter(
            "zerostor.put.memory", () => puts.Budget.Taken, "By", "Memory of stripes on their way in.");
        _meter.CreateObservableUpDownCounter(
            "zerostor.put.waiting", () => (long)puts.Budget.Waiting, "{stripe}", "Stripes that wait for memory.");
    }

    /// <summary>As above.</summary>
    public void Observe(Scrubber scrubber) => _meter.CreateObservableCounter(
        "zerostor.scrub.io", () => scrubber.ReadBytes, "By", "What scrub read again of the disks.");

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> Error(ErrorKind kind) => new("error.type", ErrorNames[(int)kind]);

    private void Record(
        Histogram<double> histogram, long began, KeyValuePair<string, object?> tag, ErrorKind answer)
    {
        if (answer == ErrorKind.None)
        {
            histogram.Record(Since(began), tag);
        }
        else
        {
            histogram.Record(Since(began), tag, Error(answer));
        }
    }

    private KeyValuePair<string, object?> TagOf(DiskId disk) =>
        _tags.GetOrAdd(disk, static d => new KeyValuePair<string, object?>("disk", (long)d.Value));

    private double Since(long began) => _time.GetElapsedTime(began).TotalSeconds;

    private Histogram<double> Duration(string name, string description) =>
        _meter.CreateHistogram(name, "s", description, tags: null, Seconds);

    private Counter<long> Bytes(string name, string description) =>
        _meter.CreateCounter<long>(name, "By", description);
}
