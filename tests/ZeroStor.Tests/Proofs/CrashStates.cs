using ZeroStor.Tests.Volumes;
using ZeroStor.Volumes;

namespace ZeroStor.Tests.Proofs;

/// <summary>The proof of promise 3 on one disk: after every short sequence of orders, a crash after every
/// change and every sync, and for each every state in which the device may be found. From each state the disk
/// opens by itself and keeps what it promised, takes a shard more, and keeps that too when the power fails
/// again. Thread-safe: starts may be proven at once.</summary>
internal sealed class CrashStates(Defect planted, Func<string, byte[]> lifeBefore)
{
    /// <summary>Of so many states one is opened under another crash after each step of its own repair.
    /// </summary>
    private const int RepairsPerCrash = 16;

    /// <summary>No sequence of orders makes so many shards.</summary>
    private const int FreshShard = 500;

    private readonly HashSet<UInt128> _states = [];
    private readonly HashSet<(UInt128 State, UInt128 Debt)> _proven = [];

    // What an opening repaired, and the power failed again: far fewer, for most crashes are repaired alike.
    private readonly HashSet<(UInt128 State, UInt128 Debt)> _repaired = [];

    /// <summary>Different states that were opened. What differs only in what was owed counts once.</summary>
    internal int Count => _states.Count;

    /// <summary>All that comes of two orders at most, from a start that the seed chooses.</summary>
    internal static async Task ProveAsync(int seed, Defect planted)
    {
        var states = new CrashStates(planted, await CrashStart.LifeBeforeAsync(planted));
        CrashStart[] starts = await CrashStart.AllAsync();
        for (int orders = 0; orders <= 2; orders++)
        {
            await states.ProveAsync(starts[seed % starts.Length], orders);
        }
    }

    /// <summary>Every sequence of so many orders, with crashes within the last of them; with none, within the
    /// opening.</summary>
    internal async Task ProveAsync(CrashStart start, int orders)
    {
        DiskOrder[] all = Enum.GetValues<DiskOrder>();
        int sequences = (int)Math.Pow(all.Length, orders);
        for (int sequence = 0; sequence < sequences; sequence++)
        {
            DiskOrder[] told = new DiskOrder[orders];
            for (int i = 0, rest = sequence; i < orders; i++, rest /= all.Length)
            {
                told[i] = all[rest % all.Length];
            }

            // What two appends leave is nearly the same however they overlapped: of three orders the last alone may be this.
            if (orders < 3 || !told.AsSpan(..^1).Contains(DiskOrder.Ahead))
            {
                await ProveAsync(start, told);
            }
        }
    }

    private async Task ProveAsync(CrashStart start, DiskOrder[] orders)
    {
        int from = 0;
        await using var run = new CrashRun(start, planted);
        foreach (DiskOrder order in orders)
        {
            from = run.Recorded.Journal.Count;
            await run.DoAsync(order);
        }

        Assert.Empty(run.Refusals);

        string what = $"{start.Name}: {string.Join(", ", orders)}";
        await ProveAsync(run.Recorded.Start, run.Recorded.Journal, from, what, mayCrashAgain: true);
    }

    /// <summary>A crash at the end of what these files recorded.</summary>
    internal Task ProveEndAsync(RecordingFiles files, string what) =>
        ProveAsync(files.Start, files.Journal, files.Journal.Count - 1, what, mayCrashAgain: false);

    /// <summary>Crashes after each entry of a journal from one on.</summary>
    private async Task ProveAsync(
        DiskImage start, IReadOnlyList<FileChange> journal, int from, string what, bool mayCrashAgain)
    {
        int entry = 0;
        foreach (CrashPoint point in CrashPoint.All(start, journal))
        {
            if (entry++ < from || point.Debt is not { } debt)
            {
                continue;
            }

            UInt128 debtHash = debt.Hash();
            foreach (DiskImage state in point.States(lifeBefore, new Random(entry)))
            {
                if (!IsNew(state.Hash, debtHash))
                {
                    continue;
                }

                string where = $"{what}, crash after {journal[entry - 1].GetType().Name} {entry}";
                RecordingFiles repaired = await ProveAsync(state, debt, where);
                if (mayCrashAgain && state.Hash % RepairsPerCrash == 0)
                {
                    await ProveAsync(state, repaired.Journal, 0, where + ", opened", mayCrashAgain: false);
                }
            }
        }
    }

    private async Task ProveAgainAsync(DiskImage repaired, DiskDebt debt)
    {
        lock (_states)
        {
            if (!_repaired.Add((repaired.Hash, debt.Hash())))
            {
                return;
            }
        }

        Disk disk = CrashRun.Open(new RecordingFiles(repaired) { Planted = planted }, planted);
        await debt.CollectAsync(disk);
        disk.Abandon();
    }

    private bool IsNew(UInt128 state, UInt128 debt)
    {
        lock (_states)
        {
            _states.Add(state);
            return _proven.Add((state, debt));
        }
    }

    // Returns the files as the first opening left them.
    private async Task<RecordingFiles> ProveAsync(DiskImage state, DiskDebt debt, string where)
    {
        try
        {
            var files = new RecordingFiles(state) { Planted = planted };
            files.Owe(debt);
            Disk disk = CrashRun.Open(files, planted);
            DiskDebt left = await debt.CollectAsync(disk);
            BrokenPromiseException.Unless(
                disk.BadRecords == 0, Promise.RestartsByItself, $"it counts {disk.BadRecords} bad records");
            TestShard fresh = CrashRun.ShardOf(FreshShard, 600, FreshShard);
            files.Owe(left.With(Fate.Either, fresh));
            HomeAnswer answer = await CrashRun.AppendAsync(disk, fresh);
            BrokenPromiseException.Unless(answer.IsDone, Promise.RestartsByItself, answer.Detail);
            left = left.With(Fate.There, fresh);
            files.Owe(left);
            disk.Abandon();

            await ProveAgainAsync(files.Durable(), left);
            return files;
        }
        catch (BrokenPromiseException e)
        {
            throw new BrokenPromiseException(e.Promise, $"{where}: {e.How}");
        }
        catch (ZeroStorException e)
        {
            throw new BrokenPromiseException(Promise.RestartsByItself, $"{where}: {e.Message}");
        }
    }
}
