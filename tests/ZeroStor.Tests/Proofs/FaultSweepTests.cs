using ZeroStor.Tests.Volumes;
using ZeroStor.Volumes;

namespace ZeroStor.Tests.Proofs;

/// <summary>Every call that a disk makes of its files fails once, in each way in which it may. What is
/// answered then is right or a refusal, and no crash afterwards breaks a promise.</summary>
public sealed class FaultSweepTests
{
    private const int InputOutputError = 5;

    // Nothing that is swept makes so many calls; a sweep that goes on is a loop.
    private const int TooMany = 1000;

    private static readonly Dictionary<string, DiskOrder[]> Scenarios = new()
    {
        ["append"] = [DiskOrder.Append, DiskOrder.Grow],
        ["ahead"] = [DiskOrder.Ahead],
        ["delete"] = [DiskOrder.Drop, DiskOrder.Reclaim, DiskOrder.Checkpoint],
        ["seal"] = [DiskOrder.Seal, DiskOrder.Seal],
        ["compact"] = [DiskOrder.Compact],
    };

    /// <summary>Half a write is what a full file system and a failing device leave behind.</summary>
    public static TheoryData<int, bool> Faults => new()
    {
        { InputOutputError, false },
        { InputOutputError, true },
        { OsFile.NoSpace, false },
        { OsFile.NoSpace, true },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task An_order_whose_nth_call_fails_is_refused_and_breaks_no_promise(int errno, bool isShort)
    {
        CrashStates states = await NewStatesAsync();
        CrashStart start = await CrashStart.HalfDeadAsync();
        foreach ((string name, DiskOrder[] orders) in Scenarios)
        {
            int reached = 0;
            for (int nth = 1; reached == nth - 1; nth++)
            {
                Assert.InRange(nth, 1, TooMany);
                var fault = new OneFault(errno, isShort) { Nth = nth };
                var run = new CrashRun(start, Defect.None, fault.Before);
                fault.IsArmed = true;
                foreach (DiskOrder order in orders)
                {
                    await run.DoAsync(order);
                }

                fault.IsArmed = false;
                reached = fault.IsMet ? nth : reached;
                await CheckAnswersAsync(run, fault);
                await run.DisposeAsync();
                await states.ProveEndAsync(run.Recorded, $"{name}, {fault}");
            }

            Tell($"{name}: {reached} calls failed");
        }

        Tell($"{states.Count} states afterwards");
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_close_whose_nth_call_fails_loses_nothing(int errno, bool isShort)
    {
        CrashStates states = await NewStatesAsync();
        CrashStart start = await CrashStart.HalfDeadAsync();
        int nth = 0;
        for (bool isMet = true; isMet; isMet &= nth < TooMany)
        {
            var fault = new OneFault(errno, isShort) { Nth = ++nth };
            var run = new CrashRun(start, Defect.None, fault.Before);
            await run.DoAsync(DiskOrder.Append);
            fault.IsArmed = true;
            await run.DisposeAsync();
            fault.IsArmed = false;
            isMet = fault.IsMet;
            await states.ProveEndAsync(run.Recorded, $"close, {fault}");
        }

        Tell($"{nth - 1} calls failed, {states.Count} states afterwards");
        Assert.InRange(nth, 4, TooMany - 1);
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task An_opening_whose_nth_call_fails_spoils_nothing_for_the_next(int errno, bool isShort)
    {
        CrashStates states = await NewStatesAsync();
        CrashStart start = await TornAsync();
        int nth = 0;
        for (bool isMet = true; isMet; isMet &= nth < TooMany)
        {
            var fault = new OneFault(errno, isShort) { Nth = ++nth };
            var recorded = new RecordingFiles(start.Image);
            recorded.Owe(start.Debt);
            IDiskFiles files = fault.Before(recorded);
            fault.IsArmed = true;
            try
            {
                Disk disk = CrashRun.Open(
                    files, Defect.None, CrashRun.GenerationsOf(recorded, Defect.None));
                fault.IsArmed = false;
                await start.Debt.CollectAsync(disk, mayLack: fault.Hit is FileCall.Read);
                disk.Abandon();
            }
            catch (ZeroStorException e)
            {
                Assert.Equal(ErrorKind.DiskFailed, e.Kind);
                Assert.True(fault.IsMet);
            }

            isMet = fault.IsMet;
            await states.ProveEndAsync(recorded, $"open, {fault}");
        }

        Tell($"{nth - 1} calls failed, {states.Count} states afterwards");
        Assert.InRange(nth, 5, TooMany - 1);
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_format_whose_nth_call_fails_can_be_made_again(int errno, bool isShort)
    {
        int nth = 0;
        int states = 0;
        for (bool isMet = true; isMet; isMet &= nth < TooMany)
        {
            var fault = new OneFault(errno, isShort) { Nth = ++nth };
            var recorded = new RecordingFiles(DiskImage.Empty);
            IDiskFiles files = fault.Before(recorded);
            fault.IsArmed = true;
            try
            {
                Format(files);
            }
            catch (ZeroStorException e)
            {
                Assert.Contains(e.Kind, fault.Refusals);
                Assert.True(fault.IsMet);
            }

            isMet = fault.IsMet;
            foreach (DiskImage state in CrashPoint.All(recorded.Start, recorded.Journal)
                .SelectMany(p => p.States(_ => [], new Random(nth))).DistinctBy(s => s.Hash))
            {
                states++;
                AssertCanBeDisk(state);
            }
        }

        Tell($"{nth - 1} calls failed, {states} states afterwards");
        Assert.InRange(nth, 5, TooMany - 1);
    }

    [Fact]
    public async Task A_scrub_whose_nth_call_fails_calls_no_shard_damaged_that_it_could_read()
    {
        CrashStart start = await CrashStart.HalfDeadAsync();
        long shards = start.Debt.Of(Fate.There).Count();
        int nth = 0;
        long bad = 0;
        for (bool isMet = true; isMet; isMet &= nth < TooMany)
        {
            var fault = new OneFault(InputOutputError, false) { Nth = ++nth };
            await using var run = new CrashRun(start, Defect.None, fault.Before);
            fault.IsArmed = true;
            ScrubTally tally = await run.Disk.ScrubAsync(
                new Throttle(TimeProvider.System), CancellationToken.None);
            fault.IsArmed = false;
            isMet = fault.IsMet;
            Assert.Equal(shards, tally.Shards);
            bad += tally.Bad;
            Assert.Equal(DiskState.Up, run.Disk.State);
            await run.Debt.CollectAsync(run.Disk, mayLack: isMet);
        }

        // A window that cannot be read is read record by record; and what a footer that cannot be read says,
        // the records say too.
        Assert.Equal(0, bad);
        Assert.InRange(nth - 1, 3, TooMany - 1);
    }

    // Reads go on. What failed for good is not tried again; what had no room finds it when there is some.
    private static async Task CheckAnswersAsync(CrashRun run, OneFault fault)
    {
        Assert.All(run.Refusals, r => Assert.Contains(r.Kind, fault.Refusals));
        await run.Debt.CollectAsync(run.Disk, mayLack: fault.Hit is FileCall.Read);
        if (!fault.IsMet)
        {
            return;
        }

        if (fault.MustEndWriting)
        {
            // But for a volume whose making had no room, and which was unlinked at once.
            bool isUnmade = fault.IsNoSpace
                && run.Recorded.Journal.Any(c => c is Renamed { To: null } r && r.From == fault.Path);
            Assert.Equal(isUnmade ? DiskState.Up : DiskState.ReadOnly, run.Disk.State);
        }

        if (fault.IsFull)
        {
            Assert.Equal(DiskState.Up, run.Disk.State);
            Assert.All(run.Refusals, r => Assert.Equal(ErrorKind.DiskFull, r.Kind));
        }

        bool isUp = run.Disk.State == DiskState.Up;
        int changes = fault.Changes;
        int refusals = run.Refusals.Count;
        foreach (DiskOrder order in (DiskOrder[])[DiskOrder.Append, DiskOrder.Checkpoint, DiskOrder.Compact])
        {
            await run.DoAsync(order);
        }

        Assert.Equal(isUp, run.Refusals.Count == refusals);
        Assert.Equal(isUp, fault.Changes > changes);
        await run.Debt.CollectAsync(run.Disk, mayLack: fault.Hit is FileCall.Read);
    }

    private static void Format(IDiskFiles files) => DiskFolder.Format(
        files, CrashRun.Folder, new FabricId(1), new DiskId(2), new SeededEntropy(3));

    private static void AssertCanBeDisk(DiskImage state)
    {
        var files = new RecordingFiles(state);
        if (DiskFolder.Peek(files, CrashRun.Folder) is null)
        {
            Format(files);
        }

        Disk disk = CrashRun.Open(files, Defect.None);
        Assert.Equal((new DiskId(2), DiskState.Up), (disk.Id, disk.State));
        disk.Abandon();
    }

    // Ended within a batch of which some stands, so that the opening has to cut it off.
    private static async Task<CrashStart> TornAsync()
    {
        CrashStart start = await CrashStart.HalfDeadAsync();
        await using var run = new CrashRun(start, Defect.None);
        await run.DoAsync(DiskOrder.Append);
        CrashPoint point = CrashPoint.All(run.Recorded.Start, run.Recorded.Journal)
            .Last(p => p.Pending is [.., Written w]
                && w.Path.EndsWith(".vol", StringComparison.Ordinal));
        var batch = (Written)point.Pending[^1];
        Written torn = batch with { Bytes = batch.Bytes[..1500] };
        return start with { Image = point.Durable.With([torn]), Debt = point.Debt! };
    }

    private static async Task<CrashStates> NewStatesAsync() =>
        new(Defect.None, await CrashStart.LifeBeforeAsync(Defect.None));

    private static void Tell(string what) => TestContext.Current.TestOutputHelper!.WriteLine(what);
}
