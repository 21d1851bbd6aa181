using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

/// <summary>What a scan makes of batches that were written while the one before them was synced, so that each states no
/// more than where that one begins.</summary>
public sealed class VolumeScanTests
{
    private const int Batches = 6;
    private const int PayloadBytes = 5000;

    private readonly BufferPool _pool = new();

    [Fact]
    public async Task A_batch_behind_padding_is_found_though_nothing_says_yet_that_the_one_before_is_durable()
    {
        await using var bed = new DiskBed();
        using Laid laid = Lay(bed, 2);
        Assert.Equal(2, laid.Scan(mark: 0).Records.Count);
        Assert.Equal(laid.Ends[^1], laid.Scan(mark: 0).End);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Batches_that_rotted_are_passed_when_a_later_one_states_that_they_were_durable(int rotten)
    {
        await using var bed = new DiskBed();
        using Laid laid = Lay(bed, Batches);
        laid.Spoil(1, rotten);
        VolumeScan scan = laid.Scan(mark: 0);
        Assert.Equal(Batches - rotten, scan.Records.Count);
        Assert.Equal(laid.Ends[^1], scan.End);
        Assert.Equal(1, scan.BadRegions);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task The_last_two_may_be_torn_and_end_the_scan(int torn)
    {
        await using var bed = new DiskBed();
        using Laid laid = Lay(bed, Batches);
        laid.Spoil(Batches - 2, torn);
        VolumeScan scan = laid.Scan(mark: 0);
        Assert.Equal(Batches - 2, scan.Records.Count);
        Assert.Equal(laid.Starts[Batches - 2], RecordFormat.AlignBlock(scan.End));
        Assert.Equal(0, scan.BadRegions);
    }

    private Laid Lay(DiskBed bed, int batches)
    {
        bed.LeavesDamage = true;
        Superblock disk = Disk.Peek(bed.Folder)!;
        Volume volume = Volume.Create(bed.Storage, bed.Folder, disk, 9, bed.Entropy);
        var laid = new Laid(volume);
        long start = volume.NextBatch;
        long before = start;
        for (int i = 0; i < batches; i++)
        {
            TestShard shard = bed.NewShard(PayloadBytes);
            BufferSlice payload = _pool.RentSlice(PayloadBytes);
            shard.Payload.CopyTo(payload.Span);
            var item = AppendItem.Make(
                new ShardAppendParts(shard.Header, [], payload), _pool, int.MaxValue, DiskBed.Cancel);
            var batch = new WriteBatch(volume, start, durableBytes: before, disk.Disk, disk.Claim, _pool);
            batch.AddShard(item);
            batch.Bound(bed.Options with { LargeBatchBytes = 0 });
            batch.Write();
            laid.Starts.Add(start);
            laid.Ends.Add(batch.End);
            (before, start) = (start, batch.Next);
            batch.Release();
            item.Complete(HomeAnswer.Done);
            payload.Release();
        }

        return laid;
    }

    private sealed class Laid(Volume volume) : IDisposable
    {
        internal List<long> Starts { get; } = [];

        internal List<long> Ends { get; } = [];

        internal void Spoil(int first, int count)
        {
            for (int i = first; i < first + count; i++)
            {
                volume.File.Write([new byte[(int)(Ends[i] - Starts[i])]], Starts[i]);
            }
        }

        internal VolumeScan Scan(long mark) => VolumeScanner.Scan(
            volume.File, volume.Number, volume.Generation, volume.FileBytes, mark);

        public void Dispose() => volume.Unpin();
    }
}
