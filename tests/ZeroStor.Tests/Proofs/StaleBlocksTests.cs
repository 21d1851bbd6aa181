namespace ZeroStor.Tests.Proofs;

/// <summary>A device that forgets.</summary>
public sealed class StaleBlocksTests
{
    [Fact]
    public async Task No_block_of_an_earlier_time_or_life_is_ever_read_for_what_should_be_there()
    {
        int count = 0;
        for (int seed = 0; seed < 3; seed++)
        {
            count += await StaleBlocks.CountAsync(seed, Defect.None);
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"{count} stale blocks");
        Assert.InRange(count, 30, int.MaxValue);
    }
}
