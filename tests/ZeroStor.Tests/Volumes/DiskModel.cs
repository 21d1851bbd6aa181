using ZeroStor.Tests.Proofs;
using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

/// <summary>A disk against what it acknowledged: whatever happens to the process and its calls, what was
/// acknowledged is there, what was reclaimed is not, and what was refused or cut off is whole or absent. What
/// it does next comes from a seed.</summary>
internal sealed class DiskModel(DiskBed bed, int seed)
{
    private readonly Random _random = new(seed);
    private readonly List<ContentId> _contents =
        [.. Enumerable.Range(0, 12).Select(_ => ContentId.New(new Tick(5), bed.Entropy))];

    private readonly List<TestShard> _unsure = [];
    private readonly List<TestShard> _dead = [];
    private Tick _noted;

    /// <summary>Volumes that are full after some records, and wasteful soon after; and whatever waits while a
    /// batch is written is laid, and answered beside the next.</summary>
    internal static DiskOptions Tiny { get; } = DiskBed.Small with
    {
        VolumeBytes = 24 * 1024,
        GrowBytes = 16 * 1024,
        SealEarlyDeadBytes = 8 * 1024,
        CopyBytes = 4 * 1024,
        LayAheadBytes = 1,
        AnswerAsideCount = 1,
        InPlaceBytes = 700,
    };

    internal List<TestShard> Acknowledged { get; } = [];

    /// <summary>The proof: a disk in memory that stops in order and loses its power, again and again.
    /// </summary>
    internal static async Task ProveAsync(int seed, Defect planted)
    {
        DiskOptions options = Tiny with
        {
            Planted = planted.InCore(),

            // In every other proof names share one of four hashes.
            Hash = seed % 2 == 0 ? ShardFinder.HashOf : name => ShardFinder.HashOf(name) & 3,
        };
        await using var bed = new DiskBed(options, seed, new MemoryFiles(seed))
        {
            LeavesDamage = planted != Defect.None,
        };
        bed.Files.SkipsSyncs = planted == Defect.SkippedSync;
        var model = new DiskModel(bed, seed);
        for (int step = 0; step < 60; step++)
        {
            await model.StepAsync();
        }

        bed.CutPower();
        await model.VerifyAsync();
    }

    internal Task PutReclaimOrCompactAsync() => _random.Next(12) switch
    {
        0 or 1 => bed.Disk.CompactAsync(DiskBed.Cancel).AsTask(),
        2 => NoteTickAsync(),
        _ => PutOrReclaimAsync(),
    };

    internal Task PutOrReclaimAsync() => _random.Next(8) switch
    {
        0 or 1 => ReclaimAsync(),
        2 => DropAsync(),
        3 => PutDropAndPutAsync(),

        // Several at once, so that batches hold more than one.
        _ => PutAsync([.. Enumerable.Range(0, _random.Next(1, 5)).Select(_ => NewShard())]),
    };

    internal async Task VerifyAsync()
    {
        foreach (TestShard shard in Acknowledged)
        {
            BrokenPromiseException.Unless(
                await IsThereAsync(shard),
                Promise.AcknowledgedIsKept,
                $"{shard.Header.Stripe} was appended and is gone");
        }

        foreach (TestShard shard in _dead)
        {
            BrokenPromiseException.Unless(
                !await IsThereAsync(shard),
                Promise.ReclaimedIsGone,
                $"{shard.Header.Stripe} was reclaimed and is there");
        }

        foreach (TestShard shard in _unsure)
        {
            await IsThereAsync(shard);
        }

        Assert.True(bed.Disk.HighestTick >= _noted);
        int listed = bed.Disk.List(DiskBed.Group, default, int.MaxValue).Length;
        Assert.Equal(bed.Disk.Report().Shards, listed);
        Assert.Equal(listed, bed.Disk.Digests().Sum(d => d.Count));
    }

    private async Task StepAsync()
    {
        switch (_random.Next(12))
        {
            case 0:
                await bed.ReopenAsync();
                await VerifyAsync();
                break;
            case 1:
                bed.CutPower();
                await VerifyAsync();
                break;
            case 2:
                await bed.Disk.MarkAsync();
                break;
            case 3 or 4:
                bed.Files.ChangesLeft = _random.Next(12);
                await PutReclaimOrCompactAsync();
                bed.CutPower();
                await VerifyAsync();
                break;
            default:
                await PutReclaimOrCompactAsync();
                break;
        }
    }

