using ZeroStor.Tests.Proofs;

namespace ZeroStor.Tests.Volumes;

/// <summary>A disk against its <see cref="DiskModel"/>.</summary>
public sealed class DiskModelTests
{
    [Fact]
    public Task Any_order_of_puts_drops_reclaims_compactions_stops_and_power_cuts_keeps_the_acknowledged() =>
        Seeds.ForEachAsync(few: 60, seed => DiskModel.ProveAsync(seed, Defect.None));

    [Fact]
    public async Task What_dies_while_it_is_being_copied_stays_dead_through_stops_and_kills()
    {
        for (int seed = 0; seed < 30; seed++)
        {
            await using var bed = new DiskBed(DiskModel.Tiny, seed);
            var model = new DiskModel(bed, seed);
            for (int round = 0; round < 8; round++)
            {
                for (int i = 0; i < 4; i++)
                {
                    await model.PutOrReclaimAsync();
                }

                Task compacting = bed.Disk.CompactAsync(DiskBed.Cancel).AsTask();
                await model.PutOrReclaimAsync();
                await model.PutOrReclaimAsync();
                await compacting;
                if (round % 2 == 0)
                {
                    await bed.ReopenAsync();
                }
                else
                {
                    bed.Crash();
                }

                await model.VerifyAsync();
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_power_cut_or_a_failure_at_any_call_loses_nothing_acknowledged(bool isPowerCut)
    {
        int failedAt = 0;
        for (bool isReached = true; isReached;)
        {
            failedAt++;
            await using var bed = new DiskBed(DiskModel.Tiny, seed: 4, new MemoryFiles(failedAt));
            var model = new DiskModel(bed, seed: 4);
            int calls = 0;
            isReached = false;
            bed.Files.Before = (call, _) =>
            {
                // Reads fail in tests of their own; here the disk must stop between any two changes.
                bool isHit = call != FileCall.Read
                    && Interlocked.Increment(ref calls) is var now
                    && (isPowerCut ? now >= failedAt : now == failedAt);
                isReached |= isHit;
                return isHit ? 5 : 0;
            };
            for (int step = 0; step < 25 && !isReached; step++)
            {
                await model.PutReclaimOrCompactAsync();
            }

            if (!isPowerCut)
            {
                await model.VerifyAsync();
            }

            bed.Disk.Abandon();
            bed.Files.Before = (_, _) => 0;
            bed.CutPower();
            await model.VerifyAsync();
            await bed.PutNewAsync();
            await bed.Disk.CompactAsync(DiskBed.Cancel);
            bed.CutPower();
            await model.VerifyAsync();
        }

        // It went all the way through volumes that filled, died and were unlinked.
        Assert.InRange(failedAt, 60, 2000);
    }

    [Fact]
    public async Task Compaction_that_stops_anywhere_leaves_one_of_each()
    {
        int reached = 0;
        for (int failedAt = 1; failedAt > reached; failedAt++)
        {
            await using var bed = new DiskBed(DiskModel.Tiny, seed: 4, new MemoryFiles(failedAt));
            var model = new DiskModel(bed, seed: 5);
            for (int step = 0; step < 40; step++)
            {
                await model.PutOrReclaimAsync();
            }

            int calls = 0;
            bed.Files.Before = (_, _) => Interlocked.Increment(ref calls) >= failedAt ? 5 : 0;
            await bed.Disk.CompactAsync(DiskBed.Cancel);
            reached = failedAt;
            bool isThrough = calls < failedAt;
            bed.Disk.Abandon();
            bed.Files.Before = (_, _) => 0;
            bed.CutPower();
            await model.VerifyAsync();
            Assert.Equal(model.Acknowledged.Count, bed.Disk.Report().Shards);
            if (isThrough)
            {
                Assert.InRange(failedAt, 20, 500);
                return;
            }

            reached = 0;
        }
    }
}
