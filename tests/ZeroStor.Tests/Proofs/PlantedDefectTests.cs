using ZeroStor.Tests.Paths;
using ZeroStor.Tests.Volumes;

namespace ZeroStor.Tests.Proofs;

/// <summary>The proofs, each run with the defects that it has to find.</summary>
public sealed class PlantedDefectTests
{
    /// <summary>Seeds within which a defect is found: fewer than the proofs are run with.</summary>
    private const int Patience = 20;

    private static readonly Dictionary<string, Func<int, Defect, Task>> Proofs = new()
    {
        ["disk"] = DiskModel.ProveAsync,
        ["crash"] = CrashStates.ProveAsync,
        ["stale"] = StaleBlocks.ProveAsync,
        ["fabric"] = FabricModel.ProveAsync,
        ["read"] = ReadStripeTests.ProveUpToMMayLieAsync,
        ["repair"] = RepairGroupTests.ProveLiesAreNotCopiedAsync,
        ["write"] = WriteStripeTests.ProveFloorHoldsAsync,
    };

    // Reclaims are answered for like appends.
    private static readonly Promise[] Durable = [Promise.AcknowledgedIsKept, Promise.ReclaimedIsGone];

    private static readonly (Defect Planted, string Proof, Promise[] Broken)[] Finds =
    [
        (Defect.SkippedSync, "disk", Durable),
        (Defect.SkippedSync, "fabric", Durable),
        (Defect.SkippedSync, "crash", Durable),
        (Defect.SkippedFolderSync, "crash", Durable),
        (Defect.SameGeneration, "crash", [Promise.NothingElseIsSeen]),
        (Defect.TrustInIndex, "stale", [Promise.ReadsAreRight]),
        (Defect.AnswerBeforeSync, "disk", Durable),
        (Defect.AnswerBeforeSync, "fabric", Durable),
        (Defect.AnswerByEarlierSync, "crash", [Promise.AcknowledgedIsKept]),
        (Defect.DroppedDeleteRecord, "disk", [Promise.ReclaimedIsGone]),
        (Defect.DroppedDeleteRecord, "crash", [Promise.ReclaimedIsGone]),
        (Defect.DroppedDeleteRecord, "fabric", [Promise.ReclaimedIsGone]),
        (Defect.StaleEpoch, "fabric", [Promise.AcknowledgedIsSpread]),
        (Defect.TrustInReading, "read", [Promise.ReadsAreRight]),
        (Defect.TrustInReading, "fabric", [Promise.ReadsAreRight]),
        (Defect.TrustInRepair, "repair", [Promise.RepairsAreRight]),
        (Defect.TrustInRepair, "fabric", [Promise.RepairsAreRight]),
        (Defect.IgnoredWriteFloor, "write", [Promise.AcknowledgedIsSpread]),
        (Defect.IgnoredWriteFloor, "fabric", [Promise.AcknowledgedIsSpread]),
        (Defect.HiddenPlacesLeft, "fabric", [Promise.WholeIsWhole]),
    ];

    public static TheoryData<string, string> Searches() =>
        new(Finds.Select(f => (f.Proof, f.Planted.ToString())));

    [Theory]
    [MemberData(nameof(Searches))]
    public async Task A_planted_defect_is_found_for_what_it_breaks(string proof, string planted)
    {
        (Defect defect, _, Promise[] broken) =
            Finds.Single(f => f.Proof == proof && f.Planted.ToString() == planted);
        for (int seed = 0; seed < Patience; seed++)
        {
            try
            {
                await Proofs[proof](seed, defect);
            }
            catch (BrokenPromiseException found)
            {
                TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}: {found.Message}");
                Assert.Contains(found.Promise, broken);
                return;
            }
        }

        Assert.Fail($"The proof '{proof}' does not find {planted} with {Patience} seeds.");
    }

    [Fact]
    public void Every_defect_is_looked_for()
    {
        Defect[] all = Enum.GetValues<Defect>();
        Assert.Equal(all.Except([Defect.None]).Order(), Finds.Select(f => f.Planted).Distinct().Order());
        Assert.Equal(
            Enum.GetValues<PlantedDefects>().Order(), all.Select(d => d.InCore()).Distinct().Order());
    }
}
