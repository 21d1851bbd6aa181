using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

/// <summary>A disk against a model of what was acknowledged: whatever happens to the process and its calls,
/// what was acknowledged is there, what was reclaimed is not, and what was refused or cut off is whole or
/// absent. </summary>
public sealed class DiskModelTests
{
    private static readonly DiskOptions Tiny = DiskBed.Small with
    {
        VolumeBytes = 24 * 1024,
        GrowBytes = 16 * 1024,
        SealEarlyDeadBytes = 8 * 1024,
        CopyBytes = 4 * 1024,
    };

    [Fact]
    public async Task Any_order_of_puts_reclaims_compactions_stops_and_kills_keeps_what_was_acknowledged()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            await using var bed = new DiskBed(Tiny, seed);
            var model = new Model(bed, new Random(seed));
            for (int step = 0; step < 60; step++)
            {
                await model.StepAsync();
            }

            bed.Crash();
            await model.AssertAsync();
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
            await using var bed = new DiskBed(Tiny, seed: 4);
            var model = new Model(bed, new Random(4));
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
                await model.AssertAsync();
            }

            bed.Disk.Abandon();
            bed.Files.Before = (_, _) => 0;
            bed.Crash();
            await model.AssertAsync();
            await bed.PutNewAsync();
            await bed.Disk.CompactAsync(DiskBed.Cancel);
            bed.Crash();
            await model.AssertAsync();
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
            await using var bed = new DiskBed(Tiny, seed: 4);
            var model = new Model(bed, new Random(5));
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
            bed.Crash();
            await model.AssertAsync();
            Assert.Equal(model.Acknowledged.Count, bed.Disk.Report().Shards);
            if (isThrough)
            {
                Assert.InRange(failedAt, 20, 500);
                return;
            }

            reached = 0;
        }
    }

    private sealed class Model(DiskBed bed, Random random)
    {
        private readonly List<ContentId> _contents =
            [.. Enumerable.Range(0, 12).Select(_ => ContentId.New(new Tick(5), bed.Entropy))];
        private readonly List<TestShard> _unsure = [];
        private readonly List<TestShard> _dead = [];

        internal List<TestShard> Acknowledged { get; } = [];

        internal async Task StepAsync()
        {
            switch (random.Next(14))
            {
                case 0:
                    await bed.ReopenAsync();
                    await AssertAsync();
                    break;
                case 1:
                    bed.Crash();
                    await AssertAsync();
                    break;
                case 2:
                    await bed.Disk.MarkAsync();
                    break;
                case 3 or 4:
                    // What dies while it is being copied must stay dead.
                    Task compacting = bed.Disk.CompactAsync(DiskBed.Cancel).AsTask();
                    await PutOrReclaimAsync();
                    await PutOrReclaimAsync();
                    await compacting;
                    break;
                default:
                    await PutReclaimOrCompactAsync();
                    break;
            }
        }

        internal async Task PutReclaimOrCompactAsync()
        {
            if (random.Next(6) == 0)
            {
                await bed.Disk.CompactAsync(DiskBed.Cancel);
            }
            else
            {
                await PutOrReclaimAsync();
            }
        }

        internal async Task PutOrReclaimAsync()
        {
            if (random.Next(4) > 0)
            {
                // Several at once, so that batches hold more than one.
                TestShard[] shards = [.. Enumerable.Range(0, random.Next(1, 5))
                    .Select(_ => bed.NewShard(random.Next(3000), content: _contents[random.Next(_contents.Count)]))];
                HomeAnswer[] answers = await Task.WhenAll(shards.Select(s => bed.AppendAsync(s)));
                for (int i = 0; i < shards.Length; i++)
                {
                    (answers[i].IsDone ? Acknowledged : _unsure).Add(shards[i]);
                }

                return;
            }

            // A content that was reclaimed may be written again: contents are few here, so it often is.
            ContentId content = _contents[random.Next(_contents.Count)];
            bool isDone = (await bed.Disk.ReclaimAsync([content], DiskBed.Cancel)).IsDone;
            foreach (TestShard shard in Acknowledged.FindAll(s => s.Header.Content == content))
            {
                Acknowledged.Remove(shard);
                (isDone ? _dead : _unsure).Add(shard);
            }

            if (isDone)
            {
                _dead.AddRange(_unsure.FindAll(s => s.Header.Content == content));
                _unsure.RemoveAll(s => s.Header.Content == content);
            }
        }

        internal async Task AssertAsync()
        {
            await bed.AssertHoldsAsync(Acknowledged);
            foreach (TestShard shard in _dead)
            {
                await bed.AssertLacksAsync(shard);
            }

            foreach (TestShard shard in _unsure)
            {
                ShardReadAnswer answer = await bed.ReadAsync(shard);
                Assert.True(answer.Kind is ErrorKind.None or ErrorKind.NotFound, answer.Detail);
                if (answer.IsDone)
                {
                    Assert.Equal(shard.Payload, answer.Payload.Span.ToArray());
                    answer.Payload.Release();
                }
            }

            int listed = bed.Disk.List(DiskBed.Group, default, int.MaxValue).Length;
            Assert.Equal(bed.Disk.Report().Shards, listed);
            Assert.Equal(listed, bed.Disk.Digests().Sum(d => d.Count));
        }
    }
}