    private async Task NoteTickAsync()
    {
        var tick = new Tick((uint)_random.Next(100));
        if ((await bed.Disk.NoteTickAsync(tick, DiskBed.Cancel)).IsDone && tick > _noted)
        {
            _noted = tick;
        }
    }

    // Often another place of a stripe that is there, and now and then one that was dropped.
    private TestShard NewShard()
    {
        if (_dead.Count > 0 && _random.Next(5) == 0)
        {
            return _dead[_random.Next(_dead.Count)];
        }

        TestShard shard = bed.NewShard(
            _random.Next(3000), (byte)_random.Next(6), _contents[_random.Next(_contents.Count)]);
        if (Acknowledged.Count == 0 || _random.Next(3) > 0)
        {
            return shard;
        }

        TestShard kin = Acknowledged[_random.Next(Acknowledged.Count)];
        return shard with { Header = shard.Header with { Stripe = kin.Header.Stripe } };
    }

    private bool IsNew(TestShard shard) =>
        !Acknowledged.Concat(_unsure).Any(s => s.Header.Name == shard.Header.Name)
        && !_dead.Any(d => d.Header.Name == shard.Header.Name && d != shard);

    // The others in one batch, which may be torn between them.
    private async Task PutAsync(TestShard[] shards)
    {
        shards = [.. shards.Where(IsNew).DistinctBy(s => s.Header.Name)];
        if (shards.Length == 0)
        {
            return;
        }

        HomeAnswer[] answers = await bed.GiveAsOneBatchAsync(
            bed.AppendOf(shards[0]), [.. shards.Skip(1).Select(bed.AppendOf)]);
        foreach ((TestShard shard, HomeAnswer answer) in shards.Zip(answers))
        {
            _dead.Remove(shard);
            (answer.IsDone ? Acknowledged : _unsure).Add(shard);
        }
    }

    // Single ones of what is there, of what may be and of what died, as they come.
    private async Task DropAsync()
    {
        TestShard[] all = [.. Acknowledged, .. _unsure, .. _dead];
        _random.Shuffle(all);
        TestShard[] shards = all[..Math.Min(all.Length, _random.Next(1, 5))];
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

    // Put, dropped and, the first of them, put again, all in one batch.
    private async Task PutDropAndPutAsync()
    {
        TestShard[] shards =
            [.. Enumerable.Range(0, 2).Select(_ => NewShard()).Where(IsNew).DistinctBy(s => s.Header.Name)];
        ShardName[] names = [.. shards.Select(s => s.Header.Name)];
        TestShard before = bed.NewShard(10, content: _contents[0]);
        HomeAnswer[] answers = await bed.GiveAsOneBatchAsync(
            bed.AppendOf(before),
            [
                .. shards.Select(bed.AppendOf),
                () => bed.Disk.DropAsync(names, DiskBed.Cancel).AsTask(),
                .. shards.Take(1).Select(bed.AppendOf),
            ]);
        (answers[0].IsDone ? Acknowledged : _unsure).Add(before);
        bool isDropped = answers[1 + shards.Length].IsDone;
        for (int i = 0; i < shards.Length; i++)
        {
            _dead.Remove(shards[i]);
            bool isThere = i == 0 && answers[^1].IsDone;
            bool isGone = i > 0 && isDropped;
            (isThere ? Acknowledged : isGone ? _dead : _unsure).Add(shards[i]);
        }
    }

    private async Task ReclaimAsync()
    {
        // A content that was reclaimed may be written again: contents are few here, so it often is.
        ContentId content = _contents[_random.Next(_contents.Count)];
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

    // Whole, or not at all.
    private async Task<bool> IsThereAsync(TestShard shard)
    {
        ShardReadAnswer answer = await bed.ReadAsync(shard);
        bool isRight = answer.Kind == ErrorKind.NotFound
            || (answer.IsDone
                && answer.Header == shard.Header
                && answer.Payload.Span.SequenceEqual(shard.Payload));
        answer.Payload.Release();
        BrokenPromiseException.Unless(
            isRight, Promise.ReadsAreRight, $"{shard.Header.Stripe} reads as {answer.Kind}");
        return answer.IsDone;
    }
}
