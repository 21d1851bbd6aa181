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

    /// <summary>Volumes that are full after some records, and wasteful soon after.</summary>
    internal static DiskOptions Tiny { get; } = DiskBed.Small with
    {
        VolumeBytes = 24 * 1024,
        GrowBytes = 16 * 1024,
        SealEarlyDeadBytes = 8 * 1024,
        CopyBytes = 4 * 1024,
    };

    internal List<TestShard> Acknowledged { get; } = [];

    /// <summary>The proof: a disk in memory that stops in order and loses its power, again and again.
    /// </summary>
    internal static async Task ProveAsync(int seed, Defect planted)
    {
        DiskOptions options = Tiny with { Planted = planted.InCore() };
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

    internal async Task PutReclaimOrCompactAsync()
    {
        if (_random.Next(6) == 0)
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
        if (_random.Next(4) > 0)
        {
            await PutAsync();
            return;
        }

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

    // Several in a batch, which may be torn between them.
    private async Task PutAsync()
    {
        TestShard[] shards =
        [
            .. Enumerable.Range(0, _random.Next(1, 5)).Select(
                _ => bed.NewShard(_random.Next(3000), content: _contents[_random.Next(_contents.Count)])),
        ];
        HomeAnswer[] answers = await bed.AppendAsOneBatchAsync(shards[0], shards[1..]);
        foreach ((TestShard shard, HomeAnswer answer) in shards.Zip(answers))
        {
            (answer.IsDone ? Acknowledged : _unsure).Add(shard);
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
