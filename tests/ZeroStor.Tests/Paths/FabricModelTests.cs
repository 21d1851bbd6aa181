using ZeroStor.Tests.Proofs;

namespace ZeroStor.Tests.Paths;

public sealed class FabricModelTests
{
    [Fact]
    public Task Whatever_homes_do_what_was_acknowledged_is_there_and_right() =>
        Seeds.ForEachAsync(few: 40, seed => FabricModel.ProveAsync(seed, Defect.None));
}
