using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

/// <summary>Large payloads are written from where they lie, wherever that is.</summary>
public sealed class DiskInPlaceTests
{
    private const int LargeBytes = 140_000;

    // Behind a record alone with such a payload, up to the end of its last block.
    private const int SlackBytes = (35 * RecordFormat.BlockBytes) - LargeBytes - RecordFormat.HeaderBytes;

    // So that compaction and seals meet such records in a small disk.
    private static readonly DiskOptions Options = DiskBed.Small with { InPlaceBytes = 600 };

    [Theory]
    [InlineData(0, false)]
    [InlineData(215, false)]
    [InlineData(216, true)]
    [InlineData(511, true)]
    [InlineData(216 + SlackBytes, true)]
    [InlineData(216 + SlackBytes + 1, false)]
    [InlineData(5001, true)]
    public async Task A_large_payload_is_written_from_where_it_lies_where_that_takes_no_more_blocks(
        int offset, bool isInPlace)
    {
        await using var bed = new DiskBed(new DiskOptions());
        TestShard shard = bed.NewShard(LargeBytes);
        SharedBuffer buffer = bed.Pool.Rent(LargeBytes + offset);
        BufferSlice payload = buffer.Slice(offset, LargeBytes);
        shard.Payload.CopyTo(payload.Span);
        await bed.PutNewAsync(13);
        bed.Files.Pieces = [];
        Assert.True((await bed.Disk.AppendAsync(shard.Header, [], payload, DiskBed.Cancel)).IsDone);
        ReadOnlyMemory<byte>[] pieces = [.. bed.Files.Pieces.Where(p => p.Span.Overlaps(payload.Span))];
        Assert.Equal(isInPlace ? 1 : 0, pieces.Length);
        Assert.All(
            pieces, p => Assert.InRange(p.Length, LargeBytes - (2 * RecordFormat.BlockBytes) + 2, LargeBytes));
        ShardLocation at = bed.Disk.Locate(shard.Header.Stripe, shard.Header.Place)!.Value;
        Assert.True(!isInPlace || (offset - at.Offset) % RecordFormat.BlockBytes == 0);
        bed.Crash();
        await bed.AssertHoldsAsync(shard);
        await bed.Disk.DisposeAsync();
        long expected =
            Volume.HeaderBytes + RecordFormat.BlockBytes + RecordFormat.HeaderBytes + LargeBytes + SlackBytes;
        Assert.Equal(expected, RecordFormat.AlignBlock(new FileInfo(bed.VolumeFiles()[0]).Length));
        await bed.ReopenAsync();
        await bed.AssertHoldsAsync(shard);

        // Nobody holds it any more.
        buffer.Release();
        Assert.Same(buffer, bed.Pool.Rent(LargeBytes + offset));
    }

    [Fact]
    public async Task A_payload_that_is_not_large_is_copied()
    {
        await using var bed = new DiskBed(new DiskOptions());
        TestShard shard = bed.NewShard(new DiskOptions().InPlaceBytes - 1);
        BufferSlice payload = bed.Pool.RentSlice(shard.Payload.Length);
        shard.Payload.CopyTo(payload.Span);
        bed.Files.Pieces = [];
        Assert.True((await bed.Disk.AppendAsync(shard.Header, [], payload, DiskBed.Cancel)).IsDone);
        Assert.NotEmpty(bed.Files.Pieces);
        Assert.DoesNotContain(bed.Files.Pieces, p => p.Span.Overlaps(payload.Span));
        payload.Release();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Records_of_any_sizes_come_back_from_a_device_and_through_the_cache(bool isDirect)
    {
        await using var bed = new DiskBed(Options, isBuffered: !isDirect);
        TestShard[] shards = [.. Enumerable.Range(0, 200).Select(i => bed.NewShard(i * 977 % 9_000))];
        foreach (TestShard[] batch in shards.Chunk(40))
        {
            await bed.PutAsOneBatchAsync(batch);
        }

        await bed.AssertHoldsAsync(shards);
        bed.Crash();
        await bed.AssertHoldsAsync(shards);

        // Copied together, they keep their gaps where nothing asks for them.
        await bed.DropAsync([.. shards.Where((_, i) => i % 4 != 0)]);
        await bed.Disk.CompactAsync(DiskBed.Cancel);
        await bed.ReopenAsync();
        await bed.AssertHoldsAsync(shards.Where((_, i) => i % 4 == 0));
    }
}
