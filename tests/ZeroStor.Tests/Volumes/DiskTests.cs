namespace ZeroStor.Tests.Volumes;

public sealed class DiskTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2048)]
    [InlineData(2049)]
    [InlineData(209_767)]
    public async Task What_is_appended_is_read_again_now_after_a_stop_and_after_a_kill(int bytes)
    {
        await using var bed = new DiskBed();
        TestShard shard = bed.NewShard(bytes) with
        {
            Extensions =
            [
                new(ExtensionType.ShardSums, new byte[] { 1, 2, 3 }),
                new((ExtensionType)999, Array.Empty<byte>()),
                new(ExtensionType.Manifest, new byte[5000]),
            ],
        };
        await bed.PutAsync(shard);
        await bed.AssertHoldsAsync(shard);
        await bed.ReopenAsync();
        await bed.AssertHoldsAsync(shard);
        bed.Crash();
        await bed.AssertHoldsAsync(shard);
        Assert.Equal(0, bed.Disk.BadRecords);
    }
}
