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
    public async Task Any_order_of_puts_drops_reclaims_compactions_stops_and_kills_keeps_the_acknowledged()
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
        private Tick _noted;

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
                    await NoteTickAsync();
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
            switch (random.Next(12))
            {
                case 0 or 1:
                    await bed.Disk.CompactAsync(DiskBed.Cancel);
                    break;
                case 2:
                    await NoteTickAsync();
                    break;
                default:
                    await PutOrReclaimAsync();
                    break;
            }
        }

        private async Task NoteTickAsync()
        {
            var tick = new Tick((uint)random.Next(100));
            if ((await bed.Disk.NoteTickAsync(tick, DiskBed.Cancel)).IsDone && tick > _noted)
            {
                _noted = tick;
            }
        }

        internal async Task PutOrReclaimAsync()
        {
            switch (random.Next(8))
            {
                case 0 or 1:
                    await ReclaimAsync();
                    break;
                case 2:
                    await DropAsync();
                    break;
                case 3:
                    await PutDropAndPutAsync();
                    break;
                default:
                    // Several at once, so that batches hold more than one.
                    await PutAsync([.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => NewShard())]);
                    break;
            }
        }

        // Often another place of a stripe that is there, and now and then one that was dropped.
        private TestShard NewShard()
        {
            if (_dead.Count > 0 && random.Next(5) == 0)
            {
                return _dead[random.Next(_dead.Count)];
            }

            TestShard shard = bed.NewShard(
                random.Next(3000), (byte)random.Next(6), _contents[random.Next(_contents.Count)]);
            if (Acknowledged.Count == 0 || random.Next(3) > 0)
            {
                return shard;
            }

            TestShard kin = Acknowledged[random.Next(Acknowledged.Count)];
            return shard with { Header = shard.Header with { Stripe = kin.Header.Stripe } };
        }

        private bool IsNew(TestShard shard) =>
            !Acknowledged.Concat(_unsure).Any(s => s.Header.Name == shard.Header.Name)
            && !_dead.Any(d => d.Header.Name == shard.Header.Name && d != shard);

        private async Task PutAsync(TestShard[] shards)
        {
            shards = [.. shards.Where(IsNew).DistinctBy(s => s.Header.Name)];
            HomeAnswer[] answers = await Task.WhenAll(shards.Select(s => bed.AppendAsync(s)));
            for (int i = 0; i < shards.Length; i++)
            {
                _dead.Remove(shards[i]);
                (answers[i].IsDone ? Acknowledged : _unsure).Add(shards[i]);
            }
        }

        // Single ones of what is there, of what may be and of what died, as they come.
        private async Task DropAsync()
        {
            TestShard[] all = [.. Acknowledged, .. _unsure, .. _dead];
            random.Shuffle(all);
            TestShard[] shards = all[..Math.Min(all.Length, random.Next(1, 5))];
            bool isDone =
                (await bed.Disk.DropAsync([.. shards.Select(s => s.Header.Name)], DiskBed.Cancel)).IsDone;
            foreach (TestShard shard in shards)
            {
                if (Acknowledged.Remove(shard) || (isDone && _unsure.Remove(shard)))
                {
                    (isDone ? _dead : _unsure).Add(shard);
                }
            }
        }

        // Orders that stand in one batch, if the writer has them at once.
        private async Task PutDropAndPutAsync()
        {
            TestShard[] shards = [.. Enumerable.Range(0, 2).Select(_ => NewShard()).Where(IsNew)
                .DistinctBy(s => s.Header.Name)];
            Task<HomeAnswer>[] puts = [.. shards.Select(s => bed.AppendAsync(s))];
            Task<HomeAnswer> drop =
                bed.Disk.DropAsync([.. shards.Select(s => s.Header.Name)], DiskBed.Cancel).AsTask();

            // The first comes back.
            Task<HomeAnswer>[] again = [.. shards.Take(1).Select(s => bed.AppendAsync(s))];
            await Task.WhenAll([.. puts, drop, .. again]);
            for (int i = 0; i < shards.Length; i++)
            {
                _dead.Remove(shards[i]);
                bool isThere = i < again.Length && again[i].Result.IsDone;
                bool isGone = i >= again.Length && drop.Result.IsDone;
                (isThere ? Acknowledged : isGone ? _dead : _unsure).Add(shards[i]);
            }
        }

        private async Task ReclaimAsync()
        {
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

            Assert.True(bed.Disk.HighestTick >= _noted);
            int listed = bed.Disk.List(DiskBed.Group, default, int.MaxValue).Length;
            Assert.Equal(bed.Disk.Report().Shards, listed);
            Assert.Equal(listed, bed.Disk.Digests().Sum(d => d.Count));
        }
    }
}
