using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using ZeroStor.Contracts.Doors;
using ZeroStor.Volumes;

namespace ZeroStor.Grains;

/// <summary>Reads this silo's disks again and again: in the background one disk after the other, each as far
/// as is due by now for all of it to be read once a period, at a pace that nobody notices; and at full speed
/// when an operator asks. A disk is read once at a time. An asked-for pass begins when the one under way has
/// been hurried to its end, so it reads whatever was damaged before it was asked for. What is rotten leaves
/// its disk's digests, and repair sees it. Orders are remembered as long as the silo runs, and go on when
/// nobody asks for them any more. Thread-safe.</summary>
internal sealed class Scrubber(
    ZeroStorOptions options, LocalHomes homes, Counters counters, TimeProvider time, ILogger<Scrubber> log)
    : IAsyncDisposable
{
    /// <summary>Disks that asked-for passes read at once: enough to keep a machine's disks busy; each holds
    /// two windows in memory.</summary>
    private const int DisksAtOnce = 8;

    /// <summary>Orders under way, and as many ended ones to be asked about. An operator has one.</summary>
    private const int MaxOrders = 16;

    private readonly Throttle _pace = new(time);
    private readonly Throttle _fullSpeed = new(time);
    private readonly SemaphoreSlim _atOnce = new(DisksAtOnce);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<DiskId, SemaphoreSlim> _lanes = new();
    private readonly ConcurrentDictionary<DiskId, DateTimeOffset> _lastEnded = new();
    private readonly Lock _lock = new();
    private readonly List<Order> _orders = [];
    private DiskId? _paced;

    /// <summary>What was read so far, on all disks.</summary>
    public long ReadBytes => _pace.TakenBytes + _fullSpeed.TakenBytes;

    /// <summary>One round of the background over all disks that nobody asked for: what is due of each by now.
    /// </summary>
    public async Task RoundAsync(CancellationToken cancel)
    {
        foreach (Disk disk in homes.All)
        {
            SemaphoreSlim lane = LaneOf(disk.Id);
            if (!await lane.WaitAsync(TimeSpan.Zero, cancel))
            {
                continue;
            }

            try
            {
                if (MayPace(disk.Id))
                {
                    await GoOnAsync(disk, cancel);
                }
            }
            catch (ZeroStorException e) when (e.Kind is ErrorKind.DiskOffline or ErrorKind.Busy)
            {
                // It went meanwhile.
            }
            finally
            {
                EndPaced();
                lane.Release();
            }
        }
    }

    /// <summary>Begins an order, or tells how it stands if it was begun.</summary>
    /// <exception cref="ZeroStorException">Busy.</exception>
    public ImmutableArray<DiskScrub> Begin(ScrubOrder order)
    {
        lock (_lock)
        {
            if (!_orders.Exists(o => o.Name == order.Name))
            {
                Forget();
                Pass[] passes = [.. order.Disks.Distinct().Select(d => new Pass(d, homes.Find(d)))];
                var begun = new Order(order.Name, passes);
                _orders.Add(begun);
                foreach (Pass pass in passes.Where(p => p.Disk == _paced))
                {
                    _pace.BytesPerSecond = 0;
                }

                begun.Work = Task.WhenAll(passes.Select(RunAsync));
            }
        }

        return Progress(order);
    }

    public ImmutableArray<DiskScrub> Progress(ScrubOrder order)
    {
        Order? known;
        lock (_lock)
        {
            known = _orders.Find(o => o.Name == order.Name);
        }

        return
        [
            .. order.Disks.Distinct().Select(d => known?.Passes.FirstOrDefault(p => p.Disk == d)?.Tell()
                ?? new DiskScrub
                {
                    Disk = d,
                    IsEnded = true,
                    Failure = $"the silo of disk {d} was started again: scrub it anew",
                }),
        ];
    }

    /// <summary>Whether the disk is being read now, and when all of it last was.</summary>
    public (bool IsScrubbing, DateTimeOffset? LastEnded) Of(DiskId disk) =>
        (LaneOf(disk).CurrentCount == 0, _lastEnded.TryGetValue(disk, out DateTimeOffset at) ? at : null);

    /// <summary>Ends what is under way.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        await _stop.CancelAsync();
        Task[] work;
        lock (_lock)
        {
            work = [.. _orders.Select(o => o.Work)];
        }

        await Task.WhenAll(work);
    }

    // Off the caller's turn, and never throws: the pass tells how it ended.
    private Task RunAsync(Pass pass) => Task.Run(async () =>
    {
        try
        {
            await RunInTurnAsync(pass);
        }
        catch (Exception e) when (e is ZeroStorException or OperationCanceledException)
        {
            pass.Fail(e is ZeroStorException ? e.Message : $"the silo of disk {pass.Disk} stops");
        }
        catch (Exception e)
        {
            log.WatchFailed(e.Message);
            pass.Fail($"the scrub of disk {pass.Disk} failed: {e.Message}");
        }
    });

    private async Task RunInTurnAsync(Pass pass)
    {
        SemaphoreSlim lane = LaneOf(pass.Disk);
        await lane.WaitAsync(_stop.Token);
        try
        {
            await _atOnce.WaitAsync(_stop.Token);
            try
            {
                Disk disk = homes.Find(pass.Disk) ?? throw new ZeroStorException(
                    ErrorKind.DiskOffline,
                    $"disk {pass.Disk} is not open: zs disk show {pass.Disk} says why");
                Task<ScrubTally> read = ReadAsync(disk, _stop.Token);
                pass.Run(disk);
                pass.End(await read);
            }
            finally
            {
                _atOnce.Release();
            }
        }
        finally
        {
            lane.Release();
        }
    }

    private async Task GoOnAsync(Disk disk, CancellationToken cancel)
    {
        ScrubPart part = await disk.ScrubOnAsync(_pace, options.ScrubPeriodTicks, cancel);
        Tell(disk, part.Read);
        if (part.IsEnded)
        {
            _lastEnded[disk.Id] = time.GetUtcNow();
        }
    }

    private async Task<ScrubTally> ReadAsync(Disk disk, CancellationToken cancel)
    {
        ScrubTally tally = await disk.ScrubAsync(_fullSpeed, cancel);
        _lastEnded[disk.Id] = time.GetUtcNow();
        Tell(disk, tally);
        return tally;
    }

    private void Tell(Disk disk, ScrubTally read)
    {
        counters.Scrubbed(read.Shards, read.Bad);
        if (read.Bad > 0)
        {
            log.RotFound(disk.Id, read.Bad, read.Shards);
        }
    }

    // What was asked for is read at full speed soon: the background must not stand in its way.
    private bool MayPace(DiskId disk)
    {
        lock (_lock)
        {
            if (_orders.Exists(o => o.Passes.Any(p => p.Disk == disk && !p.IsEnded)))
            {
                return false;
            }

            _paced = disk;
            _pace.BytesPerSecond = options.ScrubMaxMiBPerSecond * 1024 * 1024;
            return true;
        }
    }

    private void EndPaced()
    {
        lock (_lock)
        {
            _paced = null;
        }
    }

    private void Forget()
    {
        if (_orders.Count(o => !o.IsEnded) >= MaxOrders)
        {
            throw new ZeroStorException(
                ErrorKind.Busy, $"{MaxOrders} scrubs are under way: wait until one has ended");
        }

        int over = Math.Max(0, _orders.Count(o => o.IsEnded) - MaxOrders);
        foreach (Order old in _orders.Where(o => o.IsEnded).Take(over).ToArray())
        {
            _orders.Remove(old);
        }
    }

    private SemaphoreSlim LaneOf(DiskId disk) => _lanes.GetOrAdd(disk, _ => new SemaphoreSlim(1));

    private sealed record Order(UInt128 Name, IReadOnlyList<Pass> Passes)
    {
        public Task Work { get; set; } = Task.CompletedTask;

        public bool IsEnded => Passes.All(p => p.IsEnded);
    }

    /// <summary>An asked-for pass over one disk.</summary>
    private sealed class Pass(DiskId disk, Disk? asked)
    {
        private readonly Lock _lock = new();
        private readonly long _totalBytes = asked?.Report().LiveBytes ?? 0;
        private Disk? _counted = asked;
        private long _badBefore = asked?.BadRecords ?? 0;
        private Disk? _running;
        private DiskScrub? _end;

        public DiskId Disk => disk;

        public bool IsEnded
        {
            get
            {
                lock (_lock)
                {
                    return _end is not null;
                }
            }
        }

        /// <summary>The disk is being read. One that was opened anew since it was asked for counts from
        /// here.</summary>
        public void Run(Disk opened)
        {
            lock (_lock)
            {
                if (!ReferenceEquals(_counted, opened))
                {
                    (_counted, _badBefore) = (opened, opened.BadRecords);
                }

                _running = opened;
            }
        }

        public void End(ScrubTally tally)
        {
            lock (_lock)
            {
                _end = Tell(tally) with { IsEnded = true };
            }
        }

        public void Fail(string why)
        {
            lock (_lock)
            {
                _end = Tell(_running?.ScrubProgress ?? ScrubTally.Zero) with
                {
                    IsEnded = true, Failure = why,
                };
            }
        }

        public DiskScrub Tell()
        {
            lock (_lock)
            {
                return _end ?? Tell(_running?.ScrubProgress ?? ScrubTally.Zero);
            }
        }

        private DiskScrub Tell(ScrubTally tally) => new()
        {
            Disk = disk,
            Shards = tally.Shards,
            Bytes = tally.Bytes,
            TotalBytes = _totalBytes,
            Bad = (_counted?.BadRecords ?? 0) - _badBefore,
        };
    }
}
